namespace Frazil.EndToEnd.Crash;

/// <summary>What a whole scene is like.</summary>
/// <param name="Partitions">Partitions of its topic.</param>
/// <param name="ActivePartitions">Those that records are written to.</param>
/// <param name="BadRecords">Some records are broken JSON.</param>
/// <param name="Transactions">The producer is transactional, and aborts one in four.</param>
/// <param name="OwnBroker">A broker of its own, which may be killed.</param>
/// <param name="SmallDisk">The warehouse is a file system of its own, small enough to be filled.</param>
/// <param name="SharesEntry">Its table is one of two of the same entry, which share a consumer; both get the same records.</param>
internal sealed record SceneTraits(
    int Partitions, int ActivePartitions, bool BadRecords, bool Transactions, bool OwnBroker, bool SmallDisk, bool SharesEntry);

internal enum RoundKind
{
    /// <summary>Killed while records arrive, at any moment.</summary>
    Random,
    /// <summary>Killed at a named point of the protocol.</summary>
    Point,
    /// <summary>A file just written is cut in half, then killed.</summary>
    Tear,
    /// <summary>Killed while it recovers from the kill before.</summary>
    Recovery,
    /// <summary>Store or catalog fail now and then; it must recover by itself. Killed when that was seen.</summary>
    Error,
    /// <summary>Store or catalog are slow; killed at any moment.</summary>
    Delay,
    /// <summary>After the kill, the local disk is lost or damaged.</summary>
    Disk,
    /// <summary>A foreign engine commits between our commits; then killed.</summary>
    Foreign,
    /// <summary>A second instance comes, takes its share, and dies; then the first one, too.</summary>
    Twin,
    /// <summary>Two more instances come and go; then all die.</summary>
    Triplet,
    /// <summary>Stopped for longer than its session while a second instance takes over; woken; then both are killed.</summary>
    Zombie,
    /// <summary>The wall clock steps while it runs; killed.</summary>
    Clock,
    /// <summary>The broker is killed and started again under load; then Frazil is killed.</summary>
    Broker,
    /// <summary>The warehouse's disk is full for a while; it must recover by itself; killed when that was seen.</summary>
    DiskFull,
    /// <summary>Records bring a new field; killed at any moment.</summary>
    NewField,
    /// <summary>A replay of a range runs beside the ingest, and is killed at one of its points or not; then Frazil is killed.</summary>
    Replay,
    /// <summary>A compaction runs beside the ingest, and is killed at one of its points or not; then Frazil is killed.</summary>
    Compact,
}

/// <param name="Kind">What happens.</param>
/// <param name="Faults">The value of FRAZIL_FAULTS; empty for none.</param>
/// <param name="Detail">What the kind needs to know more.</param>
/// <param name="Milliseconds">When the kill falls, where no point decides it.</param>
internal sealed record Round(RoundKind Kind, string Faults = "", string Detail = "", int Milliseconds = 0)
{
    public string Name => $"{Kind} {Faults}{Detail}".TrimEnd();
}

internal sealed record ScenePlan(int Index, SceneTraits Traits, IReadOnlyList<Round> Rounds);

/// <summary>Draws scenes and their rounds; the same seed and index give the same scene.</summary>
internal static class CrashPlan
{
    public const int RoundsPerScene = 20;

    private static readonly string[] KillPoints =
    [
        "log.append", "log.synced", "flush.sealed", "flush.file-written", "flush.logged", "commit.begin", "commit.staged", "commit.swapped",
        "commit.logged", "flush.retired", "store.create.before", "store.create.after", "store.read",
    ];

    private static readonly string[] TornPoints = ["log.append", "flush.file-written", "store.create.after"];

    private static readonly string[] RecoveryPoints = [
        "recovery.begin", "recovery.committed", "recovery.cleaned", "log.append", "commit.swapped"];

    private static readonly string[] ErrorPlans =
    [
        "commit.staged=error%40", "commit.swapped=error%40", "commit.staged=error%20;commit.swapped=error%20",
        "store.create.before=error%15",
        "store.create.after=error%15", "store.read=error%15", "store.delete=error%50;commit.staged=error%30", "flush.file-written=error%30",
        "commit.begin=error%30", "store.create.before=error%8;store.create.after=error%8;store.read=error%8;commit.swapped=error%15",
    ];

    private static readonly string[] DelayPlans =
        ["commit.staged=delay:700", "commit.swapped=delay:900", "store.create.after=delay:200", "flush.file-written=delay:400", "log.append=delay:30"];

    private static readonly string[] ReplayPoints =
        ["replay.decoded", "replay.files-written", "replay.staged", "replay.swapped", "replay.letters-committed", "replay.committed"];

    private static readonly string[] CompactionPoints =
        ["compact.planned", "compact.file-written", "compact.files-written", "compact.staged", "compact.swapped", "compact.committed"];

    private static readonly string[] DiskDetails = ["data_dir lost", "log emptied", "log cut", "log flipped"];

    private static readonly string[] ForeignDetails = ["expire", "compact", "property", "append", "expire, compact"];

