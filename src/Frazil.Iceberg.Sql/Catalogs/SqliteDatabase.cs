using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace Frazil.Iceberg.Catalogs;

/// <summary>A SQLite file.</summary>
internal sealed class SqliteDatabase : SqlDatabase
{
    private const int ConstraintError = 19;

    private readonly string path;
    private readonly string connectionString;

    /// <param name="path">Of the file; its folder is made where it is missing.</param>
    public SqliteDatabase(string path)
    {
        this.path = path;
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        // The library's own pool is not used: its timer closes connections that were taken from it at the same moment.
        connectionString = new SqliteConnectionStringBuilder { DataSource = path, DefaultTimeout = 30, Pooling = false }.ConnectionString;
    }

    public override string Shown => path;

    public override string TypeColumnQuery => "SELECT name FROM pragma_table_info('iceberg_tables') WHERE name = 'iceberg_type'";

    public override DbConnection Open()
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

    public override void Prepare(DbConnection connection)
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

    public override bool IsTaken(DbException error) => error is SqliteException { SqliteErrorCode: ConstraintError };

    /// <summary>Permission, busy, locked, read-only, full, cannot open, not a database.</summary>
    public override bool IsDefinite(DbException error) => error is SqliteException { SqliteErrorCode: 3 or 5 or 6 or 8 or 13 or 14 or 23 or 26 };

    public override void Dispose() { }

#pragma warning disable CA2100 // constants
    private static void Execute(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
#pragma warning restore CA2100
}
