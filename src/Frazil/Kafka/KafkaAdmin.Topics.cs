using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>The identities of topics, where the brokers offer them.</summary>
/// <param name="Ids">By name; topics that do not exist are missing.</param>
/// <param name="Unavailable">Null: the ids are known. Else why they cannot be had here.</param>
public sealed record TopicIds(IReadOnlyDictionary<string, Guid> Ids, string? Unavailable);

public sealed partial class KafkaAdmin
{
    private const int OperationCreateTopics = 1;
    private const int OperationDeleteTopics = 2;
    private const int OperationDescribeConfigs = 5;
    private const int OperationDeleteRecords = 6;
    private const int ResourceTopic = 2;
    private const int OperationAny = 0;

    /// <summary>The ids of topics, which change when a topic is deleted and made again. Any number of these questions may be under way at
    /// once, on connections that stay open.</summary>
    /// <exception cref="KafkaException">No broker answered in time, or the question was refused.</exception>
    public async Task<TopicIds> TopicIdsAsync(IReadOnlyList<string> topics, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        if (topics.Count == 0)
        {
            return new(new Dictionary<string, Guid>(), null);
        }
        return await Task.Run(
            () =>
            {
                using var visit = _use.Enter();
                return DescribeTopicIds(topics, timeout);
            },
            cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Makes a topic; false when it exists already.</summary>
    /// <param name="settings">Topic settings of the broker's, such as <c>retention.ms</c>.</param>
    /// <exception cref="KafkaException">Not permitted, refused, or no answer in time.</exception>
    public async Task<bool> CreateTopicAsync(string topic, int partitions, int replicationFactor = 1, IReadOnlyDictionary<string,
        string>? settings = null,
        TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        var error = await Task.Run(
            () => CreateTopic(topic, partitions, replicationFactor, settings, timeout ?? TimeSpan.FromSeconds(15)), cancellationToken)
            .ConfigureAwait(false);
        return error is null || (error.Code == KafkaErrorCodes.TopicAlreadyExists ? false : throw new KafkaException(error));
    }

    /// <summary>Deletes a topic.</summary>
    /// <exception cref="KafkaException">Not there, not permitted, or no answer in time.</exception>
    public async Task DeleteTopicAsync(string topic, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        var error = await Task.Run(() => DeleteTopic(topic, timeout ?? TimeSpan.FromSeconds(15)), cancellationToken).ConfigureAwait(false);
        if (error is not null)
        {
            throw new KafkaException(error);
        }
    }

    /// <summary>Deletes the records before these offsets, as retention would.</summary>
    /// <exception cref="KafkaException">Not permitted, refused, or no answer in time.</exception>
    public async Task DeleteRecordsAsync(
        IReadOnlyCollection<TopicPartitionOffset> before, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        var error = await Task.Run(
            () => DeleteRecords(before, timeout ?? TimeSpan.FromSeconds(15)), cancellationToken).ConfigureAwait(false);
        if (error is not null)
        {
            throw new KafkaException(error);
        }
    }

    /// <summary>A topic's settings as the broker has them, such as <c>cleanup.policy</c>; those that it keeps secret are missing.</summary>
    /// <exception cref="KafkaException">Not there, not permitted (DescribeConfigs on the topic), not supported, or no answer in
    /// time.</exception>
    public async Task<IReadOnlyDictionary<string, string>> DescribeSettingsAsync(
        string topic, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => DescribeSettings(topic, timeout), cancellationToken).ConfigureAwait(false);
    }

    private unsafe Dictionary<string, string> DescribeSettings(string topic, TimeSpan timeout)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal);
        var request = RdKafkaNative.rd_kafka_ConfigResource_new(ResourceTopic, topic);
        try
        {
            var error = Ask(OperationDescribeConfigs, timeout,
                (options, queue) => RdKafkaNative.rd_kafka_DescribeConfigs(_client, [request], 1, options, queue),
                answer => ReadSettings(answer, topic, settings));
            return error is null ? settings : throw new KafkaException(error);
        }
        finally
        {
            RdKafkaNative.rd_kafka_ConfigResource_destroy(request);
        }
    }

    private static unsafe KafkaError? ReadSettings(nint answer, string topic, Dictionary<string, string> settings)
    {
        nuint count;
        var resources = RdKafkaNative.rd_kafka_DescribeConfigs_result_resources(
            RdKafkaNative.rd_kafka_event_DescribeConfigs_result(answer), &count);
        if (count == 0)
        {
            return KafkaError.Of(KafkaErrorCodes.UnknownTopicOrPartition, "", topic);
        }
        if (RdKafkaNative.rd_kafka_ConfigResource_error(resources[0]) is not 0 and var code)
        {
            return KafkaError.Of(code, RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_ConfigResource_error_string(resources[0])), topic);
        }
        var entries = RdKafkaNative.rd_kafka_ConfigResource_configs(resources[0], &count);
        for (nuint i = 0; i < count; i++)
        {
            var value = RdKafkaNative.rd_kafka_ConfigEntry_value(entries[i]);
            if (value is not null)
            {
                settings[RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_ConfigEntry_name(entries[i]))] = RdKafkaLibrary.Text(value);
            }
        }
        return null;
    }

    private unsafe KafkaError? DeleteTopic(string topic, TimeSpan timeout)
    {
        var request = RdKafkaNative.rd_kafka_DeleteTopic_new(topic);
        try
        {
            return Ask(OperationDeleteTopics, timeout,
                (options, queue) => RdKafkaNative.rd_kafka_DeleteTopics(_client, [request], 1, options, queue),
                result => TopicError(result, &RdKafkaNative.rd_kafka_DeleteTopics_result_topics, topic));
        }
        finally
        {
            RdKafkaNative.rd_kafka_DeleteTopic_destroy(request);
        }
    }

    private unsafe KafkaError? DeleteRecords(IReadOnlyCollection<TopicPartitionOffset> before, TimeSpan timeout)
    {
        using var list = PartitionList.Of(before);
        var request = RdKafkaNative.rd_kafka_DeleteRecords_new(list.Handle);
        try
        {
            return Ask(OperationDeleteRecords, timeout,
                (options, queue) => RdKafkaNative.rd_kafka_DeleteRecords(_client, [request], 1, options, queue), static _ => null);
        }
        finally
        {
            RdKafkaNative.rd_kafka_DeleteRecords_destroy(request);
        }
    }

    private unsafe KafkaError? CreateTopic(
        string topic, int partitions, int replicationFactor, IReadOnlyDictionary<string, string>? settings, TimeSpan timeout)
    {
        var text = stackalloc byte[512];
        var request = RdKafkaNative.rd_kafka_NewTopic_new(topic, partitions, replicationFactor, text, 512);
        if (request == 0)
        {
            return KafkaError.Of(KafkaErrorCodes.InvalidArgument, $"creating the topic {topic}: {RdKafkaLibrary.Text(text)}", topic);
        }
        try
        {
            foreach (var (name, value) in settings ?? new Dictionary<string, string>())
            {
                KafkaException.ThrowIf(
                    RdKafkaNative.rd_kafka_NewTopic_set_config(request, name, value), $"setting {name} = {value} of the topic {topic}");
            }
            return Ask(OperationCreateTopics, timeout,
                (options, queue) => RdKafkaNative.rd_kafka_CreateTopics(_client, [request], 1, options, queue),
                result => TopicError(result, &RdKafkaNative.rd_kafka_CreateTopics_result_topics, topic));
        }
        finally
        {
            RdKafkaNative.rd_kafka_NewTopic_destroy(request);
        }
    }

    private unsafe TopicIds DescribeTopicIds(IReadOnlyList<string> topics, TimeSpan timeout)
    {
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal);
        var names = topics.Select(topic => Marshal.StringToCoTaskMemUTF8(topic)).ToArray();
        nint collection = 0;
        try
        {
            fixed (nint* first = names)
            {
                collection = RdKafkaNative.rd_kafka_TopicCollection_of_topic_names((byte**)first, (nuint)names.Length);
            }
            var error = Ask(
                OperationAny, timeout, (options, queue) => RdKafkaNative.rd_kafka_DescribeTopics(_client, collection, options, queue),
                answer => ReadIds(answer, ids));
            if (error is not null)
            {
                throw new KafkaException(error with { Reason = $"asking for the ids of {string.Join(", ", topics)}: {error.Reason}" });
            }
        }
        finally
        {
            RdKafkaNative.rd_kafka_TopicCollection_destroy(collection);
            Array.ForEach(names, Marshal.FreeCoTaskMem);
        }
        var missing = ids.Where(static pair => pair.Value == Guid.Empty).Select(static pair => pair.Key).ToList();
        missing.ForEach(topic => ids.Remove(topic));
        return new(ids, missing.Count == 0 ? null : $"the brokers gave none for {string.Join(", ", missing)}: they are older than Kafka 2.8");
    }

    /// <summary>Topics that do not exist, or may not be described, are left out.</summary>
    private static unsafe KafkaError? ReadIds(nint answer, Dictionary<string, Guid> ids)
    {
        nuint count;
        var descriptions = RdKafkaNative.rd_kafka_DescribeTopics_result_topics(RdKafkaNative.rd_kafka_event_DescribeTopics_result(answer), &count);
        Span<byte> bytes = stackalloc byte[16];
        for (nuint i = 0; i < count; i++)
        {
            var error = RdKafkaNative.rd_kafka_TopicDescription_error(descriptions[i]);
            if (error == 0 || RdKafkaNative.rd_kafka_error_code(error) == 0)
            {
                var uuid = RdKafkaNative.rd_kafka_TopicDescription_topic_id(descriptions[i]);
                BinaryPrimitives.WriteInt64BigEndian(bytes, RdKafkaNative.rd_kafka_Uuid_most_significant_bits(uuid));
                BinaryPrimitives.WriteInt64BigEndian(bytes[8..], RdKafkaNative.rd_kafka_Uuid_least_significant_bits(uuid));
                ids[RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_TopicDescription_name(descriptions[i]))] = new Guid(bytes, bigEndian: true);
            }
        }
        return null;
    }

    /// <summary>One admin request: options, a queue for its answer, the answer's own error or what <paramref name="read"/> finds in
    /// it.</summary>
    private unsafe KafkaError? Ask(int operation, TimeSpan timeout, Action<nint, nint> request, Func<nint, KafkaError?> read)
    {
        var options = RdKafkaNative.rd_kafka_AdminOptions_new(_client, operation);
        var queue = RdKafkaNative.rd_kafka_queue_new(_client);
        nint answer = 0;
        try
        {
            var text = stackalloc byte[512];
            KafkaException.ThrowIf(
                RdKafkaNative.rd_kafka_AdminOptions_set_request_timeout(options, (int)timeout.TotalMilliseconds, text, 512),
                "setting a timeout");
            if (operation is OperationCreateTopics or OperationDeleteTopics)
            {
                // Until the controller has done it, not only noted it.
                _ = RdKafkaNative.rd_kafka_AdminOptions_set_operation_timeout(options, (int)timeout.TotalMilliseconds, text, 512);
            }
            request(options, queue);
            answer = RdKafkaNative.rd_kafka_queue_poll(queue, (int)timeout.TotalMilliseconds + 1000);
            if (answer == 0)
            {
                return KafkaError.Of(KafkaErrorCodes.TimedOut, "");
            }
            var code = RdKafkaNative.rd_kafka_event_error(answer);
            return code != 0 ? KafkaError.Of(code, RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_event_error_string(answer))) : read(answer);
        }
        finally
        {
            if (answer != 0)
            {
                RdKafkaNative.rd_kafka_event_destroy(answer);
            }
            RdKafkaNative.rd_kafka_queue_destroy(queue);
            RdKafkaNative.rd_kafka_AdminOptions_destroy(options);
        }
    }

    private static unsafe KafkaError? TopicError(nint result, delegate*<nint, nuint*, nint*> topics, string topic)
    {
        nuint count;
        var results = topics(result, &count);
        var code = count == 0 ? 0 : RdKafkaNative.rd_kafka_topic_result_error(results[0]);
        return code == 0
            ? null
            : KafkaError.Of(code, RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_topic_result_error_string(results[0])), topic);
    }
}
