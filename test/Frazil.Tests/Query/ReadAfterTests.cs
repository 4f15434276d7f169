using System.Diagnostics;
using Frazil.Commit;
using Frazil.Iceberg.Catalogs;
using Frazil.Query;
using Frazil.Tests.Commit;
using Xunit;

namespace Frazil.Tests.Query;

public sealed class ReadAfterTests
{
    /// <summary>Hundreds of those who wait for records that never come must not take the processors that ingest needs.</summary>
    [Fact]
    public async Task Who_waits_for_a_record_that_does_not_come_asks_the_catalog_twice_a_second_at_most()
    {
        const int FirstLooks = 8; // after 0, 20, 40, 80 … 640 ms
        await using var scratch = new ScratchCatalog();
        var name = TableIdentifier.Parse("shop.orders");
        await scratch.CreateTableAsync(name);
        var looks = 0;
        scratch.Catalog.BeforeLoad = () => Interlocked.Increment(ref looks);
        var table = new QueryTable(new TableState(scratch.Catalog, name), null) { Reads = static _ => true };
        var started = Stopwatch.GetTimestamp();
        using var enough = new CancellationTokenSource(TimeSpan.FromSeconds(3));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ReadAfter.WaitAsync(
            new Dictionary<string, IReadOnlyDictionary<int, long>> { ["orders"] = new Dictionary<int, long> { [0] = 1000 } }, [table], enough.Token));

        // The slower the machine, the fewer they are.
        Assert.InRange(looks, 1, FirstLooks + (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * 2));
    }
}
