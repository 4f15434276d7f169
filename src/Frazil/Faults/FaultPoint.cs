using Frazil.Iceberg.IO;

namespace Frazil.Faults;

/// <summary>
/// Named moments at which the crash suite makes the real binary die, fail or dawdle, so that every boundary of the protocol is tried and
/// not only those that a random kill happens to meet. Nothing happens unless the environment names the point (see <see cref="FaultPlan"/>).
/// The names are listed in docs/reliability.md.
/// </summary>
internal static class FaultPoint
{
    private static readonly FaultPlan? Plan = FaultPlan.FromEnvironment();

    /// <summary>True when any fault is armed in this process.</summary>
    public static bool IsArmed => Plan is not null;

    /// <summary>The machine's clock, or one that a test steps by the file that <c>FRAZIL_FAULTS_CLOCK</c> names.</summary>
    public static TimeProvider Clock { get; } = Environment.GetEnvironmentVariable("FRAZIL_FAULTS_CLOCK") is { Length: > 0 } file
        ? new SteppedClock(file)
        : TimeProvider.System;

    /// <summary>Passes a moment of the protocol.</summary>
    /// <exception cref="InjectedFaultException">The plan says that this step fails here.</exception>
    public static void Reach(string point) => Plan?.Reach(point, null);

    /// <summary>Passes a moment at which an object was just written: where it is a local file, a torn write cuts it and kills.</summary>
    /// <exception cref="InjectedFaultException">The plan says that this step fails here.</exception>
    public static void ReachFile(string point, IFileIO store, string location) => Plan?.Reach(point, store.LocalPathFor(location));

    /// <summary>Passes a moment at which a file of <paramref name="path"/> was just written: a torn write cuts it and kills.</summary>
    /// <exception cref="InjectedFaultException">The plan says that this step fails here.</exception>
    public static void ReachFile(string point, string path) => Plan?.Reach(point, path);
}

/// <summary>A failure that the environment asked for; an <see cref="IOException"/>, as real ones of stores and catalogs are.</summary>
internal sealed class InjectedFaultException(string point) : IOException(
    $"fault injected at {point} (environment variable {FaultPlan.Variable})");
