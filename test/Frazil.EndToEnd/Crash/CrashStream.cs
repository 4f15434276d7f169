using System.Globalization;
using System.Text;
using Frazil.Kafka;

namespace Frazil.EndToEnd.Crash;

/// <summary>What was acknowledged by the broker: the truth that the tables are held against. Records of aborted transactions are in none of
/// it.</summary>
internal sealed class CrashLedger
{
    public long Records { get; private set; }
    public long Bad { get; private set; }
    public long IdSum { get; private set; }
    public SortedDictionary<int, long> Partitions { get; } = [];
    public SortedDictionary<string, decimal> Sums { get; } = [];

    public void Add(IEnumerable<CrashRecord> records)
    {
        foreach (var record in records)
        {
            if (record.IsBad)
            {
                Bad++;
                continue;
            }
            Records++;
            IdSum += record.Id;
            Partitions[record.Partition] = Partitions.GetValueOrDefault(record.Partition) + 1;
            foreach (var (column, value) in record.Values)
            {
                Sums[column] = Sums.GetValueOrDefault(column) + value;
            }
        }
    }
}

/// <summary>One record: its id is its number in the scene, and its values follow from the seed.</summary>
internal sealed record CrashRecord(long Id, int Partition, bool IsBad, IReadOnlyList<(string Column, decimal Value)> Values)
{
    public byte[] ToBytes()
    {
        if (IsBad)
        {
            return Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"seq": {{Id}}, "user_id": """));
        }
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $$"""{"seq": {{Id}}, "event_type": "view", "tags": ["a", "b{{Id % 7}}"]""");
        foreach (var (column, value) in Values)
        {
            text.Append(CultureInfo.InvariantCulture, $", \"{column}\": {value}");
        }
        return Encoding.UTF8.GetBytes(text.Append('}').ToString());
    }
}

/// <summary>The producer of a scene: writes small slices and enters them into its ledger when the broker has acknowledged them.</summary>
internal sealed class CrashStream : IAsyncDisposable
{
    public const int SliceRecords = 120;

    private readonly SceneTraits traits;
    private readonly string[] topics;
    private readonly Random random;
    private readonly KafkaProducer producer;
    private readonly SemaphoreSlim turn = new(1);
    private long next;
    private bool isOpen;
    private bool isDisposed;

    public CrashStream(string bootstrap, string topic, SceneTraits traits, int seed)
    {
        this.traits = traits;
        topics = traits.SharesEntry ? [topic, CrashScene.TopicBeside(topic)] : [topic];
        random = new(seed);
        producer = new(new()
        {
            BootstrapServers = bootstrap,
            TransactionalId = traits.Transactions ? $"{topic}-producer" : null,
            Linger = TimeSpan.FromMilliseconds(2),
            Properties = new Dictionary<string, string> { ["message.timeout.ms"] = traits.Transactions ? "60000" : "300000" },
        });
    }

    public CrashLedger Ledger { get; } = new();

    /// <summary>Fields beyond the usual ones that records carry from now on: <c>extra1</c>, <c>extra2</c>, …</summary>
    public int ExtraFields { get; set; }

    public IEnumerable<string> SumColumns
        => Enumerable.Range(1, ExtraFields).Select(static n => $"extra{n}").Prepend("amount").Prepend("user_id");

    /// <summary>Writes one slice; on return it is in the topic and in the ledger, or was aborted.</summary>
    public async Task SliceAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            await WriteSliceAsync(cancellationToken);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Waits for the slice that is being written: librdkafka aborts the process when a client goes away under a
    /// transaction.</summary>
    public async ValueTask DisposeAsync()
    {
        await turn.WaitAsync();
        isDisposed = true;
        turn.Release();
        await producer.DisposeAsync();
        turn.Dispose();
    }

    private async Task WriteSliceAsync(CancellationToken cancellationToken)
    {
        var records = Enumerable.Range(0, SliceRecords).Select(_ => Draw()).ToList();
        if (!traits.Transactions)
        {
            Produce(records, cancellationToken);
            await producer.FlushAsync(cancellationToken);
            Ledger.Add(records);
            return;
        }
        if (!isOpen)
        {
            await producer.InitTransactionsAsync(cancellationToken);
            isOpen = true;
        }
        var aborts = random.Next(4) == 0;
        producer.BeginTransaction();
        Produce(records, cancellationToken);
        if (aborts)
        {
            await producer.AbortTransactionAsync(cancellationToken);
            return;
        }
        await producer.CommitTransactionAsync(cancellationToken);
        Ledger.Add(records);
    }

    private void Produce(List<CrashRecord> records, CancellationToken cancellationToken)
    {
        foreach (var record in records)
        {
            var bytes = record.ToBytes();
            Array.ForEach(topics, topic => producer.Produce(topic, record.Partition, [], bytes, cancellationToken));
        }
    }

    private CrashRecord Draw()
    {
        var values = new List<(string, decimal)> { ("user_id", random.Next(100_000)), ("amount", random.Next(100_000) / 100m) };
        values.AddRange(Enumerable.Range(1, ExtraFields).Select(n => ($"extra{n}", (decimal)random.Next(1000))));
        return new(next++, random.Next(traits.ActivePartitions), traits.BadRecords && random.Next(40) == 0, values);
    }
}
