using Frazil.Iceberg.Catalogs;

namespace Frazil.Iceberg;

/// <summary>
/// What somebody wants to commit to a table, over all attempts: how to tell whether it was made, and what to offer on a given version. One
/// object is one change; it is used by one <see cref="Table"/> at a time. The methods that begin with On are told what happens, for logs and
/// counts; they change nothing.
/// </summary>
/// <typeparam name="T">What the caller gets.</typeparam>
public abstract class TableChange<T> where T : class
{
    /// <summary>Names the change for ever: one whose answer was lost is known by it.</summary>
    public abstract string Id { get; }

    /// <summary>True for a change that somebody before us, such as a process that died, may have made: it is looked for before it is
    /// tried.</summary>
    public virtual bool MayHaveHappened => false;

    /// <summary>True where the caller itself makes the change again, with the same <see cref="Id"/>, after an error of which nobody knows what
    /// it means. Else it is tried again here.</summary>
    public virtual bool IsTriedAgainByCaller => false;

    /// <summary>Looks for the change in a version. Asked only where it may have been made.</summary>
    /// <returns>Null where it certainly was not.</returns>
    public abstract Task<T?> FindAsync(LoadedTable version, CancellationToken cancellationToken);

    /// <summary>Says what to commit on this very version. Throws where the change does not fit it (any more).</summary>
    /// <param name="version">The newest version, or the one that the last updates made.</param>
    /// <param name="mayHaveHappened">An attempt went unanswered, and the change is not in this version.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public abstract Task<PlannedChange<T>> PlanAsync(LoadedTable version, bool mayHaveHappened, CancellationToken cancellationToken);

    /// <summary>Its manifests are durable, and visible to nobody.</summary>
    public virtual void OnStaged() { }

    /// <summary>The catalog said that the swap is made. What is thrown here counts as an answer that was lost.</summary>
    public virtual void OnAnswered() { }

    /// <summary>The catalog said that a change of metadata alone is made.</summary>
    public virtual void OnUpdated() { }

    /// <summary>The snapshot stands.</summary>
    /// <param name="table">The version that it made.</param>
    /// <param name="elapsed">From the offer to the catalog's answer.</param>
    public virtual void OnCommitted(LoadedTable table, TimeSpan elapsed) { }

    /// <summary>Another was first; it is tried again.</summary>
    public virtual void OnConflict(int attempt, CommitConflictException error) { }

    /// <summary>Nobody knows whether an attempt was made.</summary>
    public virtual void OnAnswerLost(Exception error) { }

    /// <summary>The snapshot stands, and what should have followed did not.</summary>
    public virtual void OnAfterwardsFailed(Snapshot snapshot, Exception error) { }

    /// <summary>Files that may be in no version could not be deleted, or it could not be told.</summary>
    public virtual void OnFilesLeft(Exception error) { }

    /// <summary>There is nothing to commit.</summary>
    protected static PlannedChange<T> Nothing(T result) => new() { Result = _ => result };

    /// <summary>A snapshot.</summary>
    /// <param name="operation">Not staged before, or only by this change.</param>
    /// <param name="result">What the caller gets once it stands.</param>
    protected static PlannedChange<T> NewSnapshot(SnapshotOperation operation, Func<Snapshot, T> result)
        => new() { Operation = operation, Result = snapshot => result(snapshot!) };

    /// <summary>A change of metadata alone, to be planned such that it is found made in a version that has it.</summary>
    /// <param name="requirements">What must still be true.</param>
    /// <param name="updates">One at least.</param>
    /// <param name="result">What the caller gets; null to plan again on the version that it makes.</param>
    protected static PlannedChange<T> NewMetadata(
        IReadOnlyList<TableRequirement> requirements, IReadOnlyList<TableUpdate> updates, Func<LoadedTable, T>? result = null)
        => new() { Requirements = requirements, Updates = updates, ResultOf = result };
}

/// <summary>What one attempt offers the catalog; made by <see cref="TableChange{T}"/>.</summary>
public sealed class PlannedChange<T>
{
    internal PlannedChange() { }

    internal SnapshotOperation? Operation { get; init; }

    internal IReadOnlyList<TableRequirement> Requirements { get; init; } = [];

    internal IReadOnlyList<TableUpdate> Updates { get; init; } = [];

    internal Func<Snapshot?, T>? Result { get; init; }

    internal Func<LoadedTable, T>? ResultOf { get; init; }
}
