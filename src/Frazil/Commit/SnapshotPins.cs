using Frazil.Iceberg;

namespace Frazil.Commit;

/// <summary>
/// Which snapshots of a table readers of this process stand on: expiry leaves them. A reader begins before it asks the catalog, when it
/// cannot know yet which snapshot it will get; until then everything counts as pinned that it may get. Thread-safe.
/// </summary>
internal sealed class SnapshotPins
{
    private readonly Lock gate = new();
    private readonly HashSet<SnapshotPin> pins = [];

    /// <summary>A reader begins. Dispose ends it.</summary>
    /// <param name="known">The version known now: the reader gets none that is older.</param>
    public SnapshotPin Begin(TableMetadata? known)
    {
        var pin = new SnapshotPin(this, known?.CurrentSnapshot?.SequenceNumber ?? 0);
        lock (gate)
        {
            pins.Add(pin);
        }
        return pin;
    }

    /// <summary>Whether a reader stands, or may come to stand, on the snapshot.</summary>
    public bool Hold(Snapshot snapshot)
    {
        lock (gate)
        {
            return pins.Any(pin => pin.Holds(snapshot));
        }
    }

    internal void End(SnapshotPin pin)
    {
        lock (gate)
        {
            pins.Remove(pin);
        }
    }

    internal void Settle(Action settle)
    {
        lock (gate)
        {
            settle();
        }
    }
}

/// <summary>One reader's pin. Dispose may be called more than once, from any thread.</summary>
internal sealed class SnapshotPin(SnapshotPins pins, long leastSequenceNumber) : IDisposable
{
    private bool isSettled;
    private long? snapshotId;

    /// <summary>The reader knows its snapshot now; null where the table has none.</summary>
    public void Settle(long? id) => pins.Settle(() => (isSettled, snapshotId) = (true, id));

    public void Dispose() => pins.End(this);

    internal bool Holds(Snapshot snapshot)
        => isSettled ? snapshot.SnapshotId == snapshotId : snapshot.SequenceNumber >= leastSequenceNumber;
}
