using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Frazil.Server.Http;

/// <summary>Every metric, in one place, as Prometheus text (exposition format 0.0.4). Those of a table carry the label
/// <c>table</c>.</summary>
internal static class FrazilMetrics
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string Counter = "counter";
    private const string Gauge = "gauge";

    public static IReadOnlyList<TableMetric> OfTables { get; } =
    [
        new("frazil_records_total", Counter, "Records consumed.", table => table.Records),
        new("frazil_bytes_total", Counter, "Bytes of the values of records consumed.", table => table.Bytes),
        new("frazil_bad_records_total", Counter, "Records that did not parse or fit.", table => table.BadRecords),
        new("frazil_lag_records", Gauge, "Records in Kafka that were not read yet; -1 unknown.", table => table.Lag),
        new("frazil_hot_rows", Gauge, "Rows in memory.", table => table.HotRows),
        new("frazil_hot_bytes", Gauge, "Bytes of memory that these rows take.", table => table.HotBytes),
        new("frazil_flushes_total", Counter, "Flushes finished.", table => table.Flushes),
        new("frazil_flush_failures_total", Counter, "Flushes that failed and are tried again.", table => table.FlushFailures),
        new("frazil_commits_total", Counter, "Iceberg snapshots committed.", table => table.Commits),
        new("frazil_committed_rows_total", Counter, "Rows committed.", table => table.CommittedRows),
        new("frazil_log_syncs_total", Counter, "Times the transaction log was forced to disk.", table => table.LogSyncs),
        new("frazil_partitions", Gauge, "Kafka partitions assigned.", table => table.Partitions),
        new("frazil_failing_seconds", Gauge, "How long writing or committing has failed without a success; 0 while it works.",
            table => table.FailingSeconds),
        new("frazil_table_up", Gauge, "1 while the table runs (or pauses at the memory limit), 0 while it waits, is failing or has failed.",
            table => table.State is "running" or "paused" ? 1 : 0),
    ];

    /// <summary>Metrics of the process as a whole, with their values now.</summary>
    private static IEnumerable<(string Name, string Kind, string Help, double Value)> OfProcess(ServingState state)
    {
        using var process = Process.GetCurrentProcess();
        yield return ("frazil_up", Gauge, "1 while it serves.", state.Engine is null ? 0 : 1);
        yield return ("frazil_hot_buffer_bytes", Gauge, "Bytes of native memory that hot rows of all tables take.", state.Engine?.HotBytes ?? 0);
        yield return ("frazil_queries_total", Counter, "SQL queries that succeeded.", state.Queries.Succeeded);
        yield return ("frazil_query_failures_total", Counter, "SQL queries that failed.", state.Queries.Failed);
        yield return ("frazil_query_seconds_total", Counter, "Seconds spent in SQL queries.", state.Queries.Time.TotalSeconds);
        yield return ("process_cpu_seconds_total", Counter, "Seconds of CPU, user and system.", process.TotalProcessorTime.TotalSeconds);
        yield return ("process_resident_memory_bytes", Gauge, "Resident memory.", process.WorkingSet64);
        yield return ("process_start_time_seconds", Gauge, "Start, seconds since 1970.", (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds);
        yield return ("dotnet_gc_heap_bytes", Gauge, "Bytes of the managed heap.", GC.GetTotalMemory(false));
        yield return ("dotnet_gc_allocated_bytes_total", Counter, "Bytes allocated on the managed heap.", GC.GetTotalAllocatedBytes(false));
        yield return ("dotnet_gc_collections_total", Counter, "Garbage collections.", GC.CollectionCount(0));
    }

    public static string Write(ServingState state)
    {
        var text = new StringBuilder();
        var tables = state.Engine?.Tables ?? [];
        foreach (var metric in OfTables)
        {
            AppendHeader(text, metric.Name, metric.Kind, metric.Help);
            foreach (var table in tables)
            {
                AppendSample(text, $"{metric.Name}{{table=\"{Escape(table.Name)}\"}}", metric.Read(table));
            }
        }
        foreach (var (name, kind, help, value) in OfProcess(state))
        {
            AppendHeader(text, name, kind, help);
            AppendSample(text, name, value);
        }
        return text.ToString();
    }

    private static void AppendHeader(StringBuilder text, string name, string kind, string help)
        => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {kind}\n");

    private static void AppendSample(StringBuilder text, string series, double value)
        => text.Append(series).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static string Escape(string label)
        => label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}

/// <summary>One metric of each table.</summary>
internal sealed record TableMetric(string Name, string Kind, string Help, Func<TableStatus, double> Read);
