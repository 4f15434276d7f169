using System.Globalization;
using Frazil.DuckDb;
using Frazil.Schemas;

namespace Frazil.Query;

/// <summary>
/// A connection with a database of its own, in which each table is a view. Views stay between queries; the hot rows under them are swapped
/// query by query. What it has been told is for <see cref="OfferedTables"/> to know. Not thread-safe.
/// </summary>
internal sealed class ExecutorSession : IDisposable
{
    private readonly DuckDbInstance duck;
    private readonly DuckDbConnection connection;
    private readonly string database;
    private readonly HashSet<string> schemas = new(SqlNameComparer.Instance) { "main" };
    private readonly Dictionary<long, ScanSlot> slots = [];

    public ExecutorSession(DuckDbInstance duck, int number)
    {
        this.duck = duck;
        database = string.Create(CultureInfo.InvariantCulture, $"frazil_session_{number}");
        connection = duck.Connect();
        try
        {
            connection.Execute($"ATTACH ':memory:' AS {database}; USE {database}");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs the statement and hands its rows on. Takes over the tables' pins.</summary>
    public void Run(string sql, IReadOnlyList<TableOffer> tables, IRowSink rows, long maxChunkBytes, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var table in tables)
            {
                Put(table.Handle, new ColumnScan(table.Fields, table.Slices, table.Pin));
            }
            foreach (var table in tables)
            {
                Describe(table, cancellationToken);
            }
            using var result = connection.Stream(sql, cancellationToken);
            Read(result, rows, maxChunkBytes, cancellationToken);
        }
        finally
        {
            foreach (var table in tables)
            {
                Put(table.Handle, new ColumnScan(table.Fields, []));
            }
        }
    }

    public void Dispose()
    {
        foreach (var slot in slots.Values)
        {
            slot.Dispose();
        }
        try
        {
            connection.Execute($"USE memory; DETACH {database}");
        }
        catch (DuckDbException)
        {
            // The instance is broken and about to be closed, or the database goes with it.
        }
        connection.Dispose();
    }

    private static void Read(DuckDbResult result, IRowSink rows, long maxChunkBytes, CancellationToken cancellationToken)
    {
        rows.Begin(result.Columns);
        while (result.NextChunk() is { } chunk)
        {
            using (chunk)
            {
                rows.Write(Copy(chunk, maxChunkBytes), cancellationToken);
            }
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static ChunkFrame Copy(DuckDbChunk chunk, long maxBytes)
    {
        try
        {
            return ChunkFrame.Copy(chunk, maxBytes);
        }
        catch (ValueBudgetException failure)
        {
            throw SqlRows.TooManyBytes(maxBytes, failure);
        }
    }

    private void Describe(TableOffer table, CancellationToken cancellationToken)
    {
        if (table.View is { } view)
        {
            if (schemas.Add(table.Namespace))
            {
                connection.Execute($"CREATE SCHEMA IF NOT EXISTS {SqlText.Identifier(table.Namespace)}", cancellationToken);
            }
            var name = $"{SqlText.Identifier(table.Namespace)}.{SqlText.Identifier(table.Name)}";
            connection.Execute($"CREATE OR REPLACE VIEW {name} AS {view}", cancellationToken);
        }
        if (table.BareView is { } bare)
        {
            // Defined like the other one, not upon it: a view keeps the columns that its tables had when it was made.
            connection.Execute($"CREATE OR REPLACE VIEW main.{SqlText.Identifier(table.Name)} AS {bare}", cancellationToken);
        }
    }

    private void Put(long handle, ColumnScan scan)
    {
        if (slots.TryGetValue(handle, out var slot))
        {
            slot.Swap(scan);
        }
        else
        {
            slots.Add(handle, duck.Scans.Open(handle, scan));
        }
    }
}
