using Frazil.Iceberg.Expressions;
using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>Decides which manifests and files a filter may leave out: by partition summaries, partition values and column bounds.</summary>
internal sealed class FileFilter
{
    private readonly BoundExpression rows;
    private readonly Dictionary<int, BoundExpression> bySpec = [];
    private readonly Dictionary<int, StructType> partitionTypes;

    /// <exception cref="ValidationException">The filter does not fit the schema.</exception>
    public FileFilter(Expression filter, Schema schema, TableMetadata metadata)
    {
        rows = BoundExpression.Bind(filter, schema);
        foreach (var spec in metadata.PartitionSpecs)
            bySpec[spec.SpecId] = InclusiveProjection.Of(rows, spec, metadata);
        partitionTypes = metadata.PartitionSpecs.ToDictionary(spec => spec.SpecId, metadata.PartitionTypeOf);
    }

    /// <summary>False where surely no file of the manifest holds a matching row.</summary>
    public bool MayMatch(ManifestFile manifest)
    {
        if (manifest.Partitions is not { } summaries || !bySpec.TryGetValue(manifest.SpecId, out var partitions))
            return true;
        var types = partitionTypes[manifest.SpecId];
        return partitions.Evaluate((summaries, types), static (predicate, state) =>
            predicate.Column >= state.summaries.Count || RangeOf(state.summaries[predicate.Column],
                (PrimitiveType)state.types.Fields[predicate.Column].Type).MayMatch(predicate));
    }

    /// <summary>False where surely no row of the file matches.</summary>
    public bool MayMatch(DataFile file)
    {
        if (file.RecordCount == 0)
            return false;
        if (bySpec.TryGetValue(file.SpecId, out var partitions)
            && !partitions.Evaluate(file.Partition,
                static (predicate, partition) => RangeOf(partition[predicate.Column]).MayMatch(predicate)))
            return false;
        return rows.Evaluate(file, static (predicate, data) => RangeOf(data, predicate).MayMatch(predicate));
    }

    private static ColumnRange RangeOf(PartitionFieldSummary summary, PrimitiveType type)
    {
        // No bounds: every value is null or NaN.
        var hasValues = summary.LowerBound is not null || summary.UpperBound is not null;
        var mayHaveNaN = type.Id is TypeId.Float or TypeId.Double && summary.ContainsNaN != false;
        var (lower, upper) = (summary.LowerBound, summary.UpperBound);
        if (!ColumnRange.IsOrderAgreed(type, lower, upper))
            (lower, upper) = (null, null);
        return new ColumnRange(summary.ContainsNull, mayHaveNaN, hasValues || type.Id == TypeId.Unknown, hasValues || mayHaveNaN, hasValues,
            lower is null ? default : SingleValue.Deserialize(type, lower), upper is null ? default : SingleValue.Deserialize(type, upper));
    }

    /// <summary>A partition value is every row's value.</summary>
    private static ColumnRange RangeOf(IcebergValue value)
    {
        var hasValue = !value.IsNull && !value.IsNaN;
        return new ColumnRange(
            value.IsNull, value.IsNaN, hasValue, !value.IsNull, hasValue, hasValue ? value : default, hasValue ? value : default);
    }

    private static ColumnRange RangeOf(DataFile file, BoundExpression.Predicate predicate)
    {
        var id = predicate.Column;
        var type = predicate.Type;
        long? values = file.ValueCounts?.TryGetValue(id, out var v) == true ? v : null;
        long? nulls = file.NullValueCounts?.TryGetValue(id, out var n) == true ? n : null;
        long? nans = file.NanValueCounts?.TryGetValue(id, out var x) == true ? x : null;
        var nullsOnly = values is not null && nulls is not null && values == nulls;
        var nansOnly = values is not null && nans is not null && values == nans;
        var isFloat = type.Id is TypeId.Float or TypeId.Double;
        var mayHaveNaN = isFloat && nans is not 0 && !nullsOnly;
        var mayHaveValues = !nullsOnly && !nansOnly
            && !(values is not null && nulls is not null && nans is not null && values == nulls + nans);
        return new ColumnRange(
            nulls is not 0, mayHaveNaN, mayHaveValues, !nullsOnly, mayHaveValues || nullsOnly, BoundOf(file, file.LowerBounds, id, type),
            BoundOf(file, file.UpperBounds, id, type));
    }

    private static IcebergValue BoundOf(DataFile file, FieldMap<byte[]>? bounds, int id, PrimitiveType type)
    {
        if (bounds is null || !bounds.TryGetValue(id, out var bytes) || type.Id is TypeId.Geometry or TypeId.Geography or TypeId.Variant
            || !ColumnRange.IsOrderAgreed(type, file.LowerBounds?.GetValueOrDefault(id), file.UpperBounds?.GetValueOrDefault(id)))
            return default;
        try
        {
            return SingleValue.Deserialize(type, bytes);
        }
        catch (InvalidFormatException)
        {
            return default;     // a bound that another writer spoiled rules nothing out
        }
    }
}
