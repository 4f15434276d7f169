using Frazil.Formats.Json;

namespace Frazil.Formats;

/// <summary>
/// How a table's records are written: makes what decodes them and what proposes columns for them, and fetches the schemas that they name.
/// One for each table. Thread-safe.
/// </summary>
internal abstract class RecordFormat
{
    /// <summary>By the name that <c>format</c> of the configuration has.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is none of this name; the configuration is checked before.</exception>
    public static RecordFormat Of(string name) => name switch
    {
        "json" => new JsonFormat(),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "no such format"),
    };

    /// <summary>The caller disposes it.</summary>
    public abstract RecordDecoder CreateDecoder();

    /// <summary>An empty collection.</summary>
    public abstract RecordSamples CreateSamples();

    /// <summary>Fetches a schema that a decoder of this format said is missing; its decoders know it from then on.</summary>
    /// <returns>Null; or why nobody will ever know it, which makes the record a bad one.</returns>
    /// <exception cref="Exception">The answer is not known yet (a registry that is away): ask again. Nothing is read past the record
    /// meanwhile.</exception>
    public virtual Task<DecodeError?> LoadSchemaAsync(SchemaReference schema, CancellationToken cancellationToken)
        => throw new InvalidOperationException($"a format without schemas misses schema {schema.Id}");
}
