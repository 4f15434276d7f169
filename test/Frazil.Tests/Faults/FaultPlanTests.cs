using Frazil.Faults;
using Xunit;

namespace Frazil.Tests.Faults;

public sealed class FaultPlanTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-faults-").FullName;

    [Fact]
    public void A_point_that_is_not_named_is_passed()
    {
        var plan = FaultPlan.Parse("commit.begin=error", null, null);

        plan.Reach("commit.staged", null);
    }

    [Fact]
    public void A_named_point_fails_and_says_which()
    {
        var plan = FaultPlan.Parse(" commit.begin=error ; commit.staged=delay:1;", null, null);

        plan.Reach("commit.staged", null);
        var failure = Assert.Throws<InjectedFaultException>(() => plan.Reach("commit.begin", null));
        Assert.Contains("commit.begin", failure.Message);
        Assert.IsAssignableFrom<IOException>(failure);
    }

    [Fact]
    public void An_at_sign_chooses_the_time_that_a_point_is_reached()
    {
        var plan = FaultPlan.Parse("log.synced=error@3", null, null);

        plan.Reach("log.synced", null);
        plan.Reach("log.synced", null);
        Assert.Throws<InjectedFaultException>(() => plan.Reach("log.synced", null));
        plan.Reach("log.synced", null);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("100", 200)]
    public void A_percentage_is_a_chance(string percent, int expected)
        => Assert.Equal(expected, Failures($"store.read=error%{percent}", "1", 200));

    [Fact]
    public void The_same_seed_fails_at_the_same_times()
    {
        var first = Failures("store.read=error%30", "7", 200);

        Assert.InRange(first, 30, 90);
        Assert.Equal(first, Failures("store.read=error%30", "7", 200));
    }

    [Fact]
    public void Nothing_counts_before_the_file_that_arms_it_exists()
    {
        var file = Path.Combine(folder, "armed");
        var plan = FaultPlan.Parse("flush.sealed=error@1", file, null);

        plan.Reach("flush.sealed", null);
        File.WriteAllText(file, "");
        Assert.Throws<InjectedFaultException>(() => plan.Reach("flush.sealed", null));
        File.Delete(file);
        plan.Reach("flush.sealed", null);
    }

    [Theory]
    [InlineData("commit.begin")]
    [InlineData("commit.begin=explode")]
    [InlineData("commit.begin=delay")]
    [InlineData("commit.begin=delay:soon")]
    [InlineData("commit.begin=kill@first")]
    [InlineData("commit.begin=error%often")]
    public void What_cannot_be_read_is_refused_by_name(string text)
        => Assert.Contains(text, Assert.Throws<FormatException>(() => FaultPlan.Parse(text, null, null)).Message);

    [Fact]
    public void A_clock_steps_by_as_many_seconds_as_its_file_says()
    {
        var file = Path.Combine(folder, "clock");
        var clock = new SteppedClock(file);

        Assert.InRange((clock.GetUtcNow() - DateTimeOffset.UtcNow).TotalHours, -1, 1);
        File.WriteAllText(file, "-86400");
        Assert.InRange((clock.GetUtcNow() - DateTimeOffset.UtcNow).TotalHours, -25, -23);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static int Failures(string text, string seed, int times)
    {
        var plan = FaultPlan.Parse(text, null, seed);
        var failures = 0;
        for (var time = 0; time < times; time++)
        {
            try
            {
                plan.Reach("store.read", null);
            }
            catch (InjectedFaultException)
            {
                failures++;
            }
        }
        return failures;
    }
}
