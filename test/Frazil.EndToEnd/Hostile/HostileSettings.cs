namespace Frazil.EndToEnd.Hostile;

/// <summary>What a run of the suite was asked for; <c>./run hostile</c> sets it.</summary>
/// <param name="Suite">Its environment, and how it tells what it does.</param>
/// <param name="Seed">Every scene and round follows from it.</param>
/// <param name="Rounds">How many are enough.</param>
/// <param name="Round">Only the scene of this round, up to it, to see a failure again.</param>
/// <param name="Lanes">Scenes that run at the same time.</param>
/// <param name="Only">Only rounds with a hand or a shape whose name holds one of these, comma-separated.</param>
internal sealed record HostileSettings(SuiteEnvironment Suite, int Seed, int Rounds, int? Round, int Lanes, string? Only)
{
    private const int RoundsInCi = 24;

    /// <summary>As long as <see cref="KnownFaults"/> is not empty: what a run on its own meets may be known, what CI meets must be ours.</summary>
    private const int SeedInCi = 20261127;

    public static HostileSettings Of(SuiteEnvironment suite) => new(
        suite, suite.Number("COUNT") is null ? SeedInCi : suite.Seed, suite.Number("COUNT") ?? RoundsInCi, suite.Number("ROUND"), suite.Number("LANES") ?? 1, suite.Text("ONLY"));
}
