using System.Globalization;

namespace Frazil.Iceberg.Metrics;

/// <summary>How much of a column's metrics a manifest holds: <c>none</c>, <c>counts</c>, <c>truncate(N)</c> or <c>full</c>.</summary>
/// <param name="HasCounts">Sizes and counts.</param>
/// <param name="HasBounds">Bounds too.</param>
/// <param name="Width">Code points or bytes that bounds are cut to; null for all.</param>
public readonly record struct MetricsMode(bool HasCounts, bool HasBounds, int? Width)
{
    public static MetricsMode None { get; } = new(false, false, null);
    public static MetricsMode Counts { get; } = new(true, false, null);
    public static MetricsMode Full { get; } = new(true, true, null);
    public static MetricsMode Truncate(int width) => new(true, true, width);

    /// <exception cref="ValidationException">Not a mode.</exception>
    public static MetricsMode Parse(string text, string property)
    {
        var mode = text.Trim().ToLowerInvariant();
        if (mode.StartsWith("truncate(", StringComparison.Ordinal) && mode.EndsWith(')')
            && int.TryParse(mode.AsSpan(9, mode.Length - 10), NumberStyles.None, CultureInfo.InvariantCulture, out var width) && width > 0)
            return Truncate(width);
        return mode switch
        {
            "none" => None,
            "counts" => Counts,
            "full" => Full,
            _ => throw new ValidationException(
                $"The table property {property} is '{text}'; allowed are none, counts, truncate(N) with a positive N, and full."),
        };
    }
}

/// <summary>
/// The metrics mode of each column: <c>write.metadata.metrics.column.&lt;name&gt;</c>, else <c>write.metadata.metrics.default</c>, else
/// truncate(16), where columns beyond the first <c>write.metadata.metrics.max-inferred-column-defaults</c> (100) have none. Immutable.
/// </summary>
public sealed class MetricsConfig
{
    private const string DefaultProperty = "write.metadata.metrics.default";
    private const string ColumnPrefix = "write.metadata.metrics.column.";

    private readonly Dictionary<int, MetricsMode> modes = [];
    private readonly MetricsMode fallback;

    /// <exception cref="ValidationException">A property holds no mode, or names a column that the schema does not have.</exception>
    public MetricsConfig(Schema schema, IReadOnlyDictionary<string, string> properties)
    {
        var isSet = properties.TryGetValue(DefaultProperty, out var configured);
        fallback = isSet ? MetricsMode.Parse(configured!, DefaultProperty) : MetricsMode.Truncate(16);
        if (!isSet)
            LimitInferred(schema, new TableProperties(properties).Number("write.metadata.metrics.max-inferred-column-defaults", 100));
        foreach (var (name, value) in properties)
        {
            if (!name.StartsWith(ColumnPrefix, StringComparison.Ordinal))
                continue;
            var field = schema.FindField(name[ColumnPrefix.Length..])
                ?? throw new ValidationException($"The table property {name} names a column that the schema does not have.");
            modes[field.Id] = MetricsMode.Parse(value, name);
        }
    }

    public MetricsConfig(TableMetadata metadata) : this(metadata.CurrentSchema, metadata.Properties) { }

    /// <summary>The mode of a column by field id.</summary>
    public MetricsMode ModeOf(int fieldId) => modes.GetValueOrDefault(fieldId, fallback);

    private void LimitInferred(Schema schema, long limit)
    {
        // Breadth first, as Java counts: a table with one very wide struct keeps the metrics of its plain columns.
        var queue = new Queue<NestedField>(schema.Fields);
        for (long seen = 0; queue.TryDequeue(out var field);)
        {
            if (field.Type.IsPrimitive)
            {
                if (seen++ >= limit)
                    modes[field.Id] = MetricsMode.None;
                continue;
            }
            foreach (var child in field.Type.Fields)
                queue.Enqueue(child);
        }
    }
}
