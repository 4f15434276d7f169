using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Frazil.Kafka;
using Frazil.Rig;
using Frazil.Verify;

namespace Frazil.EndToEnd.Hostile;

/// <summary>Answers over rows that were just read, and of what they were asked.</summary>
internal sealed record FirstAnswers(string Sql, JsonElement Answer, long HotRows);

/// <summary>What must hold after every round.</summary>
internal sealed class RoundChecks(HostileScene scene)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    private static readonly TimeSpan LookLimit = TimeSpan.FromSeconds(60);

    private bool columnsChanged;
    private bool rowsChanged;
    private bool plainMayBeLetters;
    private bool hasForeignRows;
    private bool hasLostMetadata;

    /// <summary>A column became required in this round: rows that were read before, and seen by SQL, may be dead letters after.</summary>
    private bool isTightened;

    /// <summary>How many answers of first questions came from memory.</summary>
    public long HotAnswers { get; private set; }

    public void BeginRound() => isTightened = false;

    /// <summary>What a hand did, as far as it changes what is right.</summary>
    public void Note(Hand hand, bool acted, JsonElement answer)
    {
        columnsChanged |= acted && hand.Risk == HandRisk.Columns;
        rowsChanged |= acted && hand.Risk is HandRisk.Rows or HandRisk.Stops;
        plainMayBeLetters |= acted && hand.Risk == HandRisk.Columns;
        isTightened |= acted && hand.Name == "raw-required";
        hasLostMetadata |= acted && hand.Name == "lose-metadata";
        hasForeignRows |= acted && !hand.OnLetters && answer.TryGetProperty("appended", out _);
    }

    /// <summary>The predicates' answers while rows are hot, if they come in time.</summary>
    public async Task<FirstAnswers?> AskFirstAsync(bool mayStop, CancellationToken cancellationToken)
    {
        try
        {
            (columnsChanged, rowsChanged) = (false, false);
            if (mayStop || (await scene.SaidAsync(HostileScene.Victim, cancellationToken)).State == "failed")
            {
                return null; // rows that were set back are read again, or nothing comes; the later checks tell
            }
            await scene.SqlAsync($"select 1 from {HostileScene.Victim} limit 1", afterAll: true, cancellationToken);
            var sql = Answers.Sql(HostileScene.Victim, await scene.ColumnsAsync(cancellationToken), scene.Fed.Ends);
            var answer = await scene.SqlAsync(sql, afterAll: true, cancellationToken);
            var hot = answer.GetProperty("scan").GetProperty("hot_rows").GetInt64();
            HotAnswers += hot > 0 ? 1 : 0;
            return new(sql, answer, hot);
        }
        catch (FrazilHttpException refused) when (refused.Status == HttpStatusCode.GatewayTimeout || IsTableless(refused))
        {
            scene.Note($"no first answers: {refused.Message}"); // no table yet, or one that cannot go on: the later checks tell
            return null;
        }
        catch (FrazilHttpException refused)
        {
            throw new HostileFailedException("sql", $"{refused.Message} for the first answers");
        }
    }

    /// <summary>Waits until the neighbour's rows are committed.</summary>
    /// <returns>How long that took.</returns>
    public async Task<TimeSpan> NeighbourAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var started = Stopwatch.StartNew();
        using var limit = new CancellationTokenSource(patience);
        while (!await scene.IsSettledAsync(HostileScene.Neighbour, scene.Beside, cancellationToken))
        {
            if (limit.IsCancellationRequested)
            {
                throw new HostileFailedException("neighbour",
                    $"the neighbour's rows are not committed after {patience.TotalSeconds} s; its state is {await scene.SaidAsync(HostileScene.Neighbour, cancellationToken)}");
            }
            await Task.Delay(Pause, cancellationToken);
        }
        var took = started.Elapsed;
        var said = await scene.SaidAsync(HostileScene.Neighbour, cancellationToken);
        if (said.State != "running")
        {
            throw new HostileFailedException("neighbour", $"its state is {said}");
        }
        return took;
    }

    private static bool IsTableless(FrazilHttpException refused)
        => refused.Message.Contains("not exist", StringComparison.OrdinalIgnoreCase) || refused.Status == HttpStatusCode.NotFound;

    /// <summary>A table that stopped must be allowed to, and say so everywhere.</summary>
    public async Task SaysSoAsync(TableSaid said, bool mayStop, CancellationToken cancellationToken)
    {
        if (!mayStop)
        {
            throw new HostileFailedException("stopped", $"{said.Reason}");
        }
        var metrics = await scene.Process!.GetAsync("/metrics", cancellationToken);
        var up = metrics.Split('\n').FirstOrDefault(static line => line.StartsWith($"frazil_table_up{{table=\"{HostileScene.Victim}\"", StringComparison.Ordinal));
        if (string.IsNullOrWhiteSpace(said.Reason) || up?.EndsWith(" 0", StringComparison.Ordinal) != true
            || !scene.Process.Text.Contains($"{HostileScene.Victim} stopped", StringComparison.Ordinal)
            || !(await scene.Process.GetAsync("/readyz", cancellationToken)).Contains(HostileScene.Victim, StringComparison.Ordinal))
        {
            throw new HostileFailedException(
                "silent", $"it failed with the reason '{said.Reason}'; the metric '{up}', the log, or /readyz do not say so");
        }
    }

    /// <summary>Every record once, other engines agree, answers are what they were, and the proof holds.</summary>
    public async Task SoundAsync(HostileRound round, FirstAnswers? first, CancellationToken cancellationToken)
    {
        JsonElement seen;
        try
        {
            seen = await LookAsync(round.Hands.Any(static hand => hand.Risk == HandRisk.Columns), cancellationToken);
        }
        catch (HostileFailedException) when (hasLostMetadata)
        {
            return; // a manifest is gone that commits need not read: nobody can read the table, and nothing can be proved of it
        }
        foreach (var kind in (string[])["missing", "twice", "unknown", "wrong"])
        {
            FailIfAny(kind, seen);
        }
        if (!plainMayBeLetters)
        {
            FailIfAny("misplaced", seen);
        }
        await CompareCountsAsync(seen, cancellationToken);
        await CompareAnswersAsync(first, seen, cancellationToken);
        await ProveAsync(seen, cancellationToken);
    }

    private async Task<JsonElement> LookAsync(bool schemaTouched, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LookLimit);
        try
        {
            return await scene.AskAsync(new() { ["op"] = "look", ["schema_touched"] = schemaTouched }, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HostileFailedException("engines", $"other engines have not read the table after {LookLimit.TotalSeconds} s");
        }
        catch (InvalidOperationException refused)
        {
            throw new HostileFailedException("engines", $"another engine cannot read the table: {refused.Message}");
        }
    }

    private static void FailIfAny(string kind, JsonElement seen)
    {
        var found = seen.GetProperty(kind);
        if (found.GetArrayLength() > 0)
        {
            throw new HostileFailedException(kind, $"{found.GetRawText()} of {seen.GetProperty("rows").GetInt64()} rows and {seen.GetProperty("letters").GetInt64()} dead letters");
        }
    }

    private async Task CompareCountsAsync(JsonElement seen, CancellationToken cancellationToken)
    {
        var counts = seen.GetProperty("counts");
        if (counts.ValueKind == JsonValueKind.Null)
        {
            return;
        }
        var rows = counts.GetProperty("rows").GetInt64();
        var counted = seen.GetProperty("rows").GetInt64() + seen.GetProperty("foreign").GetInt64();
        if (rows != counted)
        {
            throw new HostileFailedException("engines", $"DuckDB counts {rows} rows, PyIceberg {counted}");
        }
        var columns = counts.GetProperty("columns").EnumerateObject().ToList();
        var named = (await scene.ColumnsAsync(cancellationToken)).Select(static column => column.Name).ToList();
        // Of names that SQL cannot tell apart, or keeps for itself, ours have the field id behind them.
        string NameOf(string name) => named.Contains(name) ? name : named.First(one => one.StartsWith($"{name}_", StringComparison.Ordinal));
        var ours = (await SqlAsync(Answers.CountSql(HostileScene.Victim, columns.Select(one => NameOf(one.Name))), cancellationToken)).GetProperty("rows")[0];
        List<string> differences = [.. columns.Index().Where(one => ours[one.Index + 1].GetInt64() != one.Item.Value.GetInt64())
            .Select(one => $"{one.Item.Name}: ours {ours[one.Index + 1]}, DuckDB's {one.Item.Value}")];
        if (ours[0].GetInt64() != rows || differences.Count > 0)
        {
            throw new HostileFailedException("counts", $"our SQL has {ours[0]} rows, DuckDB {rows}; values of columns: {string.Join("; ", differences)}");
        }
    }

    private async Task CompareAnswersAsync(FirstAnswers? first, JsonElement seen, CancellationToken cancellationToken)
    {
        if (first is null || columnsChanged || rowsChanged || isTightened || seen.GetProperty("gone").GetInt64() > 0)
        {
            return;
        }
        var later = await SqlAsync(first.Sql, cancellationToken);
        var difference = Answers.Difference(first.Answer, later);
        if (difference.Length > 0)
        {
            throw new HostileFailedException("answers", $"with {first.HotRows} rows in memory at first: {difference}");
        }
    }

    private async Task<JsonElement> SqlAsync(string sql, CancellationToken cancellationToken)
    {
        try
        {
            return await scene.SqlAsync(sql, afterAll: false, cancellationToken);
        }
        catch (FrazilHttpException refused)
        {
            throw new HostileFailedException("sql", $"{refused.Message} for {sql}");
        }
    }

    /// <summary>The proof finds what the hands did to rows, and nothing else.</summary>
    private async Task ProveAsync(JsonElement seen, CancellationToken cancellationToken)
    {
        if (seen.TryGetProperty("no_table", out _))
        {
            return;
        }
        var proof = await scene.VerifyAsync(cancellationToken);
        var (deleted, copied) = (Positions(seen.GetProperty("deleted")), Positions(seen.GetProperty("copied")));
        foreach (var partition in proof.Partitions)
        {
            foreach (var finding in partition.Findings)
            {
                var excused = finding.Kind == FindingKind.Duplicate ? copied : deleted;
                if (finding.Offsets.Count == 0 || !finding.Offsets.All(range => Covers(excused, partition.Partition.Partition, range)))
                {
                    throw new HostileFailedException("proof", finding.Text);
                }
            }
        }
        if (proof.Findings.FirstOrDefault(finding => !hasForeignRows || finding.Kind != FindingKind.CannotTell) is { } whole && seen.GetProperty("gone").GetInt64() == 0)
        {
            throw new HostileFailedException("proof", whole.Text);
        }
    }

    private static HashSet<(int, long)> Positions(JsonElement pairs)
        => [.. pairs.EnumerateArray().Select(static pair => (pair[0].GetInt32(), pair[1].GetInt64()))];

    private static bool Covers(HashSet<(int, long)> positions, int partition, OffsetRange range)
    {
        for (var offset = range.First; offset <= range.Last; offset++)
        {
            if (!positions.Contains((partition, offset)))
            {
                return false;
            }
        }
        return true;
    }
}
