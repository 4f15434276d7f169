using System.Globalization;
using System.Runtime.InteropServices;

namespace Frazil.Faults;

/// <summary>
/// What <c>FRAZIL_FAULTS</c> asks for: <c>point=action</c>, separated by <c>;</c>. Actions: <c>kill</c> (SIGKILL, as a power cut is),
/// <c>error</c>, <c>delay:MILLISECONDS</c>, <c>tear</c> (half of the file just written is cut off, then kill). <c>@N</c> behind the action:
/// only the Nth time the point is reached; <c>%P</c>: with a chance of P per cent, by the seed in <c>FRAZIL_FAULTS_SEED</c>.
/// <c>FRAZIL_FAULTS_WHEN</c> names a file: points count only while it exists, so that a process can come up and settle first.
/// </summary>
internal sealed partial class FaultPlan
{
    public const string Variable = "FRAZIL_FAULTS";

    private const int SigKill = 9;

    private readonly Lock gate = new();
    private readonly Dictionary<string, Armed> points;
    private readonly string? whenFile;
    private readonly Random random;

    private FaultPlan(Dictionary<string, Armed> points, string? whenFile, int seed)
        => (this.points, this.whenFile, random) = (points, whenFile, new(seed));

    /// <summary>Null where nothing is asked for.</summary>
    /// <exception cref="FormatException">The variable does not say what it should; names the part that is wrong.</exception>
    public static FaultPlan? FromEnvironment()
        => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text
            ? Parse(
                text, Environment.GetEnvironmentVariable("FRAZIL_FAULTS_WHEN"), Environment.GetEnvironmentVariable("FRAZIL_FAULTS_SEED"))
            : null;

    internal static FaultPlan Parse(string text, string? whenFile, string? seed)
    {
        var points = new Dictionary<string, Armed>(StringComparer.Ordinal);
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var (point, action) = part.Split('=', 2) is [var left, var right] ? (left, right) : throw Wrong(part);
            points.Add(point, ParseAction(action, part));
        }
        return new(points, whenFile, int.Parse(seed ?? "0", CultureInfo.InvariantCulture));
    }

    public void Reach(string point, string? path)
    {
        if (!points.TryGetValue(point, out var armed) || (whenFile is not null && !File.Exists(whenFile)) || !IsDue(armed))
        {
            return;
        }
        switch (armed.Kind)
        {
            case "error":
                throw new InjectedFaultException(point);
            case "delay":
                Thread.Sleep(armed.Milliseconds);
                return;
            case "tear" when path is not null:
                using (var file = new FileStream(path, FileMode.Open, FileAccess.Write))
                {
                    file.SetLength(file.Length / 2);
                }
                goto default;
            default:
                Console.Error.WriteLine($"fault: {armed.Kind} at {point}");
                _ = Kill(Environment.ProcessId, SigKill);
                Thread.Sleep(Timeout.Infinite);
                return;
        }
    }

    private bool IsDue(Armed armed)
    {
        lock (gate)
        {
            armed.Reached++;
            return (armed.Nth == 0 || armed.Reached == armed.Nth) && (armed.Percent >= 100 || random.NextDouble() * 100 < armed.Percent);
        }
    }

    private static Armed ParseAction(string action, string part)
    {
        var (nth, percent) = (0, 100.0);
        if (action.Split('%') is [var before, var chance])
        {
            (action, percent) =
                (before, double.TryParse(chance, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong(part));
        }
        if (action.Split('@') is [var first, var count])
        {
            (action, nth) = (first, int.TryParse(count, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong(part));
        }
        var (kind, milliseconds) = action.Split(':') is ["delay", var wait] && int.TryParse(wait, CultureInfo.InvariantCulture, out var ms)
            ? ("delay", ms)
            : (action, 0);
        return kind is "kill" or "error" or "tear" || (kind == "delay" && action != kind)
            ? new(kind, milliseconds, nth, percent)
            : throw Wrong(part);
    }

    private static FormatException Wrong(string part)
        => new(
            $"{Variable}: '{part}' is not point=action, with an action of kill, error, delay:MILLISECONDS or tear, and @N or %P behind it");

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);

    private sealed record Armed(string Kind, int Milliseconds, int Nth, double Percent)
    {
        public int Reached { get; set; }
    }
}
