using System.Diagnostics;
using System.Globalization;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>A topic as the cluster describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Partitions">How many partitions it has; 0 with an error.</param>
/// <param name="Error">Why it cannot be described (unknown, not permitted), else null.</param>
public sealed record TopicDescription(string Name, int Partitions, KafkaError? Error);

/// <summary>What a connectivity check found.</summary>
/// <param name="Error">Null: a broker answered. Else the error that best explains why none did.</param>
/// <param name="Brokers">Addresses of the cluster's brokers.</param>
/// <param name="Topics">The topics that were asked for, in order.</param>
public sealed record ConnectivityReport(KafkaError? Error, IReadOnlyList<string> Brokers, IReadOnlyList<TopicDescription> Topics);

/// <summary>Questions and changes to a cluster outside the data plane.</summary>
public sealed partial class KafkaAdmin : IAsyncDisposable
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(500);

    private readonly ClientCallbacks _callbacks;
    private readonly IReadOnlyDictionary<string, string> _properties;
    private readonly string _bootstrapServers;
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly ClientUse _use = new("Kafka admin client");
    private nint _client;
    private KafkaError? _lastError;

    /// <summary>Makes the client; nothing is asked of a broker yet.</summary>
    /// <param name="bootstrapServers"><c>host:port</c>, several separated by commas.</param>
    /// <param name="properties">librdkafka properties: TLS, SASL; those of consumers and groups are accepted and mean nothing.</param>
    /// <exception cref="KafkaException">A property is unknown or refused; the text names it.</exception>
    public KafkaAdmin(string bootstrapServers, IReadOnlyDictionary<string, string>? properties = null)
    {
        _bootstrapServers = bootstrapServers;
        _properties = properties ?? new Dictionary<string, string>();
        _callbacks = new ClientCallbacks { Error = Remember, Failed = static _ => { } };
        using var configuration = new ClientConfiguration();
        configuration.Set("bootstrap.servers", bootstrapServers);
        configuration.Set("client.id", "frazil");
        configuration.Set("allow.auto.create.topics", "false");
        configuration.Set("reconnect.backoff.max.ms", "1000");
        configuration.SetAll(_properties, static name => name == "bootstrap.servers" ? "it is kafka.bootstrap_servers" : null);
        _callbacks.Bind(configuration);
        _client = configuration.CreateClient(RdKafkaNative.Consumer); // without a group; a producer would create the topics it asks about
    }

    /// <summary>Does a broker answer, and does it have these topics? Never throws for what is wrong with the cluster: that is the
    /// answer.</summary>
    /// <param name="topics">Names to describe; patterns (<c>^…</c>) are passed over.</param>
    /// <param name="timeout">After which the answer is no.</param>
    public async Task<ConnectivityReport> CheckAsync(
        IReadOnlyList<string> topics, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Check(topics, timeout, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All topics of the cluster that this user may see.</summary>
    /// <exception cref="KafkaException">No broker answered in time.</exception>
    public async Task<IReadOnlyList<TopicDescription>> ListTopicsAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        using var _ = await EnterAsync(cancellationToken).ConfigureAwait(false);
        var (error, _, topics) = await Task.Run(
            () => AskMetadata(null, timeout, cancellationToken), cancellationToken).ConfigureAwait(false);
        return error is null ? topics : throw new KafkaException(error);
    }

    /// <summary>One topic; <see cref="TopicDescription.Error"/> is set when the cluster does not have it.</summary>
    /// <exception cref="KafkaException">No broker answered in time.</exception>
    public async Task<TopicDescription> DescribeTopicAsync(string topic, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        var report = await CheckAsync([topic], timeout, cancellationToken).ConfigureAwait(false);
        return report.Error is null ? report.Topics[0] : throw new KafkaException(report.Error);
    }

    /// <summary>Waits for the questions that are under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _use.CloseAsync().ConfigureAwait(false);
        var client = Interlocked.Exchange(ref _client, 0);
        if (client == 0)
        {
            return;
        }
        await Task.Run(() => RdKafkaNative.rd_kafka_destroy(client)).ConfigureAwait(false);
        _callbacks.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_client == 0, this);
        var visit = _use.Enter();
        try
        {
            await _oneAtATime.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            visit.Dispose();
            throw;
        }
        return new Turn(_oneAtATime, visit);
    }

    private ConnectivityReport Check(IReadOnlyList<string> topics, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        var described = new List<TopicDescription>();
        IReadOnlyList<string> brokers = [];
        var names = topics.Where(topic => !topic.StartsWith('^')).ToList();
        foreach (var topic in names.Count == 0 ? [null] : names.ToList<string?>())
        {
            var left = timeout - Stopwatch.GetElapsedTime(started);
            var (error, seen, found) = AskMetadata(topic, left, cancellationToken);
            if (error is not null)
            {
                return new(error, brokers, described);
            }
            brokers = seen;
            if (topic is not null)
            {
                described.Add(found.FirstOrDefault(candidate => candidate.Name == topic)
                    ?? new(topic, 0, KafkaError.Of(KafkaErrorCodes.UnknownTopicOrPartition, "", topic)));
            }
        }
        return new(null, brokers, described);
    }

    /// <summary>Asks in slices, so that a refused login is told at once and not after the whole timeout.</summary>
    private unsafe (KafkaError? Error, IReadOnlyList<string> Brokers, IReadOnlyList<TopicDescription> Topics) AskMetadata(
        string? topic, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        _lastError = null;
        var handle = topic is null ? 0 : RdKafkaNative.rd_kafka_topic_new(_client, topic, 0);
        try
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var left = timeout - Stopwatch.GetElapsedTime(started);
                var wait = left < Slice ? left : Slice;
                RdKafkaMetadata* metadata;
                var code = RdKafkaNative.rd_kafka_metadata(
                    _client, topic is null ? 1 : 0, handle, &metadata, Math.Max(1, (int)wait.TotalMilliseconds));
                if (code == 0)
                {
                    return (null, ReadBrokers(metadata), ReadTopics(metadata));
                }
                DrainErrors();
                if (_lastError?.Kind is KafkaErrorKind.Authentication or KafkaErrorKind.Authorization || left <= Slice)
                {
                    return (_lastError ?? KafkaError.Of(code, $"no broker of {_bootstrapServers} answered within {Seconds(timeout)} s"), [], []);
                }
            }
        }
        finally
        {
            if (handle != 0)
            {
                RdKafkaNative.rd_kafka_topic_destroy(handle);
            }
        }
    }

    private static unsafe List<string> ReadBrokers(RdKafkaMetadata* metadata)
    {
        var brokers = new List<string>(metadata->BrokerCount);
        for (var i = 0; i < metadata->BrokerCount; i++)
        {
            brokers.Add(
                $"{RdKafkaLibrary.Text(metadata->Brokers[i].Host)}:{metadata->Brokers[i].Port.ToString(CultureInfo.InvariantCulture)}");
        }
        return brokers;
    }

    /// <summary>Also destroys the metadata.</summary>
    internal static unsafe List<TopicDescription> ReadTopics(RdKafkaMetadata* metadata)
    {
        var topics = new List<TopicDescription>(metadata->TopicCount);
        for (var i = 0; i < metadata->TopicCount; i++)
        {
            ref var topic = ref metadata->Topics[i];
            var name = RdKafkaLibrary.Text(topic.Topic);
            topics.Add(new(name, topic.PartitionCount, topic.Error == 0 ? null : KafkaError.Of(topic.Error, "", name)));
        }
        RdKafkaNative.rd_kafka_metadata_destroy(metadata);
        return topics;
    }

    private void DrainErrors()
    {
        while (RdKafkaNative.rd_kafka_poll(_client, 0) > 0)
        {
        }
    }

    /// <summary>"All brokers are down" only repeats what the error before it explains.</summary>
    private void Remember(KafkaError error)
    {
        if (_lastError is null || error.Code != KafkaErrorCodes.AllBrokersDown)
        {
            _lastError = error;
        }
    }

    private static string Seconds(TimeSpan timeout) => timeout.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture);

    private sealed class Turn(SemaphoreSlim semaphore, ClientUse.Visit visit) : IDisposable
    {
        public void Dispose()
        {
            semaphore.Release();
            visit.Dispose();
        }
    }
}
