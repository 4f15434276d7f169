using System.CommandLine;
using Frazil.Iceberg.Catalogs;
using Frazil.Server.CommandLine;
using Frazil.Server.Output;
using Frazil.Verify;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil verify</c>: does the table hold every record exactly once? Exit code 0 only when that is shown.</summary>
internal static class VerifyVerb
{
    private const string Help = """
        Prove that a table holds every record of its topics exactly once, or say exactly where it does not.
        Compares what the catalog says of files, rows, dead letters and recorded gaps with what Kafka has and had. With --deep
        it reads the Kafka position of every row, and explains every offset that has none. Also while `frazil run` runs: it
        looks at one committed version. Exit code 1 when anything is missing, doubled, or cannot be shown.
        """;

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var name = new Argument<string?>("table") { Description = "namespace.table; all tables that record progress when left out", Arity = ArgumentArity.ZeroOrOne };
        var deep = new Option<bool>("--deep") { Description = "Read every row's position, and from Kafka what has no row" };
        var verb = new Verb("verify", Help)
        {
            Examples = """
                frazil verify
                frazil verify shop.user_events --deep
                frazil verify --deep --json | jq '.tables[] | select(.proven | not)'
                """,
        };
        verb.Add(name);
        verb.Add(deep);
        verb.SetAction(async (result, cancellationToken) =>
        {
            using var signals = new StopSignals(_ => { }, cancellationToken);
            var options = common.Load(result);
            await using var catalog = await CatalogReader.OpenAsync(options.Catalog, signals.Token);
            var verifier = new TableVerifier(catalog.Catalog, options.Kafka);
            var found = new List<TableVerification>();
            var asJson = result.GetValue(common.Json);
            foreach (var table in await ChooseAsync(catalog, result.GetValue(name), signals.Token))
            {
                var verification = await VerifyAsync(verifier, table, result.GetValue(deep), terminal, signals.Token);
                found.Add(verification);
                if (!asJson)
                {
                    terminal.Output.Write(VerificationText.ToText(verification, terminal.IsInteractive));
                }
            }
            if (asJson)
            {
                terminal.Output.WriteLine(VerificationText.ToJson(found));
            }
            return found.TrueForAll(static verification => verification.IsProven) ? ExitCode.Done : ExitCode.Failed;
        });
        return verb;
    }

    private static async Task<List<TableIdentifier>> ChooseAsync(CatalogReader catalog, string? name, CancellationToken cancellationToken)
    {
        var tables = await catalog.LoadAsync(name, cancellationToken);
        if (name is not null)
        {
            var identifier = tables[0].Identifier;
            return TableVerifier.LettersOf(identifier) is { } owner && await catalog.Catalog.TableExistsAsync(owner, cancellationToken)
                ? throw new VerbException(
                    $"{name} holds the dead letters of {owner}, which are verified with it: frazil verify {owner}", ExitCode.BadUsage)
                : [identifier];
        }
        var known = tables.Select(static table => table.Identifier).ToHashSet();
        var fed = tables.Where(
            table => TableVerifier.IsFed(table.Metadata)
                && !(TableVerifier.LettersOf(table.Identifier) is { } owner && known.Contains(owner)))
            .Select(static table => table.Identifier).ToList();
        return fed.Count > 0
            ? fed
            : throw new VerbException("the catalog has no table that records progress yet, so there is nothing to verify");
    }

    private static async Task<TableVerification> VerifyAsync(
        TableVerifier verifier, TableIdentifier table, bool deep, Terminal terminal, CancellationToken cancellationToken)
    {
        if (!terminal.IsErrorInteractive)
        {
            return await verifier.VerifyAsync(table, deep, null, cancellationToken);
        }
        using var bar = new ProgressLine(terminal.Error, table.ToString());
        return await verifier.VerifyAsync(table, deep, bar, cancellationToken);
    }
}
