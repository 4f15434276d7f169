namespace Frazil.Query;

/// <summary>One query as it came in.</summary>
/// <param name="Sql">One SELECT statement.</param>
/// <param name="ReadAfter">Topic → partition → offset: wait until the record at that offset is visible, then run.</param>
/// <param name="Timeout">Wait and run together; null for 60 seconds.</param>
public sealed record SqlRequest(
    string Sql,
    IReadOnlyDictionary<string, IReadOnlyDictionary<int, long>>? ReadAfter = null,
    TimeSpan? Timeout = null);

/// <summary>A finished query. Values are .NET objects: null, bool, int, long, float, double, decimal (DECIMAL beyond 96
/// bits: <see cref="Frazil.DuckDb.WideDecimal"/>), string, byte[], Guid, DateOnly,
/// TimeOnly, DateTime (timestamp), DateTimeOffset (timestamptz), BigInteger, <c>object?[]</c> (list), <c>IReadOnlyDictionary&lt;string,
/// object?&gt;</c> (struct), <c>KeyValuePair&lt;object, object?&gt;[]</c> (map).</summary>
public sealed record SqlResult
{
    public required IReadOnlyList<SqlColumn> Columns { get; init; }
    public required IReadOnlyList<object?[]> Rows { get; init; }
    public required TimeSpan Elapsed { get; init; }
    /// <summary>Per table, the snapshot id and the hot rows' offsets that the query saw.</summary>
    public required IReadOnlyDictionary<string, ReadPointSummary> ReadPoint { get; init; }
    public required ScanSummary Scan { get; init; }
}

/// <param name="Name">As SQL named it.</param>
/// <param name="Type">SQL type name as DuckDB prints it.</param>
public sealed record SqlColumn(string Name, string Type);

/// <param name="SnapshotId">Iceberg snapshot; null when the table has none yet.</param>
/// <param name="NextOffsets">Topic → partition → the first offset not visible.</param>
public sealed record ReadPointSummary(long? SnapshotId, IReadOnlyDictionary<string, IReadOnlyDictionary<int, long>> NextOffsets);

public sealed record ScanSummary(long FilesTotal, long FilesScanned, long HotRows);

/// <summary>The SQL cannot be run as it stands.</summary>
/// <param name="message">What is wrong, with the fix where one is known.</param>
/// <param name="position">Zero-based character of the statement, where known.</param>
public sealed class SqlException(string message, int? position, Exception? inner = null) : Exception(message, inner)
{
    public int? Position { get; } = position;
}
