using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Frazil.Config;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Demo;

/// <summary>What the demo was asked for.</summary>
/// <param name="Duration">Null: until Ctrl-C.</param>
/// <param name="Rate">Records a second.</param>
/// <param name="Folder">Where everything goes.</param>
/// <param name="Seed">Of the events.</param>
internal sealed record DemoOptions(TimeSpan? Duration, int Rate, string Folder, int Seed)
{
    public const string Topic = "user_events";
    public const string Table = "shop.user_events";
    public const int Partitions = 6;
    public const int FlushIntervalSeconds = 3;

    private const int UsualPort = 7070;

    /// <summary>Reads 20s, 2m, 1h or a number of seconds.</summary>
    /// <exception cref="VerbException">It is none of these.</exception>
    public static TimeSpan? ParseDuration(string? text)
    {
        if (text is null)
        {
            return null;
        }
        var unit = text.Length > 0 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3600, _ => 0 } : 0;
        var digits = unit == 0 ? text : text[..^1];
        return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0
            && number * Math.Max(1, unit) <= 86_400
            ? TimeSpan.FromSeconds(number * Math.Max(1, unit))
            : throw new VerbException($"--duration is \"{text}\"; write 20s, 2m or 1h, at most a day", ExitCode.BadUsage);
    }

    /// <summary>The engine's options for a mock cluster.</summary>
    public FrazilOptions Build(string bootstrapServers, string folder)
    {
        var builder = new FrazilOptionsBuilder()
            .FromKafka(bootstrapServers)
            .InFolder(folder)
            .AddTable(Table, Topic, table => table with
            {
                Columns = new Dictionary<string, string> { ["event_timestamp"] = "timestamptz", ["amount"] = "decimal(10,2)" },
                PartitionBy = ["day(event_timestamp)"],
            });
        // The mock cluster answers a fetch that finds nothing when its time is up, whatever comes meanwhile.
        builder.Kafka = builder.Kafka with { Properties = new Dictionary<string, string> { ["fetch.wait.max.ms"] = "20" } };
        builder.HotBuffer = builder.HotBuffer with { FlushIntervalSeconds = FlushIntervalSeconds, TtlSeconds = 5, MaxMemoryMb = 512 };
        builder.Server = builder.Server with { Http = $"127.0.0.1:{FreePort()}", Postgres = "" };
        return builder.Build();
    }

    /// <summary>A configuration with which to look at what the demo left.</summary>
    public static string ConfigText(FrazilOptions options) => $"""
        # Of the last `frazil demo`. Its broker is gone, but its table can be queried:
        #   frazil query -c {options.DataDir}/frazil.toml "select count(*) from {Table}"
        data_dir = {Config.ConfigText.Quote(options.DataDir)}

        [kafka]
        bootstrap_servers = {Config.ConfigText.Quote(options.Kafka.BootstrapServers)}

        [catalog]
        uri = {Config.ConfigText.Quote(options.Catalog.Uri)}
        warehouse = {Config.ConfigText.Quote(options.Catalog.Warehouse)}

        [server]
        http = {Config.ConfigText.Quote(options.Server.Http)}
        postgres = ""

        [[tables]]
        name = "{Table}"
        topics = ["{Topic}"]
        columns = {Config.ConfigText.Format(options.Tables[0].Columns)}
        partition_by = {Config.ConfigText.Format(options.Tables[0].PartitionBy)}

        """.ReplaceLineEndings("\n");

    /// <summary>The usual port where it is free, else any that is.</summary>
    private static int FreePort()
    {
        foreach (var port in new[] { UsualPort, 0 })
        {
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken; the next one then.
            }
        }
        return 0;
    }
}
