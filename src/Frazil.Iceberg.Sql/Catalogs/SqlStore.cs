using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;

namespace Frazil.Iceberg.Catalogs;

/// <summary>
/// The two tables of Iceberg's JDBC catalog in a database, V1 layout (a V0 one, without <c>iceberg_type</c>, is used as it is).
/// Each call has a connection of its own, kept for the next one, so calls may run at once; each statement is a transaction of its own, durable on return.
/// </summary>
internal sealed class SqlStore
{
    private readonly SqlDatabase database;
    private readonly string catalogName;
    private readonly ConcurrentBag<DbConnection> idle = [];
    private volatile bool isClosed;
    private string onlyTables = "";
    private bool hasType;

    private SqlStore(SqlDatabase database, string catalogName) => (this.database, this.catalogName) = (database, catalogName);

    public SqlDatabase Database => database;

    /// <summary>Opens the database, creating the tables where they are missing.</summary>
    public static SqlStore Open(SqlDatabase database, string catalogName)
    {
        var store = new SqlStore(database, catalogName);
        using var rented = store.Rent();
        var connection = rented.Connection;
        database.Prepare(connection);
        try
        {
            MakeTables(connection);
        }
        catch (DbException e) when (database.IsTaken(e))
        {
            MakeTables(connection); // Postgres: another made them at the same moment, which IF NOT EXISTS does not see
        }
        store.hasType = Query(connection, database.TypeColumnQuery, [], row => row.GetString(0)).Count > 0;
        store.onlyTables = store.hasType ? " AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : "";
        return store;
    }

    private static void MakeTables(DbConnection connection)
    {
        Execute(connection,
            "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, "
            + "table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), "
            + "PRIMARY KEY (catalog_name, table_namespace, table_name))");
        Execute(connection,
            "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, "
            + "property_key VARCHAR(255), property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))");
    }

    /// <summary>Closes what lies idle; what is in use is closed when its call ends.</summary>
    public void Close()
    {
        isClosed = true;
        while (idle.TryTake(out var connection))
        {
            connection.Dispose();
        }
        database.Dispose();
    }

    public string? FindMetadataLocation(TableIdentifier id) => Query(
        "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = @c AND table_namespace = @n AND table_name = @t" + onlyTables,
        Of(id), row => row.GetString(0)).FirstOrDefault();

    public List<string> ListTables(NamespaceName name) => Query(
        "SELECT table_name FROM iceberg_tables WHERE catalog_name = @c AND table_namespace = @n" + onlyTables + " ORDER BY table_name",
        [("@c", catalogName), ("@n", name.ToString())], row => row.GetString(0));

    /// <summary>Every namespace that was created or holds a table.</summary>
    public List<string> ListNamespaces() => Query(
        "SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = @c UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = @c ORDER BY 1",
        [("@c", catalogName)], row => row.GetString(0));

    public Dictionary<string, string> LoadNamespace(NamespaceName name) => Query(
        "SELECT property_key, property_value FROM iceberg_namespace_properties WHERE catalog_name = @c AND namespace = @n",
        [("@c", catalogName), ("@n", name.ToString())],
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
                Execute(connection, "INSERT INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) VALUES (@c, @n, @k, @v)",
                    ("@c", catalogName), ("@n", name.ToString()), ("@k", key), ("@v", value));
            transaction.Commit();
            return true;
        }
        catch (DbException e) when (database.IsTaken(e))
        {
            return false;
        }
    }

    public void DropNamespace(NamespaceName name) => Execute(
        "DELETE FROM iceberg_namespace_properties WHERE catalog_name = @c AND namespace = @n", ("@c", catalogName),
        ("@n", name.ToString()));

    /// <summary>False where a table or view of this name exists.</summary>
    public bool TryInsert(TableIdentifier id, string metadataLocation)
    {
        try
        {
            Execute(hasType
                ? "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location, iceberg_type) VALUES (@c, @n, @t, @m, NULL, 'TABLE')"
                : "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, previous_metadata_location) VALUES (@c, @n, @t, @m, NULL)",
                [.. Of(id), ("@m", metadataLocation)]);
            return true;
        }
        catch (DbException e) when (database.IsTaken(e))
        {
            return false;
        }
    }

    /// <summary>Moves the pointer where it still is what the commit was built on.</summary>
    public bool TrySwap(TableIdentifier id, string from, string to) => Execute(
        "UPDATE iceberg_tables SET metadata_location = @to, previous_metadata_location = @from "
        + "WHERE catalog_name = @c AND table_namespace = @n AND table_name = @t AND metadata_location = @from" + onlyTables,
        [.. Of(id), ("@from", from), ("@to", to)]) == 1;

    public bool TryDelete(TableIdentifier id) => Execute(
        "DELETE FROM iceberg_tables WHERE catalog_name = @c AND table_namespace = @n AND table_name = @t" + onlyTables, Of(id)) == 1;

    /// <summary>Null where the new name is taken; else whether the table was there.</summary>
    public bool? TryRename(TableIdentifier from, TableIdentifier to)
    {
        try
        {
            return Execute("UPDATE iceberg_tables SET table_namespace = @nn, table_name = @tt WHERE catalog_name = @c AND table_namespace = @n AND table_name = @t" + onlyTables,
                [.. Of(from), ("@nn", to.Namespace.ToString()), ("@tt", to.Name)]) == 1;
        }
        catch (DbException e) when (database.IsTaken(e))
        {
            return null;
        }
    }

    private (string, object?)[] Of(TableIdentifier id) => [("@c", catalogName), ("@n", id.Namespace.ToString()), ("@t", id.Name)];

    /// <summary>An idle connection, or a new one.</summary>
    private Rented Rent() => new(this, idle.TryTake(out var connection) ? connection : database.Open());

    private int Execute(string sql, params (string Name, object? Value)[] parameters)
    {
        using var rented = Rent();
        return Execute(rented.Connection, sql, parameters);
    }

    private static int Execute(DbConnection connection, string sql, params (string Name, object? Value)[] parameters)
    {
        using var command = Command(connection, sql, parameters);
        return command.ExecuteNonQuery();
    }

    private List<T> Query<T>(string sql, (string, object?)[] parameters, Func<DbDataReader, T> read)
    {
        using var rented = Rent();
        return Query(rented.Connection, sql, parameters, read);
    }

    private static List<T> Query<T>(DbConnection connection, string sql, (string, object?)[] parameters, Func<DbDataReader, T> read)
    {
        using var command = Command(connection, sql, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

#pragma warning disable CA2100 // the text is one of the constants above; values are parameters
    private static DbCommand Command(DbConnection connection, string sql, (string Name, object? Value)[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in parameters)
        {
            var parameter = command.CreateParameter();
            (parameter.ParameterName, parameter.Value) = (name, value ?? DBNull.Value);
            command.Parameters.Add(parameter);
        }
        return command;
    }
#pragma warning restore CA2100

    /// <summary>Gives its connection back.</summary>
    private readonly struct Rented(SqlStore store, DbConnection connection) : IDisposable
    {
        public DbConnection Connection { get; } = connection;

        public void Dispose()
        {
            if (store.isClosed || Connection.State != ConnectionState.Open)
            {
                Connection.Dispose(); // the server went away under it
            }
            else
            {
                store.idle.Add(Connection);
            }
        }
    }
}
