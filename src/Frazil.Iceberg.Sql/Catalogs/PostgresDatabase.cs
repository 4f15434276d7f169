using System.Data.Common;
using Npgsql;

namespace Frazil.Iceberg.Catalogs;

/// <summary>A database of a Postgres server.</summary>
internal sealed class PostgresDatabase : SqlDatabase
{
    private readonly NpgsqlDataSource source;

    public PostgresDatabase(NpgsqlConnectionStringBuilder connection)
    {
        Shown = $"postgresql://{connection.Host}:{connection.Port}/{connection.Database}";
        var builder = new NpgsqlSlimDataSourceBuilder(connection.ConnectionString);
        builder.EnableTransportSecurity();
        source = builder.Build();
    }

    public static bool Knows(string uri) => PostgresLocation.IsOne(uri);

    public override string Shown { get; }

    public override string TypeColumnQuery
        => "SELECT column_name FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false)) AND table_name = 'iceberg_tables' "
            + "AND column_name = 'iceberg_type'";

    public override DbConnection Open() => source.OpenConnection();

    public override bool IsTaken(DbException error) => error is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };

    /// <summary>The server refused the statement. Not: it went away (classes 08 and 57), or says itself that it does not know (40003).</summary>
    public override bool IsDefinite(DbException error) => error is PostgresException { SqlState: var state }
        && !state.StartsWith("08", StringComparison.Ordinal) && !state.StartsWith("57", StringComparison.Ordinal) && state != "40003";

    public override void Dispose() => source.Dispose();
}
