using System.Runtime.InteropServices;
using Frazil.Bench;
using Frazil.Rig;

const string Usage = """
    bench [NAME…] [--records N] [--json] [--list]
      NAME       a measurement, or the beginning of its name (default: all)
      --records  records per measurement instead of each one's own number
      --json     one JSON line a figure on standard output (always so where that is not a terminal)
    """;

var measurements = new (string Name, bool NeedsKit, Func<BenchRun, CancellationToken, Task> RunAsync)[]
{
    ("ingest-290b", true, (run, cancellation) => IngestBench.RunAsync(run, RecordStream.Events, cancellation)),
    ("ingest-1kb", true, (run, cancellation) => IngestBench.RunAsync(run, RecordStream.WideEvents, cancellation)),
    ("stage-290b", true, (run, cancellation) => StageBench.RunAsync(run, RecordStream.Events, cancellation)),
    ("stage-1kb", true, (run, cancellation) => StageBench.RunAsync(run, RecordStream.WideEvents, cancellation)),
    ("duckdb", true, DuckDbAlone.RunAsync),
    ("freshness", true, FreshnessBench.RunAsync),
    ("query", true, UnionBench.RunAsync),
    ("sql-workers", false, WorkerBench.RunAsync),
    ("memory", true, MemoryBench.RunAsync),
    ("many-tables", true, ManyTablesBench.RunAsync),
    ("recovery", true, RecoveryBench.RunAsync),
    ("log", true, LogBench.RunAsync),
    ("decode", false, DecodeBench.RunAsync),
    ("parquet-writers", true, ParquetWriterBench.RunAsync),
    ("odd-records", false, OddRecordsBench.RunAsync),
    ("parquet-readers", true, ParquetReaderBench.RunAsync),
    ("compact", true, CompactionBench.RunAsync),
    ("peer", true, PeerBench.RunAsync),
    ("profile", true, ProfileBench.RunAsync),
};

var (names, records, json) = (new List<string>(), (long?)null, Console.IsOutputRedirected);
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--records" when i + 1 < args.Length && long.TryParse(args[i + 1], out var count) && count > 0:
            (records, i) = (count, i + 1);
            break;
        case "--json":
            json = true;
            break;
        case "--help" or "-h":
            Console.WriteLine($"{Usage}\nnames: {Names()}");
            return 0;
        case "--list":
            Array.ForEach(measurements, measurement => Console.WriteLine(measurement.Name));
            return 0;
        case var name when measurements.Any(measurement => measurement.Name.StartsWith(name, StringComparison.Ordinal)):
            names.Add(name);
            break;
        default:
            Console.Error.WriteLine($"bench: not understood: {args[i]}\n{Usage}\nnames: {Names()}");
            return 2;
    }
}

using var interrupted = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt); // brokers must not outlive us
var failures = 0;
await using var run = new BenchRun(new Figures(json), records);
foreach (var (name, needsKit, runAsync) in measurements)
{
    if (names.Count > 0 && !names.Any(wanted => name.StartsWith(wanted, StringComparison.Ordinal)))
    {
        continue;
    }
    if (needsKit && Kit.Folder is null)
    {
        BenchRun.Say($"{name} skipped: it {Kit.Absent}");
        continue;
    }
    try
    {
        await runAsync(run, interrupted.Token);
    }
    catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
    {
        BenchRun.Say("interrupted");
        return 1;
    }
    catch (Exception failure)
    {
        // One figure that cannot be had must not cost the others.
        failures++;
        BenchRun.Say($"{name} failed: {failure}");
    }
}
return failures == 0 ? 0 : 1;

void Interrupt(PosixSignalContext context)
{
    context.Cancel = true;
    interrupted.Cancel();
}

string Names() => string.Join(", ", measurements.Select(measurement => measurement.Name));
