namespace Frazil.EndToEnd.Crash;

/// <summary>What a run of the suite was asked for; <c>./run crash</c> sets it.</summary>
/// <param name="Suite">Its environment, and how it tells what it does.</param>
/// <param name="Seed">Every scene and round follows from it.</param>
/// <param name="Kills">How many processes to kill before it is enough.</param>
/// <param name="Scene">Only this scene, to see a failure again.</param>
/// <param name="Lanes">Scenes that run at the same time.</param>
/// <param name="Only">Only rounds whose name holds one of these, comma-separated.</param>
internal sealed record CrashSettings(SuiteEnvironment Suite, int Seed, int Kills, int? Scene, int Lanes, string? Only)
{
    private const int KillsInCi = 30;

    public static CrashSettings Of(SuiteEnvironment suite) => new(
        suite, suite.Seed, suite.Number("COUNT") ?? KillsInCi, suite.Number("SCENE"), suite.Number("LANES") ?? 1, suite.Text("ONLY"));
}
