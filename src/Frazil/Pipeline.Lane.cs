using Frazil.Formats;
using Frazil.Hot;
using Frazil.Ingest;
using Frazil.Kafka;
using Frazil.Telemetry;

namespace Frazil;

/// <summary>The table as its source and the workers see it: what they hand it, and what they ask of it.</summary>
internal sealed partial class Pipeline
{
    public LanePartitions Partitions { get; }

    public HotBuffer Hot => hot;

    public TableMemory Memory => memory;

    public TableMetrics Metrics => metrics;

    /// <summary>Cancelled when the table's records are read no more.</summary>
    public CancellationToken Ending { get; }

    /// <summary>Its topic appeared while the process ran: nothing of it may be missed.</summary>
    public bool CameLater { get; init; }

    /// <summary>No other table waits when this one does.</summary>
    public bool IsAlone => !source.MakesTables && source.Lanes.Count == 1;

    /// <summary>Whether the memory limit holds reading back.</summary>
    public bool IsHeldBack { get; set; }

    /// <summary>A step towards the commit fails again and again.</summary>
    public bool IsFailing => retry.Trouble is not null;

    public bool HasFailed => failure is not null;

    public Exception? Failure => failure;

    /// <summary>It takes nothing any more.</summary>
    public bool HasEnded => stopped != 0 || failure is not null;

    /// <summary>Its partitions begin.</summary>
    public void NoteAssigned() => waitReason = null;

    public void SayWaiting(string reason) => waitReason = reason;

    public void SayWaitingUnlessAssigned(string reason)
    {
        if (hot.PartitionCount == 0)
        {
            waitReason = reason;
        }
    }

    public void SayRevokedUnflushed(Exception error) => logger.RevokedUnflushed(Name, error.Message);

    /// <summary>Seals everything appended so far; completes when it is committed.</summary>
    public Task FlushAsync() => flusher.FlushAsync(CancellationToken.None);

    /// <summary>Looks at the buffer soon.</summary>
    public void Wake() => flusher.Wake();

    public void Detach(HotPartition partition, Task until) => source.Detach(this, partition, until);

    public void RecoverPosition(TopicPartition partition, long nextOffset) => Partitions.RecoverPosition(partition, nextOffset);

    /// <summary>Brings what a record waits for; tries until the catalog, or the schema registry, answers. Null, or why the record can never
    /// be a row.</summary>
    public Task<DecodeError?> FulfilAsync(SchemaNeed need)
        => Task.Run(() => retry.RunAsync("schema change", token => table.Schemas.FulfilAsync(need, token), Ending));

    /// <summary>Something was published.</summary>
    public void Appended()
    {
        if (memory.IsUnderPressure || hot.OpenBytes >= (long)shared.Options.HotBuffer.FlushSizeMb << 20)
        {
            flusher.Wake();
        }
    }

    public void TakeError(KafkaError error)
    {
        if (problems.TextOf((error.Code, error.Topic), error.ToString()) is { } text)
        {
            logger.KafkaProblem(Name, text);
        }
        SayWaitingUnlessAssigned(error.ToString());
    }
}
