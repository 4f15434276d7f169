using System.Diagnostics;
using System.Text.RegularExpressions;
using Frazil.Iceberg.IO;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>Azure's own emulator of its Blob Storage, from npm; skips the test that asks where there is none.</summary>
public sealed partial class AzuriteServer : IAsyncLifetime
{
    private const string Version = "3.35.0";
    private const string Account = "devstoreaccount1";
    private const string Key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="; // the emulator's, known to all
    private const string Container = "lake";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    private readonly string folder = Directory.CreateTempSubdirectory("frazil-azurite-").FullName;
    private string? absent = Kit.Absent;
    private Process? process;
    private string endpoint = "";

    public async ValueTask InitializeAsync()
    {
        if (Kit.Folder is null)
            return;
        using var time = new CancellationTokenSource(Limit);
        absent = await InstallAsync(time.Token);
        if (absent is null)
            await StartAsync(time.Token);
    }

    public string NewFolder()
    {
        Assert.SkipWhen(absent is not null, absent ?? "");
        return $"abfss://{Container}@{Account}.dfs.core.windows.net/{Guid.NewGuid():N}";
    }

    public Dictionary<string, string> Properties => new()
    {
        [$"adls.connection-string.{Account}.dfs.core.windows.net"] =
            $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};BlobEndpoint={endpoint}",
        ["adls.write.block-size-bytes"] = $"{5 << 20}",
    };

    public AzureFileIO Open() => new(AzureOptions.From(Properties));

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        Directory.Delete(folder, recursive: true);
    }

    private async Task<string?> InstallAsync(CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private": true}""", cancellationToken);
        try
        {
            string[] arguments = ["install", $"azurite@{Version}", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"];
            await Kit.RunInAsync(folder, "npm", arguments, cancellationToken);
            return null;
        }
        catch (Exception failure) when (failure is InvalidOperationException or OperationCanceledException)
        {
            return $"needs azurite from npm: {failure.Message}";
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        string[] arguments =
        [
            Path.Combine(folder, "node_modules", "azurite", "dist", "src", "blob", "main.js"), "--disableTelemetry", "--skipApiVersionCheck",
            "--blobPort", "0", "--location", Path.Combine(folder, "data"),
        ];
        process = Process.Start(new ProcessStartInfo("node", arguments) { RedirectStandardOutput = true, WorkingDirectory = folder })!;
        while (await process.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (Listening().Match(line) is { Success: true } match)
            {
                endpoint = $"{match.Groups["address"].Value}/{Account}";
                break;
            }
        }
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null, CancellationToken.None);
        var container = new Azure.Storage.Blobs.BlobContainerClient(Properties.First().Value, Container);
        await container.CreateAsync(cancellationToken: cancellationToken);
    }

    [GeneratedRegex(@"listen(s|ing) (on|at) (?<address>http://[\d.]+:\d+)")]
    private static partial Regex Listening();
}
