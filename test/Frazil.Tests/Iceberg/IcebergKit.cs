using System.Diagnostics;
using Xunit;

namespace Frazil.Tests.Iceberg;

/// <summary>The foreign referees of the kit. A test that needs one skips where it is not there, and says so.</summary>
internal static class IcebergKit
{
    private static readonly Task<string?> Python = Task.Run(FindPythonAsync);
    private static readonly Task<string?> Golden = Task.Run(UnpackGoldenAsync);

    /// <summary>The folder of the golden tables; skips the test without the kit.</summary>
    public static async Task<string> RequireGoldenAsync()
    {
        var folder = await Golden;
        if (folder is null)
            Assert.Skip("The golden tables are not here: set FRAZIL_KIT to the kit's folder.");
        return folder!;
    }

    /// <summary>Runs a Python script with PyIceberg, DuckDB, pyarrow and fastavro at hand and returns what it prints.</summary>
    public static async Task<string> RunPythonAsync(string script, params string[] arguments) =>
        await RunAsync(await RequirePythonAsync(), ["-W", "ignore", "-c", script, .. arguments]);

    /// <summary>Runs the kit's read_table.py.</summary>
    public static async Task<string> ReadTableAsync(params string[] arguments) =>
        await RunAsync(await RequirePythonAsync(), [Path.Combine(Root!, "python", "read_table.py"), .. arguments]);

    /// <summary>Runs one of the kit's scripts; what it leaves running must not hold its output open.</summary>
    public static async Task<string> RunKitAsync(string script, params string[] arguments)
    {
        if (Root is null)
            Assert.Skip("The kit is not here: set FRAZIL_KIT to its folder.");
        var output = Path.GetTempFileName();
        try
        {
            await RunAsync("bash", ["-c", "out=$0; exec \"$@\" > \"$out\" 2>&1 < /dev/null", output, Path.Combine(Root!, script), .. arguments]);
            return await File.ReadAllTextAsync(output);
        }
        catch (InvalidOperationException)
        {
            throw new InvalidOperationException($"{script} failed:\n{await File.ReadAllTextAsync(output)}");
        }
        finally
        {
            File.Delete(output);
        }
    }

    private static async Task<string> RequirePythonAsync()
    {
        var python = await Python;
        if (python is null)
            Assert.Skip("The kit's Python is not here: set FRAZIL_KIT to the kit's folder.");
        return python!;
    }

    private static string? Root
    {
        get
        {
            var set = Environment.GetEnvironmentVariable("FRAZIL_KIT");
            if (!string.IsNullOrEmpty(set))
                return Directory.Exists(set) ? set : null;
            for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
                if (File.Exists(Path.Combine(folder.FullName, "Frazil.slnx")))
                {
                    var kit = Path.GetFullPath(Path.Combine(folder.FullName, "..", "shared", "kit"));
                    return Directory.Exists(kit) ? kit : null;
                }
            return null;
        }
    }

    private static async Task<string?> FindPythonAsync() =>
        Root is null ? null : (await RunAsync(Path.Combine(Root, "python", "install"), [])).Trim().Split('\n')[^1];

    private static async Task<string?> UnpackGoldenAsync()
    {
        if (Root is null)
            return null;
        await RunAsync(Path.Combine(Root, "golden", "unpack"), []);
        return "/tmp/frazil-golden";
    }

    private static async Task<string> RunAsync(string program, string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{program} failed:\n{output}\n{await error}");
    }
}

/// <summary>A folder that goes with the test.</summary>
internal sealed class ScratchFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("frazil-iceberg-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
