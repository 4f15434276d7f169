using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain.Compaction;
using Xunit;

namespace Frazil.Tests.Maintain.Compaction;

public sealed class CompactionPlanTests
{
    private const long Mb = 1 << 20;

    private static readonly CompactionLimits Limits = new(100 * Mb, 512 * Mb, long.MaxValue);

    private int number;

    [Fact]
    public void Small_files_of_one_place_are_packed_up_to_the_target_in_the_order_of_their_offsets()
    {
        var plan = CompactionPlan.Of(Enumerable.Range(0, 60).Reverse().Select(i => File(20, offset: i)), Limits);

        Assert.Equal(60, plan.Files);
        Assert.All(plan.Units, static unit => Assert.InRange(unit.Bytes, 1, 512 * Mb));
        Assert.Equal([25, 25, 10], plan.Units.Select(static unit => unit.Files.Length).OrderDescending());
        Assert.All(plan.Units, static unit => Assert.Equal(unit.Files.Select(OffsetOf).Order(), unit.Files.Select(OffsetOf)));
    }

    [Fact]
    public void Partition_values_specs_and_Kafka_partitions_stay_apart()
    {
        var plan = CompactionPlan.Of(
            [
                File(1), File(1), File(1, partition: 1), File(1, partition: 1), File(1, spec: 1), File(1, spec: 1),
                File(1, value: "a"), File(1, value: "a"), File(1, partition: null), File(1, partition: null), File(1, topic: "t"), File(1, topic: "t"),
            ],
            Limits);

        Assert.Equal(6, plan.Units.Length);
        Assert.All(plan.Units, static unit => Assert.Equal(2, unit.Files.Length));
    }

    [Fact]
    public void What_is_large_enough_is_left_and_keeps_those_on_both_sides_of_it_in_Kafka_apart()
    {
        var placed = CompactionPlan.Of([File(5, offset: 0), File(5, offset: 1), File(100, offset: 2), File(5, offset: 3), File(5, offset: 4)], Limits);
        var mixed = CompactionPlan.Of(
            [File(5, partition: null), File(5, partition: null), File(100, partition: null), File(5, partition: null), File(5, partition: null)], Limits);

        Assert.Equal([2, 2], placed.Units.Select(static unit => unit.Files.Length));
        Assert.Equal([4], mixed.Units.Select(static unit => unit.Files.Length));
    }

    [Fact]
    public void A_file_is_not_rewritten_again_for_less_than_its_own_size()
    {
        Assert.Empty(CompactionPlan.Of([File(60, offset: 0), File(20, offset: 1)], Limits).Units);
        var beside = Assert.Single(CompactionPlan.Of([File(60, offset: 0), File(20, offset: 1), File(20, offset: 2)], Limits).Units);
        Assert.Equal([1L, 2], beside.Files.Select(OffsetOf));
        Assert.Equal(3, Assert.Single(CompactionPlan.Of([File(40, offset: 0), File(20, offset: 1), File(20, offset: 2)], Limits).Units).Files.Length);
    }

    /// <summary>Lesson 30.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_was_packed_is_not_packed_again_and_no_byte_is_written_more_often_than_sizes_can_double(int seed)
    {
        var random = new Random(seed);
        var files = new List<CompactionInput>();
        var (written, made) = (0L, 0L);
        for (var step = 0; step < 400; step++)
        {
            var size = random.Next(1, 8);
            files.Add(File(size, offset: step));
            made += size * Mb;
            if (random.Next(5) > 0)
            {
                continue;
            }
            var plan = CompactionPlan.Of(files, Limits);
            written += plan.Bytes;
            files = Apply(files, plan);
            Assert.Empty(CompactionPlan.Of(files, Limits).Units);
        }
        Assert.InRange(files.Count(static file => file.File.FileSizeBytes < 100 * Mb), 0, 40);
        Assert.InRange((double)written / made, 0, 8);
    }

    [Fact]
    public void Files_with_deletes_come_first_alone_where_nothing_else_is_to_be_packed_and_in_any_size()
    {
        var plan = CompactionPlan.Of(
            [File(5, offset: 0), File(5, offset: 1), File(300, offset: 2, deleted: 3), File(200, offset: 3, deleted: 5), File(7, spec: 1, deleted: 1)], Limits);

        Assert.Equal([200 * Mb, 300 * Mb, 7 * Mb, 10 * Mb], plan.Units.Select(static unit => unit.Bytes));
    }

    [Fact]
    public void Sorted_files_keep_their_order_and_are_rewritten_for_deletes_alone()
    {
        var plan = CompactionPlan.Of([Sorted(File(5, offset: 0)), Sorted(File(5, offset: 1)), Sorted(File(5, offset: 2, deleted: 1))], Limits);

        Assert.Equal([2L], Assert.Single(plan.Units).Files.Select(OffsetOf));
    }

    private static CompactionInput Sorted(CompactionInput input) => input with { Scan = input.Scan with { File = input.File with { SortOrderId = 1 } } };

    private static long OffsetOf(ScanFile file) => file.SequenceNumber;

    private static List<CompactionInput> Apply(List<CompactionInput> files, CompactionPlan plan)
    {
        var gone = plan.Units.SelectMany(static unit => unit.Files).ToHashSet();
        var rest = files.FindAll(file => !gone.Contains(file.Scan));
        rest.AddRange(plan.Units.Select(static unit => new CompactionInput(
            unit.Files[0] with { File = unit.Files[0].File with { FileSizeBytes = unit.Bytes }, Deletes = [] }, unit.Group, unit.Files[0].SequenceNumber)));
        return rest;
    }

    private CompactionInput File(
        long mb, int? partition = 0, string? topic = null, int spec = 0, string? value = null, long offset = 0, long deleted = 0)
    {
        var tuple = value is null ? PartitionTuple.Empty : new PartitionTuple(IcebergValue.From(value));
        var file = new DataFile { Path = $"f{number++:000}", SpecId = spec, Partition = tuple, RecordCount = 10, FileSizeBytes = mb * Mb };
        DataFile[] deletes = deleted == 0 ? [] : [file with { Path = $"d{number++}", Content = FileContent.PositionDeletes, RecordCount = deleted }];
        return new(new(file, offset, deletes), new(spec, tuple, partition is { } place ? new(topic, place) : null), offset);
    }
}
