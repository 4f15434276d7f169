using Frazil.Parquet.Levels;
using Frazil.Parquet.Pages;
using Frazil.Parquet.Values;

namespace Frazil.Parquet;

/// <summary>The memory that writing one file takes. Used by one writer at a time; keep it for the next one, so that nothing is allocated
/// and page-faulted anew.</summary>
public sealed class ParquetBuffers : IDisposable
{
    // What a usual row group of a usual column needs stays; what one odd column made it grow to goes.
    private const long KeptBytes = 16L << 20;

    internal Shredder Shredder { get; } = new();

    internal ColumnLevels Levels { get; } = new();

    internal ColumnValues Values { get; } = new();

    internal EncodingChoice Choice { get; } = new();

    internal NativeBuffer Raw { get; } = new();

    internal NativeBuffer Compressed { get; } = new();

    internal NativeBuffer RawDictionary { get; } = new();

    internal NativeBuffer CompressedDictionary { get; } = new();

    internal NativeBuffer Scratch { get; } = new();

    /// <summary>Native bytes that pages, levels and values take now; a dictionary, which is bounded, not counted.</summary>
    public long HeldBytes => Plain.Sum(static buffer => buffer.HeldBytes) + Levels.HeldBytes + Values.HeldBytes + Shredder.HeldBytes;

    public void Dispose()
    {
        Shredder.Dispose();
        Levels.Dispose();
        Values.Dispose();
        Choice.Dispose();
        foreach (var buffer in Plain)
        {
            buffer.Dispose();
        }
    }

    /// <summary>Between files: forgets every reference into slices, and gives back what is unusually large.</summary>
    internal void Trim()
    {
        Shredder.Trim(KeptBytes);
        Levels.Trim(KeptBytes);
        Values.Trim(KeptBytes);
        Choice.Trim(KeptBytes);
        foreach (var buffer in Plain)
        {
            buffer.Trim(KeptBytes);
        }
    }

    private NativeBuffer[] Plain => [Raw, Compressed, RawDictionary, CompressedDictionary, Scratch];
}
