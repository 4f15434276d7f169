using System.Collections.Immutable;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Decode;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Log;
using Frazil.Query;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>
/// One table's journey, and the place to start reading: a consumer group of its own delivers records (<see cref="PipelineReading"/>), ingest
/// workers decode them into hot batches and publish (<see cref="IngestWorker"/>, <see cref="HotPartition"/>), the flusher seals and writes
/// Parquet (<see cref="TableFlusher"/>, <see cref="FlushWriter"/>), the committer makes snapshots (<see cref="TableCommitter"/>), and
/// queries see hot and cold rows as one (<see cref="ReadPoint"/>). Assignments and what goes wrong with them are in <see
/// cref="PipelineAssignments"/>.
/// </summary>
internal sealed class Pipeline : IAsyncDisposable
{
    private static readonly TimeSpan TablelessFlushLimit = TimeSpan.FromSeconds(5);

    /// <summary>How long a stop waits for the last flush where the store, the catalog or the records themselves do not let it succeed.</summary>
    private static readonly TimeSpan LastFlushLimit = TimeSpan.FromSeconds(25);

    private readonly TableOptions options;
    private readonly PipelineShared shared;
    private readonly TopicPattern? pattern;
    private readonly ILogger logger;
    private readonly TableMetrics metrics = new();
    private readonly HotBuffer hot = new();
    private readonly TableMemory memory;
    private readonly FlushRetry retry;
    private readonly TableState state;
    private readonly TableCommitter committer;
    private readonly SchemaKeeper schemas;
    private readonly DeadLetterSink deadLetters;
    private readonly TransactionLog log;
    private readonly TableFlusher flusher;
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TopicIdentities identities;
    private readonly PipelineAssignments assignments;
    private readonly PipelineReading reading;
    private readonly RepeatedProblems problems;
    private Task flushLoop = Task.CompletedTask;
    private Exception? failure;
    private volatile string? waitReason = "for the broker to assign partitions";
    private long uncommitted;
    private int stopped;

    public Pipeline(TableOptions options, PipelineShared shared)
    {
        this.options = options;
        this.shared = shared;
        pattern = options.TopicPattern is { } text ? TopicPattern.Parse(text) : null;
        logger = shared.Loggers.CreateLogger($"Frazil.{options.Name}");
        var identifier = TableIdentifier.Parse(options.Name);
        state = new(shared.Catalog, identifier);
        problems = new(shared.Time);
        memory = shared.Memory.Join();
        retry = new(
            shared.Time, logger, options.Name, TimeSpan.FromSeconds(shared.Options.HotBuffer.FailAfterSeconds), metrics.CountFlushFailure);
        identities = new TopicIdentities(shared.Admin, options.Name, logger);
        committer = new(shared.Catalog, state, metrics, shared.Time, logger, identities, options.OnRollback);
        schemas = new(shared.Catalog, state, committer, options, logger);
        var lettersState = new TableState(shared.Catalog, identifier with { Name = identifier.Name + DeadLetterColumns.TableSuffix });
        deadLetters = new(
            shared.Catalog, lettersState, new(shared.Catalog, lettersState, new TableMetrics(), shared.Time, logger, identities, OnRollback.ReadAgain), shared.Writer,
            identities, logger);
        log = new(LogSegments.FolderOf(shared.Options.DataDir, options.Name), shared.Time);
        assignments = new(new()
        {
            Options = options,
            Shared = shared,
            State = state,
            CheckRollback = committer.CheckRollbackAsync,
            Identities = identities,
            Policies = new(shared.Admin, options.Name, shared.Time, logger),
            Schemas = schemas,
            Hot = hot,
            Memory = memory,
            Retry = retry,
            Logger = logger,
            FlushAsync = token => flusher!.FlushAsync(token),
            Stopping = () => reading!.Stopping,
            OnFailed = Fail,
            OnAssigned = () => waitReason = null,
        });
        flusher = new(FlusherParts(), shared.Options.HotBuffer, shared.Time);
        reading = new(ReadingParts());
    }

    public string Name => options.Name;

    /// <summary>Completes when the pipeline has stopped; faults when it cannot go on.</summary>
    public Task Completion => completion.Task;

