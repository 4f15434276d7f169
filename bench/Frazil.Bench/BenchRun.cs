using System.Globalization;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>What the measurements of one run share: size, a folder, a broker, topics that were already filled.</summary>
internal sealed class BenchRun(Figures figures, long? records) : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-bench-").FullName;
    private readonly Dictionary<string, Topic> topics = [];
    private Broker? broker;
    private int folders;

    public Figures Figures { get; } = figures;

    /// <summary>Tells a person what is going on.</summary>
    public static void Say(string text) => Console.Error.WriteLine($"bench: {text}");

    /// <summary>The number of records asked for with --records, or this measurement's own.</summary>
    public long Records(long usual) => records ?? usual;

    /// <summary>A new, empty folder.</summary>
    public string NewFolder(string name)
    {
        var path = Path.Combine(folder, $"{name}-{++folders}");
        Directory.CreateDirectory(path);
        return path;
    }

    public async Task<Broker> BrokerAsync(CancellationToken cancellationToken)
    {
        if (broker is null)
        {
            Say("starting the kit's broker");
            broker = await Broker.StartAsync(Path.Combine(folder, "kafka"), cancellationToken);
        }
        return broker;
    }

    /// <summary>A topic with this stream's records, filled once a run.</summary>
    public async Task<Topic> TopicAsync(RecordStream stream, long count, CancellationToken cancellationToken)
    {
        var name = $"{stream.Name}-{count.ToString(CultureInfo.InvariantCulture)}";
        if (!topics.TryGetValue(name, out var topic))
        {
            var bootstrap = (await BrokerAsync(cancellationToken)).Bootstrap;
            Say($"producing {count:N0} records of the {stream.Name} stream");
            var filled = await stream.FillAsync(bootstrap, name, count, NewFolder("stream"), cancellationToken);
            topics[name] = topic = new Topic(name, bootstrap, filled);
        }
        return topic;
    }

    public async ValueTask DisposeAsync()
    {
        if (broker is not null)
        {
            await broker.DisposeAsync();
        }
        Directory.Delete(folder, recursive: true);
    }
}

/// <param name="Name">Its name in Kafka.</param>
/// <param name="Bootstrap">Its broker.</param>
/// <param name="Filled">What a reader must find.</param>
internal sealed record Topic(string Name, string Bootstrap, Ledger Filled);
