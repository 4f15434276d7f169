using System.CommandLine;
using Frazil.Server.CommandLine;
using Frazil.Server.Demo;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil demo</c>: everything, live, without a Kafka.</summary>
internal static class DemoVerb
{
    private const string Help = """
        See the whole pipeline live, without a Kafka: a mock broker inside this process, a shop's events produced to it,
        SQL over the rows as they arrive, commits as they land.
        Ends after --duration or at Ctrl-C, and checks that Iceberg has exactly what was produced. Each run begins anew:
        it empties the folder that the last demo used.
        """;

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var duration = new Option<string?>("--duration") { Description = "20s, 2m, 1h; default: until Ctrl-C", HelpName = "TIME" };
        var rate = new Option<int>("--rate") { Description = "Records a second", DefaultValueFactory = _ => 10_000, HelpName = "N" };
        var folder = new Option<string>("--dir")
        {
            Description = "Where the catalog, the table and the log go",
            DefaultValueFactory = _ => "frazil-data/demo",
            HelpName = "DIR",
        };
        var seed = new Option<int>("--seed") { Description = "Of the events", DefaultValueFactory = _ => 1, HelpName = "N" };
        var verb = new Verb("demo", Help)
        {
            Examples = """
                frazil demo
                frazil demo --duration 20s --rate 50000
                frazil demo --duration 10s --json
                """,
        };
        Array.ForEach<Option>([duration, rate, folder, seed], verb.Add);
        verb.SetAction(async (result, cancellationToken) =>
        {
            var perSecond = result.GetValue(rate);
            if (perSecond is < 1 or > 1_000_000)
            {
                throw new VerbException($"--rate is {perSecond}; allowed are 1 to 1000000 records a second", ExitCode.BadUsage);
            }
            var options = new DemoOptions(
                DemoOptions.ParseDuration(result.GetValue(duration)), perSecond, result.GetValue(folder)!, result.GetValue(seed));
            using var signals = new StopSignals(_ => { }, cancellationToken);
            return await new DemoRun(options, terminal, result.GetValue(common.Json)).RunAsync(signals.Token);
        });
        return verb;
    }
}
