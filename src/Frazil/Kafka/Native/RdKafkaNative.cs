using System.Runtime.InteropServices;

namespace Frazil.Kafka.Native;

/// <summary>
/// librdkafka's C API, as it is: names, arguments and ownership are the header's. Everything here exists in librdkafka 2.12, the oldest
/// that <see cref="RdKafkaLibrary.Load"/> accepts; every client is made after that.
/// </summary>
internal static unsafe partial class RdKafkaNative
{
    public const string Library = "rdkafka";

    public const int Producer = 0;
    public const int Consumer = 1;
    public const int PartitionUnassigned = -1;
    public const int OffsetBeginning = -2;
    public const int OffsetEnd = -1;
    public const long OffsetInvalid = -1001;
    public const int MessageFlagCopy = 0x2;
    public const int DestroyWithoutClose = 0x8;

    // --- library, errors ------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial int rd_kafka_version();

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_version_str();

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_err2str(int error);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_err2name(int error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_last_error();

    [LibraryImport(Library)]
    public static partial int rd_kafka_fatal_error(nint client, byte* text, nuint textSize);

    [LibraryImport(Library)]
    public static partial int rd_kafka_error_code(nint error);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_error_string(nint error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_error_is_fatal(nint error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_error_is_retriable(nint error);

    [LibraryImport(Library)]
    public static partial int rd_kafka_error_txn_requires_abort(nint error);

    [LibraryImport(Library)]
    public static partial void rd_kafka_error_destroy(nint error);

    // --- configuration, client ------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial nint rd_kafka_conf_new();

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_destroy(nint configuration);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_conf_set(nint configuration, string name, string value, byte* errorText, nuint errorTextSize);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_conf_get(nint configuration, string name, byte* value, ref nuint valueSize);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_opaque(nint configuration, nint opaque);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_error_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, int, byte*, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_log_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, int, byte*, byte*, void> callback);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_stats_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, byte*, nuint, nint, int> callback);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_rebalance_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, int, RdKafkaTopicPartitionList*, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_offset_commit_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, int, RdKafkaTopicPartitionList*, nint, void> callback);

    [LibraryImport(Library)]
    public static partial void rd_kafka_conf_set_dr_msg_cb(
        nint configuration, delegate* unmanaged[Cdecl]<nint, RdKafkaMessage*, nint, void> callback);

    /// <summary>Owns the configuration only on success.</summary>
    [LibraryImport(Library)]
    public static partial nint rd_kafka_new(int type, nint configuration, byte* errorText, nuint errorTextSize);

    [LibraryImport(Library)]
    public static partial void rd_kafka_destroy(nint client);

    [LibraryImport(Library)]
    public static partial void rd_kafka_destroy_flags(nint client, int flags);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_opaque(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_poll(nint client, int timeoutMs);

    // --- topics, partition lists, metadata ------------------------------------------------------------------------------

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_topic_new(nint client, string topic, nint configuration);

    [LibraryImport(Library)]
    public static partial void rd_kafka_topic_destroy(nint topic);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_topic_name(nint topic);

    [LibraryImport(Library)]
    public static partial RdKafkaTopicPartitionList* rd_kafka_topic_partition_list_new(int size);

    [LibraryImport(Library)]
    public static partial void rd_kafka_topic_partition_list_destroy(RdKafkaTopicPartitionList* list);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial RdKafkaTopicPartition* rd_kafka_topic_partition_list_add(
        RdKafkaTopicPartitionList* list, string topic, int partition);

    [LibraryImport(Library)]
    public static partial int rd_kafka_metadata(nint client, int allTopics, nint onlyTopic, RdKafkaMetadata** metadata, int timeoutMs);

    [LibraryImport(Library)]
    public static partial void rd_kafka_metadata_destroy(RdKafkaMetadata* metadata);

    // --- messages -------------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial void rd_kafka_message_destroy(RdKafkaMessage* message);

    /// <summary>Reads two fields: no transition for the collector is worth its price here.</summary>
    [LibraryImport(Library), SuppressGCTransition]
    public static partial long rd_kafka_message_timestamp(RdKafkaMessage* message, int* type);

    [LibraryImport(Library)]
    public static partial int rd_kafka_message_headers(RdKafkaMessage* message, nint* headers);

    [LibraryImport(Library)]
    public static partial nuint rd_kafka_header_cnt(nint headers);

    [LibraryImport(Library)]
    public static partial int rd_kafka_header_get_all(nint headers, nuint index, byte** name, byte** value, nuint* size);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_headers_new(nuint initialCount);

    [LibraryImport(Library)]
    public static partial void rd_kafka_headers_destroy(nint headers);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_header_add(nint headers, byte* name, nint nameSize, byte* value, nint valueSize);

    // --- queues ---------------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_new(nint client);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_destroy(nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_get_consumer(nint client);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_queue_get_partition(nint client, string topic, int partition);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_forward(nint source, nint destination);

    [LibraryImport(Library)]
    public static partial nuint rd_kafka_queue_length(nint queue);

    [LibraryImport(Library)]
    public static partial void rd_kafka_queue_yield(nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_consume_batch_queue(nint queue, int timeoutMs, RdKafkaMessage** messages, nuint capacity);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_queue_poll(nint queue, int timeoutMs);
}
