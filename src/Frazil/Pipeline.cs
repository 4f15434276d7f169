using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.DeadLetters;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Ingest;
using Frazil.Kafka;
using Frazil.Log;
using Frazil.Query;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>
/// One table's journey, and the place to start reading: a <see cref="TableSource"/> delivers records, its workers decode them into hot batches
/// and publish (<see cref="IngestWorker"/>, <see cref="HotPartition"/>), the flusher seals and writes Parquet (<see cref="TableFlusher"/>, <see
/// cref="FlushWriter"/>), the committer makes snapshots (<see cref="TableCommitter"/>), and queries see hot and cold rows as one (<see
/// cref="ReadPoint"/>). From where its partitions are read, and what goes wrong with that, is in <see cref="LanePartitions"/>.
/// </summary>
internal sealed partial class Pipeline : IAsyncDisposable
{
    private static readonly TimeSpan TablelessFlushLimit = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for the last flush where the store, the catalog or the records themselves do not let it succeed.</summary>
    private static readonly TimeSpan LastFlushLimit = TimeSpan.FromSeconds(25);

    private readonly TableOptions options;
    private readonly PipelineShared shared;
    private readonly TopicPattern? pattern;
    private readonly ILogger logger;
    private readonly TableMetrics metrics;
    private readonly HotBuffer hot = new();
    private readonly TableMemory memory;
    private readonly StepRetry retry;
    private readonly LakeTable table;
    private readonly DeadLetterSink deadLetters;
    private readonly TransactionLog log;
    private readonly TableFlusher flusher;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TableSource source;
    private readonly CancellationTokenSource ending;
    private readonly RepeatedProblems problems;
    private readonly SemaphoreSlim opening = new(1);
    private bool isOpen;
    private Task flushLoop = Task.CompletedTask;
    private Exception? failure;
    private volatile string? waitReason = "for the broker to assign partitions";
    private long uncommitted;
    private int stopped;

    public Pipeline(TableOptions options, PipelineShared shared, TableSource source, SourceMember member)
    {
        this.source = source;
        ending = CancellationTokenSource.CreateLinkedTokenSource(stopping.Token, member.Stopping);
        Ending = ending.Token;
        this.options = options;
        this.shared = shared;
        pattern = options.TopicPattern is { } text ? TopicPattern.Parse(text) : null;
        logger = shared.Loggers.CreateLogger($"Frazil.{options.Name}");
        metrics = shared.Metrics.OfTable(options.Name);
        var identifier = TableIdentifier.Parse(options.Name);
        problems = new(shared.Time);
        memory = shared.Memory.Join();
        retry = new(
            shared.Time, logger, options.Name, TimeSpan.FromSeconds(shared.Options.HotBuffer.FailAfterSeconds), metrics.CountFlushFailure);
        var identities = new TopicIdentities(shared.Admin, options.Name, logger);
        table = Open(identifier, new() { Records = options, Identities = identities, Metrics = metrics, OnRollback = options.OnRollback });
        var letters = identifier with { Name = identifier.Name + DeadLetterColumns.TableSuffix };
        deadLetters = new(
            Open(letters, new() { Identities = identities, OnRollback = OnRollback.ReadAgain, StopsAtUntoldRows = false }), shared.Writer);
        log = new(LogSegments.FolderOf(shared.Options.DataDir, options.Name), shared.Time);
        Partitions = new(new()
        {
            Lane = this,
            Source = member,
            Options = options,
            Shared = shared,
            Table = table,
            Policies = new(shared.Admin, options.Name, shared.Time, logger),
            DeadLetters = deadLetters,
            Hot = hot,
            Memory = memory,
            Retry = retry,
            Logger = logger,
        });
        table.Committer.OnSetBack = Partitions.ReadAgain;
        flusher = new(FlusherParts(), shared.Options.HotBuffer, shared.Time);
    }

    public string Name => options.Name;

