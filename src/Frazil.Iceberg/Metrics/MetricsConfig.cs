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

    /// <summary>False where the text is no mode.</summary>
    public static bool TryParse(string text, out MetricsMode mode)
    {
        var name = text.Trim().ToLowerInvariant();
        var isTruncate = name.StartsWith("truncate(", StringComparison.Ordinal) && name.EndsWith(')');
        var width = isTruncate && int.TryParse(name.AsSpan(9, name.Length - 10), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : 0;
        mode = name switch
        {
            "none" => None,
            "counts" => Counts,
            "full" => Full,
            _ => Truncate(width),
        };
        return name is "none" or "counts" or "full" || width > 0;
    }
}

/// <summary>
/// The metrics mode of each column: <c>write.metadata.metrics.column.&lt;name&gt;</c>, else <c>write.metadata.metrics.default</c>, else
/// truncate(16), where columns beyond the first <c>write.metadata.metrics.max-inferred-column-defaults</c> (100) have none. A property that
/// holds no mode counts as not set; one of a column that the schema has not (yet, or any more) waits for it. Immutable.
/// </summary>
public sealed class MetricsConfig
{
    private const string DefaultProperty = "write.metadata.metrics.default";
    private const string ColumnPrefix = "write.metadata.metrics.column.";

    private readonly Dictionary<int, MetricsMode> modes = [];
    private readonly MetricsMode fallback;

    public MetricsConfig(Schema schema, IReadOnlyDictionary<string, string> properties)
    {
        var configured = default(MetricsMode);
        var isSet = properties.TryGetValue(DefaultProperty, out var text) && MetricsMode.TryParse(text, out configured);
        fallback = isSet ? configured : MetricsMode.Truncate(16);
        if (!isSet)
            LimitInferred(schema, new TableProperties(properties).Number("write.metadata.metrics.max-inferred-column-defaults", 100));
        foreach (var (name, value) in properties)
        {
            if (!name.StartsWith(ColumnPrefix, StringComparison.Ordinal))
                continue;
            if (schema.FindField(name[ColumnPrefix.Length..]) is { } field && MetricsMode.TryParse(value, out var mode))
                modes[field.Id] = mode;
        }
    }

    public MetricsConfig(TableMetadata metadata) : this(metadata.CurrentSchema, metadata.Properties) { }

    /// <summary>The mode of a column by field id.</summary>
    public MetricsMode ModeOf(int fieldId) => modes.GetValueOrDefault(fieldId, fallback);

    /// <summary>Whether a table property of this name holds a mode.</summary>
    internal static bool IsMode(string property) => property == DefaultProperty || property.StartsWith(ColumnPrefix, StringComparison.Ordinal);

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
