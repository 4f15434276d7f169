using System.Text.Json;
using Frazil.Commit;
using Frazil.Hot;
using Frazil.Kafka;
using Frazil.Log;
using Xunit;

namespace Frazil.Tests.Commit;

public sealed class TableGapsTests
{
    private const string Key = "frazil.gaps.events";

    private static readonly TopicPartition P0 = new("events", 0);
    private static readonly TopicPartition P1 = new("events", 1);

    [Fact]
    public void Nothing_is_recorded_where_a_partition_begins_at_zero_and_has_no_gap()
        => Assert.Empty(TableGaps.Empty.ChangedBy([new(P0, null, 10), new(P1, 5, 10)]));

    [Fact]
    public void The_first_offset_is_recorded_once_and_gaps_add_up()
    {
        var (after, property) = Step(
            TableGaps.Empty, new ProgressStep(P0, null, 120, 100, Skipped(new SkippedRange(new(101, 103), SkipKind.Transaction))));
        Assert.Equal("""{"0":{"first":100,"transaction":3}}""", property);

        (after, property) = Step(after, new ProgressStep(P0, 120, 200, 120, Skipped(
            new SkippedRange(new(120, 129), SkipKind.Retention), new SkippedRange(new(131, 131), SkipKind.Compaction),
            new SkippedRange(new(133, 134), SkipKind.Unknown))));
        Assert.Equal("""{"0":{"first":100,"transaction":3,"compaction":1,"unknown":2,"retention":[[120,129]]}}""", property);

        (after, property) = Step(after, new ProgressStep(P1, null, 9, 4));
        Assert.Equal("""{"0":{"first":100,"transaction":3,"compaction":1,"unknown":2,"retention":[[120,129]]},"1":{"first":4}}""", property);
        Assert.Equal(16, after.Of(P0).Skipped);
        Assert.Equal(PartitionGaps.None, after.Of(new("events", 2)));
    }

    [Fact]
    public void Gaps_of_a_partition_that_is_read_anew_from_its_beginning_are_forgotten()
    {
        var (before, _) = Step(TableGaps.Empty, new ProgressStep(P0, null, 120, 100, Skipped(new SkippedRange(new(101, 103), SkipKind.Transaction))));
        var (after, property) = Step(before, new ProgressStep(P0, null, 10, 0));
        Assert.Equal("{}", property);
        Assert.Equal(PartitionGaps.None, after.Of(P0));
    }

    [Fact]
    public void Retention_ranges_that_touch_are_merged_over_commits()
    {
        var (after, _) = Step(TableGaps.Empty, new ProgressStep(P0, null, 10, 0, Skipped(new SkippedRange(new(5, 9), SkipKind.Retention))));
        (after, var property) = Step(after, new ProgressStep(P0, 10, 30, 10, Skipped(
            new SkippedRange(new(10, 19), SkipKind.Retention), new SkippedRange(new(21, 22), SkipKind.Retention))));

        Assert.Equal("""{"0":{"first":0,"retention":[[5,19],[21,22]]}}""", property);
        Assert.Equal(17, after.Of(P0).Removed);
    }

    [Fact]
    public void Retention_ranges_beyond_the_bound_are_counted()
    {
        var skipped = new SkippedOffsets();
        for (var i = 0; i < TableGaps.MostRanges + 5; i++)
        {
            skipped.Add(new(10L * i, (10L * i) + 1), SkipKind.Retention);
        }
        var (after, property) = Step(TableGaps.Empty, new ProgressStep(P0, null, 20_000, 0, skipped));

        Assert.EndsWith(""","retention_unlisted":10}}""", property, StringComparison.Ordinal);
        Assert.Equal(2 * (TableGaps.MostRanges + 5), after.Of(P0).Removed);
    }

    [Fact]
    public void A_step_that_recovery_takes_from_the_log_records_the_same_gaps()
    {
        var step = new ProgressStep(P0, null, 200, 100, Skipped(
            new SkippedRange(new(101, 103), SkipKind.Transaction), new SkippedRange(new(110, 119), SkipKind.Retention),
            new SkippedRange(new(131, 131), SkipKind.Compaction), new SkippedRange(new(133, 134), SkipKind.Unknown)));

        var entry = new OffsetCommit("f", [LoggedStep.Of(step)]);
        var logged = (OffsetCommit)JsonSerializer.Deserialize(
            JsonSerializer.Serialize(entry, LogJson.Default.LogEntry), LogJson.Default.LogEntry)!;

        Assert.Equal(Step(TableGaps.Empty, step).Property, Step(TableGaps.Empty, logged.Steps[0].ToStep()).Property);
    }

    [Fact]
    public void What_did_not_change_is_not_written_again()
    {
        var (after, _) = Step(TableGaps.Empty, new ProgressStep(P0, null, 10, 3));

        Assert.Empty(after.ChangedBy([new(P0, 10, 20, 10)]));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"x":{"first":0}}""")]
    [InlineData("""{"-1":{"first":0}}""")]
    [InlineData("""{"0":{"first":-1}}""")]
    [InlineData("""{"0":{"first":0,"magic":1}}""")]
    [InlineData("""{"0":{"first":0,"transaction":1.5}}""")]
    [InlineData("""{"0":{"first":0,"retention":[[9,5]]}}""")]
    [InlineData("""{"0":{"first":0,"retention":[[5,9],[9,12]]}}""")]
    [InlineData("""{"0":{"first":0,"retention":[[5]]}}""")]
    [InlineData("""{"0":{"first":0,"retention":[[5,6,7]]}}""")]
    [InlineData("nonsense")]
    public void What_is_not_ours_is_refused_and_named(string json)
    {
        var error = Assert.Throws<GapsFormatException>(() => TableGaps.Parse(new Dictionary<string, string> { [Key] = json }));

        Assert.Contains(Key, error.Message, StringComparison.Ordinal);
        Assert.Contains(json, error.Message, StringComparison.Ordinal);
    }

    private static SkippedOffsets Skipped(params IEnumerable<SkippedRange> ranges)
    {
        var skipped = new SkippedOffsets();
        foreach (var (offsets, kind) in ranges)
        {
            skipped.Add(offsets, kind);
        }
        return skipped;
    }

    /// <summary>The step's property, and what the next process reads out of it.</summary>
    private static (TableGaps After, string Property) Step(TableGaps before, ProgressStep step)
    {
        var (key, value) = Assert.Single(before.ChangedBy([step]));
        Assert.Equal(Key, key);
        return (TableGaps.Parse(new Dictionary<string, string> { [key] = value, ["frazil.offsets.events"] = "{}" }), value);
    }
}
