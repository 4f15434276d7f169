using System.Globalization;
using Frazil.Config;
using Frazil.Kafka;
using Frazil.Query;
using Frazil.Server.CommandLine;
using Frazil.Server.Logging;
using Frazil.Server.Verbs;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Frazil.Server.Demo;

/// <summary>The whole pipeline in one process: mock brokers, a producer, the server, and someone who watches it through SQL.</summary>
internal sealed class DemoRun(DemoOptions options, Terminal terminal, bool asJson)
{
    private static readonly TimeSpan RefreshInterval = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CatchUpLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FirstRowLimit = TimeSpan.FromSeconds(90);

    private readonly TimeProvider clock = TimeProvider.System;
    private readonly DemoReport report = new(terminal, asJson);

    /// <summary>Runs to the end of the duration or until stopped.</summary>
    /// <returns>The exit code: 0 when Iceberg has exactly what was produced.</returns>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        using var folder = DemoFolder.Prepare(options.Folder);
        using var cluster = new MockCluster();
        cluster.CreateTopic(DemoOptions.Topic, DemoOptions.Partitions);
        var settings = options.Build(cluster.BootstrapServers, folder.Path);
        await File.WriteAllTextAsync(folder.ConfigFile, DemoOptions.ConfigText(settings), stop);
        await using var log = new StreamWriter(folder.LogFile) { AutoFlush = true };
        using var loggers = ConsoleLog.CreateFactory(log, LogLevel.Information, json: false, coloured: false);
        await using var server = new FrazilServer(settings, loggers);
        await server.StartAsync(stop);
        await using var producer = new ShopProducer(
            cluster.BootstrapServers, DemoOptions.Topic, options.Rate, options.Seed,
            () => server.Engine.Tables.Sum(table => table.Records + table.BadRecords));
        producer.Start();
        var watch = new DemoWatch(server.Engine, DemoOptions.Table, () => producer.Produced);
        var start = clock.GetTimestamp();
        await WatchAsync(server, watch, stop);
        report.Say("stopping: the last rows are flushed and committed");
        var produced = await producer.FinishAsync(CancellationToken.None);
        var seconds = clock.GetElapsedTime(start).TotalSeconds;
        await CatchUpAsync(server.Engine, produced);
        await server.StopAsync(CancellationToken.None);
        var summary = await SummarizeAsync(settings, folder, watch, server.Engine, produced, seconds);
        report.Summarize(summary);
        return summary.IsExact ? ExitCode.Done : ExitCode.Failed;
    }

    private Task WatchAsync(FrazilServer server, DemoWatch watch, CancellationToken stop)
    {
        if (!terminal.IsInteractive || asJson)
        {
            report.Say($"frazil demo: {DemoOptions.Topic} ({DemoOptions.Partitions} partitions of a mock Kafka) → {DemoOptions.Table}; {options.Rate} records/s"
                + (server.HttpAddress is { } http ? $"; console and SQL at {http}" : ""));
            return LoopAsync(server, watch, LineInterval, report.Sample, () => { }, stop);
        }
        return AnsiConsole.Live(DemoView.Waiting("starting")).AutoClear(false).StartAsync(context => LoopAsync(
            server, watch, RefreshInterval,
            sample => context.UpdateTarget(DemoView.Of(sample, options, server.HttpAddress, AnsiConsole.Profile.Width)),
            () => context.UpdateTarget(DemoView.Waiting("the consumer joins its group, which takes the mock broker a few seconds …")),
            stop));
    }

    private async Task LoopAsync(
        FrazilServer server, DemoWatch watch, TimeSpan interval, Action<DemoSample> show, Action wait, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(interval, clock);
        var start = clock.GetTimestamp();
        try
        {
            do
            {
                ThrowIfFailed(server.Engine);
                if (await watch.SampleAsync(stop) is not { } sample)
                {
                    wait();
                    ThrowIfLate(clock.GetElapsedTime(start));
                    continue;
                }
                show(sample);
                if (options.Duration is { } duration && sample.Elapsed >= duration)
                {
                    return;
                }
            }
            while (await timer.WaitForNextTickAsync(stop));
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Ctrl-C ends the watching, not the work: what was produced is still committed.
        }
    }

    private static void ThrowIfFailed(FrazilEngine engine)
    {
        if (engine.Tables.FirstOrDefault(table => table.State == "failed") is { } failed)
        {
            throw new VerbException($"the table {failed.Name} failed: {failed.Reason}");
        }
    }

    private void ThrowIfLate(TimeSpan waited)
    {
        if (waited > FirstRowLimit)
        {
            throw new VerbException($"no row arrived within {FirstRowLimit.TotalSeconds:0} s; {options.Folder}/frazil.log may say why");
        }
    }

    /// <summary>Until the engine has read what was produced; stopping then commits it.</summary>
    private async Task CatchUpAsync(FrazilEngine engine, long produced)
    {
        using var limit = new CancellationTokenSource(CatchUpLimit, clock);
        while (engine.Tables.Sum(table => table.Records) < produced)
        {
            ThrowIfFailed(engine);
            try
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), clock, limit.Token);
            }
            catch (OperationCanceledException)
            {
                return; // the summary tells what is missing
            }
        }
    }

    private async Task<DemoSummary> SummarizeAsync(
        FrazilOptions settings, DemoFolder folder, DemoWatch watch, FrazilEngine engine, long produced, double seconds)
    {
        await using var session = await SqlSession.OpenCatalogAsync(settings);
        var counts = await session.QueryAsync(new SqlRequest(
            $"select count(*), (select count(*) from (select distinct kafka_partition, kafka_offset from {DemoOptions.Table})) from {DemoOptions.Table}"));
        await using var catalog = await CatalogReader.OpenAsync(settings.Catalog, CancellationToken.None);
        var table = (await catalog.LoadAsync(DemoOptions.Table, CancellationToken.None))[0];
        var freshness = watch.Freshness.Order().ToList();
        return new DemoSummary
        {
            Folder = folder,
            ShownFolder = options.Folder,
            Produced = produced,
            IcebergRows = Convert.ToInt64(counts.Rows[0][0], CultureInfo.InvariantCulture),
            DistinctPositions = Convert.ToInt64(counts.Rows[0][1], CultureInfo.InvariantCulture),
            Commits = engine.Tables.First(one => one.Name == DemoOptions.Table).Commits,
            RowsPerSecond = produced / Math.Max(0.001, seconds),
            FreshnessP50 = Percentile(freshness, 0.5),
            FreshnessP99 = Percentile(freshness, 0.99),
            TableLocation = CatalogReader.Shown(table, table.Metadata.Location),
            MetadataFile = CatalogReader.Shown(table, table.MetadataLocation),
        };
    }

    private static TimeSpan? Percentile(List<TimeSpan> sorted, double share)
        => sorted.Count == 0 ? null : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * share))];
}
