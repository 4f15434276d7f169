using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>A private Postgres of the kit (Debian's package); skips the test that asks where there is none.</summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-postgres-").FullName;
    private string? absent = Kit.Absent;

    /// <summary>Of its one database, as Frazil, SQLAlchemy and libpq take it.</summary>
    public string Uri { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (Kit.Folder is null)
            return;
        using var time = new CancellationTokenSource(Limit);
        try
        {
            await StartAsync(time.Token);
            absent = null;
        }
        catch (InvalidOperationException failure) when (failure.Message.Contains("no PostgreSQL server", StringComparison.Ordinal)
            || failure.Message.Contains("no user postgres", StringComparison.Ordinal))
        {
            absent = $"needs Debian's postgresql: {failure.Message}";
        }
    }

    public void SkipIfAbsent() => Assert.SkipWhen(absent is not null, absent ?? "");

    public Task KillAsync(CancellationToken cancellationToken)
        => Kit.RunAsync("debezium/postgres-stop", ["--dir", folder, "--kill"], cancellationToken);

    /// <summary>Starts it, the first time or again on the same data and port.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var said = KitPart.Said(await Kit.RunAsync("debezium/postgres-start", ["--dir", folder, "--db", "catalog"], cancellationToken));
        Uri = said["url"];
    }

    public async ValueTask DisposeAsync()
    {
        if (absent is null)
            await Kit.RunAsync("debezium/postgres-stop", ["--dir", folder, "--kill"], CancellationToken.None);
        Directory.Delete(folder, recursive: true);
    }
}
