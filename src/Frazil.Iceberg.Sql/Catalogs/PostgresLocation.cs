using System.Globalization;
using System.Web;
using Npgsql;

namespace Frazil.Iceberg.Catalogs;

/// <summary>The database of a <c>postgresql://user:password@host:port/database?sslmode=…</c>, as SQLAlchemy (and so PyIceberg) and libpq spell
/// it; <c>jdbc:postgresql://host/database</c> and <c>postgresql+psycopg2://…</c> are understood too.</summary>
internal static class PostgresLocation
{
    private const int UsualPort = 5432;

    public static bool IsOne(string uri)
    {
        var rest = WithoutJdbc(uri);
        return rest.StartsWith("postgres:", StringComparison.OrdinalIgnoreCase) || rest.StartsWith("postgresql:", StringComparison.OrdinalIgnoreCase)
            || rest.StartsWith("postgresql+", StringComparison.OrdinalIgnoreCase);
    }

    /// <exception cref="ValidationException">It names no host or no database, or asks for what is not known.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string uri, IReadOnlyDictionary<string, string> properties)
    {
        if (!Uri.TryCreate(WithoutJdbc(uri), UriKind.Absolute, out var parsed) || parsed.Host.Length == 0 || parsed.AbsolutePath.Length < 2)
            throw new ValidationException("The catalog's uri is not understood: postgresql://user:password@host:port/database is expected.");
        var user = parsed.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder
        {
            Host = parsed.Host,
            Port = parsed.Port > 0 ? parsed.Port : UsualPort,
            Database = Uri.UnescapeDataString(parsed.AbsolutePath[1..]),
            Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : Property("user"),
            Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : Property("password"),
            ApplicationName = "frazil",
            Pooling = false, // connections are kept by whoever asks
            Timeout = 15,
            CommandTimeout = 30,
        };
        var query = HttpUtility.ParseQueryString(parsed.Query);
        foreach (var name in query.AllKeys.OfType<string>())
            Apply(builder, name, query[name] ?? "");
        return builder;

        string? Property(string name) => properties.GetValueOrDefault($"jdbc.{name}") ?? properties.GetValueOrDefault(name);
    }

    private static void Apply(NpgsqlConnectionStringBuilder builder, string name, string value)
    {
        switch (name.ToLowerInvariant())
        {
            case "user":
                builder.Username = value;
                break;
            case "password":
                builder.Password = value;
                break;
            case "sslmode" when Enum.TryParse<SslMode>(value.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var mode):
                builder.SslMode = mode;
                break;
            case "sslrootcert":
                builder.RootCertificate = value;
                break;
            case "connect_timeout" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds):
                builder.Timeout = seconds;
                break;
            case "application_name":
                builder.ApplicationName = value;
                break;
            case "currentschema" or "options" when name.Equals("currentSchema", StringComparison.OrdinalIgnoreCase):
                builder.SearchPath = value;
                break;
            default:
                throw new ValidationException($"The catalog's uri sets {name}, which is not known here: user, password, sslmode, sslrootcert, connect_timeout, application_name and currentSchema are.");
        }
    }

    private static string WithoutJdbc(string uri)
    {
        var rest = uri.StartsWith("jdbc:", StringComparison.OrdinalIgnoreCase) ? uri["jdbc:".Length..] : uri;
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && rest[..colon].StartsWith("postgresql+", StringComparison.OrdinalIgnoreCase) ? "postgresql" + rest[colon..] : rest;
    }
}
