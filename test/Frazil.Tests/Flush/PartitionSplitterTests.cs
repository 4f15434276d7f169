using System.Text;
using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Xunit;

namespace Frazil.Tests.Flush;

/// <summary>Rows go to the partition that the specification's transforms give, one row at a time.</summary>
public sealed class PartitionSplitterTests
{
    private static readonly Schema Schema = new(0,
    [
        new NestedField(1, "id", false, IcebergType.Long),
        new NestedField(2, "kind", false, IcebergType.String),
        new NestedField(3, "at", false, IcebergType.TimestampTz),
        new NestedField(4, "shop", false, IcebergType.Struct(new NestedField(5, "zone", false, IcebergType.Int))),
    ]);

    [Theory]
    [InlineData("day(at)")]
    [InlineData("hour(at)")]
    [InlineData("month(at)")]
    [InlineData("year(at)")]
    [InlineData("kind")]
    [InlineData("bucket(4, id)")]
    [InlineData("bucket(8, kind)")]
    [InlineData("truncate(2, kind)")]
    [InlineData("truncate(10, id)")]
    [InlineData("bucket(4, at)")]
    [InlineData("shop.zone")]
    [InlineData("day(at)", "kind", "bucket(3, id)")]
    public void Every_row_is_in_the_group_of_its_own_partition_tuple(params string[] partitionBy)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var spec = PartitionSpecParser.Parse(partitionBy, Schema);
        var chunk = new ColumnChunk(ColumnSchemas.FromIceberg(Schema.Fields), 64, new MemoryAccount());
        var rows = Append(chunk, new Random(seed), 3000);

        var splitter = new PartitionSplitter(spec, Schema);
        splitter.Add(FlushWriter.ToSlice(chunk));

        var seen = new HashSet<int>();
        foreach (var (partition, slices) in splitter.Groups())
        {
            foreach (var row in slices.SelectMany(RowsOf))
            {
                Assert.True(seen.Add(row), $"row {row} is in two groups");
                Assert.Equal(Expected(spec, rows[row]), partition);
            }
        }
        Assert.Equal(rows.Count, seen.Count);
        chunk.Unpin();
    }

    [Fact]
    public void Ten_thousand_partition_values_are_ten_thousand_groups()
    {
        var chunk = new ColumnChunk(ColumnSchemas.FromIceberg(Schema.Fields), 64, new MemoryAccount());
        for (var i = 0; i < 20_000; i++)
        {
            AppendRow(chunk, new(i % 10_000, "k", 0, 1));
        }
        chunk.Publish();

        var splitter = new PartitionSplitter(PartitionSpecParser.Parse(["id"], Schema), Schema);
        splitter.Add(FlushWriter.ToSlice(chunk));

        Assert.Equal(10_000, splitter.Groups().Count());
        Assert.All(splitter.Groups(), static group => Assert.Equal(2, group.Slices.Sum(static slice => slice.Count)));
        chunk.Unpin();
    }

    /// <summary>Rows that were read before another engine widened the column are flushed after it.</summary>
    [Theory]
    [InlineData("wide")]
    [InlineData("truncate(3, long)")]
    [InlineData("bucket(8, long)")]
    [InlineData("amount")]
    public void Rows_of_a_column_that_was_promoted_since_go_to_the_partition_of_the_wider_type(string partitionBy)
    {
        var before = Promotable(IcebergType.Float, IcebergType.Int, IcebergType.Decimal(9, 2));
        var after = Promotable(IcebergType.Double, IcebergType.Long, IcebergType.Decimal(18, 2));
        var spec = PartitionSpecParser.Parse([partitionBy], after);
        var chunk = new ColumnChunk(ColumnSchemas.FromIceberg(before.Fields), 64, new MemoryAccount());
        for (var i = 0; i < 10; i++)
        {
            chunk.Column<FixedWriter<float>>(0).Append(1.5f);
            chunk.Column<FixedWriter<int>>(1).Append(-7);
            chunk.Column<FixedWriter<Int128>>(2).Append(1250);
            chunk.EndRow();
        }
        chunk.Publish();
        var splitter = new PartitionSplitter(spec, after);
        splitter.Add(FlushWriter.ToSlice(chunk));

        var group = Assert.Single(splitter.Groups());

        var source = after.FindField(spec.Fields[0].SourceId)!;
        var value = source.Name switch
        {
            "wide" => IcebergValue.From(1.5d),
            "long" => IcebergValue.From(-7L),
            _ => IcebergValue.FromDecimal(1250, 2),
        };
        Assert.Equal(spec.Fields[0].Transform.Apply((PrimitiveType)source.Type, value), group.Partition[0]);
        chunk.Unpin();
    }

    private static Schema Promotable(IcebergType wide, IcebergType whole, IcebergType amount) => new(0,
    [
        new NestedField(1, "wide", false, wide),
        new NestedField(2, "long", false, whole),
        new NestedField(3, "amount", false, amount),
    ]);

    private sealed record Row(long? Id, string? Kind, long? At, int? Zone);

    private static List<Row> Append(ColumnChunk chunk, Random random, int count)
    {
        string[] kinds = ["view", "add_to_cart", "purchase", "größe", "", "日本語"];
        var rows = new List<Row>();
        for (var i = 0; i < count; i++)
        {
            T? Or<T>(T value) where T : struct => random.Next(20) == 0 ? null : value;
            var at = (random.NextInt64(-200, 20_000) * 86_400_000_000L) + random.NextInt64(86_400_000_000L);
            var row = new Row(
                Or(random.NextInt64(-1000, 1000)), random.Next(20) == 0 ? null : kinds[random.Next(kinds.Length)], Or(at),
                Or(random.Next(3)));
            rows.Add(row);
            AppendRow(chunk, row);
        }
        chunk.Publish();
        return rows;
    }

    private static void AppendRow(ColumnChunk chunk, Row row)
    {
        AppendOrNull(chunk.Column<FixedWriter<long>>(0), row.Id);
        if (row.Kind is null)
        {
            chunk.Column<BytesWriter>(1).AppendNull();
        }
        else
        {
            chunk.Column<BytesWriter>(1).Append(Encoding.UTF8.GetBytes(row.Kind));
        }
        AppendOrNull(chunk.Column<FixedWriter<long>>(2), row.At);
        var shop = chunk.Column<StructWriter>(3);
        if (row.Zone is { } zone)
        {
            ((FixedWriter<int>)shop.Children[0]).Append(zone);
            shop.EndStruct();
        }
        else
        {
            shop.AppendNull();
        }
        chunk.EndRow();
    }

    private static void AppendOrNull(FixedWriter<long> column, long? value)
    {
        if (value is { } present)
        {
            column.Append(present);
        }
        else
        {
            column.AppendNull();
        }
    }

    private static PartitionTuple Expected(PartitionSpec spec, Row row) => PartitionTuple.Of(spec, Schema,
        [.. spec.Fields.Select(field => field.SourceId switch
    {
        1 => row.Id is { } id ? IcebergValue.From(id) : IcebergValue.Null,
        2 => row.Kind is { } kind ? IcebergValue.From(kind) : IcebergValue.Null,
        3 => row.At is { } at ? IcebergValue.From(at) : IcebergValue.Null,
        _ => row.Zone is { } zone ? IcebergValue.From(zone) : IcebergValue.Null,
    })]);

    private static IEnumerable<int> RowsOf(BatchSlice slice)
        => slice.Selection ?? Enumerable.Range((int)slice.Start, (int)slice.Count);
}
