using System.Globalization;
using System.Text.Json;

namespace Frazil.EndToEnd.Crash;

/// <summary>What a run of the suite did and found. Thread-safe.</summary>
internal sealed class CrashTally
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> kinds = [];
    private readonly SortedDictionary<string, int> points = [];
    private readonly List<string> failures = [];
    private int rounds;
    private int kills;
    private int missed;
    private int scenes;
    private long records;
    private long lost;
    private long duplicated;
    private long orphans;

    public int Kills
    {
        get
        {
            lock (gate)
            {
                return kills;
            }
        }
    }

    public IReadOnlyList<string> Failures
    {
        get
        {
            lock (gate)
            {
                return [.. failures];
            }
        }
    }

    public void CountKill()
    {
        lock (gate)
        {
            kills++;
        }
    }

    /// <summary>A round is over.</summary>
    /// <param name="fired">The named point was reached; null where the round has none.</param>
    public void CountRound(Round round, bool? fired)
    {
        lock (gate)
        {
            rounds++;
            kinds[round.Kind.ToString()] = kinds.GetValueOrDefault(round.Kind.ToString()) + 1;
            if (fired is null)
            {
                return;
            }
            var point = round.Faults.Split('=')[0] + (fired.Value ? "" : " (not reached)");
            points[point] = points.GetValueOrDefault(point) + 1;
            missed += fired.Value ? 0 : 1;
        }
    }

    public void CountScene(long recordsOfScene, int orphansOfScene)
    {
        lock (gate)
        {
            scenes++;
            records += recordsOfScene;
            orphans += orphansOfScene;
        }
    }

    public void CountFailure(string text, long lostRecords, long duplicatedRecords)
    {
        lock (gate)
        {
            failures.Add(text);
            lost += lostRecords;
            duplicated += duplicatedRecords;
        }
    }

    /// <summary>One line of JSON with everything.</summary>
    public string ToJson(CrashSettings settings, double seconds)
    {
        lock (gate)
        {
            var perKill = (seconds / Math.Max(1, kills)).ToString("0.00", CultureInfo.InvariantCulture);
            var total = seconds.ToString("0", CultureInfo.InvariantCulture);
            return $$"""
                {"suite": "crash", "seed": {{settings.Seed}}, "scenes": {{scenes}}, "rounds": {{rounds}}, "kills": {{kills}}, "lost": {{lost}}, "duplicated": {{duplicated}}, "failures": {{failures.Count}}, "records": {{records}}, "points_not_reached": {{missed}}, "files_in_no_table": {{orphans}}, "seconds": {{total}}, "seconds_per_kill": {{perKill}}, "kinds": {{Render(kinds)}}, "points": {{Render(points)}}}
                """;
        }
    }

    private static string Render(SortedDictionary<string, int> counts)
        => $"{{{string.Join(", ", counts.Select(static count => $"{JsonSerializer.Serialize(count.Key)}: {count.Value}"))}}}";
}
