using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Frazil.Rig;

/// <summary>The real binary as a child process, as a user starts it: arguments in, exit code and text out. Killed when disposed.</summary>
public sealed partial class FrazilProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private const int SigKill = 9;
    private const int SigStop = 19;
    private const int SigContinue = 18;
    private const int LowestPort = 10_000;
    private const int HighestPort = 20_000; // the kit's brokers choose above

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();
    private readonly Task pumps;
    private readonly HttpClient http = new() { Timeout = TimeSpan.FromMinutes(5) };

    private FrazilProcess(Process process, int httpPort)
    {
        this.process = process;
        HttpPort = httpPort;
        Pid = process.Id;
        http.BaseAddress = new Uri($"http://127.0.0.1:{httpPort}");
        pumps = Task.WhenAll(PumpAsync(process.StandardOutput, output), PumpAsync(process.StandardError, errors));
    }

    /// <summary>Where its HTTP listens, if the configuration says so.</summary>
    public int HttpPort { get; }

    public int Pid { get; }

    public bool HasExited => process.HasExited;

    /// <summary>CPU and memory of the process so far.</summary>
    public ProcessCost Cost => ProcessCost.Of(Pid);

    /// <summary>Everything it has written so far, standard output first.</summary>
    public string Text
    {
        get
        {
            lock (output)
            {
                lock (errors)
                {
                    return output.ToString() + errors;
                }
            }
        }
    }

    /// <summary>A published binary that is tested in the place of what was built with the tests (<c>FRAZIL_BINARY</c>); null for that.</summary>
    public static string? Binary { get; } = Environment.GetEnvironmentVariable("FRAZIL_BINARY") is { Length: > 0 } named ? Path.GetFullPath(named) : null;

    /// <summary>The assembly that the tests or the bench were built with, in the same configuration.</summary>
    public static string Assembly { get; } = FindAssembly();

    /// <summary>
    /// A port that was free a moment ago, and that nobody is given by chance: it lies below the ports that Linux hands to outgoing
    /// connections and to whoever asks for any, so that it is still free when the process binds it, and when it is started once more.
    /// </summary>
    public static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(LowestPort, HighestPort);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // somebody listens there; another one then
            }
        }
    }

    /// <summary>Starts <c>frazil ARGS</c> in a folder.</summary>
    public static FrazilProcess Start(string folder, int httpPort, params IEnumerable<string> arguments)
        => Start(folder, httpPort, new Dictionary<string, string>(), arguments);

    /// <summary>Starts <c>frazil ARGS</c> in a folder, with more environment variables than our own.</summary>
    public static FrazilProcess Start(
        string folder, int httpPort, IReadOnlyDictionary<string, string> environment, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Binary ?? "dotnet", Binary is null ? [Assembly, .. arguments] : arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["DOTNET_EnableDiagnostics"] = "0"; // else each process that is killed leaves its sockets in the temporary folder
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start) ?? throw new InvalidOperationException($"could not start {Binary ?? $"dotnet {Assembly}"}");
        process.StandardInput.Close();
        return new FrazilProcess(process, httpPort);
    }

    /// <summary>Runs <c>frazil ARGS</c> to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(
        string folder, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        await using var frazil = Start(folder, 0, arguments);
        var code = await frazil.ExitAsync(cancellationToken);
        return (code, frazil.output.ToString(), frazil.errors.ToString());
    }

    /// <summary>Waits until /readyz answers 200.</summary>
    /// <exception cref="InvalidOperationException">The process ended instead; the message has its output.</exception>
    public async Task ReadyAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            ThrowIfEnded();
            try
            {
                using var answer = await http.GetAsync("/readyz", cancellationToken);
                if (answer.IsSuccessStatusCode)
                {
                    return;
                }
            }
            catch (HttpRequestException)
            {
                // not listening yet
            }
            await Task.Delay(20, cancellationToken);
        }
    }

    /// <summary>Runs one SELECT over HTTP.</summary>
    /// <exception cref="FrazilHttpException">The server refused; the message has its answer.</exception>
    public async Task<SqlAnswer> SqlAsync(string sql, CancellationToken cancellationToken)
        => await PostSqlAsync($$"""{"sql": {{JsonSerializer.Serialize(sql)}}}""", cancellationToken);

    /// <summary>Posts a body to /v1/sql.</summary>
    public async Task<SqlAnswer> PostSqlAsync(string body, CancellationToken cancellationToken)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync("/v1/sql", content, cancellationToken);
        if (!answer.IsSuccessStatusCode)
        {
            throw new FrazilHttpException(answer.StatusCode, await answer.Content.ReadAsStringAsync(cancellationToken));
        }
        return new SqlAnswer(await answer.Content.ReadFromJsonAsync<JsonElement>(cancellationToken));
    }

    /// <summary>One number out of SQL; 0 while the table does not exist yet.</summary>
    public async Task<long> CountAsync(string sql, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await SqlAsync(sql, cancellationToken);
            return answer.Long(0, 0);
        }
        catch (FrazilHttpException refused) when (refused.Message.Contains("not exist", StringComparison.OrdinalIgnoreCase))
        {
            return 0;
        }
    }

    public async Task<string> GetAsync(string path, CancellationToken cancellationToken)
        => await http.GetStringAsync(path, cancellationToken);

    /// <summary>The sum of a counter or gauge over its labels; 0 where it is not there.</summary>
    public async Task<double> MetricAsync(string name, CancellationToken cancellationToken)
    {
        var text = await GetAsync("/metrics", cancellationToken);
        return text.Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{')
            .Sum(line => double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>Polls until a condition holds.</summary>
    /// <exception cref="InvalidOperationException">The process ended instead.</exception>
    public async Task UntilAsync(Func<Task<bool>> condition, TimeSpan every, CancellationToken cancellationToken)
    {
        while (!await condition())
        {
            ThrowIfEnded();
            await Task.Delay(every, cancellationToken);
        }
    }

    /// <summary>Asks it to stop (SIGTERM) and waits.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        Signal(SigTerm);
        return await ExitAsync(cancellationToken);
    }

    public async Task<int> ExitAsync(CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"frazil (pid {Pid}) did not end; it wrote:\n{Text}");
        }
        await pumps;
        return process.ExitCode;
    }

    /// <summary>SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        process.Kill();
        await process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>SIGSTOP: the process is there but does nothing, as after a long pause of the machine.</summary>
    public void Freeze() => Signal(SigStop);

    public void Thaw() => Signal(SigContinue);

    /// <summary>SIGKILL to one of the processes that it has started; nothing where that has gone.</summary>
    public static void KillChild(int process) => _ = Kill(process, SigKill);

    /// <summary>SIGSTOP, the same.</summary>
    public static void FreezeChild(int process) => _ = Kill(process, SigStop);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        http.Dispose();
        process.Dispose();
    }

    private void Signal(int signal)
    {
        if (Kill(Pid, signal) != 0 && !process.HasExited)
        {
            throw new InvalidOperationException($"signal {signal} to pid {Pid} failed with errno {Marshal.GetLastPInvokeError()}");
        }
    }

    private void ThrowIfEnded()
    {
        if (process.HasExited)
        {
            throw new InvalidOperationException($"frazil ended with {process.ExitCode}; it wrote:\n{Text}");
        }
    }

    private static async Task PumpAsync(StreamReader from, StringBuilder to)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (to)
            {
                to.AppendLine(line);
            }
        }
    }

    private static string FindAssembly()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var bin = here.Parent!.Parent!;
        var candidates = new[] { "frazil.dll", "Frazil.Server.dll" }.Select(
            name => Path.Combine(bin.FullName, "Frazil.Server", here.Name, name)).ToList();
        return candidates.FirstOrDefault(File.Exists)
            ?? throw new FileNotFoundException($"the frazil binary is not built; looked for {string.Join(", ", candidates)}");
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}

/// <summary>An HTTP answer that is not a success.</summary>
public sealed class FrazilHttpException(HttpStatusCode status, string body) : Exception($"{(int)status}: {body}")
{
    public HttpStatusCode Status { get; } = status;
}

/// <summary>The JSON of a finished query.</summary>
public sealed class SqlAnswer(JsonElement json)
{
    public JsonElement Json { get; } = json;

    public int RowCount => Json.GetProperty("rows").GetArrayLength();

    public double ElapsedMs => Json.GetProperty("elapsed_ms").GetDouble();

    /// <summary>Rows of the answer's tables that came from memory.</summary>
    public long HotRows => Json.GetProperty("scan").GetProperty("hot_rows").GetInt64();

    public JsonElement this[int row, int column] => Json.GetProperty("rows")[row][column];

    /// <summary>An integer, also where it was printed as text because it does not fit a double.</summary>
    public long Long(int row, int column) => this[row, column] switch
    {
        { ValueKind: JsonValueKind.Null } => 0,
        { ValueKind: JsonValueKind.String } text => long.Parse(text.GetString()!, CultureInfo.InvariantCulture),
        var number => number.TryGetInt64(out var exact) ? exact : (long)number.GetDouble(),
    };
}
