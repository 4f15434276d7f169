using Frazil.Kafka;
using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd.Kafka;

/// <summary>One real broker for the tests of a class that neither kill nor reconfigure it.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-kafka-{Guid.NewGuid():N}");
    private Broker? broker;

    public string Bootstrap => broker!.Bootstrap;

    /// <summary>A name that no other test uses.</summary>
    public static string NewTopic(string what) => $"{what}-{Guid.NewGuid():N}";

    /// <summary>Skips the calling test where the kit is absent.</summary>
    public void Require() => Assert.SkipUnless(broker is not null, Kit.Absent);

    public async ValueTask InitializeAsync()
    {
        if (Kit.Folder is not null)
        {
            broker = await Broker.StartAsync(folder, ["--no-auto-create", .. Broker.NeverKilled], CancellationToken.None);
        }
    }

    /// <summary>A new topic of this many partitions.</summary>
    public async Task<string> CreateTopicAsync(string what, int partitions)
    {
        var topic = NewTopic(what);
        await using var admin = new KafkaAdmin(Bootstrap);
        await admin.CreateTopicAsync(topic, partitions);
        return topic;
    }

    public async ValueTask DisposeAsync()
    {
        if (broker is not null)
        {
            await broker.DisposeAsync();
        }
    }
}