    /// <summary>Kinds that any scene may draw, with their weights.</summary>
    private static readonly (RoundKind Kind, int Weight)[] Weights =
    [
        (RoundKind.Point, 46), (RoundKind.Random, 12), (RoundKind.Tear, 8), (RoundKind.Recovery, 10), (RoundKind.Error, 6),
        (RoundKind.Delay, 4),
        (RoundKind.Disk, 4), (RoundKind.Foreign, 6), (RoundKind.Twin, 2), (RoundKind.Triplet, 1), (RoundKind.Zombie, 1),
        (RoundKind.Clock, 2),
        (RoundKind.NewField, 3), (RoundKind.Replay, 4), (RoundKind.Compact, 4),
    ];

    public static ScenePlan Draw(int seed, int index, string? only)
    {
        var random = new Random(unchecked((seed * 1_000_003) ^ (index * 7919)));
        var partitions = random.Next(4, 7);
        var traits = new SceneTraits(partitions, random.Next(3) == 0 ? random.Next(1, partitions + 1) : partitions, random.Next(4) == 0,
            random.Next(4) == 0, OwnBroker: index % 16 == 11, SmallDisk: index % 8 == 5, SharesEntry: index % 2 == 0 || index % 16 == 11);
        var rounds = new List<Round>();
        while (rounds.Count < RoundsPerScene)
        {
            rounds.AddRange(DrawRounds(random, traits, rounds.Count).Where(round => IsWanted(round, only)));
        }
        return new(index, traits, rounds);
    }

    private static bool IsWanted(Round round, string? only)
        => only is null || only.Split(',').Any(part => round.Name.Contains(part, StringComparison.OrdinalIgnoreCase));

    private static IEnumerable<Round> DrawRounds(Random random, SceneTraits traits, int drawn)
    {
        if (traits.OwnBroker && random.Next(6) == 0)
        {
            return [new(RoundKind.Broker)];
        }
        if (traits.SmallDisk && random.Next(6) == 0)
        {
            return [new(RoundKind.DiskFull)];
        }
        return DrawKind(random) switch
        {
            RoundKind.Point => [Kill(random, traits, drawn)],
            RoundKind.Tear => [new(RoundKind.Tear, $"{Any(random, TornPoints)}=tear@{random.Next(1, 4)}")],
            RoundKind.Recovery => [Kill(random, traits, drawn), .. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Recovery(random))],
            RoundKind.Error => [new(RoundKind.Error, Any(random, ErrorPlans))],
            RoundKind.Delay => [new(RoundKind.Delay, Any(random, DelayPlans), Milliseconds: random.Next(500, 2500))],
            RoundKind.Disk => [new(RoundKind.Disk, Detail: Any(random, DiskDetails), Milliseconds: random.Next(100, 1200))],
            RoundKind.Foreign => [Foreign(random)],
            RoundKind.Replay => [
                new(RoundKind.Replay, random.Next(4) == 0 ? "" : $"{Any(random, ReplayPoints)}=kill@1", Milliseconds: random.Next(0, 300))],
            RoundKind.Compact => [
                new(RoundKind.Compact, random.Next(4) == 0 ? "" : $"{Any(random, CompactionPoints)}=kill@1", Milliseconds: random.Next(0, 300))],
            RoundKind.Clock => [
                new(
                    RoundKind.Clock, Detail: $"{Any(random, ["-86400", "-7", "-0.5", "3600", "2678400"])} s",
                    Milliseconds: random.Next(300, 1200))],
            var kind => [new(kind, Milliseconds: random.Next(50, 1500))],
        };
    }

    private static Round Kill(Random random, SceneTraits traits, int drawn)
    {
        var roll = random.Next(40);
        var point = drawn == 0 && roll < 20 ? "table.created"
            : traits.BadRecords && roll < 6 ? "deadletters.committed"
            : roll == 39 && drawn > 0 ? "schema.swapped"
            : Any(random, KillPoints);
        var most = point is "log.append" or "log.synced" or "store.create.after" or "store.create.before" or "store.read" ? 9 : 4;
        return new(RoundKind.Point, $"{point}=kill@{(point is "table.created" or "schema.swapped" ? 1 : random.Next(1, most))}");
    }

    private static Round Recovery(Random random)
    {
        var point = Any(random, RecoveryPoints);
        return new(RoundKind.Recovery, $"{point}=kill@{(point == "log.append" ? random.Next(1, 5) : 1)}");
    }

    /// <summary>Half of them with a crash of ours at the worst moment: after the swap, before we know, with the foreign commit on
    /// top.</summary>
    private static Round Foreign(Random random)
        => new(RoundKind.Foreign,
            random.Next(2) == 0 ? "" : Any(random, ["commit.swapped=kill@2", "commit.staged=kill@2", "commit.swapped=error%50"]),
            Any(random, ForeignDetails).Insert(0, " "), random.Next(300, 1200));

    private static RoundKind DrawKind(Random random)
    {
        var roll = random.Next(Weights.Sum(static entry => entry.Weight));
        foreach (var (kind, weight) in Weights)
        {
            if ((roll -= weight) < 0)
            {
                return kind;
            }
        }
        throw new InvalidOperationException("the weights do not add up");
    }

    private static T Any<T>(Random random, T[] of) => of[random.Next(of.Length)];
}
