using System.Globalization;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

public sealed partial class KafkaProducer
{
    /// <summary>One blocking call at a time, and none while the client is freed: librdkafka aborts the process otherwise.</summary>
    private readonly SemaphoreSlim _calls = new(1, 1);

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until everything produced so far is delivered.</summary>
    /// <exception cref="KafkaException">A record was given up since the last flush; the first one's reason.</exception>
    public async Task FlushAsync(CancellationToken cancellationToken = default)
    {
        while (await CallAsync(static client => RdKafkaNative.rd_kafka_flush(client, 100), cancellationToken).ConfigureAwait(false) != 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ThrowIfFatal();
        }
        if (_firstFailure is { } failure)
        {
            _firstFailure = null;
            throw new KafkaException(failure);
        }
    }

    /// <summary>Once, before the first transaction: fences earlier producers of the same transactional id.</summary>
    public Task InitTransactionsAsync(CancellationToken cancellationToken = default) =>
        RetryAsync("initializing transactions", client => RdKafkaNative.rd_kafka_init_transactions(client, 5000), cancellationToken);

    /// <summary>Records produced from here on belong to the transaction.</summary>
    public void BeginTransaction() => KafkaException.ThrowIf(RdKafkaNative.rd_kafka_begin_transaction(_client), "beginning a transaction");

    /// <summary>Delivers what is queued and makes the transaction's records visible.</summary>
    /// <exception cref="KafkaException">Kind <see cref="KafkaErrorKind.TransactionAborted"/>: call <see cref="AbortTransactionAsync"/>;
    /// anything else ends the producer.</exception>
    public Task CommitTransactionAsync(CancellationToken cancellationToken = default) =>
        RetryAsync("committing a transaction", client => RdKafkaNative.rd_kafka_commit_transaction(client, -1), cancellationToken);

    /// <summary>Throws the transaction's records away, for committed readers.</summary>
    public async Task AbortTransactionAsync(CancellationToken cancellationToken = default)
    {
        // Delivered first: a transaction whose records are purged before the broker saw any is one that Kafka 4 answers with
        // INVALID_TXN_STATE.
        for (var attempt = 0; attempt < 50 && await CallAsync(static client => RdKafkaNative.rd_kafka_flush(client, 100), cancellationToken).ConfigureAwait(false) != 0; attempt++)
        {
            ThrowIfFatal();
        }
        await RetryAsync(
            "aborting a transaction", client => RdKafkaNative.rd_kafka_abort_transaction(client, -1),
            cancellationToken).ConfigureAwait(false);
        _firstFailure = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_client == 0)
        {
            return;
        }
        _stopping = true;
        await _calls.WaitAsync().ConfigureAwait(false); // a transaction call that was given up may still run
        await Task.Run(Free).ConfigureAwait(false);
        _callbacks.Dispose();
        _calls.Dispose();
    }

    private static void SetDefaults(ClientConfiguration configuration, KafkaProducerOptions options)
    {
        configuration.Set("bootstrap.servers", options.BootstrapServers);
        configuration.Set("client.id", "frazil");
        configuration.Set("enable.idempotence", "true");
        configuration.Set("compression.type", options.Compression);
        configuration.Set("linger.ms", options.Linger.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        configuration.Set("partitioner", "murmur2_random");
        configuration.Set("reconnect.backoff.max.ms", "2000");
        if (options.TransactionalId is { } id)
        {
            configuration.Set("transactional.id", id);
        }
    }

    /// <summary>The broker answers CONCURRENT_TRANSACTIONS, and librdkafka times out, while the last transaction still spreads its
    /// markers: the same call is made again until it is over.</summary>
    private async Task RetryAsync(string what, Func<nint, nint> call, CancellationToken cancellationToken)
    {
        while (true)
        {
            var error = await CallAsync(client => KafkaError.Take(call(client), what), cancellationToken).ConfigureAwait(false);
            if (error is null)
            {
                return;
            }
            if (error.Kind != KafkaErrorKind.Retriable)
            {
                throw new KafkaException(error);
            }
            await Task.Delay(RetryDelay, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<T> CallAsync<T>(Func<nint, T> call, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_stopping, this);
        await _calls.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_stopping, this);
            return await Task.Run(() => call(_client), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _calls.Release();
        }
    }

    private void ThrowIfFatal()
    {
        if (_fatal is { } fatal)
        {
            throw new KafkaException(fatal);
        }
    }

    private void Free()
    {
        _thread.Join();
        if (!_isTransactional)
        {
            _ = RdKafkaNative.rd_kafka_flush(_client, 5000); // courtesy to who forgot; who needs to know has flushed
        }
        foreach (var topic in _topics.Values)
        {
            RdKafkaNative.rd_kafka_topic_destroy(topic);
        }
        RdKafkaNative.rd_kafka_destroy(_client);
        _client = 0;
    }
}
