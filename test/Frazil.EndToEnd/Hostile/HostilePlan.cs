namespace Frazil.EndToEnd.Hostile;

/// <summary>What a whole scene is like.</summary>
/// <param name="Partitions">Of the topic.</param>
/// <param name="TableLines">Further lines of the harmed table's section of the configuration.</param>
/// <param name="FlushIntervalSeconds">Short: commits at any moment; longer: rows stay hot for a while.</param>
/// <param name="OddFirst">The record that makes the table is an odd one.</param>
internal sealed record HostileTraits(int Partitions, IReadOnlyList<string> TableLines, double FlushIntervalSeconds, bool OddFirst)
{
    public override string ToString()
        => $"{Partitions} partitions, flush every {FlushIntervalSeconds} s{(OddFirst ? ", odd records first" : "")}, {string.Join("; ", TableLines.Skip(1))}";
}

/// <summary>When a hand acts.</summary>
internal enum HandMoment
{
    /// <summary>On a table that is at rest.</summary>
    Before,
    /// <summary>While records are read and committed.</summary>
    During,
}

/// <summary>What a hand may do to us.</summary>
internal enum HandRisk
{
    /// <summary>Nothing: rows, answers and ingest are as they were.</summary>
    None,
    /// <summary>Columns are others, so that a record may become a dead letter and an answer another one.</summary>
    Columns,
    /// <summary>Rows are others.</summary>
    Rows,
    /// <summary>The table may stop, if it says so.</summary>
    Stops,
}

/// <param name="Name">As hands.py calls it.</param>
/// <param name="Pick">Seeds its draws.</param>
/// <param name="OnLetters">It harms the dead-letter table.</param>
internal sealed record Hand(string Name, int Pick, HandMoment Moment, HandRisk Risk, int Milliseconds, bool OnLetters = false)
{
    public override string ToString() => OnLetters ? $"{Name} of letters" : Name;
}

/// <param name="Number">Of the whole run.</param>
/// <param name="Seed">Seeds the records.</param>
/// <param name="Shapes">Odd shapes that producers send.</param>
/// <param name="Restart">The process is stopped and started before.</param>
internal sealed record HostileRound(int Number, int Seed, IReadOnlyList<string> Shapes, IReadOnlyList<Hand> Hands, bool Restart)
{
    public string Name => $"{(Restart ? "restart " : "")}[{string.Join(' ', Hands)}] {string.Join(' ', Shapes.Distinct())}";

    /// <summary>Whether the answers before and after may differ with right.</summary>
    public bool KeepsAnswers => Hands.All(static hand => hand.Risk == HandRisk.None);
}

internal sealed record HostileScenePlan(int Index, HostileTraits Traits, IReadOnlyList<HostileRound> Rounds);

/// <summary>Draws scenes and their rounds; the same seed and index give the same scene.</summary>
internal static class HostilePlan
{
    public const int RoundsPerScene = 6;

    /// <summary>The one hand that is ours: <c>frazil maintain compact</c>, in another process.</summary>
    public const string OwnCompaction = "frazil-compact";

    private static readonly (string Name, HandRisk Risk, int Weight)[] Hands =
    [
        ("set-property", HandRisk.None, 30), ("drop-properties", HandRisk.None, 4), ("document-column", HandRisk.None, 2),
        ("add-column", HandRisk.Columns, 10), ("drop-column", HandRisk.Columns, 8), ("rename-column", HandRisk.Columns, 8),
        ("move-column", HandRisk.None, 4), ("promote-column", HandRisk.Columns, 5), ("make-optional", HandRisk.None, 2),
        ("change-spec", HandRisk.None, 8), ("change-order", HandRisk.None, 4), ("tag", HandRisk.None, 4), ("expire", HandRisk.None, 5),
        ("fast-forward", HandRisk.Rows, 4), ("append", HandRisk.Rows, 6), ("delete", HandRisk.Rows, 5), ("overwrite", HandRisk.Rows, 5),
        ("copy-rows", HandRisk.Rows, 2), ("raw-future", HandRisk.None, 2), ("raw-unknown-keys", HandRisk.None, 2),
        ("raw-no-logs", HandRisk.None, 2), ("raw-no-refs", HandRisk.None, 2), ("raw-one-schema", HandRisk.None, 2),
        ("raw-ids-ahead", HandRisk.None, 2), ("raw-bare-summaries", HandRisk.None, 2), ("raw-statistics", HandRisk.None, 2),
        ("raw-moved", HandRisk.None, 2), ("change-struct", HandRisk.Columns, 6), ("old-metadata", HandRisk.None, 2),
        ("hold-catalog", HandRisk.None, 2), ("raw-twin-schema", HandRisk.None, 2), ("raw-strange-order", HandRisk.None, 2),
        ("raw-strange-spec", HandRisk.None, 2), ("raw-many-properties", HandRisk.None, 2), ("raw-required", HandRisk.Columns, 2),
        ("drop-marks", HandRisk.None, 3), ("raw-old-schema", HandRisk.Columns, 4), ("raw-old-spec", HandRisk.None, 3), ("raw-shuffled", HandRisk.None, 2),
        (OwnCompaction, HandRisk.None, 8),
    ];

