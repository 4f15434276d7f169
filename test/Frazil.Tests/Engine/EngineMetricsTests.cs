using System.Diagnostics.Metrics;
using Frazil.Server.Http;
using Xunit;

namespace Frazil.Tests.Engine;

public sealed class EngineMetricsTests : IDisposable
{
    private readonly EngineMetrics metrics = new(TimeProvider.System);
    private readonly MeterListener listener = new();
    private readonly List<Instrument> instruments = [];
    private readonly List<(string Name, double Value, string? Table)> seen = [];

    public EngineMetricsTests()
    {
        ServerMetrics.AddProcess(metrics.Meter, new ServingState());
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter == metrics.Meter)
            {
                instruments.Add(instrument);
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
    }

    public void Dispose()
    {
        listener.Dispose();
        metrics.Dispose();
    }

    [Fact]
    public void Every_metric_has_a_text_and_stands_in_the_documentation_by_the_name_that_Prometheus_sees()
    {
        var page = File.ReadAllText(Path.Combine(FindRoot(), "docs", "http.md"));
        Assert.NotEmpty(instruments);
        Assert.All(instruments, static instrument => Assert.False(string.IsNullOrEmpty(instrument.Description), instrument.Name));
        Assert.All(instruments.Select(PrometheusName), name => Assert.Contains($"`{name}`", page, StringComparison.Ordinal));
    }

    [Fact]
    public void A_program_that_embeds_the_engine_listens_to_its_meter()
    {
        var reads = 0;
        metrics.Attach(
            () =>
            {
                reads++;
                return [Status("a.b", 3), Status("a.c", 4)];
            }, static () => 5);
        metrics.OfTable("a.b").CountFlush(TimeSpan.FromSeconds(0.5));
        metrics.Queries.CountQuery(TimeSpan.FromSeconds(2), hasFailed: true);

        listener.RecordObservableInstruments();

        Assert.Equal(FrazilEngine.MeterName, metrics.Meter.Name);
        Assert.Contains(("frazil.records", 3, "a.b"), seen);
        Assert.Contains(("frazil.records", 4, "a.c"), seen);
        Assert.Contains(("frazil.hot_buffer_bytes", 5, null), seen);
        Assert.Contains(("frazil.flush.duration", 0.5, "a.b"), seen);
        Assert.Contains(("frazil.query.duration", 2, null), seen);
        Assert.Contains(("frazil.query_failures", 1, null), seen);
        Assert.InRange(reads, 1, 3); // not once for each instrument
    }

    [Fact]
    public void An_engine_that_is_gone_says_nothing_of_its_tables()
    {
        metrics.Attach(static () => [Status("a.b", 3)], static () => 5);
        metrics.Detach();
        listener.RecordObservableInstruments();
        Assert.DoesNotContain(seen, static one => one.Table is not null);
        Assert.Contains(("frazil.hot_buffer_bytes", 0, null), seen);
    }

    [Fact]
    public void Records_are_counted_without_an_allocation_while_somebody_listens()
    {
        var count = 0;
        using var counting = new MeterListener { InstrumentPublished = Enable };
        counting.SetMeasurementEventCallback<double>((_, _, _, _) => count++);
        counting.Start();
        var table = metrics.OfTable("a.b");
        listener.Dispose(); // its notes allocate
        table.RecordVisible(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 1000; round++)
        {
            table.CountRecords(100, 1000);
            table.CountBadRecord();
            table.RecordVisible(1);
            table.CountCommittedRows(100);
        }
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(1001, count);

        void Enable(Instrument instrument, MeterListener self)
        {
            if (instrument.Meter == metrics.Meter)
            {
                self.EnableMeasurementEvents(instrument);
            }
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(long.MaxValue)]
    public void Records_without_a_timestamp_say_nothing_of_freshness(long timestamp)
    {
        metrics.OfTable("a.b").RecordVisible(timestamp);
        Assert.Empty(seen);
    }

    [Fact]
    public void A_producer_whose_clock_goes_before_ours_is_fresh()
    {
        metrics.OfTable("a.b").RecordVisible(DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds());
        Assert.Equal(("frazil.freshness", 0, "a.b"), Assert.Single(seen));
    }

    private static TableStatus Status(string name, long records) => new() { Name = name, Topic = "t", State = "running", Records = records };

    private static string PrometheusName(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_');
        var isCounter = instrument.GetType().Name.Contains("Counter", StringComparison.Ordinal);
        return isCounter ? $"{name}_total" : instrument is Histogram<double> ? $"{name}_seconds" : name;
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Frazil.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests do not run inside the repository");
        }
        return folder.FullName;
    }

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        => seen.Add((instrument.Name, value, tags.Length > 0 ? (string?)tags[0].Value : null));
}
