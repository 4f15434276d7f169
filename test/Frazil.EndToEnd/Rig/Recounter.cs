using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Frazil.Rig;

/// <summary>PyIceberg in a process of its own that lives through many rounds: counts a table, and commits to it as a foreign engine does.
/// One caller at a time. Dispose ends the process.</summary>
internal sealed class Recounter : IAsyncDisposable
{
    private readonly Process python;

    private Recounter(Process python) => this.python = python;

    public static Task<Recounter> StartAsync(CancellationToken cancellationToken) => StartAsync("Rig/recount.py", cancellationToken);

    /// <summary>Starts a script that answers requests as recount.py does.</summary>
    /// <param name="path">Beside the test assembly.</param>
    public static async Task<Recounter> StartAsync(string path, CancellationToken cancellationToken)
    {
        var python = await Python.PathAsync(cancellationToken);
        var script = Path.Combine(AppContext.BaseDirectory, path);
        var start = new ProcessStartInfo(python, [script]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var variable in new[] { "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PYICEBERG_MAX_WORKERS" })
        {
            start.Environment[variable] = "2";
        }
        return new(Process.Start(start) ?? throw new InvalidOperationException($"could not start {python}"));
    }

    /// <summary>A request was given up, so that the next answer would be the one to it: start another process.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Sends one request.</summary>
    /// <exception cref="InvalidOperationException">The referee cannot do it; the message has its words.</exception>
    public async Task<JsonElement> AskAsync(JsonObject request, CancellationToken cancellationToken)
    {
        IsLost = true;
        await python.StandardInput.WriteLineAsync(request.ToJsonString().AsMemory(), cancellationToken);
        await python.StandardInput.FlushAsync(cancellationToken);
        var line = await python.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException("the referee's process ended; its words are on standard error");
        IsLost = false;
        using var answer = JsonDocument.Parse(line);
        return answer.RootElement.TryGetProperty("error", out var error)
            ? throw new InvalidOperationException($"the referee could not do {request.ToJsonString()}: {error}")
            : answer.RootElement.Clone();
    }

    public async ValueTask DisposeAsync()
    {
        python.StandardInput.Close();
        python.Kill();
        await python.WaitForExitAsync();
        python.Dispose();
    }
}
