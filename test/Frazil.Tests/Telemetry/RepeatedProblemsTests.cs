using Frazil.Telemetry;
using Xunit;

namespace Frazil.Tests.Telemetry;

public sealed class RepeatedProblemsTests
{
    private readonly SetTime time = new();
    private readonly RepeatedProblems problems;

    public RepeatedProblemsTests() => problems = new(time);

    [Fact]
    public void What_goes_on_is_told_once_and_then_once_a_minute_with_how_often_it_came()
    {
        Assert.Equal("refused after 1 ms", problems.TextOf((-195, null), "refused after 1 ms"));
        for (var i = 0; i < 29; i++)
        {
            time.Seconds += 2;
            Assert.Null(problems.TextOf((-195, null), $"refused after {i} ms"));
        }
        time.Seconds += 2;
        Assert.Equal("refused again (29 more like it since it was told last)", problems.TextOf((-195, null), "refused again"));
        time.Seconds += 60;
        Assert.Equal("and again", problems.TextOf((-195, null), "and again"));
    }

    [Fact]
    public void Problems_of_another_kind_or_topic_are_told_at_once()
    {
        Assert.NotNull(problems.TextOf((-195, null), "no broker"));
        Assert.NotNull(problems.TextOf((3, "orders"), "unknown topic"));
        Assert.NotNull(problems.TextOf((3, "events"), "unknown topic"));
        Assert.Null(problems.TextOf((3, "orders"), "unknown topic"));
    }

    private sealed class SetTime : TimeProvider
    {
        public long Seconds { get; set; } = 1000;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
