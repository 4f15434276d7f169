namespace Frazil.Telemetry;

/// <summary>
/// Tells a problem once and then, while it goes on, once a minute with how often it came: a broker that is away for an hour is reported by every
/// attempt to reach it. Thread-safe.
/// </summary>
internal sealed class RepeatedProblems(TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<(int, string?), (long ToldAt, int Untold)> problems = [];

    /// <summary>The text to tell now, or null when one like it was told less than a minute ago.</summary>
    /// <param name="kind">Problems of one code and topic are alike, whatever their texts say of addresses and durations.</param>
    public string? TextOf((int Code, string? Topic) kind, string problem)
    {
        lock (gate)
        {
            if (problems.TryGetValue(kind, out var last) && time.GetElapsedTime(last.ToldAt) < Quiet)
            {
                problems[kind] = last with { Untold = last.Untold + 1 };
                return null;
            }
            problems[kind] = (time.GetTimestamp(), 0);
            return last.Untold == 0 ? problem : $"{problem} ({last.Untold} more like it since it was told last)";
        }
    }
}
