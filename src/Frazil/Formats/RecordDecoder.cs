using Frazil.Columnar;

namespace Frazil.Formats;

/// <summary>
/// Turns one record into one row of the columns it is bound to. One decoder serves one partition's writer thread. The rest of the pipeline
/// knows only this class and <see cref="RecordFormat"/>: formats differ behind them.
/// </summary>
public abstract class RecordDecoder : IDisposable
{
    /// <summary>Points the decoder at a new chunk. <paramref name="positions"/> names the fields of the chunk's schema that records fill;
    /// the others (the Kafka position columns) are the caller's to append, and a record that carries one of their names is bad.</summary>
    /// <remarks>A column of a type that the format has no values for takes nulls only.</remarks>
    public abstract void Bind(ColumnChunk chunk, IReadOnlyList<int> positions);

    /// <summary>Decodes a record into exactly one value for each bound column; the caller appends its own columns and calls
    /// <see cref="ColumnChunk.EndRow"/>. Unless the status is <see cref="DecodeStatus.Ok"/> the chunk is exactly as it was before.
    /// Allocates nothing on the managed heap when Ok.</summary>
    public abstract DecodeResult Decode(in SourceRecord record);

    /// <summary>Frees what the decoder holds beside the chunk, which is the caller's. Idempotent.</summary>
    public abstract void Dispose();

    /// <summary>Decodes a value that came without topic, key and headers.</summary>
    public DecodeResult Decode(ReadOnlySpan<byte> value) => Decode(new SourceRecord(value));

    /// <summary>Binds every field of the chunk's schema.</summary>
    public void Bind(ColumnChunk chunk)
    {
        ArgumentNullException.ThrowIfNull(chunk);
        Bind(chunk, [.. Enumerable.Range(0, chunk.Schema.Count)]);
    }
}
