using System.Collections.Immutable;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging;

namespace Frazil.Ingest;

/// <summary>
/// A source's member of its consumer group, and the workers that decode what the member is given. A member that the group has fenced
/// (<c>FENCED_INSTANCE_ID</c>) can never go on; a new one takes its place, and reads from where the table is. Brokers that stall fence a
/// member without cause: they take its own late request for another instance of its name. Of two instances that do have the same name, one
/// ends, since a member that is fenced again and again is not replaced.
/// </summary>
internal sealed class SourceMember : IAsyncDisposable
{
    private const int MostReplacements = 2;

    private static readonly TimeSpan ReplacementsAreForgottenAfter = TimeSpan.FromMinutes(10);

    private readonly SourceMemberParts parts;
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly PartitionSpread spread;
    private KafkaConsumer? consumer;
    private ImmutableArray<IngestWorker> workers = [];
    private Task replacing = Task.CompletedTask;
    private DateTimeOffset lastReplaced;
    private int replacements;

    public SourceMember(SourceMemberParts parts)
    {
        this.parts = parts;
        spread = new(parts.Workers);
        Stopping = stopping.Token;
    }

    /// <summary>Cancelled when reading stops for good.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>The member now; null before the first.</summary>
    public KafkaConsumer? Consumer => consumer;

    /// <summary>A partition always has the same worker: it is the only writer of the partition's batches.</summary>
    public IngestWorker WorkerOf(TopicPartition partition) => workers[spread.Of(partition)];

    /// <summary>The partition is given up: another one may take its place with the worker.</summary>
    public void Forget(TopicPartition partition) => spread.Forget(partition);

    /// <summary>Joins the group and begins to read. Does not wait for a broker.</summary>
    /// <exception cref="KafkaException">A Kafka property is wrong.</exception>
    public void Start() => Join(parts.Consumer);

    /// <summary>Reads nothing any more; returns when no worker runs. The partitions are held until <see cref="LeaveAsync"/>.
    /// Idempotent.</summary>
    public void Stop()
    {
        stopping.Cancel(); // a worker may be waiting for a catalog that does not answer
        ImmutableArray<IngestWorker> running;
        lock (gate)
        {
            running = workers;
        }
        StopAll(running);
    }

    /// <summary>Leaves the group, after <see cref="Stop"/>.</summary>
    public async Task LeaveAsync()
    {
        await replacing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (consumer is not null)
        {
            await consumer.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await LeaveAsync();
        stopping.Dispose();
    }

    private void Join(KafkaConsumerOptions options)
    {
        lock (gate)
        {
            Stopping.ThrowIfCancellationRequested();
            var member = new KafkaConsumer(options, parts.Events);
            consumer = member;
            workers = [
                .. Enumerable.Range(0, parts.Workers).Select(_ => new IngestWorker(parts.Name, member.CreateWorkerQueue(), parts.OnFailed))];
            foreach (var worker in workers)
            {
                worker.Start();
            }
            member.Start();
            member.Completion.Forget(error => TakeEnd(member, error));
        }
    }

    private void TakeEnd(KafkaConsumer member, Exception error)
    {
        var failure = error is KafkaException kafka ? new PipelineFailedException($"table {parts.Name}: {kafka.Error}", error) : error;
        if (Stopping.IsCancellationRequested || error is not KafkaException { Error: { Code: KafkaErrorCodes.FencedInstanceId } fence })
        {
            parts.OnFailed(failure);
        }
        else if (CountReplacement() is { } pause)
        {
            parts.Logger.MemberFenced(parts.Name, pause.TotalSeconds, fence.Reason);
            parts.OnWaiting($"for a new member of the consumer group: {fence.Reason}");
            replacing = ReplaceAsync(member, pause);
            replacing.Forget(parts.OnFailed);
        }
        else
        {
            parts.OnFailed(failure);
        }
    }

    /// <returns>How long to wait first; null where it has been fenced too often.</returns>
    private TimeSpan? CountReplacement()
    {
        var now = parts.Time.GetUtcNow();
        replacements = now - lastReplaced > ReplacementsAreForgottenAfter ? 1 : replacements + 1;
        lastReplaced = now;
        return replacements > MostReplacements ? null : TimeSpan.FromSeconds(2 * replacements);
    }

    /// <summary>What the fenced member held was given up with it.</summary>
    private async Task ReplaceAsync(KafkaConsumer fenced, TimeSpan pause)
    {
        await Task.Delay(pause, parts.Time, Stopping);
        var idle = workers;
        await Task.Run(() => StopAll(idle));
        Join(parts.Consumer with { HasPredecessor = true });
        await fenced.DisposeAsync(); // its queues, which no worker reads any more
    }

    private static void StopAll(ImmutableArray<IngestWorker> workers)
    {
        foreach (var worker in workers)
        {
            worker.Stop();
        }
    }
}

/// <summary>What one source reads with.</summary>
internal sealed record SourceMemberParts
{
    public required string Name { get; init; }
    public required KafkaConsumerOptions Consumer { get; init; }
    public required KafkaConsumerEvents Events { get; init; }
    /// <summary>How many share the partitions.</summary>
    public required int Workers { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILogger Logger { get; init; }
    /// <summary>Nothing is read for the time being; says why.</summary>
    public required Action<string> OnWaiting { get; init; }
    public required Action<Exception> OnFailed { get; init; }
}
