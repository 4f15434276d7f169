using System.Diagnostics.Metrics;
using Frazil.Telemetry;

namespace Frazil;

/// <summary>
/// Every metric of an engine, in one place: name, unit, text, and where it is read. They are instruments of a meter of the engine's own,
/// <see cref="FrazilEngine.MeterName"/>; those of a table carry the label <c>table</c>. What is counted is read when somebody listens, and costs
/// the stages an addition; durations are recorded once for each batch, flush, commit or query. Whoever made it disposes it.
/// </summary>
internal sealed class EngineMetrics : IDisposable
{
    /// <summary>Many instruments are read one after the other: what they say of a table is from one moment.</summary>
    private static readonly TimeSpan OneCollection = TimeSpan.FromMilliseconds(100);

    private static readonly double[] FreshnessBounds =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600];

    private static readonly double[] QueryBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];
    private static readonly double[] WriteBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

    private readonly TimeProvider time;
    private readonly StageTimes times;
    private readonly Lock gate = new();
    private Func<IReadOnlyList<TableStatus>> readTables = static () => [];
    private Func<long> readHotBytes = static () => 0;
    private IReadOnlyList<TableStatus>? tables;
    private long tablesReadAt;

    public EngineMetrics(TimeProvider time)
    {
        this.time = time;
        Meter = new(FrazilEngine.MeterName, typeof(EngineMetrics).Assembly.GetName().Version?.ToString(3));
        AddTables();
        Meter.CreateObservableGauge("frazil.hot_buffer_bytes", () => readHotBytes(), "By", "Native memory that hot rows of all tables take.");
        times = new(
            Histogram("frazil.freshness", FreshnessBounds, "From a record's Kafka timestamp until SQL sees it; of each batch read, its oldest record."),
            Histogram("frazil.flush.duration", WriteBounds, "From sealing hot batches until their rows are committed."),
            Histogram("frazil.commit.duration", WriteBounds, "An Iceberg snapshot asked of the catalog, until it stood."),
            time);
        Queries = new(Histogram("frazil.query.duration", QueryBounds, "SQL queries, failed ones too."));
        Meter.CreateObservableCounter("frazil.queries", () => Queries.Succeeded, "{query}", "SQL queries that succeeded.");
        Meter.CreateObservableCounter("frazil.query_failures", () => Queries.Failed, "{query}", "SQL queries that failed.");
        Meter.CreateObservableCounter("frazil.query_seconds", () => Queries.Time.TotalSeconds, "s", "Time spent in SQL queries.");
    }

    public Meter Meter { get; }

    public QueryMetrics Queries { get; }

    /// <summary>The counters of a table, whose durations are recorded under its name.</summary>
    public TableMetrics OfTable(string name) => new(times, name);

    /// <summary>From here on the instruments say what these functions do; before, they say nothing of tables.</summary>
    public void Attach(Func<IReadOnlyList<TableStatus>> statuses, Func<long> hotBytes)
    {
        lock (gate)
        {
            (readTables, readHotBytes, tables) = (statuses, hotBytes, null);
        }
    }

    /// <summary>The engine is gone.</summary>
    public void Detach() => Attach(static () => [], static () => 0);

    public void Dispose() => Meter.Dispose();

    private void AddTables()
    {
        Count("frazil.records", "{record}", "Records consumed.", static table => table.Records);
        Count("frazil.bytes", "By", "The values of records consumed.", static table => table.Bytes);
        Count("frazil.bad_records", "{record}", "Records that did not parse or fit.", static table => table.BadRecords);
        Show("frazil.lag_records", "{record}", "Records in Kafka that were not read yet; -1 unknown.", static table => table.Lag);
        Show("frazil.hot_rows", "{row}", "Rows in memory.", static table => table.HotRows);
        Show("frazil.hot_bytes", "By", "Memory that these rows take.", static table => table.HotBytes);
        Count("frazil.flushes", "{flush}", "Flushes finished.", static table => table.Flushes);
        Count("frazil.flush_failures", "{flush}", "Flushes that failed and are tried again.", static table => table.FlushFailures);
        Count("frazil.commits", "{snapshot}", "Iceberg snapshots committed.", static table => table.Commits);
        Count("frazil.committed_rows", "{row}", "Rows committed.", static table => table.CommittedRows);
        Count("frazil.log_syncs", "{sync}", "Times the transaction log was forced to disk.", static table => table.LogSyncs);
        Show("frazil.partitions", "{partition}", "Kafka partitions assigned.", static table => table.Partitions);
        Meter.CreateObservableGauge(
            "frazil.failing_seconds", () => Read(static table => table.FailingSeconds), "s",
            "How long writing or committing has failed without a success; 0 while it works.");
        Show("frazil.table_up", null, "1 while the table runs (or pauses at the memory limit), 0 while it waits, is failing or has failed.",
            static table => table.State is "running" or "paused" ? 1 : 0);
    }

    private void Count(string name, string unit, string text, Func<TableStatus, long> read)
        => Meter.CreateObservableCounter(name, () => Read(read), unit, text);

    private void Show(string name, string? unit, string text, Func<TableStatus, long> read)
        => Meter.CreateObservableGauge(name, () => Read(read), unit, text);

    private Histogram<double> Histogram(string name, double[] bounds, string text)
        => Meter.CreateHistogram(name, "s", text, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });

    private IEnumerable<Measurement<T>> Read<T>(Func<TableStatus, T> read)
        where T : struct
        => Tables().Select(table => new Measurement<T>(read(table), new KeyValuePair<string, object?>(StageTimes.TableLabel, table.Name)));

    private IReadOnlyList<TableStatus> Tables()
    {
        lock (gate)
        {
            if (tables is null || time.GetElapsedTime(tablesReadAt) > OneCollection)
            {
                (tables, tablesReadAt) = (readTables(), time.GetTimestamp());
            }
            return tables;
        }
    }
}
