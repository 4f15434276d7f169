using System.Runtime.InteropServices;

namespace Frazil.Kafka.Native;

internal static unsafe partial class RdKafkaNative
{
    // --- consumer -------------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial int rd_kafka_poll_set_consumer(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_subscribe(nint client, RdKafkaTopicPartitionList* topics);

    [LibraryImport(Library)]
    public static partial RdKafkaMessage* rd_kafka_consumer_poll(nint client, int timeoutMs);

    [LibraryImport(Library)]
    public static partial int rd_kafka_unsubscribe(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_consumer_close(nint client);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_incremental_assign(nint client, RdKafkaTopicPartitionList* partitions);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_incremental_unassign(nint client, RdKafkaTopicPartitionList* partitions);

    [LibraryImport(Library)]
    public static partial int rd_kafka_assignment_lost(nint client);

    [LibraryImport(Library)]
    public static partial int rd_kafka_commit(nint client, RdKafkaTopicPartitionList* offsets, int asynchronous);

    [LibraryImport(Library)]
    public static partial int rd_kafka_committed(nint client, RdKafkaTopicPartitionList* partitions, int timeoutMs);

    [LibraryImport(Library)]
    public static partial int rd_kafka_position(nint client, RdKafkaTopicPartitionList* partitions);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_query_watermark_offsets(
        nint client, string topic, int partition, long* low, long* high, int timeoutMs);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_get_watermark_offsets(nint client, string topic, int partition, long* low, long* high);

    [LibraryImport(Library)]
    public static partial int rd_kafka_offsets_for_times(nint client, RdKafkaTopicPartitionList* offsets, int timeoutMs);

    // --- one partition without a group ----------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial int rd_kafka_consume_start_queue(nint topic, int partition, long offset, nint queue);

    [LibraryImport(Library)]
    public static partial int rd_kafka_consume_stop(nint topic, int partition);

    // --- producer -------------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial int rd_kafka_produce(
        nint topic, int partition, int flags, byte* payload, nuint length, byte* key, nuint keyLength, nint opaque);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_produceva(nint client, RdKafkaProduceArgument* arguments, nuint count);

    [LibraryImport(Library)]
    public static partial int rd_kafka_flush(nint client, int timeoutMs);

    [LibraryImport(Library)]
    public static partial int rd_kafka_purge(nint client, int flags);

    [LibraryImport(Library)]
    public static partial int rd_kafka_outq_len(nint client);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_init_transactions(nint client, int timeoutMs);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_begin_transaction(nint client);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_commit_transaction(nint client, int timeoutMs);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_abort_transaction(nint client, int timeoutMs);

    // --- mock cluster ---------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial nint rd_kafka_mock_cluster_new(nint client, int brokers);

    [LibraryImport(Library)]
    public static partial void rd_kafka_mock_cluster_destroy(nint cluster);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_mock_cluster_bootstraps(nint cluster);

    [LibraryImport(Library)]
    public static partial void rd_kafka_mock_set_controller_id(nint cluster, int brokerId);

    [LibraryImport(Library)]
    public static partial void rd_kafka_mock_group_initial_rebalance_delay_ms(nint cluster, int delayMs);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_mock_topic_create(nint cluster, string topic, int partitions, int replicationFactor);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial void rd_kafka_mock_topic_set_error(nint cluster, string topic, int error);

    [LibraryImport(Library)]
    public static partial void rd_kafka_mock_push_request_errors_array(nint cluster, short apiKey, nuint count, int* errors);

    [LibraryImport(Library)]
    public static partial int rd_kafka_mock_broker_set_down(nint cluster, int broker);

    [LibraryImport(Library)]
    public static partial int rd_kafka_mock_broker_set_up(nint cluster, int broker);

    // --- admin ----------------------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial nint rd_kafka_AdminOptions_new(nint client, int operation);

    [LibraryImport(Library)]
    public static partial void rd_kafka_AdminOptions_destroy(nint options);

    [LibraryImport(Library)]
    public static partial int rd_kafka_AdminOptions_set_request_timeout(nint options, int timeoutMs, byte* errorText, nuint errorTextSize);

    [LibraryImport(Library)]
    public static partial int rd_kafka_AdminOptions_set_operation_timeout(
        nint options, int timeoutMs, byte* errorText, nuint errorTextSize);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_NewTopic_new(
        string topic, int partitions, int replicationFactor, byte* errorText, nuint errorTextSize);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int rd_kafka_NewTopic_set_config(nint topic, string name, string value);

    [LibraryImport(Library)]
    public static partial void rd_kafka_NewTopic_destroy(nint topic);

    [LibraryImport(Library)]
    public static partial void rd_kafka_CreateTopics(nint client, nint[] topics, nuint count, nint options, nint queue);

    [LibraryImport(Library)]
    public static partial nint* rd_kafka_CreateTopics_result_topics(nint result, nuint* count);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_DeleteTopic_new(string topic);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DeleteTopic_destroy(nint topic);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DeleteTopics(nint client, nint[] topics, nuint count, nint options, nint queue);

    [LibraryImport(Library)]
    public static partial nint* rd_kafka_DeleteTopics_result_topics(nint result, nuint* count);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_DeleteRecords_new(RdKafkaTopicPartitionList* beforeOffsets);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DeleteRecords_destroy(nint records);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DeleteRecords(nint client, nint[] records, nuint count, nint options, nint queue);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint rd_kafka_ConfigResource_new(int type, string name);

    [LibraryImport(Library)]
    public static partial void rd_kafka_ConfigResource_destroy(nint resource);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DescribeConfigs(nint client, nint[] resources, nuint count, nint options, nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_event_DescribeConfigs_result(nint eventHandle);

    [LibraryImport(Library)]
    public static partial nint* rd_kafka_DescribeConfigs_result_resources(nint result, nuint* count);

    [LibraryImport(Library)]
    public static partial int rd_kafka_ConfigResource_error(nint resource);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_ConfigResource_error_string(nint resource);

    [LibraryImport(Library)]
    public static partial nint* rd_kafka_ConfigResource_configs(nint resource, nuint* count);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_ConfigEntry_name(nint entry);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_ConfigEntry_value(nint entry);

    [LibraryImport(Library)]
    public static partial int rd_kafka_topic_result_error(nint result);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_topic_result_error_string(nint result);

    [LibraryImport(Library)]
    public static partial int rd_kafka_event_error(nint eventHandle);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_event_error_string(nint eventHandle);

    [LibraryImport(Library)]
    public static partial void rd_kafka_event_destroy(nint eventHandle);

    // --- topic ids -------------------------------------------------------------------------------------------

    [LibraryImport(Library)]
    public static partial nint rd_kafka_TopicCollection_of_topic_names(byte** topics, nuint count);

    [LibraryImport(Library)]
    public static partial void rd_kafka_TopicCollection_destroy(nint topics);

    [LibraryImport(Library)]
    public static partial void rd_kafka_DescribeTopics(nint client, nint topics, nint options, nint queue);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_event_DescribeTopics_result(nint eventHandle);

    [LibraryImport(Library)]
    public static partial nint* rd_kafka_DescribeTopics_result_topics(nint result, nuint* count);

    [LibraryImport(Library)]
    public static partial byte* rd_kafka_TopicDescription_name(nint description);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_TopicDescription_topic_id(nint description);

    [LibraryImport(Library)]
    public static partial nint rd_kafka_TopicDescription_error(nint description);

    [LibraryImport(Library)]
    public static partial long rd_kafka_Uuid_most_significant_bits(nint uuid);

    [LibraryImport(Library)]
    public static partial long rd_kafka_Uuid_least_significant_bits(nint uuid);
}
