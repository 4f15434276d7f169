namespace Frazil.Columnar;

/// <summary>Counts native bytes held, exactly: every allocation of a chunk is added when made and subtracted when freed, retired buffers
/// included. Accounts may nest (a table's in the process's): a child's bytes are also its parent's. What a child holds above its share may be
/// counted in one more account, that of what its parent lends. Thread-safe.</summary>
public sealed class MemoryAccount(MemoryAccount? parent = null, MemoryAccount? lent = null)
{
    private readonly Lock gate = new();
    private long bytes;
    private long peakBytes;
    private long share;

    /// <summary>Native bytes held now.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>The most <see cref="Bytes"/> has been.</summary>
    public long PeakBytes => Volatile.Read(ref peakBytes);

    /// <summary>Bytes that are the account's own; what is held above them is lent.</summary>
    public long Share => Volatile.Read(ref share);

    /// <summary>Adds (or, negative, subtracts) bytes. Public so that other native memory of a pipeline can stand in the same
    /// account.</summary>
    public void Add(long delta)
    {
        for (var account = this; account is not null; account = account.Parent)
        {
            account.AddHere(delta);
        }
    }

    /// <summary>Changes the share; what is held stays.</summary>
    public void SetShare(long value)
    {
        lock (gate)
        {
            var before = Borrowed(bytes);
            Volatile.Write(ref share, value);
            lent?.Add(Borrowed(bytes) - before);
        }
    }

    private MemoryAccount? Parent { get; } = parent;

    private long Borrowed(long held) => Math.Max(0, held - share);

    private void AddHere(long delta)
    {
        if (lent is not null)
        {
            lock (gate)
            {
                var before = Borrowed(bytes);
                Count(delta);
                if (Borrowed(bytes) - before is var change and not 0)
                {
                    lent.Add(change);
                }
            }
            return;
        }
        Count(delta);
    }

    private void Count(long delta)
    {
        var now = Interlocked.Add(ref bytes, delta);
        var peak = Volatile.Read(ref peakBytes);
        while (now > peak)
        {
            peak = Interlocked.CompareExchange(ref peakBytes, now, peak);
        }
    }
}
