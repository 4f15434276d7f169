using System.Globalization;
using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>
/// A connection with a database of its own, in which each table is a view. Views stay between queries and are made anew only when the
/// table's files or schema have changed; the hot rows under them are swapped query by query. Not thread-safe.
/// </summary>
internal sealed class ExecutorSession : IDisposable
{
    private readonly DuckDbInstance duck;
    private readonly DuckDbConnection connection;
    private readonly FileColumns files;
    private readonly string database;
    private readonly HashSet<string> schemas = new(SqlNameComparer.Instance) { "main" };
    private readonly Dictionary<string, TableView> views = [];
    private readonly Dictionary<string, string> bareNames = new(SqlNameComparer.Instance);

    public ExecutorSession(DuckDbInstance duck, int number, FileColumns files)
    {
        (this.duck, this.files) = (duck, files);
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

    /// <summary>Runs the statement and hands its rows on.</summary>
    public void Run(
        GatedSql sql, IReadOnlyList<TableBinding> tables, TablePins pins, ResultBuffer rows, long maxChunkBytes, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (table, hasBareName) in tables)
            {
                Bind(table, hasBareName, pins, cancellationToken);
            }
            using var result = connection.Stream(sql.Sql, cancellationToken);
            Read(result, rows, maxChunkBytes, cancellationToken);
        }
        finally
        {
            foreach (var view in views.Values)
            {
                view.Empty();
            }
        }
    }

    public void Dispose()
    {
        foreach (var view in views.Values)
        {
            view.Dispose();
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

    private static void Read(DuckDbResult result, ResultBuffer rows, long maxChunkBytes, CancellationToken cancellationToken)
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

    private void Bind(TableInput table, bool hasBareName, TablePins pins, CancellationToken cancellationToken)
    {
        var name = $"{SqlText.Identifier(table.Namespace)}.{SqlText.Identifier(table.Name)}";
        if (!views.TryGetValue(name, out var view))
        {
            view = new TableView(duck.Scans);
            views.Add(name, view);
        }
        view.Offer(table, pins);
        if (!view.IsCurrent(table))
        {
            if (schemas.Add(table.Namespace))
            {
                connection.Execute($"CREATE SCHEMA IF NOT EXISTS {SqlText.Identifier(table.Namespace)}", cancellationToken);
            }
            connection.Execute($"CREATE OR REPLACE VIEW {name} AS {view.Describe(table, files)}", cancellationToken);
            view.MarkCurrent(table);
        }
        if (hasBareName && !SqlNameComparer.Instance.Equals(table.Namespace, "main")
            && bareNames.GetValueOrDefault(table.Name) != view.Text)
        {
            // Defined like the other one, not upon it: a view keeps the columns that its tables had when it was made.
            connection.Execute($"CREATE OR REPLACE VIEW main.{SqlText.Identifier(table.Name)} AS {view.Text}", cancellationToken);
            bareNames[table.Name] = view.Text;
        }
    }

    /// <summary>What one view was made of, and the slot that it reads hot rows from.</summary>
    private sealed class TableView(ColumnScans scans) : IDisposable
    {
        private ColumnFields fields = ColumnFields.Empty;
        private ScanSlot? slot;
        private TableInput? made;
        private bool isEmpty = true;

        /// <summary>The defining query; empty before it is made.</summary>
        public string Text { get; private set; } = "";

        /// <summary>Puts this query's hot rows into the slot.</summary>
        public void Offer(TableInput table, TablePins pins)
        {
            fields = made is not null && ReferenceEquals(made.Schema, table.Schema) ? fields : SqlNames.Apply(table.Schema);
            Put(new ColumnScan(fields, table.HotSlices, pins.Take(table)));
            isEmpty = false;
        }

        /// <summary>Lets go of the rows.</summary>
        public void Empty()
        {
            if (!isEmpty)
            {
                Put(new ColumnScan(fields, []));
                isEmpty = true;
            }
        }

        public bool IsCurrent(TableInput table) => made is not null
            && made.HotSlices.Count > 0 == table.HotSlices.Count > 0
            && made.Schema.Equals(table.Schema)
            && made.Defaults.Equals(table.Defaults)
            && (ReferenceEquals(made.ColdFiles, table.ColdFiles) || made.ColdFiles.SequenceEqual(table.ColdFiles));

        public string Describe(TableInput table, FileColumns files)
        {
            made = null;
            Text = TableViewText.Write(
                new(table.ToString(), fields, table.Defaults, table.ColdFiles), table.HotSlices.Count > 0 ? slot!.Handle : null, files);
            return Text;
        }

        /// <summary>The view exists as described. Remembers the table's shape, not its rows.</summary>
        public void MarkCurrent(TableInput table)
            => made = table with { HotPin = null, HotSlices = [.. table.HotSlices.Take(1).Select(Shape)] };

        public void Dispose() => slot?.Dispose();

        private static BatchSlice Shape(BatchSlice slice) => new() { Schema = slice.Schema, Columns = [], Count = 0 };

        private void Put(ColumnScan scan)
        {
            if (slot is null)
            {
                slot = scans.Open(scan);
            }
            else
            {
                slot.Swap(scan);
            }
        }
    }
}
