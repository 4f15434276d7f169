using System.Globalization;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>What a seeded suite was asked for, by environment variables <c>FRAZIL_SUITE_NAME</c> that <c>./run</c> sets, and how it tells
/// what it does.</summary>
internal sealed class SuiteEnvironment(string suite, ITestOutputHelper output)
{
    /// <summary>Where failed scenes are kept.</summary>
    public string Folder { get; } = Read(suite, "FOLDER")
        ?? Path.Combine(Path.GetTempPath(), $"frazil-{suite.ToLowerInvariant()}-{Environment.ProcessId}");

    /// <summary>The seed that was asked for, or a new one.</summary>
    public int Seed { get; } = ReadNumber(suite, "SEED") ?? Environment.TickCount & 0xFFFFFF;

    public int? Number(string name) => ReadNumber(suite, name);

    public string? Text(string name) => Read(suite, name);

    /// <summary>Removes the folder for failed scenes where none has failed.</summary>
    public void RemoveFolderIfEmpty()
    {
        if (Directory.Exists(Folder) && !Directory.EnumerateFileSystemEntries(Folder).Any())
        {
            Directory.Delete(Folder);
        }
    }

    /// <summary>A line of what happens, also to the terminal of somebody who follows.</summary>
    public void Say(string line) => Say(line, Console.Error);

    /// <summary>The line at the end that programs read.</summary>
    public void Conclude(string json) => Say(json, Console.Out);

    private void Say(string line, TextWriter terminal)
    {
        output.WriteLine(line);
        if (Text("PROGRESS") == "1")
        {
            terminal.WriteLine(line);
        }
    }

    private static int? ReadNumber(string suite, string name)
        => Read(suite, name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static string? Read(string suite, string name)
        => Environment.GetEnvironmentVariable($"FRAZIL_{suite}_{name}") is { Length: > 0 } text ? text : null;
}
