using System.Collections.Concurrent;
using System.Net;
using Frazil.DuckDb;
using Frazil.Rig;

namespace Frazil.EndToEnd.Attacks;

/// <summary>Sends statements of a <see cref="StatementMutator"/> to a server, several at a time, and keeps what it should not have done.</summary>
internal sealed class StatementFuzz(FrazilProcess frazil, StatementMutator mutator, int seed)
{
    private const int Milliseconds = 250, Lanes = 4, Block = 200;

    /// <summary>What only files and the environment of the machine hold, and no answer may.</summary>
    private static readonly string[] Foreign = ["root:x:0:0", "DOTNET_NOLOGO=", "catalog.db"];

    /// <summary>A hundred times what a statement gets; no machine is as slow as that.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<string> faults = new(), breaking = new();
    private int answered, refused, late;

    /// <summary>Answers that must not be.</summary>
    public IReadOnlyCollection<string> Faults => faults;

    /// <summary>Statements that broke their worker: the gate could know them.</summary>
    public IReadOnlyCollection<string> Breaking => breaking;

    public object Counts => new { statements = answered + refused + late, answered, refused, late, broke_their_worker = breaking.Count, faults = faults.Count };

    /// <summary>Names of all functions that DuckDB has, those that the gate refuses among them.</summary>
    public static IReadOnlyList<string> FunctionNames()
    {
        using var duck = DuckDbInstance.Open(new Dictionary<string, string> { ["threads"] = "1" });
        using var connection = duck.Connect();
        using var found = connection.Query("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_name SIMILAR TO '[a-z_0-9]+' ORDER BY ALL");
        return [.. found.ReadRows().Select(static row => (string)row[0]!)];
    }

    /// <summary>After each few hundred statements more records must have come in than before them.</summary>
    public async Task RunAsync(int count, Action<string> say, CancellationToken cancellationToken)
    {
        for (var first = 0; first < count && !frazil.HasExited; first += Block)
        {
            var before = await RecordsAsync(cancellationToken);
            var numbers = Enumerable.Range(first, Math.Min(Block, count - first));
            await Parallel.ForEachAsync(numbers, new ParallelOptions { MaxDegreeOfParallelism = Lanes, CancellationToken = cancellationToken },
                async (number, token) => await TryAsync(mutator.Make(seed, number), token));
            await frazil.UntilAsync(async () => await RecordsAsync(cancellationToken) > before, TimeSpan.FromMilliseconds(50), cancellationToken);
            say($"{numbers.Last() + 1} statements: {answered} answered, {refused} refused, {late} late, {breaking.Count} broke their worker, {faults.Count} faults");
        }
    }

    private Task<double> RecordsAsync(CancellationToken cancellationToken) => frazil.MetricAsync("frazil_records_total", cancellationToken);

    private async Task TryAsync(string sql, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            Count(await Asking.AskAsync(frazil, sql, Milliseconds, patience.Token));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            faults.Enqueue($"no answer after {Patience.TotalSeconds} s: {sql}");
        }
        catch (HttpRequestException failure)
        {
            faults.Enqueue($"{failure.Message}: {sql}");
        }
    }

    private void Count(Asked asked)
    {
        _ = asked.Status switch
        {
            HttpStatusCode.OK => Interlocked.Increment(ref answered),
            HttpStatusCode.GatewayTimeout => Interlocked.Increment(ref late),
            _ => Interlocked.Increment(ref refused),
        };
        if (!asked.IsOrderly || (Foreign.FirstOrDefault(text => asked.Body.Contains(text, StringComparison.Ordinal)) is { } text && !asked.Sql.Contains(text, StringComparison.Ordinal)))
        {
            faults.Enqueue(asked.ToString());
        }
        if (asked.Body.Contains("The process that ran the query is gone", StringComparison.Ordinal))
        {
            breaking.Enqueue(asked.Sql);
        }
    }
}
