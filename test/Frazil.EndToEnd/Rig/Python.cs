using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Frazil.Rig;

/// <summary>The kit's Python. Scripts run in forks of one process that lives as long as this one and has loaded PyIceberg, PyArrow and DuckDB
/// once: loading them takes longer than most scripts.</summary>
internal static partial class Python
{
    private const int SigKill = 9;

    private static readonly SemaphoreSlim Gate = new(1);
    private static readonly ConcurrentDictionary<long, Run> Runs = [];
    private static Process? host;
    private static long lastId;

    /// <summary>The interpreter; installs the kit's packages once.</summary>
    public static async Task<string> PathAsync(CancellationToken cancellationToken)
        => (await Kit.RunAsync("python/install", [], cancellationToken)).Trim();

    /// <summary>A script that lies beside this file.</summary>
    public static string OwnScript(string name) => Path.Combine(AppContext.BaseDirectory, "Rig", name);

    /// <summary>Runs a script to its end; warnings are not shown.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="OperationCanceledException">It was ended; the message has what it wrote.</exception>
    /// <exception cref="InvalidOperationException">It failed; the message has what it wrote.</exception>
    public static async Task<string> RunAsync(string script, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("frazil-python-").FullName;
        try
        {
            var (output, errors) = (Path.Combine(folder, "out"), Path.Combine(folder, "err"));
            var run = new Run();
            var id = Interlocked.Increment(ref lastId);
            Runs[id] = run;
            await SendAsync(JsonSerializer.Serialize(new { id, script, arguments, @out = output, err = errors }), cancellationToken);
            var code = await run.EndAsync(cancellationToken);
            var (wrote, said) = (Text(output), Text(errors));
            cancellationToken.ThrowIfCancellationRequested($"{script} had not ended when time was up; it wrote: {said}{wrote}");
            return code == 0 ? wrote : throw new InvalidOperationException($"{script} ended with {code}: {said}{wrote}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Text(string path) => File.Exists(path) ? File.ReadAllText(path) : "";

    private static void ThrowIfCancellationRequested(this CancellationToken token, string message)
    {
        if (token.IsCancellationRequested)
        {
            throw new OperationCanceledException(message, token);
        }
    }

    private static async Task SendAsync(string line, CancellationToken cancellationToken)
    {
        await Gate.WaitAsync(cancellationToken);
        try
        {
            host ??= await StartAsync(cancellationToken);
            await host.StandardInput.WriteLineAsync(line);
            await host.StandardInput.FlushAsync(CancellationToken.None); // a half line would spoil the next
        }
        finally
        {
            Gate.Release();
        }
    }

    private static async Task<Process> StartAsync(CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo(await PathAsync(cancellationToken), [OwnScript("python_host.py")]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        var process = Process.Start(start) ?? throw new InvalidOperationException($"could not start {start.FileName}");
        _ = Task.Run(() => ListenAsync(process), CancellationToken.None);
        return process;
    }

    private static async Task ListenAsync(Process process)
    {
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            var parts = line.Split(' ');
            var (id, number) = (long.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[2], CultureInfo.InvariantCulture));
            if (parts[1] == "started")
            {
                Runs[id].Started.TrySetResult(number);
            }
            else if (Runs.TryRemove(id, out var run))
            {
                run.Ended.TrySetResult(number);
            }
        }
        var error = new InvalidOperationException("the process of the Python scripts ended; its words are on standard error");
        foreach (var run in Runs.Values)
        {
            run.Started.TrySetException(error);
            run.Ended.TrySetException(error);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);

    private sealed class Run
    {
        public TaskCompletionSource<int> Started { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<int> Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Its exit code; killed first where the time is up.</summary>
        public async Task<int> EndAsync(CancellationToken cancellationToken)
        {
            var pid = await Started.Task;
            try
            {
                return await Ended.Task.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                _ = Signal(pid, SigKill);
                return await Ended.Task;
            }
        }
    }
}
