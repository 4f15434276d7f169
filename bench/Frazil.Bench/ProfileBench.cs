using System.Diagnostics;
using System.Globalization;
using Frazil.Rig;

namespace Frazil.Bench;

/// <summary>
/// Where the CPU time of a record goes, from the topic to the commit: the real binary, sampled by <c>perf</c> from the end of the warm-up to the
/// last record. Each sample counts for the part of the journey that its thread and function belong to. Prints nanoseconds a row and writes the
/// picture of docs/performance.md.
/// </summary>
internal static class ProfileBench
{
    private const int SamplesPerSecond = 499;

    public static async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        if (!File.Exists("/usr/bin/perf"))
        {
            BenchRun.Say("profile skipped: it needs perf (/usr/bin/perf)");
            return;
        }
        var stream = RecordStream.Events;
        var count = run.Records(stream.UsualCount);
        var topic = await run.TopicAsync(stream, count, cancellationToken);
        var folder = run.NewFolder("profile");
        BenchRun.Say($"sampling the ingest of {count:N0} records");
        var (rows, cpu, samples) = await SampleAsync(folder, topic, count, cancellationToken);
        var parts = ProfileParts.All.ToDictionary(static part => part, static _ => 0L);
        foreach (var sample in samples)
        {
            parts[ProfileParts.Of(sample)]++;
        }
        var nanoseconds = cpu * 1e9 / rows / samples.Count;
        foreach (var (part, hits) in parts)
        {
            run.Figures.Add($"profile.{part.Name}.ns_per_row", hits * nanoseconds, "ns", part.What);
        }
        run.Figures.Add(
            "profile.sum.ns_per_row", cpu * 1e9 / rows, "ns", $"{rows:N0} rows after {count - rows:N0} of warm-up, {cpu:F1} CPU-s, {samples.Count:N0} samples");
        var picture = Path.Combine(Path.GetTempPath(), "frazil-profile.svg");
        await File.WriteAllTextAsync(picture, ProfilePicture.Draw(parts, nanoseconds), cancellationToken);
        BenchRun.Say($"the picture is {picture}");
    }

    private static async Task<(long Rows, double Cpu, List<ProfileSample> Samples)> SampleAsync(
        string folder, Topic topic, long count, CancellationToken cancellationToken)
    {
        var config = new FrazilConfig { BootstrapServers = topic.Bootstrap, Topic = topic.Name, FlushIntervalSeconds = 10, FlushSizeMb = 100 };
        var environment = new Dictionary<string, string> { ["DOTNET_PerfMapEnabled"] = "1" };
        var data = Path.Combine(folder, "perf.data");
        await using var frazil = FrazilProcess.Start(folder, config.HttpPort, environment, "run", "-c", config.Write(folder));
        await frazil.ReadyAsync(cancellationToken);
        var warm = await IngestBench.SeenAsync(frazil, count / 4, cancellationToken);
        var before = frazil.Cost;
        var pid = frazil.Pid.ToString(CultureInfo.InvariantCulture);
        using var perf = Process.Start(new ProcessStartInfo("perf",
            ["record", "-q", "-F", SamplesPerSecond.ToString(CultureInfo.InvariantCulture), "-p", pid, "-o", data]) { RedirectStandardError = true })!;
        var seen = await IngestBench.SeenAsync(frazil, count, cancellationToken);
        var after = frazil.Cost;
        var map = JitMap.Read($"/tmp/perf-{pid}.map");
        await frazil.StopAsync(cancellationToken);
        await perf.WaitForExitAsync(cancellationToken); // it ends with the process
        return (seen - warm, after.CpuSeconds - before.CpuSeconds, await ReadAsync(data, map, cancellationToken));
    }

    private static async Task<List<ProfileSample>> ReadAsync(string data, JitMap map, CancellationToken cancellationToken)
    {
        var samples = new List<ProfileSample>();
        using var script = Process.Start(new ProcessStartInfo("perf", ["script", "-i", data, "-F", "comm,ip,sym,dso", "-G"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var errors = script.StandardError.ReadToEndAsync(cancellationToken);
        while (await script.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
        {
            if (ProfileSample.Parse(line, map) is { } sample)
            {
                samples.Add(sample);
            }
        }
        await script.WaitForExitAsync(cancellationToken);
        return samples.Count > 0 ? samples : throw new InvalidOperationException($"perf saw nothing: {await errors}");
    }
}
