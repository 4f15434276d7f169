using Xunit;

namespace Frazil.Tests.Engine;

public sealed class FlushPhasesTests
{
    [Fact]
    public void The_first_table_has_the_whole_interval_and_others_lie_between()
    {
        var phases = new FlushPhases();
        Assert.Equal([1, 0.5, 0.75, 0.25, 0.875, 0.375, 0.625, 0.125], Enumerable.Range(0, 8).Select(_ => phases.Next()));
    }

    [Fact]
    public void However_many_tables_there_are_no_moment_is_due_for_more_than_its_share()
    {
        var phases = new FlushPhases();
        var given = Enumerable.Range(0, 300).Select(_ => phases.Next()).ToList();
        Assert.All(given, static phase => Assert.InRange(phase, 0.001, 1));
        for (var tenth = 0; tenth < 10; tenth++)
        {
            Assert.InRange(given.Count(phase => phase > tenth / 10.0 && phase <= (tenth + 1) / 10.0), 27, 33);
        }
    }
}