    /// <summary>Completes when the pipeline has stopped; faults when it cannot go on.</summary>
    public Task Completion => completion.Task;

    /// <summary>The table, and its dead letters, as SQL sees them.</summary>
    public ImmutableArray<QueryTable> QueryTables
        => [new(table.State, hot) { Reads = Reads }, new(deadLetters.Table.State, hot, ReadsDeadLetters: true) { Reads = Reads }];

    /// <summary>Opens the table, and finishes what a dead process began. Idempotent.</summary>
    /// <exception cref="PipelineFailedException">The table cannot be written as configured.</exception>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        await opening.WaitAsync(cancellationToken);
        try
        {
            if (!isOpen)
            {
                await table.Schemas.OpenAsync(cancellationToken);
                await RecoverAsync(cancellationToken);
                flushLoop = flusher.RunAsync(stopping.Token);
                flushLoop.Forget(Fail);
                isOpen = true;
            }
        }
        finally
        {
            opening.Release();
        }
    }

    /// <summary>It could not be started, and others can: it counts as failed from now on.</summary>
    public void Refuse(PipelineFailedException error) => Fail(error);

    /// <summary>Flushes and commits everything read, after reading was stopped. What cannot be committed within 25 seconds, or before
    /// <paramref name="cancellationToken"/> stays in Kafka and is read again next time. Idempotent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref stopped, 1) != 0)
        {
            await ((Task)completion.Task.ContinueWith(static _ => { }, cancellationToken, TaskContinuationOptions.None, TaskScheduler.Default));
            return;
        }
        try
        {
            if (failure is null or BadRecordException) // what stands before a bad record is sound, and a restart then begins at that record
            {
                await FlushLastAsync(cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
            // What is left is said below.
        }
        catch (Exception error)
        {
            KeepFailure(error);
        }
        finally
        {
            await EndAsync();
        }
    }

    /// <summary>Whatever happened before: says what is left, ends what runs, frees the memory, completes.</summary>
    private async Task EndAsync()
    {
        try
        {
            await stopping.CancelAsync();
            NoteUncommitted();
            await EndFlushesAsync();
        }
        catch (Exception error)
        {
            KeepFailure(error);
        }
        hot.Clear();
        shared.Memory.Leave(memory);
        SetCompleted();
        source.TakeEnd();
    }

    private void NoteUncommitted()
    {
        uncommitted = hot.Batches.Where(static batch => batch is { CommittedAt: 0, IsDropped: false })
            .Sum(static batch => batch.RowCount + batch.DeadLetterCount);
        if (uncommitted > 0)
        {
            logger.StoppedUnflushed(Name, uncommitted, retry.Trouble ?? retry.GivenUp ?? "time was up");
        }
    }

    /// <summary>The first failure counts; it is what <see cref="Completion"/> and <see cref="Status"/> say.</summary>
    private bool KeepFailure(Exception error)
    {
        if (Interlocked.CompareExchange(ref failure, error, null) is not null)
        {
            return false;
        }
        logger.PipelineFailed(error is PipelineFailedException or BadRecordException ? null : error, Name, error.Message);
        return true;
    }

    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        var version = table.Current;
        var scan = log.Open(new(
            Name, version?.Metadata.TableUuid, version?.Metadata.CurrentSnapshotId,
            [.. (version?.Progress ?? TableProgress.Empty).NextOffsets.Select(static pair => new LoggedOffset(pair.Key.Topic, pair.Key.Partition, pair.Value))]));
        var recovery = new FlushRecovery(new()
        {
            Table = table,
            DeadLetters = deadLetters.Table,
            Log = log,
        });
        try
        {
            await recovery.RunAsync(scan, cancellationToken);
        }
        catch (Exception error) when (error is IOException or IcebergException)
        {
            logger.RecoveryPostponed(Name, error.Message);
        }
    }

    /// <summary>What cannot be committed in time stays in Kafka. Where no record has made the table yet, it may never be possible: a short
    /// try.</summary>
    private async Task FlushLastAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(table.Current is null && failure is null ? TablelessFlushLimit : LastFlushLimit);
        await flusher.FlushAsync(limit.Token).WaitAsync(limit.Token); // an earlier flush that cannot succeed knows nothing of this token
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        ending.Dispose();
        stopping.Dispose();
        opening.Dispose();
        log.Dispose();
    }

    public TableStatus Status()
    {
        var batches = hot.Batches;
        var waiting = waitReason;
        return new()
        {
            Name = Name,
            Topic = options.TopicPattern ?? string.Join(",", options.Topics),
            State = State(waiting),
            Reason = failure?.Message ?? UncommittedReason() ?? (stopped != 0 ? null : waiting ?? retry.Trouble),
            FailingSeconds = failure is null && stopped == 0 ? retry.TroubleTime.TotalSeconds : 0,
            Records = metrics.Records,
            Bytes = metrics.Bytes,
            BadRecords = metrics.BadRecords,
            Lag = stopped != 0 ? -1 : Partitions.Lag(),
            HotRows = batches.Where(static batch => batch.CommittedAt == 0).Sum(static batch => batch.RowCount),
            HotBytes = batches.Sum(static batch => batch.Bytes),
            Flushes = metrics.Flushes,
            FlushFailures = metrics.FlushFailures,
            Commits = metrics.Commits,
            CommittedRows = metrics.CommittedRows,
            LogSyncs = log.Syncs,
            SnapshotId = table.Current?.Metadata.CurrentSnapshotId,
            Partitions = Partitions.Count,
            UncommittedRecords = uncommitted,
        };
    }

    private string State(string? waiting)
        => failure is not null ? "failed" : stopped != 0 ? "stopped" : waiting is not null ? "waiting" : retry.Trouble is not null ? "failing"
            : IsHeldBack ? "paused" : "running";

    private string? UncommittedReason() => uncommitted == 0 ? null
        : $"it stopped with {uncommitted} records that could not be committed ({retry.Trouble ?? retry.GivenUp ?? "time was up"}); they stay in Kafka and are read again";

    private bool Reads(string topic)
        => pattern is null ? options.Topics.Contains(topic) : pattern.Selects(topic);

    private LakeTable Open(TableIdentifier identifier, LakeTableSettings settings)
        => new(shared.Catalog, new(shared.Catalog, identifier, shared.Time), logger, settings);

    private TableFlusherParts FlusherParts() => new()
    {
        Table = table,
        Hot = hot,
        Retry = retry,
        Writer = new(shared.Writer, table, options.PreserveKafkaPartitions),
        DeadLetters = deadLetters,
        Journal = new(log, table),
        Memory = memory,
        Metrics = metrics,
        Logger = logger,
        OnCommitted = Partitions.NoteCommitted,
        OnFenced = unit => Partitions.ReadAgain([.. unit.Batches.Select(static batch => batch.Partition)]),
        OnFailed = Fail,
    };

    /// <summary>The table cannot go on; the others of its source do. Never blocks.</summary>
    public void Fail(Exception error)
    {
        if ((error is OperationCanceledException && Ending.IsCancellationRequested) || stopped != 0 || !KeepFailure(error))
        {
            return;
        }
        Task.Run(ReleaseThenStopAsync).Forget(late => logger.PipelineFailed(late, Name, late.Message));
    }

    private async Task ReleaseThenStopAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), shared.Time);
        try
        {
            await source.ReleaseAsync(this).WaitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            // The end says what is left.
        }
        finally
        {
            await StopAsync(limit.Token);
        }
    }

    private async Task EndFlushesAsync()
    {
        try
        {
            await flushLoop;
        }
        catch (OperationCanceledException)
        {
            // Its ordinary end.
        }
        await flusher.EndAsync();
    }

    private void SetCompleted()
    {
        if (failure is null)
        {
            completion.TrySetResult();
        }
        else
        {
            completion.TrySetException(failure);
        }
    }
}
