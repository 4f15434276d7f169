using System.Collections.Concurrent;
using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>Rows of pinned chunks offered to SQL under one schema. Immutable. Releases its pin when the last statement that reads it is
/// disposed and it has left its slot.</summary>
public sealed class ColumnScan
{
    private readonly IDisposable? pin;
    private int references = 1;

    /// <param name="fields">The columns that SQL sees, matched to each slice's own by field id.</param>
    /// <param name="slices">The rows; every slice in order where <paramref name="keepOrder"/>.</param>
    /// <param name="pin">Disposed once, from any thread, when no statement can touch the slices any more; null where the caller sees to
    /// that.</param>
    /// <param name="keepOrder">One thread scans, so that rows come in the order of the slices.</param>
    public ColumnScan(ColumnFields fields, IReadOnlyList<BatchSlice> slices, IDisposable? pin = null, bool keepOrder = false)
    {
        ArgumentNullException.ThrowIfNull(fields);
        ArgumentNullException.ThrowIfNull(slices);
        (Fields, Slices, KeepOrder, this.pin) = (fields, slices, keepOrder, pin);
        RowCount = slices.Sum(slice => slice.Count);
    }

    public ColumnFields Fields { get; }

    public IReadOnlyList<BatchSlice> Slices { get; }

    public bool KeepOrder { get; }

    public long RowCount { get; }

    /// <summary>False where the scan is already over; its slices may be gone.</summary>
    internal bool TryAcquire()
    {
        int seen;
        do
        {
            seen = Volatile.Read(ref references);
            if (seen == 0)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref references, seen + 1, seen) != seen);
        return true;
    }

    internal void Release()
    {
        if (Interlocked.Decrement(ref references) == 0)
        {
            pin?.Dispose();
        }
    }
}

/// <summary>The slots of one DuckDB instance that SQL reads as <c>frazil_scan(handle)</c>.</summary>
public sealed class ColumnScans
{
    /// <summary>The table function's name.</summary>
    public const string FunctionName = "frazil_scan";

    private readonly ConcurrentDictionary<long, ScanSlot> slots = new();
    private long lastHandle;

    /// <summary>A slot that holds <paramref name="scan"/> until it is swapped or disposed. Takes over the scan.</summary>
    public ScanSlot Open(ColumnScan scan)
    {
        var slot = new ScanSlot(this, Interlocked.Increment(ref lastHandle), scan);
        slots[slot.Handle] = slot;
        return slot;
    }

    /// <summary>The same under a handle of the caller's choice: all slots of an instance are opened so, or none.</summary>
    public ScanSlot Open(long handle, ColumnScan scan)
    {
        var slot = new ScanSlot(this, handle, scan);
        return slots.TryAdd(handle, slot) ? slot : throw new ArgumentException($"the handle {handle} is taken", nameof(handle));
    }

    internal ColumnScan Acquire(long handle) =>
        slots.TryGetValue(handle, out var slot) && slot.TryAcquire() is { } scan
            ? scan
            : throw new DuckDbException($"{FunctionName}({handle}): no rows are offered under this handle any more.");

    internal void Close(long handle) => slots.TryRemove(handle, out _);
}

/// <summary>A place under a fixed handle whose scan changes from query to query, so that SQL text and views which name the handle stay.
/// Thread-safe.</summary>
public sealed class ScanSlot : IDisposable
{
    private readonly ColumnScans owner;
    private readonly Lock gate = new();
    private ColumnScan? scan;
    private bool isDisposed;

    internal ScanSlot(ColumnScans owner, long handle, ColumnScan scan) => (this.owner, Handle, this.scan) = (owner, handle, scan);

    /// <summary>The argument of <c>frazil_scan</c>.</summary>
    public long Handle { get; }

    /// <summary>Statements bound from now on read <paramref name="next"/>; those already bound keep what they have. Takes over the
    /// scan.</summary>
    /// <exception cref="ObjectDisposedException">The slot is gone; the scan is released.</exception>
    public void Swap(ColumnScan next)
    {
        ColumnScan? last = next;
        lock (gate)
        {
            if (!isDisposed)
            {
                (last, scan) = (scan, next);
            }
        }
        last?.Release();
        ObjectDisposedException.ThrowIf(isDisposed, this);
    }

    public void Dispose()
    {
        owner.Close(Handle);
        ColumnScan? last;
        lock (gate)
        {
            isDisposed = true;
            (last, scan) = (scan, null);
        }
        last?.Release();
    }

    internal ColumnScan? TryAcquire()
    {
        lock (gate)
        {
            return scan is not null && scan.TryAcquire() ? scan : null;
        }
    }
}
