using System.Text;
using Frazil.Config;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg.Catalogs;
using Frazil.Ingest;
using Frazil.Kafka;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>A mock cluster, a producer and a folder for one test's engines.</summary>
public sealed class EngineFixture : IAsyncDisposable
{
    /// <summary>The mock cluster does not know named members: a restarted one waits for the session of the one before to end. And it answers
    /// a fetch that finds nothing when its time is up, whatever comes meanwhile.</summary>
    private static readonly Dictionary<string, string> OfMockCluster = new()
    {
        ["fetch.wait.max.ms"] = "20",
        ["session.timeout.ms"] = "2000",
        ["heartbeat.interval.ms"] = "400",
    };

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-test-{Guid.NewGuid():N}");
    private readonly MockCluster cluster = new();
    private readonly KafkaProducer producer;
    private readonly EngineMetrics metrics = new(TimeProvider.System);

    public EngineFixture()
    {
        producer = new(new() { BootstrapServers = cluster.BootstrapServers });
        Admin = new(cluster.BootstrapServers);
    }

    public MockCluster Cluster => cluster;

    public KafkaAdmin Admin { get; }

    public FrazilOptions Options(string topic, Func<TableOptions, TableOptions>? table = null, HotBufferOptions? hot = null)
        => new FrazilOptionsBuilder
        {
            Kafka = new() { Properties = OfMockCluster },
            HotBuffer = hot ?? new(),
            Server = new() { Http = "" },
        }
        .FromKafka(cluster.BootstrapServers).InFolder(folder).AddTable($"shop.{topic}", topic, table).Build();

    public async Task ProduceAsync(string topic, int partition, params IEnumerable<string?> values)
    {
        foreach (var value in values)
        {
            producer.Produce(topic, partition, "k"u8, isKeyNull: false, Encoding.UTF8.GetBytes(value ?? ""), isValueNull: value is null);
        }
        await producer.FlushAsync();
    }

    /// <summary>One record with one header, whose name is any bytes.</summary>
    public async Task ProduceWithHeaderAsync(string topic, byte[] name)
    {
        producer.Produce(
            topic, 0, "k"u8, isKeyNull: false, """{"id":1}"""u8, isValueNull: false, [new("", "v"u8.ToArray()) { RawName = name }]);
        await producer.FlushAsync();
    }

    /// <summary>Asks again until the condition holds, for far longer than a loaded machine takes.</summary>
    public static async Task Eventually(Func<Task<bool>> condition, string what)
    {
        for (var deadline = DateTime.UtcNow + TimeSpan.FromMinutes(3); !await condition(); await Task.Delay(20, TestContext.Current.CancellationToken))
        {
            Assert.True(DateTime.UtcNow < deadline, $"did not happen within three minutes: {what}");
        }
    }

    /// <summary>The pipeline of the first table alone.</summary>
    internal async Task<RunningTable> StartPipelineAsync(
        FrazilOptions options, ICatalog catalog, DataFileWriter writer, MemoryBudget memory, string? instance = null, TimeProvider? time = null)
    {
        var source = new TableSource(options.Tables[0], new()
        {
            Options = options,
            Catalog = catalog,
            Writer = writer,
            Memory = memory,
            Admin = Admin,
            Time = time ?? TimeProvider.System,
            Loggers = Logs(),
            Metrics = metrics,
            WorkersPerTable = 1,
            InstanceId = instance,
        });
        foreach (var (_, error) in await source.StartAsync(TestContext.Current.CancellationToken))
        {
            throw error;
        }
        return new(source);
    }

    /// <summary>A source of one table.</summary>
    internal sealed record RunningTable(TableSource Source) : IAsyncDisposable
    {
        public Task Completion => Source.Completion;

        public bool IsHeldBack => Source.Lanes[0].IsHeldBack;

        public IReadOnlyList<Frazil.Query.QueryTable> QueryTables => Source.Lanes[0].QueryTables;

        public TableStatus Status() => Source.Lanes[0].Status();

        public Task StopAsync(CancellationToken cancellationToken) => Source.StopAsync(cancellationToken);

        public ValueTask DisposeAsync() => Source.DisposeAsync();
    }

    public static ILoggerFactory Logs()
        => LoggerFactory.Create(static builder => builder.AddProvider(new TestOutputLogs()).SetMinimumLevel(LogLevel.Debug));

    public async ValueTask DisposeAsync()
    {
        await producer.DisposeAsync();
        await Admin.DisposeAsync();
        metrics.Dispose();
        cluster.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private sealed class TestOutputLogs : ILoggerProvider, ILogger
    {
        private readonly ITestOutputHelper? output = TestContext.Current.TestOutputHelper;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => output?.WriteLine($"{DateTime.UtcNow:HH:mm:ss.fff} {logLevel} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
