using System.Data.Common;

namespace Frazil.Iceberg.Catalogs;

/// <summary>What is a database's own: how it is reached, and what its errors mean. Thread-safe.</summary>
internal abstract class SqlDatabase : IDisposable
{
    /// <summary>The database of a catalog uri.</summary>
    /// <param name="uri"><c>sqlite:…</c> or <c>postgresql://…</c>; <c>jdbc:</c> may stand before either.</param>
    /// <param name="properties">The catalog's: <c>jdbc.user</c> and <c>jdbc.password</c> (<c>user</c>, <c>password</c>) where the uri has none.</param>
    /// <exception cref="ValidationException">The uri is not understood.</exception>
    public static SqlDatabase Of(string uri, IReadOnlyDictionary<string, string> properties)
        => PostgresDatabase.Knows(uri) ? new PostgresDatabase(PostgresLocation.Parse(uri, properties)) : new SqliteDatabase(SqliteLocation.PathOf(uri));

    /// <summary>For messages; no secret in it.</summary>
    public abstract string Shown { get; }

    /// <summary>A query that has a row where <c>iceberg_tables</c> has the column <c>iceberg_type</c>.</summary>
    public abstract string TypeColumnQuery { get; }

    /// <summary>A new connection.</summary>
    /// <exception cref="DbException">There is none.</exception>
    public abstract DbConnection Open();

    /// <summary>Once, before anything else.</summary>
    public virtual void Prepare(DbConnection connection) { }

    /// <summary>A row of this key exists.</summary>
    public abstract bool IsTaken(DbException error);

    /// <summary>The statement changed nothing, for certain.</summary>
    public abstract bool IsDefinite(DbException error);

    public abstract void Dispose();
}
