using Frazil.Verify;

namespace Frazil.Server.Output;

/// <summary>A bar on one line of a terminal, redrawn at most ten times a second, gone when disposed.</summary>
internal sealed class ProgressLine(TextWriter output, string subject) : IProgress<VerifyProgress>, IDisposable
{
    private const int Cells = 30;
    private const long RedrawMilliseconds = 100;

    private readonly Lock gate = new();
    private long drawn;
    private string stage = "";

    public void Report(VerifyProgress value)
    {
        lock (gate)
        {
            var now = Environment.TickCount64;
            if (value.Stage == stage && now - drawn < RedrawMilliseconds)
            {
                return;
            }
            (drawn, stage) = (now, value.Stage);
            output.Write($"\r\e[2K{subject}: {value.Stage} {Bar(value)}");
            output.Flush();
        }
    }

    public void Dispose()
    {
        output.Write("\r\e[2K");
        output.Flush();
    }

    private static string Bar(VerifyProgress value)
    {
        if (value.Total <= 0)
        {
            return "…";
        }
        var full = (int)(Cells * Math.Clamp(value.Done, 0, value.Total) / value.Total);
        return $"[{new string('█', full)}{new string('·', Cells - full)}] {100 * value.Done / value.Total} %";
    }
}
