using Frazil.Config;
using Xunit;

namespace Frazil.Tests.Config;

public sealed class FrazilOptionsBuilderTests
{
    [Fact]
    public void A_builder_freezes_what_it_was_told()
    {
        var columns = new Dictionary<string, string> { ["event_timestamp"] = "timestamptz" };
        var builder = new FrazilOptionsBuilder()
            .FromKafka("localhost:9092")
            .InFolder("here")
            .AddTable("shop.user_events", "user_events", table => table with { Columns = columns, PartitionBy = ["day(event_timestamp)"] });
        builder.HotBuffer = builder.HotBuffer with { FlushIntervalSeconds = 5 };
        var options = builder.Build();
        columns.Clear();
        Assert.Equal("timestamptz", options.Tables[0].Columns["event_timestamp"]);
        Assert.Equal(5, options.HotBuffer.FlushIntervalSeconds);
        Assert.Equal("here", options.DataDir);
    }

    [Fact]
    public void A_builder_checks_as_the_file_does_and_tells_every_error()
    {
        var builder = new FrazilOptionsBuilder().FromKafka("nowhere").AddTable("events", "user events");
        builder.HotBuffer = builder.HotBuffer with { FlushSizeMb = 0, TtlSeconds = -1 };
        builder.Kafka = builder.Kafka with { Properties = new Dictionary<string, string> { ["enable.auto.commit"] = "true" } };
        var refused = Assert.Throws<ConfigException>(builder.Build);
        Assert.Equal(
            ["hot_buffer.flush_size_mb", "hot_buffer.ttl_seconds", "kafka.bootstrap_servers", "kafka.properties.enable.auto.commit", "tables[0].name", "tables[0].topics"],
            refused.Errors.Select(error => error.Key));
    }
}
