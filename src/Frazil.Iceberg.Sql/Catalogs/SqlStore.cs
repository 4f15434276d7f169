using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// The two tables of Iceberg's JDBC catalog in a SQLite file, V1 layout (a V0 one, without <c>iceberg_type</c>, is used as it is).
/// Each call has a connection of its own, kept for the next one, so calls may run at once; each statement is a transaction of its own, durable on return.
/// </summary>
internal sealed class SqlStore
{
    private const int ConstraintError = 19;

    private readonly string connectionString;
    private readonly string catalogName;
    private readonly ConcurrentBag<SqliteConnection> idle = [];
    private volatile bool isClosed;
    private string onlyTables = "";
    private bool hasType;

    private SqlStore(string path, string catalogName)
    {
        this.catalogName = catalogName;
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30, Pooling = false }.ConnectionString;
    }

    /// <summary>Opens the file, creating it and the tables where they are missing.</summary>
    public static SqlStore Open(string path, string catalogName)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var store = new SqlStore(path, catalogName);
        using var rented = store.Rent();
        var connection = rented.Connection;
        TryUseWal(connection);
        Execute(connection,
            "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, "
            + "table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), "
            + "PRIMARY KEY (catalog_name, table_namespace, table_name))");
        Execute(connection,
            "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, "
            + "property_key VARCHAR(255), property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))");
        store.hasType = Query(
            connection, "SELECT name FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'", [],
            row => row.GetString(0)).Count > 0;
        store.onlyTables = store.hasType ? " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "";
        return store;
    }

    /// <summary>Closes what lies idle; what is in use is closed when its call ends.</summary>
    public void Close()
    {
        isClosed = true;
        while (idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
    }

    public string? FindMetadataLocation(TableIdentifier id) => Query(
        "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = $c AND table_namespace = $n AND table_name = $t" + onlyTables,
        Of(id), row => row.GetString(0)).FirstOrDefault();

    public List<string> ListTables(NamespaceName name) => Query(
        "SELECT table_name FROM iceberg_tables WHERE catalog_name = $c AND table_namespace = $n" + onlyTables + " ORDER BY table_name",
        [("$c", catalogName), ("$n", name.ToString())], row => row.GetString(0));

    /// <summary>Every namespace that was created or holds a table.</summary>
    public List<string> ListNamespaces() => Query(
        "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = $c UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = $c ORDER BY 1",
        [("$c", catalogName)], row => row.GetString(0));

    public Dictionary<string, string> LoadNamespace(NamespaceName name) => Query(
        "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = $c AND namespace = $n",
        [("$c", catalogName), ("$n", name.ToString())],
        row => (Key: row.GetString(0), Value: row.IsDBNull(1) ? "" : row.GetString(1))).ToDictionary(pair => pair.Key, pair => pair.Value);

    /// <summary>False where the namespace was created by another at the same moment.</summary>
    public bool TryCreateNamespace(NamespaceName name, IReadOnlyDictionary<string, string> properties)
    {
        using var rented = Rent();
        var connection = rented.Connection;
        using var transaction = connection.BeginTransaction();
        try
        {
            foreach (var (key, value) in properties.Append(new("exists", "true")).DistinctBy(pair => pair.Key))
                Execute(connection, "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) VALUES ($c, $n, $k, $v)",
                    ("$c", catalogName), ("$n", name.ToString()), ("$k", key), ("$v", value));
            transaction.Commit();
            return true;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
        {
            return false;
        }
    }

    public void DropNamespace(NamespaceName name) => Execute(
        "DELETE FROM iceberg_namespace_properties WHERE catalog_name = $c AND namespace = $n", ("$c", catalogName),
        ("$n", name.ToString()));

    /// <summary>False where a table or view of this name exists.</summary>
    public bool TryInsert(TableIdentifier id, string metadataLocation)
    {
        try
        {
            Execute(hasType
                ? "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type) VALUES ($c, $n, $t, $m, NULL, 'TABLE')"
                : "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location) VALUES ($c, $n, $t, $m, NULL)",
                [.. Of(id), ("$m", metadataLocation)]);
            return true;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
        {
            return false;
        }
    }

    /// <summary>Moves the pointer where it still is what the commit was built on.</summary>
    public bool TrySwap(TableIdentifier id, string from, string to) => Execute(
        "UPDATE iceberg_tables SET metadata_location = $to, previous_metadata_location = $from "
        + "WHERE catalog_name = $c AND table_namespace = $n AND table_name = $t AND metadata_location = $from" + onlyTables,
        [.. Of(id), ("$from", from), ("$to", to)]) == 1;

    public bool TryDelete(TableIdentifier id) => Execute(
        "DELETE FROM iceberg_tables WHERE catalog_name = $c AND table_namespace = $n AND table_name = $t" + onlyTables, Of(id)) == 1;

    /// <summary>Null where the new name is taken; else whether the table was there.</summary>
    public bool? TryRename(TableIdentifier from, TableIdentifier to)
    {
        try
        {
            return Execute("UPDATE iceberg_tables SET table_namespace = $nn, table_name = $tt WHERE catalog_name = $c AND table_namespace = $n AND table_name = $t" + onlyTables,
                [.. Of(from), ("$nn", to.Namespace.ToString()), ("$tt", to.Name)]) == 1;
        }
        catch (SqliteException e) when (e.SqliteErrorCode == ConstraintError)
        {
            return null;
        }
    }

    private (string, object?)[] Of(TableIdentifier id) => [("$c", catalogName), ("$n", id.Namespace.ToString()), ("$t", id.Name)];

    /// <summary>An idle connection, or a new one. The library's own pool is not used: its timer closes connections that were taken from it at
    /// the same moment.</summary>
    private Rented Rent() => new(this, idle.TryTake(out var connection) ? connection : Connect());

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            // FULL: a commit that was answered survives a power cut, in WAL mode too.
            Execute(connection, "PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void TryUseWal(SqliteConnection connection)
    {
        try
        {
            Execute(connection, "PRAGMA journal_mode = WAL");
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 5 or 6 or 8 or 10 or 14)
        {
            // Busy, read-only or a file system without shared memory: slower, as correct.
        }
    }

    private int Execute(string sql, params (string Name, object? Value)[] parameters)
    {
        using var rented = Rent();
        return Execute(rented.Connection, sql, parameters);
    }

    private static int Execute(SqliteConnection connection, string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    private List<T> Query<T>(string sql, (string, object?)[] parameters, Func<SqliteDataReader, T> read)
    {
        using var rented = Rent();
        return Query(rented.Connection, sql, parameters, read);
    }

    private static List<T> Query<T>(SqliteConnection connection, string sql, (string, object?)[] parameters, Func<SqliteDataReader, T> read)
    {
        using var command = Command(connection, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

#pragma warning disable CA2100 // the text is one of the constants above; values are parameters
    private static SqliteCommand Command(SqliteConnection connection, string sql, (string Name, object? Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
#pragma warning restore CA2100

    /// <summary>Gives its connection back.</summary>
    private readonly struct Rented(SqlStore store, SqliteConnection connection) : IDisposable
    {
        public SqliteConnection Connection { get; } = connection;

        public void Dispose()
        {
            store.idle.Add(Connection);
            if (store.isClosed)
            {
                store.Close();
            }
        }
    }
}
