using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Queries over hot and cold rows while flushes, commits and retirement go on.</summary>
public sealed class UnionTests(SharedBroker shared)
{
    [Fact]
    public async Task A_count_never_dips_and_never_doubles_while_flushes_and_commits_run()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "union", bootstrap => Scene.Usual(bootstrap, "union", flushSeconds: 0.3));
        await using var frazil = await scene.StartReadyAsync(time.Token);
        await using var load = scene.StartLoad(time.Token);
        await scene.UntilRowsAsync(frazil, 1, time.Token); // the column seq is not there before the first record

        var (last, queries) = (0L, 0);
        var sql = $"select count(*), count(distinct seq), coalesce(max(seq), -1), sum(1) from {scene.Config.Table}";
        while (!load.IsCompleted || last < (await load.StopAsync()).Records)
        {
            var answer = await frazil.SqlAsync(sql, time.Token);
            var (count, distinct, highest) = (answer.Long(0, 0), answer.Long(0, 1), answer.Long(0, 2));
            Assert.Equal(count, distinct); // no record twice
            Assert.Equal(count, answer.Long(0, 3));
            Assert.True(count >= last, $"query {queries}: {count} rows after {last}");
            Assert.True(highest >= count - 1, $"query {queries}: {count} rows, but seq only to {highest}");
            (last, queries) = (count, queries + 1);
            if (await frazil.MetricAsync("frazil_commits_total", time.Token) >= 15)
            {
                load.Stop();
            }
        }
        var ledger = await load.StopAsync();
        await Scene.StopCleanlyAsync(frazil, time.Token);

        await scene.AssertExactlyAsync(ledger, gaps: false, time.Token);
    }

    [Fact]
    public async Task A_reader_that_names_an_offset_sees_it()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var scene = await Scene.SetAsync(shared, "own-writes", bootstrap => Scene.Usual(bootstrap, "own-writes", flushSeconds: 0.3));
        await using var frazil = await scene.StartReadyAsync(time.Token);
        for (var round = 0; round < 10; round++)
        {
            var first = round * 500;
            var ledger = await Kit.LoadAsync(
                scene.Config.BootstrapServers, "own-writes", 500, time.Token, "--first", $"{first}", "--keys", "1");
            var (partition, count) = ledger.Counts!.Single(partition => partition.Value > 0);
            Assert.Equal(500, count);
            var body = $$$"""{"sql": "select count(*) from {{{scene.Config.Table}}}", "read_after": {"own-writes": {"{{{partition}}}": {{{first + 499}}} } }, "timeout_ms": 240000}""";
            var answer = await frazil.PostSqlAsync(body, time.Token);
            Assert.Equal(first + 500, answer.Long(0, 0));
        }
        await Scene.StopCleanlyAsync(frazil, time.Token);
    }
}
