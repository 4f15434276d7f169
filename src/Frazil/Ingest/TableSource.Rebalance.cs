using Frazil.Commit;
using Frazil.Kafka;
using Frazil.Telemetry;

namespace Frazil.Ingest;

/// <summary>What the group gives and takes. The methods run on the consumer's thread and may block: the group waits for them.</summary>
internal sealed partial class TableSource
{
    private IReadOnlyList<PartitionStart> Assign(IReadOnlyList<TopicPartition> assigned)
    {
        var assignment = new object();
        var tables = new List<(Pipeline Lane, List<TopicPartition> Partitions, Task<TableProgress?> Prepared)>();
        foreach (var group in assigned.GroupBy(partition => LaneOf(partition.Topic)))
        {
            if (group.Key is { HasEnded: false } lane)
            {
                var partitions = group.ToList();
                tables.Add((lane, partitions, PrepareAsync(lane, [.. partitions.Select(static one => one.Topic).Distinct()])));
            }
        }
        wasAssigned = true;
        waitReason = null;
        var all = Task.WhenAll(tables.Select(static table => table.Prepared));
        if (!MakesTables && Lanes.Count == 1)
        {
            Blocking.Wait(all);
        }
        else
        {
            Blocking.Wait(all, AssignPatience);
        }
        var starts = new List<PartitionStart>();
        foreach (var (lane, partitions, prepared) in tables)
        {
            if (prepared.IsCompletedSuccessfully)
            {
                starts.AddRange(Begin(lane, partitions, prepared.Result));
                continue;
            }
            partitions.ForEach(partition => waiting[partition] = assignment);
            Task.Run(() => BeginLaterAsync(lane, partitions, prepared, assignment)).Forget(lane.Fail);
        }
        return starts;
    }

    /// <summary>A table that tries again and again gives its place to the next one.</summary>
    private async Task<TableProgress?> PrepareAsync(Pipeline lane, IReadOnlyList<string> topics)
    {
        await beginning.WaitAsync(lane.Ending);
        var prepared = lane.Partitions.PrepareAsync(topics);
        try
        {
            await Task.WhenAny(prepared, Task.Delay(AssignPatience, shared.Time, lane.Ending));
        }
        finally
        {
            beginning.Release();
        }
        return await prepared;
    }

    private static IEnumerable<PartitionStart> Begin(Pipeline lane, List<TopicPartition> partitions, TableProgress? progress)
    {
        lane.NoteAssigned();
        return partitions.Select(partition => lane.Partitions.Hold(partition, progress)).ToList();
    }

    /// <summary>The others read meanwhile.</summary>
    private async Task BeginLaterAsync(Pipeline lane, List<TopicPartition> partitions, Task<TableProgress?> prepared, object assignment)
    {
        var progress = await prepared;
        await member.Consumer!.RestartWhereAsync(() =>
        {
            var ours = partitions.Where(partition => waiting.GetValueOrDefault(partition) == assignment && !lane.HasEnded).ToList();
            ours.ForEach(partition => waiting.Remove(partition));
            return ours.Count == 0 ? [] : [.. Begin(lane, ours, progress)];
        });
    }

    /// <summary>Partitions that stay through a rebalance: each goes on behind what its worker has taken.</summary>
    private IReadOnlyList<PartitionStart> Keep(IReadOnlyList<TopicPartition> kept)
    {
        var starts = new List<PartitionStart>(kept.Count);
        foreach (var group in kept.GroupBy(member.WorkerOf))
        {
            // Between two batches: what the worker was given before is appended then.
            group.Key.Between(() => starts.AddRange(
                from partition in @group
                let held = Known(partition.Topic)?.Hot.Find(partition)
                where held is not null
                select new PartitionStart(partition, StartPosition.At(held.NextOffset), @group.Key.Queue)));
        }
        return starts;
    }

    private void Position(IReadOnlyList<TopicPartitionOffset> positions)
    {
        foreach (var group in positions.GroupBy(position => Known(position.Partition.Topic)))
        {
            group.Key?.Partitions.Position([.. group]);
        }
    }

    /// <summary>Gives partitions up: what is buffered of them is committed first, unless another instance owns them already.</summary>
    private void Revoke(PartitionsRevoked revoked)
    {
        var tables = revoked.Partitions.GroupBy(partition => Known(partition.Topic)).Where(static group => group.Key is not null).ToList();
        Unroute(revoked.Partitions);
        foreach (var partition in revoked.Partitions)
        {
            waiting.Remove(partition);
            Known(partition.Topic)?.Hot.Find(partition)?.Close();
        }
        if (!revoked.Lost)
        {
            var lanes = tables.Select(static group => group.Key!).Where(static lane => !lane.HasEnded);
            Blocking.Wait(Task.WhenAll(lanes.Select(FlushBeforeLeavingAsync)));
        }
        foreach (var partition in revoked.Partitions)
        {
            Known(partition.Topic)?.Hot.Release(partition);
            member.Forget(partition);
            logger.PartitionReleased(entry.Name, partition.ToString(), revoked.Lost);
        }
    }

    private static async Task FlushBeforeLeavingAsync(Pipeline lane)
    {
        try
        {
            await lane.FlushAsync().WaitAsync(RevokeFlushLimit);
        }
        catch (Exception error) when (error is OperationCanceledException or PipelineFailedException or TimeoutException)
        {
            lane.SayRevokedUnflushed(error);
        }
    }
}
