using System.Text;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Json;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>A table as a server would tell of it, and a catalog on that server.</summary>
internal static class RestScene
{
    public const string TablePath = "/v1/namespaces/shop/tables/orders";

    public static TableIdentifier Orders { get; } = TableIdentifier.Parse("shop.orders");

    public static Schema Simple { get; } = new(0, [new(1, "id", true, IcebergType.Long), new(2, "name", false, IcebergType.String)]);

    /// <summary>Its first version.</summary>
    public static TableMetadata Metadata(string location = "file:///tmp/frazil-no-such/orders") => TableMetadataBuilder.Create(
        Simple, PartitionSpec.Unpartitioned, SortOrder.Unsorted, location, new Dictionary<string, string>(), TimeProvider.System);

    /// <summary>An answer that brings it.</summary>
    /// <param name="metadata">The version.</param>
    /// <param name="version">In the name of its file.</param>
    /// <param name="more">Further fields of the answer.</param>
    public static string Loaded(TableMetadata metadata, int version = 1, string more = "")
        => $$"""{"metadata-location":"{{metadata.Location}}/metadata/{{version:00000}}-x.metadata.json","metadata":{{Encoding.UTF8.GetString(TableMetadataJson.Write(metadata))}}{{more}}}""";

    public static Snapshot NewSnapshot(long id, long sequence = 1, long? parent = null)
        => new(id, parent, sequence, 1, "file:///tmp/frazil-no-such/list", new Dictionary<string, string> { ["operation"] = "append" }, 0);

    public static TableUpdate[] Append(Snapshot snapshot)
        => [new TableUpdate.AddSnapshot(snapshot), new TableUpdate.SetSnapshotRef(SnapshotRef.MainBranch, new SnapshotRef(snapshot.SnapshotId))];

    public static TableMetadata With(this TableMetadata metadata, Snapshot snapshot)
        => TableMetadataBuilder.From(metadata, TimeProvider.System).Apply(Append(snapshot)).Build();

    public static Task<RestCatalog> OpenAsync(ScriptedServer server, params (string Name, string Value)[] properties)
        => OpenAsync(server, TimeProvider.System, static _ => new LocalFileIO(), properties);

    public static Task<RestCatalog> OpenAsync(
        ScriptedServer server, TimeProvider time, Func<StoreAccess, IFileIO> stores, params (string Name, string Value)[] properties)
        => RestCatalog.OpenAsync(new()
        {
            Uri = server.Uri,
            Properties = properties.ToDictionary(static pair => pair.Name, static pair => pair.Value),
            OpenStore = stores,
            Time = time,
        });
}

/// <summary>A clock that a test moves. What waits on it goes on at once, and the clock with it.</summary>
internal sealed class HurriedTime : TimeProvider
{
    private readonly Lock gate = new();
    private TimeSpan passed;

    /// <summary>What was waited for.</summary>
    public List<TimeSpan> Waits { get; } = [];

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp()
    {
        lock (gate)
            return passed.Ticks;
    }

    public override DateTimeOffset GetUtcNow()
    {
        lock (gate)
            return new DateTimeOffset(2026, 11, 28, 12, 0, 0, TimeSpan.Zero) + passed;
    }

    public void Pass(TimeSpan time)
    {
        lock (gate)
            passed += time;
    }

    /// <summary>Deadlines of requests (10 s and more) never come; waits are over at once.</summary>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime == Timeout.InfiniteTimeSpan || dueTime == TimeSpan.FromSeconds(60))
            return System.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        lock (gate)
        {
            Waits.Add(dueTime);
            passed += dueTime;
        }
        return System.CreateTimer(callback, state, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }
}
