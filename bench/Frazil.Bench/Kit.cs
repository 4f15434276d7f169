using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Frazil.Bench;

/// <summary>The test kit's scripts: a real broker, a generator with a ledger, the peer.</summary>
internal static class Kit
{
    /// <summary>The kit's folder, or null where there is none.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>Runs a kit script to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has what it wrote.</exception>
    public static async Task<string> RunAsync(string script, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        // Background processes that a start script leaves behind inherit its pipes, so output goes through files, not pipes.
        var folder = Directory.CreateTempSubdirectory("frazil-kit-").FullName;
        try
        {
            var (output, errors) = (Path.Combine(folder, "out"), Path.Combine(folder, "err"));
            List<string> line = ["-c", "exec \"$0\" \"$@\" >\"$FRAZIL_OUT\" 2>\"$FRAZIL_ERR\" </dev/null", Path.Combine(Folder!, script), .. arguments];
            var start = new ProcessStartInfo("bash", line);
            start.Environment["FRAZIL_OUT"] = output;
            start.Environment["FRAZIL_ERR"] = errors;
            using var process = Process.Start(start)!;
            await process.WaitForExitAsync(cancellationToken);
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException($"{script} ended with {process.ExitCode}: {await File.ReadAllTextAsync(errors, cancellationToken)}");
            }
            return await File.ReadAllTextAsync(output, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Produces with the kit's generator and returns its ledger.</summary>
    public static async Task<Ledger> LoadAsync(
        string bootstrap, string topic, long records, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        string[] arguments =
            ["--bootstrap", bootstrap, "--topic", topic, "--partitions", "6", "--records", records.ToString(CultureInfo.InvariantCulture), .. more];
        return Ledger.Parse(await RunAsync("kafka/load", arguments, cancellationToken));
    }

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("FRAZIL_KIT");
        var root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "Frazil.slnx")))
        {
            root = Path.GetDirectoryName(root);
        }
        var folder = named ?? (root is null ? null : Path.GetFullPath(Path.Combine(root, "..", "shared", "kit")));
        return folder is not null && File.Exists(Path.Combine(folder, "kafka", "start")) ? folder : null;
    }
}

/// <summary>What the generator says a reader must find.</summary>
internal sealed record Ledger(long Records, decimal Amount, long UserId, double Seconds)
{
    public static Ledger Parse(string text)
    {
        using var json = JsonDocument.Parse(text);
        var root = json.RootElement;
        return new(
            root.GetProperty("good").GetInt64(),
            root.GetProperty("sum_amount").GetDecimal(),
            root.GetProperty("sum_user_id").GetInt64(),
            root.GetProperty("seconds").GetDouble());
    }
}

/// <summary>A broker of the kit for one run; stopped and wiped when disposed.</summary>
internal sealed class Broker : IAsyncDisposable
{
    private readonly string folder;

    private Broker(string folder, string bootstrap) => (this.folder, Bootstrap) = (folder, bootstrap);

    public string Bootstrap { get; }

    public static async Task<Broker> StartAsync(string folder, CancellationToken cancellationToken)
    {
        var text = await Kit.RunAsync("kafka/start", ["--port", "0", "--dir", folder, "--partitions", "6"], cancellationToken);
        var line = text.Split('\n').First(line => line.StartsWith("bootstrap=", StringComparison.Ordinal));
        return new Broker(folder, line["bootstrap=".Length..].Trim());
    }

    public async ValueTask DisposeAsync() => await Kit.RunAsync("kafka/stop", ["--dir", folder, "--kill", "--wipe"], CancellationToken.None);
}
