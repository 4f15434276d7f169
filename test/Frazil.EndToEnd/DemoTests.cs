using System.Globalization;
using System.Text.RegularExpressions;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

public sealed partial class DemoTests(SharedBroker shared)
{
    [Fact]
    public async Task The_demo_shows_rows_and_leaves_a_table_that_a_foreign_engine_reads()
    {
        using var time = new CancellationTokenSource(TimeSpan.FromMinutes(8));
        var folder = shared.NewFolder("demo");

        var (code, output, errors) = await FrazilProcess.RunAsync(folder, ["demo", "--duration", "6"], time.Token);

        Assert.True(code == 0, output + errors);
        var catalog = Directory.EnumerateFiles(folder, "*.db", SearchOption.AllDirectories).SingleOrDefault()
            ?? CatalogPath().Match(output).Value;
        Assert.True(File.Exists(catalog), $"no catalog left behind:\n{output}");
        SharedBroker.SkipWithoutKit();
        var seen = await Referee.QueryAsync(catalog, "shop.user_events",
            "select count(*), count(distinct (kafka_partition, kafka_offset)), (select sum(n) from (select max(kafka_offset) + 1 as n from t group by kafka_partition)) from t",
            time.Token);
        var numbers = seen.GetProperty("rows")[0].EnumerateArray()
            .Select(value => long.Parse(value.GetString()!, CultureInfo.InvariantCulture)).ToArray();
        Assert.True(numbers[0] > 1_000, $"only {numbers[0]} rows after the demo:\n{output}");
        Assert.Equal(numbers[0], numbers[1]);
        Assert.Equal(numbers[0], numbers[2]);
    }

    [GeneratedRegex(@"/\S+\.db")]
    private static partial Regex CatalogPath();
}
