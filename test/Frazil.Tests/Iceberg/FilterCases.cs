using Frazil.Iceberg;
using Frazil.Iceberg.Expressions;
using Frazil.Iceberg.Manifests;

namespace Frazil.Tests.Iceberg;

/// <summary>Filters beside a plain statement of which values they match.</summary>
internal static class FilterCases
{
    public sealed record FilterCase(Expression Filter, Func<IcebergValue, bool> Matches);

    public static IEnumerable<FilterCase> Of(string column, IcebergValue literal, IcebergValue other)
    {
        yield return new(Expression.LessThan(column, literal), value => value < literal);
        yield return new(Expression.LessThanOrEqual(column, literal), value => value <= literal);
        yield return new(Expression.GreaterThan(column, literal), value => value > literal);
        yield return new(Expression.GreaterThanOrEqual(column, literal), value => value >= literal);
        yield return new(Expression.Equal(column, literal), value => value == literal);
        yield return new(Expression.NotEqual(column, literal), value => value != literal);
        yield return new(Expression.In(column, literal, other), value => value == literal || value == other);
        yield return new(Expression.NotIn(column, literal, other), value => value != literal && value != other);
        yield return new(
            !(Expression.LessThan(column, literal) | Expression.Equal(column, other)), value => !(value < literal || value == other));
        yield return new(Expression.NotNull(column), _ => true);
        if (literal.Kind != ValueKind.String)
            yield break;
        yield return new(
            Expression.StartsWith(column, literal.AsString()),
            value => value.AsString().StartsWith(literal.AsString(), StringComparison.Ordinal));
        yield return new(
            Expression.NotStartsWith(column, literal.AsString()),
            value => !value.AsString().StartsWith(literal.AsString(), StringComparison.Ordinal));
    }

    /// <summary>Whether a file of the value's partition, without metrics, survives the filter, and so does a manifest of only that
    /// file.</summary>
    public static bool KeepsPartition(Expression filter, PrimitiveType type, Transform transform, IcebergValue value)
    {
        var schema = new Schema(0, [new(1, "c", false, type)]);
        var spec = new PartitionSpec(0, [new(1, 1000, "p", transform)]);
        var metadata = Metadata(schema, spec);
        var partition = new PartitionTuple(transform.Apply(type, value));
        var files = new FileFilter(filter, schema, metadata);
        var summaries = new PartitionSummaries(metadata.PartitionTypeOf(spec));
        summaries.Add(partition);
        var manifest = new ManifestFile { Path = "m", LengthBytes = 1, SpecId = 0, AddedSnapshotId = 1, Partitions = summaries.ToList() };
        return files.MayMatch(manifest)
            && files.MayMatch(new DataFile { Path = "f", SpecId = 0, Partition = partition, RecordCount = 1, FileSizeBytes = 1 });
    }

    public static TableMetadata Metadata(Schema schema, PartitionSpec? spec = null) => new()
    {
        FormatVersion = 2,
        TableUuid = Guid.NewGuid(),
        Location = "file:///nowhere",
        LastColumnId = schema.HighestFieldId,
        Schemas = [schema],
        CurrentSchemaId = schema.SchemaId,
        PartitionSpecs = [spec ?? PartitionSpec.Unpartitioned],
        DefaultSpecId = 0,
    };
}
