using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>What a start says of a table that exists.</summary>
public sealed class TableCompatibilityTests
{
    private const string Recorded = "frazil.kafka-columns";

    private static readonly TableOptions Usual = new() { Name = "shop.events", Topics = ["events"] };

    [Theory]
    [InlineData("kafka_partition,kafka_offset,kafka_timestamp", "")]
    [InlineData("kafka_partition,kafka_timestamp", "kafka_offset")]
    [InlineData("kafka_offset", "kafka_partition,kafka_timestamp")]
    [InlineData("", "kafka_partition,kafka_offset,kafka_timestamp")]
    public void A_Kafka_column_that_kafka_columns_no_longer_names_is_refused_before_a_producers_field_fills_it(string kept, string missed)
    {
        var table = Create(Usual);
        foreach (var one in (TableMetadata[])[table, Without(table, Recorded)])
        {
            var problems = TableCompatibility.Problems(one, Usual with { KafkaColumns = Names(kept) });
            Assert.Equal(Names(missed), problems.Select(static problem => problem.Split(' ')[2]));
            Assert.All(problems, static problem => Assert.Contains("kafka_columns no longer names it", problem, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void A_producers_own_field_that_is_called_like_a_Kafka_column_stays_its_own()
    {
        var plain = Usual with { KafkaColumns = [] };
        var table = Create(plain, ("kafka_offset", IcebergType.Long), ("kafka_topic", IcebergType.String));
        Assert.Empty(TableCompatibility.Problems(table, plain));
        Assert.Empty(TableCompatibility.Problems(Without(table, Recorded), plain));
        var all = Usual with { KafkaColumns = ["kafka_partition", "kafka_offset", "kafka_timestamp", "kafka_topic", "kafka_key", "kafka_headers"] };
        Assert.Equal(6, TableCompatibility.Problems(Create(all), plain).Count);
        Assert.Equal(6, TableCompatibility.Problems(Without(Create(all), Recorded), plain).Count);
        Assert.Empty(TableCompatibility.Problems(Create(all), all));
    }

    [Fact]
    public void A_column_that_took_the_name_of_a_partition_field_does_not_keep_the_table_from_being_written()
    {
        var options = Usual with { Columns = new Dictionary<string, string> { ["ts"] = "timestamptz" }, PartitionBy = ["day(ts)"] };
        var table = Create(options);
        var clashing = table with
        {
            Schemas = [new Schema(0, [.. table.CurrentSchema.Fields, new NestedField(90, "ts_day", false, IcebergType.String)])],
        };
        Assert.Empty(TableCompatibility.Problems(clashing, options));
        Assert.Contains("partitioned by", Assert.Single(TableCompatibility.Problems(table, options with { PartitionBy = ["hour(ts)"] })), StringComparison.Ordinal);
        Assert.Contains("partition_by cannot be used", Assert.Single(TableCompatibility.Problems(table, options with { PartitionBy = ["day(nope)"] })), StringComparison.Ordinal);
    }

    /// <summary>It comes back, as declared, with the first record that has it; unless records may bring no columns.</summary>
    [Theory]
    [InlineData("at", "timestamptz", "")]
    [InlineData("s", "struct<a: long, b: struct<c: date>>", "")]
    [InlineData("l", "list<struct<x: int>>", "")]
    [InlineData("s", "struct<a: string>", "is struct<")]
    public void A_declared_column_that_the_table_lacks_keeps_only_a_table_of_fixed_columns_from_being_written(string name, string type, string problem)
    {
        var table = Create(Usual with { Columns = new Dictionary<string, string> { ["s"] = "struct<a: long, b: struct<d: long>>", ["l"] = "list<struct<y: int>>" } });
        var options = Usual with { Columns = new Dictionary<string, string> { [name] = type } };

        Assert.Equal(problem.Length == 0 ? [] : [problem], TableCompatibility.Problems(table, options).Select(one => one[one.IndexOf("is struct<", StringComparison.Ordinal)..][..problem.Length]));
        Assert.Contains($"column {name}", Assert.Single(TableCompatibility.Problems(table, options with { EvolveSchema = false })), StringComparison.Ordinal);
    }

    private static string[] Names(string text) => text.Split(',', StringSplitOptions.RemoveEmptyEntries);

    private static TableMetadata Create(TableOptions options, params (string Name, IcebergType Type)[] more)
    {
        var definition = TableDefinition.From(options, null);
        var id = 1000;
        var schema = new Schema(0, [.. definition.Schema.Fields, .. more.Select(one => new NestedField(++id, one.Name, false, one.Type))]);
        return TableMetadataBuilder.Create(
            schema, definition.Spec ?? PartitionSpec.Unpartitioned, SortOrder.Unsorted, "/t", definition.Properties, TimeProvider.System);
    }

    private static TableMetadata Without(TableMetadata table, string property)
        => table with { Properties = table.Properties.Where(pair => pair.Key != property).ToDictionary() };
}
