using Frazil.Config;
using Frazil.Formats;

namespace Frazil.Hot;

/// <summary>What every partition of one table shares.</summary>
internal sealed record HotPartitionParts
{
    public required HotBuffer Hot { get; init; }
    public required TableMemory Memory { get; init; }
    public required TimeProvider Time { get; init; }
    /// <summary>The table's schema now; null while the table waits for its first records to be created from.</summary>
    public required Func<TableSchema?> Schema { get; init; }
    /// <summary>What the table will have at least, by which records are judged until then.</summary>
    public required Func<TableSchema> Declared { get; init; }
    /// <summary>How its records are written.</summary>
    public required RecordFormat Format { get; init; }
    public required OnBadRecord OnBadRecord { get; init; }
    public required bool EvolveSchema { get; init; }
    /// <summary>Where reading begins without progress is another place at each start, so it is recorded before the first record.</summary>
    public required bool PinsStart { get; init; }
    /// <summary>Whether a record is a dead letter already, by its offset, and so stays one; null where none of those to be read is.</summary>
    public Func<long, bool>? IsLetter { get; init; }
    /// <summary>What a gap in a topic's offsets means; asked only where there is one.</summary>
    public required Func<string, SkipKind> KindOfGap { get; init; }
}
