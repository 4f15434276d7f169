using System.Globalization;

namespace Frazil.EndToEnd.Crash;

/// <summary>What a run of the suite was asked for, by environment; <c>./run crash</c> sets it.</summary>
/// <param name="Seed">Every scene and round follows from it.</param>
/// <param name="Kills">How many processes to kill before it is enough.</param>
/// <param name="Scene">Only this scene, to see a failure again.</param>
/// <param name="Lanes">Scenes that run at the same time.</param>
/// <param name="Only">Only rounds whose name holds one of these, comma-separated.</param>
/// <param name="Folder">Where failed scenes are kept.</param>
internal sealed record CrashSettings(int Seed, int Kills, int? Scene, int Lanes, string? Only, string Folder)
{
    private const int KillsInCi = 30;

    public static CrashSettings FromEnvironment() => new(
        Number("SEED") ?? Environment.TickCount & 0xFFFFFF,
        Number("COUNT") ?? KillsInCi,
        Number("SCENE"),
        Number("LANES") ?? 1,
        Text("ONLY"),
        Text("FOLDER") ?? Path.Combine(Path.GetTempPath(), $"frazil-crash-{Environment.ProcessId}"));

    /// <summary>Removes the folder for failed scenes where none has failed.</summary>
    public void RemoveFolderIfEmpty()
    {
        if (Directory.Exists(Folder) && !Directory.EnumerateFileSystemEntries(Folder).Any())
        {
            Directory.Delete(Folder);
        }
    }

    private static int? Number(string name) => Text(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    private static string? Text(string name)
        => Environment.GetEnvironmentVariable($"FRAZIL_CRASH_{name}") is { Length: > 0 } text ? text : null;
}
