using Frazil.Kafka.Native;

namespace Frazil.Kafka;

public sealed unsafe partial class KafkaConsumer
{
    /// <summary>What the group gave us, and the queue that reads it (null: paused). Touched by the consumer's thread only.</summary>
    private readonly Dictionary<TopicPartition, MessageQueue?> _owned = [];

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(250);

    /// <summary>Stops reading partitions without giving them up; what was fetched of them and not delivered is dropped and fetched again
    /// after <see cref="RestartAsync"/>. For short back-pressure of a whole worker rather leave its queue unread. Completes when no more
    /// of their records can come; partitions that are not held are passed over. Do not wait for it inside an event.</summary>
    public Task PauseAsync(IReadOnlyCollection<TopicPartition> partitions)
        => Post(() => Unassign([.. partitions.Where(IsReading)], keep: true));

    /// <summary>Reads partitions that are held from a given position on: after a pause, after <see
    /// cref="KafkaMessageKind.OffsetOutOfRange"/>, or to read something again. Nothing from before is delivered after <see
    /// cref="KafkaConsumerEvents.Positioned"/>. Partitions that are not held are passed over. Do not wait for it inside an event.</summary>
    public Task RestartAsync(IReadOnlyCollection<PartitionStart> starts) => RestartWhereAsync(() => starts);

    /// <summary>As <see cref="RestartAsync"/>, of positions that are asked for on the consumer's own
    /// thread, where no rebalance can come between the answer and the reading.</summary>
    public Task RestartWhereAsync(Func<IReadOnlyCollection<PartitionStart>> starts) => Post(new PostedWork { Starts = starts });

    private bool IsReading(TopicPartition partition) => _owned.GetValueOrDefault(partition) is not null;

    private Task Post(Action run) => Post(new PostedWork { Run = run });

    private Task Post(PostedWork work)
    {
        lock (_gate)
        {
            if (_client == 0 || Completion.IsCompleted || _stopping.IsCancellationRequested)
            {
                return Task.FromCanceled(new CancellationToken(canceled: true));
            }
            _posted.Enqueue(work);
            RdKafkaNative.rd_kafka_queue_yield(_consumerQueue);
        }
        return work.Done.Task;
    }

    /// <summary>In the order in which it was posted; restarts that follow one another are one. The question where partitions begin waits,
    /// with the brokers, behind a fetch that they hold back: as long for one partition as for hundreds.</summary>
    private void RunPosted()
    {
        while (_posted.TryDequeue(out var first))
        {
            List<PostedWork> together = [first];
            while (first.Starts is not null && _posted.TryPeek(out var next) && next.Starts is not null && _posted.TryDequeue(out _))
            {
                together.Add(next);
            }
            try
            {
                first.Run?.Invoke();
                Restart(together.SelectMany(static work => work.Starts?.Invoke() ?? []));
                together.ForEach(static work => work.Done.TrySetResult());
            }
            catch (Exception failure)
            {
                together.ForEach(work => work.Done.TrySetException(failure));
                throw;
            }
        }
    }

    /// <summary>With an offset for each, rather than with librdkafka's pause and seek, as with every assignment. Of several for one partition the
    /// last counts.</summary>
    private void Restart(IEnumerable<PartitionStart> starts)
    {
        var held = new Dictionary<TopicPartition, PartitionStart>();
        foreach (var start in starts)
        {
            if (_owned.ContainsKey(start.Partition))
            {
                held[start.Partition] = start;
            }
        }
        Unassign([.. held.Keys.Where(IsReading)], keep: true);
        Assign(held.Values, []);
    }

    /// <summary>On the consumer's thread, inside a poll. The group waits until assign or unassign is called, so one of them always
    /// is.</summary>
    private void ServeRebalance(int code, nint listHandle)
    {
        var partitions = PartitionList.Read((RdKafkaTopicPartitionList*)listHandle);
        if (code == KafkaErrorCodes.AssignPartitions)
        {
            var isFirst = !_wasAssigned;
            _wasAssigned = true;
            _isRejoining = false;
            ServeAssigned([.. partitions.Where(IsSubscribed)], isFirst);
        }
        else
        {
            _isRejoining = false;
            ServeRevoked(partitions, code);
        }
    }

