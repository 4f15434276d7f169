// The README's library example. Between the markers it is the same text, line by line, as the C# block there; ReadmeTests compares them.
using Frazil;
using Frazil.Config;
using Frazil.Query;

namespace Readme;

internal static class ReadmeExample
{
    public static async Task RunAsync()
    {
        // README
        var options = new FrazilOptions
        {
            Kafka = new() { BootstrapServers = "localhost:9092" },
            Tables =
            [
                new()
                {
                    Name = "shop.user_events",
                    Topics = ["user_events"],
                    Columns = new Dictionary<string, string> { ["event_timestamp"] = "timestamptz" },
                },
            ],
        };

        await using var frazil = await FrazilEngine.StartAsync(options);
        var result = await frazil.Sql.QueryAsync(new SqlRequest("select event_type, count(*) from shop.user_events group by event_type"));
        foreach (var row in result.Rows)
        {
            Console.WriteLine($"{row[0]}: {row[1]}");
        }
        await frazil.StopAsync(); // flushes and commits what is hot
        // end
    }
}