    /// <summary>The table, and its dead letters, as SQL sees them.</summary>
    public ImmutableArray<QueryTable> QueryTables
        => [new(state, hot) { Reads = Reads }, new(deadLetters.State, hot, ReadsDeadLetters: true) { Reads = Reads }];

    /// <summary>Opens the table, then starts consuming. A broker that does not answer is waited for; see <see cref="Status"/>.</summary>
    /// <exception cref="PipelineFailedException">The table cannot be written as configured.</exception>
    /// <exception cref="KafkaException">A Kafka property is wrong.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await schemas.OpenAsync(cancellationToken);
        await RecoverAsync(cancellationToken);
        flushLoop = flusher.RunAsync(stopping.Token);
        flushLoop.Forget(Fail);
        reading.Start();
    }

    /// <summary>It could not be started, and others can: it counts as failed from now on.</summary>
    public void Refuse(PipelineFailedException error) => Fail(error);

    /// <summary>Stops reading, flushes and commits everything read, leaves the group. What cannot be committed within 25 seconds, or before
    /// <paramref name="cancellationToken"/> stays in Kafka and is read again next time. Idempotent.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref stopped, 1) != 0)
        {
            await ((Task)completion.Task.ContinueWith(static _ => { }, cancellationToken, TaskContinuationOptions.None, TaskScheduler.Default));
            return;
        }
        await Task.Run(reading.Stop, CancellationToken.None);
        try
        {
            if (failure is null)
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

    /// <summary>Whatever happened before: says what is left, leaves the group, frees the memory, completes.</summary>
    private async Task EndAsync()
    {
        try
        {
            await stopping.CancelAsync();
            NoteUncommitted(); // leaving the group drops it
            await LeaveAsync();
        }
        catch (Exception error)
        {
            KeepFailure(error);
        }
        hot.Clear();
        shared.Memory.Leave(memory);
        SetCompleted();
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
        var version = state.Current;
        var scan = log.Open(new(
            Name, version?.Metadata.TableUuid, version?.Metadata.CurrentSnapshotId,
            [.. (version?.Progress ?? TableProgress.Empty).NextOffsets.Select(static pair => new LoggedOffset(pair.Key.Topic, pair.Key.Partition, pair.Value))]));
        var recovery = new FlushRecovery(new()
        {
            Table = Name,
            Log = log,
            State = state,
            DeadLetters = deadLetters.State,
            Committer = committer,
            DeadLettersCommitter = deadLetters.Committer,
            Files = shared.Catalog.FileIO,
            Logger = logger,
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
        limit.CancelAfter(state.Current is null ? TablelessFlushLimit : LastFlushLimit);
        await flusher.FlushAsync(limit.Token).WaitAsync(limit.Token); // an earlier flush that cannot succeed knows nothing of this token
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        stopping.Dispose();
        await reading.DisposeAsync();
        log.Dispose();
    }

    /// <summary>Whether the memory limit holds reading back.</summary>
    public bool IsHeldBack => reading.IsPaused;

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
            Lag = stopped != 0 ? -1 : assignments.Lag(),
            HotRows = batches.Where(static batch => batch.CommittedAt == 0).Sum(static batch => batch.RowCount),
            HotBytes = batches.Sum(static batch => batch.Bytes),
            Flushes = metrics.Flushes,
            FlushFailures = metrics.FlushFailures,
            Commits = metrics.Commits,
            CommittedRows = metrics.CommittedRows,
            LogSyncs = log.Syncs,
            SnapshotId = state.Current?.Metadata.CurrentSnapshotId,
            Partitions = assignments.Count,
            UncommittedRecords = uncommitted,
        };
    }

    private string State(string? waiting)
        => failure is not null ? "failed" : stopped != 0 ? "stopped" : waiting is not null ? "waiting" : retry.Trouble is not null ? "failing"
            : reading.IsPaused ? "paused" : "running";

    private string? UncommittedReason() => uncommitted == 0 ? null
        : $"it stopped with {uncommitted} records that could not be committed ({retry.Trouble ?? retry.GivenUp ?? "time was up"}); they stay in Kafka and are read again";

    private bool Reads(string topic)
        => pattern is null ? options.Topics.Contains(topic) : pattern.Selects(topic);

    private TableFlusherParts FlusherParts() => new()
    {
        Table = Name,
        Hot = hot,
        Retry = retry,
        TableExists = () => state.Current is not null,
        ConfirmTopics = (topics, token) => identities.ConfirmAsync(topics, state.Current, token),
        Writer = new(shared.Writer, shared.Catalog.FileIO, state, schemas, options.PreserveKafkaPartitions),
        Committer = committer,
        DeadLetters = deadLetters,
        Journal = new(log, state),
        Memory = memory,
        Metrics = metrics,
        Logger = logger,
        OnCommitted = assignments.NoteCommitted,
        OnFenced = assignments.Fence,
        OnFailed = Fail,
    };

    private PipelineReadingParts ReadingParts() => new()
    {
        Table = Name,
        Consumer = ConsumerOptions(),
        Events = new()
        {
            Assigned = assignments.Assign,
            Kept = assignments.Keep,
            Positioned = assignments.Position,
            Revoked = assignments.Revoke,
            Error = TakeError,
        },
        Assignments = assignments,
        Workers = shared.WorkersPerTable,
        CreateWorker = queue => new IngestWorker(WorkerParts(queue)),
        Time = shared.Time,
        Logger = logger,
        OnWaiting = reason => waitReason = reason,
        OnFailed = Fail,
    };

    private IngestWorkerParts WorkerParts(MessageQueue queue) => new()
    {
        Table = Name,
        Queue = queue,
        Memory = memory,
        Metrics = metrics,
        Evolve = Evolve,
        OnAppended = WakeFlusherWhenDue,
        OnMemoryFull = flusher.Wake,
        OnOutOfRange = assignments.RecoverPosition,
        OnPartitionError = TakeError,
        OnFailed = Fail,
    };

    private KafkaConsumerOptions ConsumerOptions() => new()
    {
        BootstrapServers = shared.Options.Kafka.BootstrapServers,
        GroupId = $"{shared.Options.Kafka.GroupId}.{Name}",
        GroupInstanceId = shared.InstanceId,
        HasPredecessor = shared.HasPredecessor,
        Topics = options.Topics,
        Pattern = pattern,
        Properties = shared.Options.Kafka.Properties,
    };

    /// <summary>Blocks the worker: its next record needs the new columns anyway. Tries until the catalog answers.</summary>
    private DecodeError? Evolve(SchemaSamples samples)
    {
        var evolving = Task.Run(() => retry.RunAsync("schema change", token => schemas.EvolveAsync(samples, token), reading.Stopping));
        return Blocking.Wait(evolving);
    }

    private void WakeFlusherWhenDue()
    {
        if (memory.IsUnderPressure || hot.OpenBytes >= (long)shared.Options.HotBuffer.FlushSizeMb << 20)
        {
            flusher.Wake();
        }
    }

    private void TakeError(KafkaError error)
    {
        if (error.Kind == KafkaErrorKind.Fatal)
        {
            return; // the member ends, and tells it
        }
        if (problems.TextOf((error.Code, error.Topic), error.ToString()) is { } text)
        {
            logger.KafkaProblem(Name, text);
        }
        if (assignments.Count == 0)
        {
            waitReason = error.ToString();
        }
    }

    private void Fail(Exception error)
    {
        if (stopped != 0 || !KeepFailure(error))
        {
            return;
        }
        Task.Run(() => FlushThenStopAsync(error)).Forget(late => logger.PipelineFailed(late, Name, late.Message));
    }

    /// <summary>What stands before a record that stopped the pipeline is sound: commit it, so that a restart begins at that
    /// record.</summary>
    private async Task FlushThenStopAsync(Exception error)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), shared.Time);
        try
        {
            if (error is BadRecordException)
            {
                await Task.Run(reading.Stop, limit.Token);
                await flusher.FlushAsync(limit.Token).WaitAsync(limit.Token);
            }
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

    private async Task LeaveAsync()
    {
        try
        {
            await reading.LeaveAsync();
        }
        catch (Exception error) when (failure is not null)
        {
            logger.KafkaProblem(Name, error.Message); // the failure that stopped the pipeline was told already
        }
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
