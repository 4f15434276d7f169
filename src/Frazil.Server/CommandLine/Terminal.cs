using System.Text;

namespace Frazil.Server.CommandLine;

/// <summary>Where a verb writes. The process's own, or a test's.</summary>
public sealed class Terminal
{
    /// <summary>Results: what a pipe should carry on.</summary>
    public required TextWriter Output { get; init; }

    /// <summary>Errors, hints and logs.</summary>
    public required TextWriter Error { get; init; }

    /// <summary>Whether a person looks at <see cref="Output"/>: colours, live views, lines cut to the width.</summary>
    public bool IsInteractive { get; init; }

    /// <summary>Whether a person looks at <see cref="Error"/>.</summary>
    public bool IsErrorInteractive { get; init; }

    /// <summary>Columns of the screen; of use only where <see cref="IsInteractive"/>.</summary>
    public int Width { get; init; } = 120;

    public static Terminal Process { get; } = Open();

    private static Terminal Open()
    {
        // A pipe gets exact UTF-8 without the mark that .NET would put first.
        var utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var output = Console.IsOutputRedirected
            ? new StreamWriter(Console.OpenStandardOutput(), utf8, 1 << 16) { AutoFlush = true }
            : Console.Out;
        return new Terminal
        {
            Output = output,
            Error = Console.Error,
            IsInteractive = !Console.IsOutputRedirected && IsCapable,
            IsErrorInteractive = !Console.IsErrorRedirected && IsCapable,
            Width = WidthOr(120),
        };
    }

    private static bool IsCapable
        => Environment.GetEnvironmentVariable("TERM") is not "dumb" && Environment.GetEnvironmentVariable("NO_COLOR") is null or "";

    private static int WidthOr(int fallback)
    {
        try
        {
            return !Console.IsOutputRedirected && Console.WindowWidth > 20 ? Console.WindowWidth : fallback;
        }
        catch (IOException)
        {
            return fallback;
        }
    }
}
