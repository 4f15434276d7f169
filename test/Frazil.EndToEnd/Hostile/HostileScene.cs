using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Frazil.Commit;
using Frazil.Config;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Verify;

namespace Frazil.EndToEnd.Hostile;

/// <summary>What <c>/v1/tables</c> says of a table.</summary>
internal sealed record TableSaid(string State, string? Reason);

/// <summary>
/// The parts of one scene: one process with two tables. The victim is harmed; the neighbour, fed like it, must not notice. Dispose kills
/// what still runs and removes the folder.
/// </summary>
internal sealed class HostileScene : IAsyncDisposable
{
    public const string Victim = "shop.victim";
    public const string Neighbour = "shop.neighbour";

    private readonly Recounter referee;
    private readonly StringBuilder journal = new();
    private readonly FrazilConfig config;
    private readonly SemaphoreSlim opening = new(1);
    private ICatalog? catalog;

    private HostileScene(HostileScenePlan plan, string folder, string bootstrap, string topic, Recounter referee)
    {
        (Plan, Folder, this.referee) = (plan, folder, referee);
        (Fed, Beside) = (new(bootstrap, topic, plan.Traits.Partitions), new(bootstrap, $"{topic}-beside", 1));
        config = new()
        {
            BootstrapServers = bootstrap,
            Topic = topic,
            Table = Victim,
            GroupId = topic,
            FlushIntervalSeconds = plan.Traits.FlushIntervalSeconds,
            MaxMemoryMb = 256,
            FailAfterSeconds = 20,
            TableLines = plan.Traits.TableLines,
            KafkaProperties = new Dictionary<string, string> { ["session.timeout.ms"] = "6000", ["heartbeat.interval.ms"] = "500" },
            More = $"""
                [[tables]]
                name = "{Neighbour}"
                topics = ["{topic}-beside"]
                {plan.Traits.TableLines[0]}
                """,
        };
        config.Write(folder);
    }

    public HostileScenePlan Plan { get; }
    public string Folder { get; }
    public HostileStream Fed { get; }
    public HostileStream Beside { get; }
    public FrazilProcess? Process { get; private set; }
    public string CatalogFile => Path.Combine(Folder, "catalog.db");
    public string Journal => journal.ToString();

    public static async Task<HostileScene> SetAsync(
        HostileScenePlan plan, string folder, string bootstrap, Recounter referee, int seed, CancellationToken cancellationToken)
    {
        var topic = $"hostile-{seed}-{plan.Index}-{Environment.ProcessId}-{Guid.NewGuid().ToString("N")[..6]}";
        var anyTime = new Dictionary<string, string> { ["message.timestamp.after.max.ms"] = "9223372036854775807", ["max.message.bytes"] = "2000000" };
        await using var admin = new KafkaAdmin(bootstrap);
        await admin.CreateTopicAsync(topic, plan.Traits.Partitions, settings: anyTime, cancellationToken: cancellationToken);
        await admin.CreateTopicAsync($"{topic}-beside", 1, cancellationToken: cancellationToken);
        Directory.CreateDirectory(folder);
        return new(plan, folder, bootstrap, topic, referee);
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        Note("=== start");
        Process = FrazilProcess.Start(Folder, config.HttpPort, "run", "-c", "frazil.toml");
        await Process.ReadyAsync(cancellationToken);
    }

    /// <summary>SIGTERM, and the end within the bound.</summary>
    /// <returns>The exit code.</returns>
    /// <exception cref="HostileFailedException">It did not end.</exception>
    public async Task<int> StopAsync(TimeSpan bound, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(bound);
        try
        {
            var code = await Process!.StopAsync(limit.Token);
            Note($"=== stopped with {code}\n{Process.Text}");
            return code;
        }
        catch (TimeoutException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostileFailedException("no-stop", $"the process did not end within {bound.TotalSeconds} s of SIGTERM");
        }
    }

    public void Note(string text) => journal.AppendLine(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:HH:mm:ss.fff} {text}");

