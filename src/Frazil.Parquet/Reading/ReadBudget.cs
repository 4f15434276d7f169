namespace Frazil.Parquet.Reading;

/// <summary>Bounds the memory of one read, whatever the file claims.</summary>
internal sealed class ReadBudget(long maxBytes)
{
    private long taken;

    /// <summary>Bytes that may still be taken.</summary>
    public long Left => maxBytes - taken;

    /// <summary>Counts bytes before they are allocated.</summary>
    /// <exception cref="InvalidDataException">They are more than allowed.</exception>
    public void Take(long bytes)
    {
        taken += bytes;
        if (bytes < 0 || taken > maxBytes)
        {
            throw new InvalidDataException(
                $"Reading takes more than {maxBytes} bytes of memory (ParquetReadOptions.MaxBytes): read fewer rows or columns at once.");
        }
    }

    /// <summary>Gives back what was needed for a while.</summary>
    public void Return(long bytes) => taken -= bytes;
}