    private void ServeAssigned(TopicPartition[] partitions, bool isFirst)
    {
        try
        {
            var kept = Suspend();
            if (isFirst && !_stopping.IsCancellationRequested && MayBeKnown(_options) && !UsesBrokerSideAssignment(_options))
            {
                _isRejoining = true;
                Subscribe();
            }
            if (_stopping.IsCancellationRequested || (partitions.Length == 0 && kept.Length == 0))
            {
                AssignNothing();
                return;
            }
            foreach (var partition in partitions)
            {
                _owned[partition] = null;
            }
            var starts = partitions.Length == 0 ? [] : _events.Assigned(partitions);
            if (!starts.All(start => partitions.Contains(start.Partition)))
            {
                throw new InvalidOperationException(
                    $"The Assigned event may only return starts of {string.Join(", ", partitions)}; it returned {string.Join(", ", starts.Select(start => start.Partition))}.");
            }
            var goingOn = GoOn(kept);
            if (starts.Count + goingOn.Count == 0)
            {
                AssignNothing(); // held, and read once their owner says where
                return;
            }
            Assign(starts, goingOn);
        }
        catch (Exception)
        {
            AssignNothing();
            throw;
        }
    }

    /// <summary>
    /// Takes the partitions that stay out of librdkafka's hands for as long as a rebalance lasts. It pauses and resumes them, and goes on
    /// where it believes the application to be; up to 2.13 (issue 5213) that is one record behind the end of a partition. 2.16 was right
    /// without this, but 2.12 and 2.13 may be named, and a position that only the owner's rows decide cannot be wrong. So they are assigned
    /// anew, where their owner says.
    /// </summary>
    /// <returns>Those that were being read.</returns>
    private TopicPartition[] Suspend()
    {
        var kept = _owned.Keys.Where(IsReading).ToArray();
        Unassign(kept, keep: true);
        return kept;
    }

    private IReadOnlyList<PartitionStart> GoOn(TopicPartition[] kept) => kept.Length == 0 ? [] : _events.Kept(kept);

    private void ServeRevoked(TopicPartition[] partitions, int code)
    {
        try
        {
            if (code != KafkaErrorCodes.RevokePartitions)
            {
                _events.Error?.Invoke(KafkaError.Of(code, "the group could not be rebalanced"));
            }
            var held = partitions.Where(_owned.ContainsKey).ToArray();
            if (held.Length > 0)
            {
                _events.Revoked(new PartitionsRevoked(held, RdKafkaNative.rd_kafka_assignment_lost(_client) != 0));
            }
        }
        finally
        {
            // One answer for those that go and those that stay: nothing is left that librdkafka could resume.
            var kept = _owned.Keys.Except(partitions).Where(IsReading).ToArray();
            Unassign([.. partitions.Where(IsReading), .. kept], keep: false);
            foreach (var partition in partitions)
            {
                _owned.Remove(partition);
            }
            if (!_stopping.IsCancellationRequested)
            {
                Assign([], GoOn(kept));
            }
        }
    }

    private void LoseEverything()
    {
        TopicPartition[] held = [.. _owned.Keys];
        _owned.Clear();
        if (held.Length > 0)
        {
            _events.Revoked(new PartitionsRevoked(held, Lost: true));
        }
        AssignNothing(); // counts as giving up everything
    }

    /// <param name="starts">Partitions that begin to be read, or are read from elsewhere.</param>
    /// <param name="kept">Partitions that go on after <see cref="Suspend"/>.</param>
    private void Assign(IReadOnlyCollection<PartitionStart> starts, IReadOnlyCollection<PartitionStart> kept)
    {
        if (starts.Count + kept.Count == 0)
        {
            return;
        }
        if (ResolvePositions(starts) is not { } positions)
        {
            AssignNothing(); // stopping
            return;
        }
        PartitionStart[] all = [.. starts, .. kept];
        BindToQueues(all);
        if (positions.Count > 0)
        {
            _events.Positioned?.Invoke(positions);
        }
        positions.AddRange(kept.Select(static start => new TopicPartitionOffset(start.Partition, start.Position.Value)));
        using var list = PartitionList.Of(positions);
        KafkaException.ThrowIf(
            RdKafkaNative.rd_kafka_incremental_assign(_client, list.Handle), $"assigning {string.Join(", ", positions)}");
        BindToQueues(all);
        foreach (var start in all)
        {
            _owned[start.Partition] = start.Queue;
        }
    }

