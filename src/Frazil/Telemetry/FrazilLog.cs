using Microsoft.Extensions.Logging;

namespace Frazil.Telemetry;

/// <summary>Every log line of the engine, in one place. Event ids: 1xx Kafka, 2xx decode, 3xx hot buffer, 4xx flush, 5xx commit,
/// 6xx query, 7xx maintenance, 8xx process.</summary>
internal static partial class FrazilLog
{
    [LoggerMessage(801, LogLevel.Information, "frazil {Version} started: {Tables} table(s), warehouse {Warehouse}")]
    public static partial void EngineStarted(this ILogger logger, string version, int tables, string warehouse);

    [LoggerMessage(810, LogLevel.Information, "ready: {Address}")]
    public static partial void Serving(this ILogger logger, string address);

    [LoggerMessage(811, LogLevel.Information, "{Signal}: stopping; flushing and committing what is in memory (a second signal ends at once)")]
    public static partial void Stopping(this ILogger logger, string signal);

    [LoggerMessage(812, LogLevel.Information, "stopped; {Rows} rows committed since the start")]
    public static partial void Stopped(this ILogger logger, long rows);

    [LoggerMessage(813, LogLevel.Error, "table {Table} had failed: {Reason}")]
    public static partial void TableHadFailed(this ILogger logger, string table, string reason);

    [LoggerMessage(820, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, string? path);
}
