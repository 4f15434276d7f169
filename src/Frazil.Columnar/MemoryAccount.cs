namespace Frazil.Columnar;

/// <summary>Counts native bytes held, exactly: every allocation of a chunk is added when made and subtracted when freed, retired buffers
/// included. Accounts may nest (a table's in the process's): a child's bytes are also its parent's. Thread-safe.</summary>
public sealed class MemoryAccount(MemoryAccount? parent = null)
{
    private long bytes;
    private long peakBytes;

    /// <summary>Native bytes held now.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>The most <see cref="Bytes"/> has been.</summary>
    public long PeakBytes => Volatile.Read(ref peakBytes);

    /// <summary>Adds (or, negative, subtracts) bytes. Public so that other native memory of a pipeline can stand in the same
    /// account.</summary>
    public void Add(long delta)
    {
        for (var account = this; account is not null; account = account.Parent)
        {
            var now = Interlocked.Add(ref account.bytes, delta);
            var peak = Volatile.Read(ref account.peakBytes);
            while (now > peak)
            {
                peak = Interlocked.CompareExchange(ref account.peakBytes, now, peak);
            }
        }
    }

    private MemoryAccount? Parent { get; } = parent;
}
