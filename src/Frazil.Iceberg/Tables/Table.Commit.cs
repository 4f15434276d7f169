using System.Globalization;
using Frazil.Iceberg.Catalogs;

namespace Frazil.Iceberg;

/// <summary>The one loop through which every commit goes.</summary>
public sealed partial class Table
{
    private readonly SemaphoreSlim queue = new(1, 1);

    /// <summary>Ids of changes that may have reached the catalog without an answer. Guarded by <see cref="queue"/>.</summary>
    private readonly HashSet<string> unanswered = new(StringComparer.Ordinal);

    /// <summary>Makes a change. Each attempt looks first whether an earlier one that went unanswered was made, then plans it anew on the
    /// newest version. On return what it committed is durable and visible to every reader.</summary>
    /// <exception cref="NoSuchTableException">There is no such table; nothing was committed.</exception>
    /// <exception cref="TableLostException">It is not the table any more that it was.</exception>
    /// <exception cref="CommitConflictException">Others kept winning for as long as the table's <c>commit.retry.*</c> properties allow;
    /// nothing was committed by the last attempt.</exception>
    /// <exception cref="ValidationException">It can never be made on this table.</exception>
    /// <exception cref="CommitStateUnknownException">The answer was lost and the catalog cannot be asked now. To be sure, make a change of the
    /// same id again, with this object.</exception>
    public async Task<T> CommitAsync<T>(TableChange<T> change, CancellationToken cancellationToken = default) where T : class
    {
        ArgumentNullException.ThrowIfNull(change);
        await queue.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await RetryAsync(change, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (CommitErrors.KindOf(e) != CommitError.Unknown && unanswered.Contains(change.Id))
        {
            throw new CommitStateUnknownException($"The catalog did not answer the commit {change.Id} of {Identifier}, and then: {e.Message}", e);
        }
        finally
        {
            queue.Release();
        }
    }

    /// <summary>Makes one snapshot of an operation that fits every version of the table, such as an append.</summary>
    /// <inheritdoc cref="CommitAsync{T}(TableChange{T}, CancellationToken)" path="/exception"/>
    public async Task<Snapshot> CommitAsync(SnapshotOperation operation, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operation);
        return await CommitAsync(new OperationChange(catalog, operation), cancellationToken).ConfigureAwait(false);
    }

