using Frazil.Cold;
using Frazil.Columnar;
using Frazil.Hot;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Query.Workers;

/// <summary>
/// Runs each statement in a process of its own from a pool: a statement that is cancelled, or late, or whose worker breaks, costs that process
/// and nothing else. Some wait warm, so that one that has gone is replaced at once; those that wait for long go.
/// </summary>
internal sealed class WorkerPool : ISqlRunner
{
    private static readonly TimeSpan LongIdle = TimeSpan.FromMinutes(1), LookForIdle = TimeSpan.FromSeconds(10), Longest = TimeSpan.FromSeconds(30);

    /// <summary>A short statement gives its worker back before another one could have started.</summary>
    private static readonly TimeSpan ShortStatement = TimeSpan.FromMilliseconds(20);

    private readonly SqlExecutorOptions options;
    private readonly IReadOnlyList<string> command;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly FileColumns files = new();
    private readonly HotCopyBudget hot;
    private readonly Stack<WorkerProcess> idle = new();
    private readonly Lock gate = new();

    /// <summary>Raised when the last one that waited was taken, and when a worker has ended.</summary>
    private readonly ChangeSignal changes = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource firstStatement = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task keeping;
    private int failures;
    private int isTold;
    private long lastFailure;

    public WorkerPool(SqlExecutorOptions options, TimeProvider time, ILogger logger)
    {
        (this.options, this.time, this.logger) = (options, time, logger);
        command = options.WorkerCommand ?? throw new ArgumentException("no program is named that could be a worker", nameof(options));
        hot = new HotCopyBudget((long)options.MaxHotCopyMb << 20);
        NativeBlocks.Share(); // before the first worker, so that each has mapped what it is told of
        keeping = KeepWarmAsync(stopping.Token);
    }

    /// <summary>Numbers of the processes that wait.</summary>
    public IReadOnlyList<int> Idle
    {
        get
        {
            lock (gate)
            {
                return [.. idle.Select(static worker => worker.Id)];
            }
        }
    }

    /// <remarks>A worker that was gone before it began with the statement is passed over, as often as all of them could have been killed.</remarks>
    public void Run(GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, IRowSink rows, CancellationToken cancellationToken)
    {
        for (var left = options.MaxWorkers; !TryRun(sql, tables, rows, mayPassOver: left > 0, cancellationToken); left--)
        {
        }
    }

    /// <returns>False where its worker was gone before it began.</returns>
    private bool TryRun(GatedSql sql, IReadOnlyList<TableBinding> tables, IRowSink rows, bool mayPassOver, CancellationToken cancellationToken)
    {
        var worker = Take();
        var offers = new List<TableOffer>();
        var isOver = false;
        try
        {
            // One whose time went by while its worker started leaves that to the next: else none would ever be ready where starting takes longer than statements may.
            cancellationToken.ThrowIfCancellationRequested();
            offers.AddRange(tables.Select(worker.Tables.Offer));
            var hotBytes = HotCopy.Measure(offers.SelectMany(static offer => offer.Slices));
            using var room = hot.Take(hotBytes, cancellationToken);
            var message = new DuckDb.ByteWriter();
            using var request = new WorkerRequest(message, WorkerQuery.Write(message, sql.Sql, offers, options.MaxResultBytes, hotBytes), options.MaxResultBytes);
            worker.Run(request, rows, cancellationToken);
            isOver = true;
            return true;
        }
        catch (DuckDb.DuckDbException failure) when (failure.IsFatal)
        {
            worker.Spoil(); // after such an error DuckDB refuses everything that follows
            throw;
        }
        catch (WorkerEndedException end)
        {
            logger.WorkerEnded(worker.Id, end.Message);
            if (!end.IsOfStatement && mayPassOver)
            {
                return false;
            }
            throw new SqlException($"The process that ran the query is gone: {end.Message}. Nothing else was harmed. Ask for less, or in another way.", null, end);
        }
        catch (IOException failure)
        {
            throw new SqlException($"The query cannot run just now: {failure.Message}", null, failure);
        }
        finally
        {
            if (!isOver)
            {
                offers.ForEach(worker.Tables.Forget);
            }
            Return(worker);
        }
    }