    /// <summary>Asks the referee about the victim.</summary>
    public async Task<JsonElement> AskAsync(JsonObject request, CancellationToken cancellationToken)
    {
        request["db"] = CatalogFile;
        request["table"] ??= Victim;
        var text = request.ToJsonString();
        var answer = await referee.AskAsync(request, cancellationToken);
        if (request["op"]!.GetValue<string>() != "book")
        {
            Note($"{text} -> {answer.GetRawText()}");
        }
        return answer;
    }

    public async Task<TableSaid> SaidAsync(string table, CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await Process!.GetAsync($"/v1/tables", cancellationToken));
        var one = json.RootElement.GetProperty("tables").EnumerateArray().Single(one => one.GetProperty("name").GetString() == table);
        return new(one.GetProperty("state").GetString()!, one.GetProperty("reason").GetString());
    }

    public async Task<IReadOnlyList<(string Name, string Type)>> ColumnsAsync(CancellationToken cancellationToken)
    {
        using var json = JsonDocument.Parse(await Process!.GetAsync($"/v1/tables/{Victim}", cancellationToken));
        return [.. json.RootElement.GetProperty("columns").EnumerateArray()
            .Select(static one => (one.GetProperty("name").GetString()!, one.GetProperty("type").GetString()!))];
    }

    /// <summary>Runs SQL, after everything that was written so far is visible when asked to.</summary>
    public async Task<JsonElement> SqlAsync(string sql, bool afterAll, CancellationToken cancellationToken)
    {
        var body = new JsonObject { ["sql"] = sql, ["timeout_ms"] = 60_000 };
        if (afterAll)
        {
            body["read_after"] = new JsonObject
            {
                [Fed.Topic] = new JsonObject(Fed.Ends.Index().Where(static one => one.Item > 0)
                    .Select(static one => KeyValuePair.Create(one.Index.ToString(CultureInfo.InvariantCulture), (JsonNode?)(one.Item - 1)))),
            };
        }
        return (await Process!.PostSqlAsync(body.ToJsonString(), cancellationToken)).Json;
    }

    /// <summary>Whether a table's progress has passed all that its topic holds.</summary>
    public async Task<bool> IsSettledAsync(string table, HostileStream stream, CancellationToken cancellationToken)
    {
        try
        {
            var loaded = await (await OpenCatalogAsync(cancellationToken)).LoadTableAsync(TableIdentifier.Parse(table), cancellationToken);
            var progress = TableProgress.Parse(loaded.Metadata.Properties);
            return stream.Ends.Index().All(one => one.Item == 0 || progress.NextOffset(new(stream.Topic, one.Index)) >= one.Item);
        }
        catch (NoSuchTableException)
        {
            return stream.Records == 0;
        }
        catch (IcebergException error)
        {
            Note($"{table} cannot be loaded: {error.Message}"); // its metadata is gone; the table must say so itself
            return false;
        }
    }

    /// <summary>What <c>frazil verify --deep</c> finds.</summary>
    public async Task<TableVerification> VerifyAsync(CancellationToken cancellationToken)
        => await new TableVerifier(await OpenCatalogAsync(cancellationToken), new() { BootstrapServers = config.BootstrapServers, GroupId = Fed.Topic })
            .VerifyAsync(TableIdentifier.Parse(Victim), deep: true, null, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }
        await Fed.DisposeAsync();
        await Beside.DisposeAsync();
        if (catalog is not null)
        {
            await catalog.DisposeAsync();
        }
        opening.Dispose();
        if (!referee.IsLost)
        {
            await referee.AskAsync(new() { ["op"] = "forget", ["db"] = CatalogFile }, CancellationToken.None);
        }
        Directory.Delete(Folder, recursive: true);
    }

    private async Task<ICatalog> OpenCatalogAsync(CancellationToken cancellationToken)
    {
        await opening.WaitAsync(cancellationToken);
        try
        {
            return catalog ??= await WarehouseCatalog.OpenAsync(
                new CatalogOptions { Uri = $"sqlite:{CatalogFile}", Warehouse = Path.Combine(Folder, "warehouse") }, cancellationToken);
        }
        finally
        {
            opening.Release();
        }
    }
}
