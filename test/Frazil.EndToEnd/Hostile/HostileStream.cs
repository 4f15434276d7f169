using System.Text.Json.Nodes;
using Frazil.Kafka;

namespace Frazil.EndToEnd.Hostile;

/// <summary>The producer of one topic. Its topic is new and nobody else writes to it, so a record's offset is its number in its
/// partition.</summary>
internal sealed class HostileStream : IAsyncDisposable
{
    private readonly KafkaProducer producer;
    private readonly List<JsonArray> unbooked = [];
    private readonly List<long> ends;
    private long next;

    public HostileStream(string bootstrap, string topic, int partitions)
    {
        Topic = topic;
        ends = [.. new long[partitions]];
        producer = new(new()
        {
            BootstrapServers = bootstrap,
            Linger = TimeSpan.FromMilliseconds(2),
            Properties = new Dictionary<string, string> { ["message.max.bytes"] = "2000000", ["message.timeout.ms"] = "300000" },
        });
    }

    public string Topic { get; }

    /// <summary>How many records each partition has.</summary>
    public IReadOnlyList<long> Ends => ends;

    public long Records => ends.Sum();

    /// <summary>Writes records; on return the broker has acknowledged all of them.</summary>
    /// <exception cref="InvalidOperationException">It has not, so that nobody knows what the topic holds.</exception>
    public async Task WriteAsync(IEnumerable<OddRecord> records, Random random, CancellationToken cancellationToken)
    {
        foreach (var record in records)
        {
            var partition = random.Next(ends.Count);
            producer.Produce(Topic, partition, record.Key ?? [], record.Key is null, record.Value ?? [], record.Value is null, record.Headers,
                record.TimestampMs, cancellationToken);
            // The value goes along for rows only; what must be a dead letter has none to compare.
            var value = record.Kind == RecordKind.Broken || record.Value is null ? null : Convert.ToBase64String(record.Value);
            unbooked.Add([partition, ends[partition]++, record.Kind.ToString().ToLowerInvariant(), record.Seq, value]);
        }
        await producer.FlushAsync(cancellationToken);
        if (producer.Failed > 0)
        {
            throw new InvalidOperationException($"{producer.Failed} records could not be written to {Topic}");
        }
    }

    public long NextSeq() => next++;

    /// <summary>What was written since it was asked last, as the referee's book wants it.</summary>
    public JsonArray TakeUnbooked()
    {
        var taken = new JsonArray([.. unbooked]);
        unbooked.Clear();
        return taken;
    }

    public ValueTask DisposeAsync() => producer.DisposeAsync();
}
