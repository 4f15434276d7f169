using Microsoft.Extensions.Logging;

namespace Frazil.Telemetry;

/// <summary>Every log line of the engine, in one place. Event ids: 1xx Kafka, 2xx decode, 3xx hot buffer, 4xx flush, 5xx commit,
/// 6xx query, 7xx maintenance, 8xx process.</summary>
internal static partial class FrazilLog
{
    [LoggerMessage(801, LogLevel.Information, "frazil {Version} started: {Tables} table(s), warehouse {Warehouse}")]
    public static partial void EngineStarted(this ILogger logger, string version, int tables, string warehouse);
}
