using System.Globalization;
using Frazil.Query;

namespace Frazil.Server.Demo;

/// <summary>Looks at a running demo through SQL, as any user would, and through the engine's status.</summary>
internal sealed class DemoWatch(FrazilEngine engine, string table, Func<long> produced)
{
    private const int CommitsKept = 6;
    private static readonly TimeSpan AggregateInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly TimeProvider clock = TimeProvider.System;
    private readonly List<DemoCommit> commits = [];
    private long start;
    private (long Timestamp, long Rows) last;
    private long lastAggregate;
    private SqlResult? aggregate;

    /// <summary>The example that is shown.</summary>
    public static string AggregateSql(string table, DateTimeOffset now) => $"""
        select event_type, count(*) as events, count(distinct user_id) as visitors, sum(amount) as amount
        from {table} where event_timestamp > {Literal(now - Window)}
        group by event_type order by events desc
        """;

    /// <summary>Freshness of each sample so far.</summary>
    public List<TimeSpan> Freshness { get; } = [];

    /// <summary>Takes a sample; null while the table has no rows yet.</summary>
    public async Task<DemoSample?> SampleAsync(CancellationToken cancellationToken)
    {
        SqlResult count;
        try
        {
            count = await engine.Sql.QueryAsync(new SqlRequest($"select count(*) from {table}"), cancellationToken);
        }
        catch (SqlException) when (start == 0)
        {
            return null; // the table has no columns before its first record
        }
        var rows = Convert.ToInt64(count.Rows[0][0], CultureInfo.InvariantCulture);
        if (rows == 0 && start == 0)
        {
            return null;
        }
        var now = clock.GetTimestamp();
        start = start == 0 ? now : start;
        var rate = last.Timestamp == 0 ? 0 : (rows - last.Rows) / Math.Max(0.001, clock.GetElapsedTime(last.Timestamp, now).TotalSeconds);
        last = (now, rows);
        await RefreshAggregateAsync(now, cancellationToken);
        var status = engine.Tables.First(one => one.Name == table);
        NoteCommit(status, now);
        return new DemoSample
        {
            Elapsed = clock.GetElapsedTime(start, now),
            Produced = produced(),
            VisibleRows = rows,
            HotRows = count.Scan.HotRows,
            RowsPerSecond = rate,
            Freshness = await MeasureFreshnessAsync(cancellationToken),
            QueryTime = count.Elapsed,
            Table = status,
            Commits = [.. commits],
            Aggregate = aggregate,
        };
    }

    private async Task RefreshAggregateAsync(long now, CancellationToken cancellationToken)
    {
        if (aggregate is null || clock.GetElapsedTime(lastAggregate, now) >= AggregateInterval)
        {
            aggregate = await engine.Sql.QueryAsync(new SqlRequest(AggregateSql(table, clock.GetUtcNow())), cancellationToken);
            lastAggregate = now;
        }
    }

    /// <summary>Events carry the moment they were produced, so the newest one that a query gives tells how old the answer is.</summary>
    private async Task<TimeSpan?> MeasureFreshnessAsync(CancellationToken cancellationToken)
    {
        var recent = Literal(clock.GetUtcNow() - Window);
        var newest = await engine.Sql.QueryAsync(
            new SqlRequest($"select max(event_timestamp) from {table} where event_timestamp > {recent}"), cancellationToken);
        if (newest.Rows[0][0] is not DateTimeOffset instant)
        {
            return null;
        }
        var age = clock.GetUtcNow() - instant;
        Freshness.Add(age);
        return age;
    }

    private void NoteCommit(TableStatus status, long now)
    {
        if (status.SnapshotId is { } snapshot && (commits.Count == 0 || commits[^1].SnapshotId != snapshot))
        {
            var before = commits.Count == 0 ? 0 : commits[^1].TotalRows;
            commits.Add(new DemoCommit(clock.GetElapsedTime(start, now), snapshot, status.CommittedRows - before, status.CommittedRows));
            commits.RemoveRange(0, Math.Max(0, commits.Count - CommitsKept));
        }
    }

    private static string Literal(DateTimeOffset instant)
        => $"timestamptz '{instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture)}+00'";
}
