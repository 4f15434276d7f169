using System.Globalization;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>
/// librdkafka's mock brokers on loopback, inside this process: for the demo and for component tests. Keeps 5 MiB a partition at most, in
/// memory; groups, offsets by time, idempotent and transactional producing work; <b>aborted records are visible</b> (read_committed
/// is ignored), and topics are made with <see cref="CreateTopic"/> only. Never evidence for exactly-once.
/// </summary>
public sealed unsafe class MockCluster : IDisposable
{
    /// <summary>Milliseconds.</summary>
    private const int JoinDelay = 50;

    private readonly ClientCallbacks _callbacks;
    private nint _client;
    private nint _cluster;

    /// <summary>Starts brokers with the ids 1 to <paramref name="brokers"/>.</summary>
    public MockCluster(int brokers = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(brokers, 1);
        _callbacks = new ClientCallbacks { Error = static _ => { }, Failed = static _ => { } };
        using var configuration = new ClientConfiguration();
        configuration.Set("client.id", "frazil-mock");
        _callbacks.Bind(configuration);
        _client = configuration.CreateClient(RdKafkaNative.Producer);
        _cluster = RdKafkaNative.rd_kafka_mock_cluster_new(_client, brokers);
        if (_cluster == 0)
        {
            throw new InvalidOperationException(
                $"librdkafka could not start {brokers.ToString(CultureInfo.InvariantCulture)} mock brokers on loopback.");
        }
        RdKafkaNative.rd_kafka_mock_set_controller_id(_cluster, 1);
        // Real brokers wait three seconds for more members of a new group; here nobody else will come.
        RdKafkaNative.rd_kafka_mock_group_initial_rebalance_delay_ms(_cluster, JoinDelay);
        BootstrapServers = RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_mock_cluster_bootstraps(_cluster));
    }

    /// <summary>For any client of this machine.</summary>
    public string BootstrapServers { get; }

    /// <summary>Makes a topic.</summary>
    /// <exception cref="KafkaException">It exists already.</exception>
    public void CreateTopic(string topic, int partitions) => KafkaException.ThrowIf(
        RdKafkaNative.rd_kafka_mock_topic_create(_cluster, topic, partitions, 1),
        $"creating the topic {topic} with {partitions} partitions");

    /// <summary>Makes requests about a topic fail with a protocol error code; 0 ends that.</summary>
    public void SetTopicError(string topic, int protocolError)
        => RdKafkaNative.rd_kafka_mock_topic_set_error(_cluster, topic, protocolError);

    /// <summary>Makes the next requests of a kind fail with these codes, one each. <paramref name="apiKey"/>: 1 fetch, 2 list offsets, 3
    /// metadata, …</summary>
    public void FailRequests(int apiKey, params ReadOnlySpan<int> errors)
    {
        fixed (int* codes = errors)
        {
            RdKafkaNative.rd_kafka_mock_push_request_errors_array(_cluster, (short)apiKey, (nuint)errors.Length, codes);
        }
    }

    /// <summary>Cuts a broker off, or lets it answer again; -1 means all.</summary>
    public void SetBrokerDown(int broker, bool isDown) => KafkaException.ThrowIf(
        isDown
            ? RdKafkaNative.rd_kafka_mock_broker_set_down(_cluster, broker)
            : RdKafkaNative.rd_kafka_mock_broker_set_up(_cluster, broker),
        $"changing mock broker {broker}");

    public void Dispose()
    {
        if (_client == 0)
        {
            return;
        }
        RdKafkaNative.rd_kafka_mock_cluster_destroy(_cluster);
        RdKafkaNative.rd_kafka_destroy(_client);
        _client = 0;
        _cluster = 0;
        _callbacks.Dispose();
    }
}