    /// <summary>Those that harm the dead-letter table instead, now and then.</summary>
    private static readonly string[] LetterHands =
        ["set-property", "drop-properties", "tag", "expire", "append", "change-spec", "add-column", "raw-unknown-keys", "raw-no-logs", "raw-no-refs", "raw-ids-ahead"];

    /// <summary>What cannot be mended; the scene is over when the table has stopped for it.</summary>
    private static readonly string[] LastHands =
        ["drop-progress", "roll-back", "raw-replaced", "raw-no-properties", "drop-anew", "lose-file", "rename-table", "lose-metadata", "raw-version-3",
        "fall-back", "raw-replaced-bare"];

    private static readonly string[] PartitionBy =
    [
        "", "", "partition_by = [\"day(at)\"]", "partition_by = [\"name\"]", "partition_by = [\"bucket(4, name)\"]",
        "partition_by = [\"truncate(3, name)\", \"month(at)\"]", "partition_by = [\"flag\", \"amount\"]", "partition_by = [\"hour(at)\"]",
    ];

    private static readonly string[] KafkaColumns =
    [
        "", "", "kafka_columns = [\"kafka_partition\", \"kafka_offset\", \"kafka_timestamp\", \"kafka_topic\", \"kafka_key\", \"kafka_headers\"]",
        "kafka_columns = [\"kafka_partition\", \"kafka_offset\", \"kafka_key\"]", "kafka_columns = [\"kafka_partition\", \"kafka_offset\"]",
    ];

    public static HostileScenePlan Draw(int seed, int index, string? only)
    {
        var random = new Random(unchecked((seed * 1_000_033) ^ (index * 7907)));
        List<string> lines =
            ["""columns = { seq = "long", name = "string", amount = "decimal(10,2)", price = "double", at = "timestamptz", flag = "boolean" }"""];
        lines.AddRange(new[] { Any(random, PartitionBy), Any(random, KafkaColumns), 
            random.Next(4) == 0 ? "preserve_kafka_partitions = false" : "", random.Next(2) == 0 ? "on_rollback = \"read_again\"" : "" }
            .Where(static line => line.Length > 0));
        var traits = new HostileTraits(random.Next(1, 4), lines, random.Next(2) == 0 ? 0.2 : 1, random.Next(3) == 0);
        List<HostileRound> rounds = [];
        for (var number = index * RoundsPerScene; rounds.Count < RoundsPerScene;)
        {
            var round = DrawRound(random, number, rounds.Count);
            if (IsWanted(round, only))
            {
                rounds.Add(round);
                number++;
            }
        }
        return new(index, traits, rounds);
    }

    /// <summary>The same scene with less in it, the least first: its last round alone, without each earlier round, each hand, each shape.</summary>
    public static IEnumerable<HostileScenePlan> Less(HostileScenePlan plan)
    {
        if (plan.Rounds.Count > 1)
        {
            yield return plan with { Rounds = [plan.Rounds[^1] with { Restart = false }] };
        }
        for (var at = plan.Rounds.Count - 2; at >= 0; at--)
        {
            yield return plan with { Rounds = [.. plan.Rounds.Where((_, index) => index != at)] };
        }
        for (var at = plan.Rounds.Count - 1; at >= 0; at--)
        {
            var round = plan.Rounds[at];
            HostileScenePlan With(HostileRound less) => plan with { Rounds = [.. plan.Rounds.Select(one => one == round ? less : one)] };
            if (round.Shapes.Count > 0)
            {
                yield return With(round with { Shapes = [] });
            }
            foreach (var hand in round.Hands)
            {
                yield return With(round with { Hands = [.. round.Hands.Where(one => one != hand)] });
            }
        }
    }

    private static bool IsWanted(HostileRound round, string? only)
        => only is null || only.Split(',').Any(part => round.Name.Contains(part, StringComparison.OrdinalIgnoreCase));

    private static HostileRound DrawRound(Random random, int number, int drawn)
    {
        var shapes = Enumerable.Range(0, random.Next(0, 4)).SelectMany(_ =>
        {
            var shape = Any(random, [.. OddRecords.All]);
            return Enumerable.Repeat(shape, random.Next(1, 4));
        }).ToList();
        var hands = Enumerable.Range(0, random.Next(0, 4)).Select(_ => DrawHand(random)).ToList();
        if (drawn == RoundsPerScene - 1 && random.Next(2) == 0)
        {
            hands.Add(new(Any(random, LastHands), random.Next(), Moment(random), HandRisk.Stops, random.Next(400)));
        }
        return new(number, random.Next(), shapes, hands, random.Next(6) == 0);
    }

    private static Hand DrawHand(Random random)
    {
        if (random.Next(12) == 0)
        {
            return new(Any(random, LetterHands), random.Next(), Moment(random), HandRisk.None, random.Next(400), OnLetters: true);
        }
        var roll = random.Next(Hands.Sum(static hand => hand.Weight));
        var (name, risk, _) = Hands.First(hand => (roll -= hand.Weight) < 0);
        return new(name, random.Next(), Moment(random), risk, random.Next(400));
    }

    private static HandMoment Moment(Random random) => random.Next(2) == 0 ? HandMoment.Before : HandMoment.During;

    private static T Any<T>(Random random, T[] of) => of[random.Next(of.Length)];
}
