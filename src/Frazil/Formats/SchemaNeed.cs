namespace Frazil.Formats;

/// <summary>What must come before a record can be judged: columns for its fields, or the schema that it names. Asked for once for many
/// records, as those behind it most often want the same.</summary>
internal sealed class SchemaNeed
{
    private readonly RecordSamples? samples;

    private SchemaNeed(SchemaReference? missing, RecordSamples? samples) => (Missing, this.samples) = (missing, samples);

    /// <summary>The schema to fetch; null where columns are wanted.</summary>
    public SchemaReference? Missing { get; }

    /// <summary>What to propose columns from.</summary>
    public RecordSamples Samples => samples ?? throw new InvalidOperationException("a schema is missing, and no columns are");

    /// <summary>Further records would add nothing.</summary>
    public bool IsComplete => samples is null || samples.Count >= RecordSamples.Most;

    /// <summary>The record has fields that no column holds.</summary>
    public static SchemaNeed OfColumns(RecordFormat format, in SourceRecord first)
    {
        var samples = format.CreateSamples();
        samples.Add(first);
        return new(null, samples);
    }

    public static SchemaNeed OfSchema(SchemaReference missing) => new(missing, null);

    /// <summary>A record behind the first.</summary>
    public void Add(in SourceRecord record)
    {
        if (!IsComplete && !record.IsValueNull)
        {
            samples!.Add(record);
        }
    }
}
