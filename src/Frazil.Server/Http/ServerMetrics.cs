using System.Diagnostics;
using System.Diagnostics.Metrics;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Frazil.Server.Http;

/// <summary>The process's metrics beside the engine's (<see cref="EngineMetrics"/>), and how both become Prometheus text: a name's dots as
/// underscores, with <c>_total</c> behind a counter and the unit behind a duration.</summary>
internal static class ServerMetrics
{
    /// <summary>Tables that have series of their own; more share one.</summary>
    private const int MostTables = 10_000;

    /// <summary>Adds the process's instruments to the engine's meter.</summary>
    public static void AddProcess(Meter meter, ServingState state)
    {
        meter.CreateObservableGauge("frazil.up", () => state.Engine is null ? 0 : 1, null, "1 while it serves.");
        meter.CreateObservableCounter(
            "process.cpu_seconds", static () => Of(static process => process.TotalProcessorTime.TotalSeconds), "s", "CPU time, user and system.");
        meter.CreateObservableGauge(
            "process.resident_memory_bytes", static () => Of(static process => process.WorkingSet64), "By", "Resident memory.");
        meter.CreateObservableGauge(
            "process.start_time_seconds", static () => Of(static process => (process.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds), "s",
            "Start, since 1970.");
        meter.CreateObservableGauge("dotnet.gc_heap_bytes", static () => GC.GetTotalMemory(false), "By", "The managed heap.");
        meter.CreateObservableCounter("dotnet.gc_allocated_bytes", static () => GC.GetTotalAllocatedBytes(false), "By", "Allocated on the managed heap.");
        meter.CreateObservableCounter("dotnet.gc_collections", static () => (long)GC.CollectionCount(0), "{collection}", "Garbage collections.");
    }

    /// <summary>Listens to one meter, for a scrape. Other engines of the process have meters of the same name. The caller disposes.</summary>
    public static MeterProvider Export(Meter meter) => Sdk.CreateMeterProviderBuilder()
        .SetResourceBuilder(ResourceBuilder.CreateEmpty())
        .AddMeter(meter.Name)
        .AddView(instrument => instrument.Meter == meter ? new MetricStreamConfiguration { CardinalityLimit = MostTables } : MetricStreamConfiguration.Drop)
        .AddPrometheusExporter(static prometheus =>
        {
            prometheus.ScopeInfoEnabled = false;
            prometheus.TargetInfoEnabled = false;
            prometheus.ScrapeResponseCacheDurationMilliseconds = 0;
        })
        .Build();

    private static T Of<T>(Func<Process, T> read)
    {
        using var process = Process.GetCurrentProcess();
        return read(process);
    }
}
