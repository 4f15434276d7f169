using System.Collections.Concurrent;
using Frazil.Config;
using Frazil.Flush;
using Frazil.Hot;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Microsoft.Extensions.Logging;

namespace Frazil;

/// <summary>What all pipelines of a process share.</summary>
internal sealed record PipelineShared
{
    public required FrazilOptions Options { get; init; }
    public required ICatalog Catalog { get; init; }
    public required DataFileWriter Writer { get; init; }
    public required MemoryBudget Memory { get; init; }
    /// <summary>Asks the brokers about topics, for all tables: its connections stay open.</summary>
    public required KafkaAdmin Admin { get; init; }
    public required TimeProvider Time { get; init; }
    public required ILoggerFactory Loggers { get; init; }
    public required EngineMetrics Metrics { get; init; }
    public required int WorkersPerTable { get; init; }
    public FlushPhases FlushPhases { get; } = new();
    /// <summary>Tables, and their dead-letter tables, that somebody writes; SQL does not tell cases apart.</summary>
    public ConcurrentDictionary<string, bool> Names { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>False where the name, or that of its dead letters, belongs to another table.</summary>
    public bool TryTakeName(string table)
        => Names.TryAdd(table, true) && Names.TryAdd(table + DeadLetterColumns.TableSuffix, true);

    /// <summary>This installation's name in its consumer groups; null for an ordinary member.</summary>
    public string? InstanceId { get; init; }
    /// <summary>An earlier process may have used that name.</summary>
    public bool HasPredecessor { get; init; }
}
