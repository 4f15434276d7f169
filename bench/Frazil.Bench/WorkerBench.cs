using System.Diagnostics;
using System.Text;
using Frazil.Columnar;
using Frazil.Query;
using Frazil.Server;

namespace Frazil.Bench;

/// <summary>SQL in worker processes against SQL in this process, the two taking turns: what leaving the process costs.</summary>
internal static class WorkerBench
{
    private const int WarmUp = 20;
    private const int Rounds = 200;
    private static readonly ColumnFields Fields = new(
        [new ColumnField("id", ColumnType.Int64, 1), new ColumnField("kind", ColumnType.Utf8, 2), new ColumnField("amount", ColumnType.Float64, 3)]);

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var rows = (int)run.Records(500_000);
        var chunk = Fill(rows);
        var folder = run.NewFolder("workers");
        var options = new SqlExecutorOptions { Directories = [folder], SpillDirectory = Path.Combine(folder, "spill") };
        await using var inProcess = new SqlExecutor(options);
        await using var workers = new SqlExecutor(options with { WorkerCommand = FrazilServer.WorkerCommand() });
        foreach (var (name, sql) in new[]
        {
            ("trivial", "select 1"), ("aggregate", "select kind, count(*), sum(amount) from shop.events group by kind order by kind"),
        })
        {
            var (here, there) = (new List<double>(), new List<double>());
            for (var round = 0; round < WarmUp + Rounds; round++)
            {
                here.Add(await AskAsync(inProcess, sql, chunk, cancellationToken));
                there.Add(await AskAsync(workers, sql, chunk, cancellationToken));
            }
            run.Figures.Add($"sql.{name}.in_process", Median(here), "ms", name == "trivial" ? null : $"{rows:N0} hot rows");
            run.Figures.Add($"sql.{name}.worker", Median(there), "ms");
            run.Figures.AddRatio($"sql.{name}.ratio", $"sql.{name}.worker", $"sql.{name}.in_process");
        }
        run.Figures.Add("sql.worker.replaced", await MeasureReplacementAsync(workers, chunk, cancellationToken), "ms", "a statement after one whose worker was killed");
        await using var withoutSpare = new SqlExecutor(options with { WorkerCommand = FrazilServer.WorkerCommand(), SpareWorkers = 0 });
        run.Figures.Add("sql.worker.started", await MeasureReplacementAsync(withoutSpare, chunk, cancellationToken), "ms", "the same where none waits");
        chunk.Unpin();
    }

    /// <summary>From the moment when a worker is killed until another one has answered.</summary>
    private static async Task<double> MeasureReplacementAsync(SqlExecutor workers, ColumnChunk chunk, CancellationToken cancellationToken)
    {
        const int Kills = 10;
        using var gate = new SqlGate();
        var times = new List<double>();
        for (var round = 0; round < Kills; round++)
        {
            await using (var chunks = await workers.StreamAsync(gate.Parse("select repeat('x', 1000) from range(1000000000)"), [], cancellationToken))
            {
                (await chunks.ReadAsync(cancellationToken))?.Dispose();
            }
            times.Add(await AskAsync(workers, "select 1", chunk, cancellationToken)); // the one before was killed as its reader went
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
        }
        return times.Order().ElementAt(Kills / 2);
    }

    private static async Task<double> AskAsync(SqlExecutor executor, string sql, ColumnChunk chunk, CancellationToken cancellationToken)
    {
        using var gate = new SqlGate();
        var parsed = gate.Parse(sql);
        var views = chunk.TakeViews(out var count);
        var table = new TableInput { Namespace = "shop", Name = "events", Schema = Fields, HotSlices = [new BatchSlice { Schema = Fields, Columns = views, Count = count }] };
        var started = Stopwatch.GetTimestamp();
        await executor.ExecuteAsync(parsed, [table], Timeout.InfiniteTimeSpan, cancellationToken);
        return Stopwatch.GetElapsedTime(started).TotalMilliseconds;
    }

    private static ColumnChunk Fill(int rows)
    {
        var chunk = new ColumnChunk(Fields, rows, new MemoryAccount());
        for (var row = 0; row < rows; row++)
        {
            chunk.Column<FixedWriter<long>>(0).Append(row);
            chunk.Column<BytesWriter>(1).Append(Encoding.UTF8.GetBytes($"a kind of event {row % 20}"));
            chunk.Column<FixedWriter<double>>(2).Append(row * 0.01);
            chunk.EndRow();
        }
        chunk.Publish();
        return chunk;
    }

    private static double Median(List<double> values) => values.Skip(WarmUp).Order().ElementAt((values.Count - WarmUp) / 2);
}