    /// <summary>
    /// Before the assignment, so that not even the first fetched record goes elsewhere: librdkafka keeps a forward that the application
    /// set. And once more after it: the stop of an unassignment just before runs late, in another thread, and clears the forward; by now it
    /// is over, and what was fetched since moves along.
    /// </summary>
    private void BindToQueues(IReadOnlyCollection<PartitionStart> starts)
    {
        foreach (var start in starts)
        {
            _ = RegisterTopic(start.Partition.Topic);
            var queue = RdKafkaNative.rd_kafka_queue_get_partition(_client, start.Partition.Topic, start.Partition.Partition);
            if (queue == 0)
            {
                throw new InvalidOperationException($"librdkafka has no queue for {start.Partition}.");
            }
            RdKafkaNative.rd_kafka_queue_forward(queue, start.Queue.Handle);
            RdKafkaNative.rd_kafka_queue_destroy(queue);
        }
    }

    private void Unassign(TopicPartition[] partitions, bool keep)
    {
        if (partitions.Length == 0 && keep)
        {
            return;
        }
        using var list = PartitionList.Of(partitions);
        KafkaException.ThrowIf(
            RdKafkaNative.rd_kafka_incremental_unassign(_client, list.Handle), $"giving up {string.Join(", ", partitions)}");
        foreach (var partition in partitions)
        {
            _owned[partition] = null;
        }
    }

    /// <summary>Answers an assignment that cannot be taken; the consumer is about to leave the group.</summary>
    private void AssignNothing()
    {
        using var nothing = new PartitionList(1);
        if (KafkaError.Take(RdKafkaNative.rd_kafka_incremental_assign(_client, nothing.Handle), "answering a rebalance") is { } error)
        {
            _events.Error?.Invoke(error);
        }
    }

    /// <summary>Exact offsets for all; asks the brokers, again and again, until they answer. Null: the consumer is being stopped.</summary>
    private List<TopicPartitionOffset>? ResolvePositions(IReadOnlyCollection<PartitionStart> starts)
    {
        var positions = starts.Where(start => start.Position.IsConcrete)
            .Select(start => new TopicPartitionOffset(start.Partition, start.Position.Value)).ToList();
        var open = starts.Where(start => !start.Position.IsConcrete)
            .Select(start => new TopicPartitionOffset(start.Partition, start.Position.Value)).ToList();
        while (open.Count > 0)
        {
            if (_stopping.IsCancellationRequested)
            {
                return null;
            }
            open = ResolveOnce(open, positions);
            if (open.Count > 0)
            {
                _ = _stopping.Token.WaitHandle.WaitOne(RetryDelay);
            }
        }
        return positions;
    }

    /// <summary>One question to the brokers; adds what they answered to <paramref name="resolved"/> and returns what is still
    /// open.</summary>
    private List<TopicPartitionOffset> ResolveOnce(List<TopicPartitionOffset> open, List<TopicPartitionOffset> resolved)
    {
        using var list = PartitionList.Of(open);
        var code = RdKafkaNative.rd_kafka_offsets_for_times(_client, list.Handle, (int)_options.RequestTimeout.TotalMilliseconds);
        var again = new List<TopicPartitionOffset>();
        for (var i = 0; i < open.Count; i++)
        {
            ref var answer = ref list[i];
            var error = code != 0 ? code : answer.Error;
            if (error == 0 && answer.Offset >= 0)
            {
                resolved.Add(open[i] with { Offset = answer.Offset });
            }
            else if (error == 0)
            {
                again.Add(open[i] with { Offset = StartPosition.Latest.Value }); // no record at or after that time: the end
            }
            else
            {
                again.Add(open[i]);
                _events.Error?.Invoke(KafkaError.Of(error, $"finding where to begin: {KafkaError.Of(error, "").Reason}",
                    open[i].Partition.Topic, open[i].Partition.Partition));
            }
        }
        return again;
    }
}
