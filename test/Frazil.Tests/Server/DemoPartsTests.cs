using System.Text;
using System.Text.Json;
using Frazil.Config;
using Frazil.Server.CommandLine;
using Frazil.Server.Demo;
using Xunit;

namespace Frazil.Tests.Server;

public sealed class DemoPartsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-demo-").FullName;

    public void Dispose() => Directory.Delete(folder, true);

    [Fact]
    public void Events_are_the_same_for_the_same_seed_and_valid_JSON()
    {
        using var one = new ShopEvents(7);
        using var two = new ShopEvents(7);
        var now = new DateTimeOffset(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);
        var types = new HashSet<string>();
        for (var number = 0; number < 2_000; number++)
        {
            var text = Encoding.UTF8.GetString(one.Next(now));
            Assert.Equal(text, Encoding.UTF8.GetString(two.Next(now)));
            using var json = JsonDocument.Parse(text);
            var root = json.RootElement;
            types.Add(root.GetProperty("event_type").GetString()!);
            Assert.Equal("2026-01-31T12:00:00.000000Z", root.GetProperty("event_timestamp").GetString());
            Assert.Equal(root.GetProperty("user_id").GetRawText(), Encoding.UTF8.GetString(one.Key));
            Assert.Equal(
                root.GetProperty("amount").ValueKind == JsonValueKind.Null, root.GetProperty("currency").ValueKind == JsonValueKind.Null);
            Assert.Equal(JsonValueKind.Object, root.GetProperty("device").ValueKind);
            Assert.Equal(JsonValueKind.Array, root.GetProperty("tags").ValueKind);
        }
        Assert.Equal(6, types.Count);
    }

    [Theory]
    [InlineData("20s", 20)]
    [InlineData("2m", 120)]
    [InlineData("1h", 3600)]
    [InlineData("1.5", 1.5)]
    public void Durations_are_read(string text, double seconds)
        => Assert.Equal(TimeSpan.FromSeconds(seconds), DemoOptions.ParseDuration(text));

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("0")]
    [InlineData("25h")]
    [InlineData("soon")]
    public void What_is_no_duration_is_bad_usage(string text)
        => Assert.Equal(ExitCode.BadUsage, Assert.Throws<VerbException>(() => DemoOptions.ParseDuration(text)).Code);

    [Fact]
    public void A_folder_of_an_earlier_demo_is_emptied_and_one_of_somebody_else_is_not()
    {
        using (DemoFolder.Prepare(folder))
        {
            File.WriteAllText(Path.Combine(folder, "catalog.db"), "old");
            Directory.CreateDirectory(Path.Combine(folder, "warehouse", "x"));
            Assert.Contains(
                "another demo", Assert.Throws<VerbException>(() => DemoFolder.Prepare(folder)).Message, StringComparison.Ordinal);
        }
        using (DemoFolder.Prepare(folder))
        {
            Assert.Equal([".frazil-demo"], Directory.EnumerateFileSystemEntries(folder).Select(Path.GetFileName));
        }
        File.Delete(Path.Combine(folder, ".frazil-demo"));
        File.WriteAllText(Path.Combine(folder, "precious.txt"), "mine");
        Assert.Contains("not empty", Assert.Throws<VerbException>(() => DemoFolder.Prepare(folder)).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(folder, "precious.txt")));
    }

    [Fact]
    public void The_configuration_that_a_demo_leaves_gives_its_options()
    {
        var options = new DemoOptions(null, 1, folder, 1).Build("127.0.0.1:9092", folder);
        var left = FrazilConfigFile.Parse(DemoOptions.ConfigText(options), environment: new Dictionary<string, string>()).Options;
        Assert.Equal(
            (options.Catalog.Uri, options.Catalog.Warehouse, options.Server.Http),
            (left.Catalog.Uri, left.Catalog.Warehouse, left.Server.Http));
        Assert.Equal(options.Tables[0].Columns, left.Tables[0].Columns);
        Assert.Equal(options.Tables[0].PartitionBy, left.Tables[0].PartitionBy);
    }
}
