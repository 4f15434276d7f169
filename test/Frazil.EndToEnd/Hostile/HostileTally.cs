using System.Globalization;
using System.Text.Json;

namespace Frazil.EndToEnd.Hostile;

/// <summary>What a run of the suite did and found. Thread-safe.</summary>
internal sealed class HostileTally
{
    private readonly Lock gate = new();
    private readonly SortedDictionary<string, int> hands = [];
    private readonly SortedDictionary<string, int> shapes = [];
    private readonly SortedDictionary<string, int> known = [];
    private readonly SortedDictionary<string, int> kinds = [];
    private readonly List<string> failures = [];
    private readonly (List<double> Harmed, List<double> Quiet) neighbour = ([], []);
    private int rounds;
    private int idle;
    private int stopped;
    private int scenes;
    private long records;
    private long hot;

    public int Rounds => Locked(() => rounds);

    public IReadOnlyList<string> Failures => Locked<IReadOnlyList<string>>(() => [.. failures]);

    public void CountRound(HostileRound round, IReadOnlyList<string> deeds) => Locked(() =>
    {
        idle += deeds.Count(static deed => deed.Contains(": nothing", StringComparison.Ordinal));
        foreach (var hand in round.Hands)
        {
            hands[hand.Name] = hands.GetValueOrDefault(hand.Name) + 1;
        }
        foreach (var shape in round.Shapes)
        {
            shapes[shape] = shapes.GetValueOrDefault(shape) + 1;
        }
        return rounds++;
    });

    public void CountScene(long recordsOfScene, long hotAnswers, bool hasStopped) => Locked(() =>
    {
        records += recordsOfScene;
        hot += hotAnswers;
        stopped += hasStopped ? 1 : 0;
        return scenes++;
    });

    /// <summary>How long the neighbour took to commit what it was fed in a round: those in which a hand acted on the victim, and those in which
    /// none did.</summary>
    public void CountNeighbour(TimeSpan took, IReadOnlyList<string> deeds) => Locked(() =>
    {
        var isQuiet = deeds.All(static deed => deed.Contains(": nothing", StringComparison.Ordinal));
        (isQuiet ? neighbour.Quiet : neighbour.Harmed).Add(took.TotalMilliseconds);
        return true;
    });

    private static double Median(List<double> values) => values.Count == 0 ? 0 : Math.Round(values.Order().ElementAt(values.Count / 2));

    public void CountKnown(string name) => Locked(() => known[name] = known.GetValueOrDefault(name) + 1);

    public void CountFailure(string kind, string text) => Locked(() =>
    {
        failures.Add(text);
        return kinds[kind] = kinds.GetValueOrDefault(kind) + 1;
    });

    /// <summary>One line of JSON with everything.</summary>
    public string ToJson(HostileSettings settings, double seconds) => Locked(() => JsonSerializer.Serialize(new Dictionary<string, object>
    {
        ["suite"] = "hostile",
        ["seed"] = settings.Seed,
        ["scenes"] = scenes,
        ["rounds"] = rounds,
        ["failures"] = failures.Count,
        ["failure_kinds"] = kinds,
        ["known_faults"] = known,
        ["tables_stopped"] = stopped,
        ["records"] = records,
        ["hot_answers"] = hot,
        ["neighbour_commit_ms_p50"] = new { with_hands = Median(neighbour.Harmed), without = Median(neighbour.Quiet) },
        ["hands_that_could_not"] = idle,
        ["seconds"] = Math.Round(seconds),
        ["rounds_per_minute"] = (rounds / Math.Max(1, seconds) * 60).ToString("0.0", CultureInfo.InvariantCulture),
        ["hands"] = hands,
        ["shapes"] = shapes,
    }));

    private T Locked<T>(Func<T> act)
    {
        lock (gate)
        {
            return act();
        }
    }
}