    private async Task<T> RetryAsync<T>(TableChange<T> change, CancellationToken cancellationToken) where T : class
    {
        var started = time.GetTimestamp();
        for (var retries = 0; ; retries++)
        {
            var version = await RefreshAsync(cancellationToken).ConfigureAwait(false)
                ?? throw new NoSuchTableException($"The table {Identifier} does not exist; it was never created here.");
            var limits = version.Metadata.TableProperties;
            var isLast = retries >= limits.CommitRetries || time.GetElapsedTime(started) >= limits.CommitRetryTotal;
            try
            {
                if (await AttemptAsync(change, version, cancellationToken).ConfigureAwait(false) is { } done)
                    return done;
                if (isLast)
                    throw new CommitStateUnknownException(
                        $"The catalog took {retries + 1} commits of {Identifier} without an answer that can be trusted.");
            }
            catch (CommitConflictException e) when (!isLast)
            {
                change.OnConflict(retries + 1, e);
            }
            await Task.Delay(RetryDelay(limits, retries + 1), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Null when the answer was lost: the next round looks for it.</summary>
    private async Task<T?> AttemptAsync<T>(TableChange<T> change, LoadedTable version, CancellationToken cancellationToken) where T : class
    {
        if ((change.MayHaveHappened || unanswered.Contains(change.Id))
            && await change.FindAsync(version, cancellationToken).ConfigureAwait(false) is { } found)
        {
            unanswered.Remove(change.Id);
            return found;
        }
        for (; ; )
        {
            var mayHaveHappened = change.MayHaveHappened || unanswered.Contains(change.Id);
            var plan = await change.PlanAsync(version, mayHaveHappened, cancellationToken).ConfigureAwait(false);
            if (plan.Operation is { } operation)
                return await OfferAsync(change, operation, version, cancellationToken).ConfigureAwait(false) is { } made ? plan.Result!(made) : null;
            if (plan.Updates.Count == 0)
                return plan.Result!(null);
            if (await SwapAsync(change, plan, cancellationToken).ConfigureAwait(false) is not { } next)
                return null; // it is looked for in the next version, and made only if it is not there
            if (plan.ResultOf is { } result)
                return result(next);
            version = next;
        }
    }

    /// <summary>Asks the catalog for the swap. A snapshot: it is made, durable, and whatever else fails now changes nothing about it. Null:
    /// nobody knows, and the next round looks for it. Thrown: it was certainly not made and what was staged is gone, or the caller
    /// looks for it.</summary>
    private async Task<Snapshot?> OfferAsync<T>(
        TableChange<T> change, SnapshotOperation operation, LoadedTable version, CancellationToken cancellationToken) where T : class
    {
        if (await StageAsync(change, operation, version, cancellationToken).ConfigureAwait(false) is not { } staged)
            return null;
        change.OnStaged();
        var started = time.GetTimestamp();
        try
        {
            var table = await catalog.CommitTableAsync(Identifier, staged.Requirements, staged.Updates, cancellationToken).ConfigureAwait(false);
            change.OnAnswered();
            await SettleAsync(change, operation, staged, table, time.GetElapsedTime(started)).ConfigureAwait(false);
            return staged.Snapshot;
        }
        catch (Exception e)
        {
            var kind = CommitErrors.KindOf(e);
            if (kind != CommitError.Unknown && await IsCertainlyNotThereAsync(change, operation).ConfigureAwait(false))
                throw;
            unanswered.Add(change.Id);
            operation.MayArrive = true;
            change.OnAnswerLost(e);
            if (kind == CommitError.Unknown && e is not CommitStateUnknownException && change.IsTriedAgainByCaller)
                throw;
            return null;
        }
    }

    /// <summary>A change of metadata alone. Null when its answer was lost.</summary>
    private async Task<LoadedTable?> SwapAsync<T>(TableChange<T> change, PlannedChange<T> plan, CancellationToken cancellationToken) where T : class
    {
        try
        {
            var table = await catalog.CommitTableAsync(Identifier, plan.Requirements, plan.Updates, cancellationToken).ConfigureAwait(false);
            change.OnUpdated();
            return Adopt(table);
        }
        catch (CommitStateUnknownException e)
        {
            change.OnAnswerLost(e);
            return null;
        }
    }

    /// <summary>Writes the manifests of one attempt. Where that fails nothing was offered yet, and nothing stays. Null where it failed after
    /// an earlier attempt that went unanswered: that one is looked for first.</summary>
    private async Task<StagedSnapshot?> StageAsync<T>(
        TableChange<T> change, SnapshotOperation operation, LoadedTable version, CancellationToken cancellationToken) where T : class
    {
        try
        {
            return await operation.StageAsync(version.Metadata, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // What an attempt before it staged with this very operation may still come into the table.
            if (!operation.MayArrive)
                await DiscardAsync(operation).ConfigureAwait(false);
            if (!unanswered.Contains(change.Id) || CommitErrors.KindOf(e) != CommitError.Unknown || change.IsTriedAgainByCaller)
                throw;
            return null;
        }
    }

    /// <summary>The commit stands. What follows from it is done as far as it can be, and told where it cannot.</summary>
    private async Task SettleAsync<T>(
        TableChange<T> change, SnapshotOperation operation, StagedSnapshot staged, LoadedTable table, TimeSpan elapsed) where T : class
    {
        try
        {
            Adopt(table);
            change.OnCommitted(table, elapsed);
            await operation.CleanAsync(staged, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            change.OnAfterwardsFailed(staged.Snapshot, e);
        }
    }

    /// <summary>Also a definite answer is looked up before anything is deleted: a proxy that sent the commit twice answers the second one
    /// with a conflict.</summary>
    private async Task<bool> IsCertainlyNotThereAsync<T>(TableChange<T> change, SnapshotOperation operation) where T : class
    {
        try
        {
            return await operation.TryDiscardAsync(catalog, Identifier, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            change.OnFilesLeft(e);
            return false;
        }
    }

    private async Task DiscardAsync(SnapshotOperation operation)
    {
        try
        {
            await operation.DiscardAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The store fails either way; manifests that nothing names are left for the sweep.
        }
    }

    /// <summary>Doubles from the least wait to the most, with jitter so that rivals do not meet again.</summary>
    private static TimeSpan RetryDelay(TableProperties properties, int conflicts)
    {
        var longest = Math.Min(
            properties.CommitRetryMinWait.TotalMilliseconds * Math.Pow(2, conflicts - 1), properties.CommitRetryMaxWait.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(longest * (0.5 + (Random.Shared.NextDouble() / 2)));
    }

    /// <summary>An operation that needs no other plan on any version. Its snapshot id names it.</summary>
    private sealed class OperationChange(ICatalog catalog, SnapshotOperation operation) : TableChange<Snapshot>
    {
        public override string Id { get; } = operation.SnapshotId.ToString(CultureInfo.InvariantCulture);

        public override async Task<Snapshot?> FindAsync(LoadedTable version, CancellationToken cancellationToken)
            => version.Metadata.SnapshotById(operation.SnapshotId)
                ?? await operation.FindFormerAsync(catalog, version.Identifier, cancellationToken).ConfigureAwait(false);

        public override Task<PlannedChange<Snapshot>> PlanAsync(LoadedTable version, bool mayHaveHappened, CancellationToken cancellationToken)
            => Task.FromResult(NewSnapshot(operation, static snapshot => snapshot));
    }
}