    /// <summary>Nothing may run any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        await keeping.ConfigureAwait(false);
        lock (gate)
        {
            while (idle.TryPop(out var worker))
            {
                worker.Dispose();
            }
        }
        stopping.Dispose();
    }

    /// <summary>One that waits, or a new one.</summary>
    private WorkerProcess Take()
    {
        while (true)
        {
            WorkerProcess? worker;
            bool areFew;
            lock (gate)
            {
                idle.TryPop(out worker);
                areFew = idle.Count < options.SpareWorkers;
            }
            if (areFew)
            {
                changes.Raise();
            }
            if (worker is null)
            {
                return Start();
            }
            if (worker.IsAlive)
            {
                return worker;
            }
            worker.Dispose();
        }
    }

    private WorkerProcess Start()
    {
        try
        {
            return StartOne();
        }
        catch (IOException failure)
        {
            throw new SqlException($"The query cannot run just now: {failure.Message}", null, failure);
        }
    }

    private WorkerProcess StartOne()
    {
        var worker = WorkerProcess.Start(options, command, files);
        using var late = time.CreateTimer(static worker => ((WorkerProcess)worker!).Kill(), worker, Longest, Timeout.InfiniteTimeSpan);
        using var stop = stopping.Token.UnsafeRegister(static worker => ((WorkerProcess)worker!).Kill(), worker);
        try
        {
            worker.WaitUntilReady();
            _ = worker.Ended.ContinueWith(_ => changes.Raise(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            if (Interlocked.Exchange(ref isTold, 1) == 0)
            {
                Tell(worker);
            }
            return worker;
        }
        catch
        {
            worker.Dispose();
            throw;
        }
    }

    /// <summary>For the next statement; one that still has something to say is ended.</summary>
    private void Return(WorkerProcess worker)
    {
        worker.IdleSince = time.GetTimestamp();
        firstStatement.TrySetResult();
        lock (gate)
        {
            if (worker.IsDone && !stopping.IsCancellationRequested)
            {
                idle.Push(worker);
                return;
            }
        }
        worker.Dispose();
    }

    private void Tell(WorkerProcess worker)
    {
        logger.WorkersStarted(options.MaxWorkers, options.WorkerMemoryMb + ProcessLimits.MemoryBesideMb, WorkerConfinement.KernelVersion, worker.HasFilter);
        if (!worker.IsConfined || !worker.HasFilter)
        {
            logger.WorkersNotConfined(
                (worker.IsConfined, worker.HasFilter) switch
                {
                    (false, false) => "neither Landlock nor seccomp",
                    (false, _) => "no Landlock",
                    _ => "no seccomp",
                });
        }
    }

    private async Task KeepWarmAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.WhenAny(firstStatement.Task, Task.Delay(options.SpareWorkersAfter, time, cancellationToken)).ConfigureAwait(false);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var changed = changes.Next();
                Sweep();
                if (Wants())
                {
                    await Task.Run(StartSpare, CancellationToken.None).ConfigureAwait(false);
                    continue;
                }
                await WaitAsync(changed, failures == 0 ? LookForIdle : PauseAfterFailures, cancellationToken).ConfigureAwait(false);
                await Task.Delay(ShortStatement, time, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task WaitAsync(Task changed, TimeSpan most, CancellationToken cancellationToken)
    {
        using var isOver = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(changed, Task.Delay(most, time, isOver.Token)).ConfigureAwait(false);
        await isOver.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>Those that have gone, and those that nobody has wanted for long.</summary>
    private void Sweep()
    {
        lock (gate)
        {
            var kept = idle.Where(static worker => worker.IsAlive).ToList();
            var surplus = kept.Skip(options.SpareWorkers).Where(worker => time.GetElapsedTime(worker.IdleSince) > LongIdle);
            var gone = idle.Except(kept).Concat(surplus).ToHashSet();
            if (gone.Count == 0)
            {
                return;
            }
            var left = idle.Where(worker => !gone.Contains(worker)).Reverse().ToList();
            idle.Clear();
            left.ForEach(idle.Push);
            foreach (var worker in gone)
            {
                worker.Dispose();
            }
        }
    }

    /// <summary>After failures it is tried ever more seldom, up to every ten seconds.</summary>
    private TimeSpan PauseAfterFailures => TimeSpan.FromMilliseconds(Math.Min(10_000, failures * failures * 250.0));

    private bool Wants()
    {
        lock (gate)
        {
            return !stopping.IsCancellationRequested && idle.Count < options.SpareWorkers && (failures == 0 || time.GetElapsedTime(lastFailure) >= PauseAfterFailures);
        }
    }

    private void StartSpare()
    {
        try
        {
            Return(StartOne());
            failures = 0;
        }
        catch (IOException failure)
        {
            failures++;
            lastFailure = time.GetTimestamp();
            if (!stopping.IsCancellationRequested)
            {
                logger.WorkerDoesNotStart(failure.Message);
            }
        }
    }
}
