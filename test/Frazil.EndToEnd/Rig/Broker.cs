namespace Frazil.Rig;

/// <summary>A real broker of the kit; stopped and wiped when disposed.</summary>
public sealed class Broker : IAsyncDisposable
{
    private const string StartSeconds = "180";

    private readonly string folder;

    private Broker(string folder, string bootstrap) => (this.folder, Bootstrap) = (folder, bootstrap);

    public string Bootstrap { get; }

    /// <summary>What a librdkafka client must be told beside the address: TLS, SASL.</summary>
    public IReadOnlyDictionary<string, string> ClientProperties => File.ReadAllLines(Path.Combine(folder, "librdkafka.properties"))
        .Select(line => line.Split('=', 2))
        .Where(parts => parts.Length == 2 && parts[0] != "bootstrap.servers")
        .ToDictionary(parts => parts[0], parts => parts[1]);

    /// <summary>Options of one that is never killed: the kit's short session, which lets a killed broker come back soon, makes a machine
    /// that stalls for three seconds put its own broker out of the cluster.</summary>
    public static IReadOnlyList<string> NeverKilled { get; } = ["--prop", "broker.session.timeout.ms=60000"];

    /// <summary>Starts one on free ports.</summary>
    public static Task<Broker> StartAsync(string folder, CancellationToken cancellationToken) => StartAsync(folder, [], cancellationToken);

    /// <summary>Starts one on free ports, with more of the script's options, such as <c>--sasl user:password</c>.</summary>
    public static async Task<Broker> StartAsync(string folder, IEnumerable<string> more, CancellationToken cancellationToken)
    {
        try
        {
            var text = await LaunchAsync(folder, ["--port", "0", "--partitions", "6", .. more], cancellationToken);
            var line = text.Split('\n').First(line => line.StartsWith("bootstrap=", StringComparison.Ordinal));
            return new Broker(folder, line["bootstrap=".Length..].Trim());
        }
        catch
        {
            await StopAsync(folder); // what was started of it must not stay
            throw;
        }
    }

    /// <summary>SIGKILL; its data stays.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
        => await Kit.RunAsync("kafka/stop", ["--dir", folder, "--kill"], cancellationToken);

    /// <summary>Starts it again on the same data and ports.</summary>
    public async Task RestartAsync(CancellationToken cancellationToken)
        => await LaunchAsync(folder, [], cancellationToken);

    public async ValueTask DisposeAsync() => await StopAsync(folder);

    /// <summary>Native libraries that a broker unpacks stay where it unpacked them when it is killed: in its own folder, which is
    /// wiped.</summary>
    private static Task<string> LaunchAsync(string folder, IEnumerable<string> more, CancellationToken cancellationToken)
    {
        var temporary = Directory.CreateDirectory(Path.Combine(folder, "tmp")).FullName;
        string[] command = [Path.Combine(Kit.Folder!, "kafka/start"), "--dir", folder, "--timeout", StartSeconds, .. more];
        return Kit.RunInAsync(
            Environment.CurrentDirectory, "env", [$"KAFKA_JVM_OPTS=-Djava.io.tmpdir={temporary}", .. command], cancellationToken);
    }

    private static Task<string> StopAsync(string folder)
        => Kit.RunAsync("kafka/stop", ["--dir", folder, "--kill", "--wipe"], CancellationToken.None);
}
