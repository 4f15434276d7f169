using Frazil.Commit;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Commit;

/// <summary>Invariant 10 for topics: what the brokers answer, held against what the table records, in a real SQL catalog.</summary>
public sealed class TopicIdentitiesTests : IAsyncLifetime
{
    private static readonly TableIdentifier Table = TableIdentifier.Parse("shop.events");
    private static readonly TopicPartition P0 = new("events", 0);
    private static readonly Guid Old = Guid.NewGuid();
    private static readonly Guid New = Guid.NewGuid();

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-test-{Guid.NewGuid():N}");
    private readonly KafkaAdmin nobody = new("127.0.0.1:1");
    private SqlCatalog catalog = null!;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(folder);
        catalog = await SqlCatalog.OpenAsync($"sqlite:{folder}/catalog.db", $"{folder}/warehouse", new LocalFileIO());
        await catalog.CreateNamespaceAsync(Table.Namespace);
        await catalog.CreateTableAsync(Table, new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]));
    }

    public async ValueTask DisposeAsync()
    {
        await nobody.DisposeAsync();
        await catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task The_id_is_recorded_with_the_first_commit_and_another_process_refuses_another_id()
    {
        await CommitAsync(Answer(Old), next: 10);
        var version = await VersionAsync();
        Assert.Equal(Old.ToString(), version.Metadata.Properties["frazil.topic-id.events"]);

        NewProcess().Compare(Answer(Old), version);
        var refused = Assert.Throws<PipelineFailedException>(() => NewProcess().Compare(Answer(New), version));
        Assert.Contains("topic events was deleted and recreated", refused.Message, StringComparison.Ordinal);
        Assert.Contains(Old.ToString(), refused.Message, StringComparison.Ordinal);
        Assert.Contains(New.ToString(), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_topic_that_is_recreated_before_the_first_commit_is_refused_too()
    {
        var identities = NewProcess();
        identities.Compare(Answer(Old), await VersionAsync());
        Assert.Throws<PipelineFailedException>(() => identities.Compare(Answer(New), null));
    }

    [Fact]
    public async Task A_recorded_id_is_never_replaced_by_a_later_commit()
    {
        await CommitAsync(Answer(Old), next: 10);
        var twin = NewProcess();
        twin.Compare(Answer(New), null); // it asked before there was anything to compare with
        await CommitAsync(twin, recorded: 10, next: 20);
        Assert.Equal(Old.ToString(), (await VersionAsync()).Metadata.Properties["frazil.topic-id.events"]);
    }

    [Fact]
    public async Task A_topic_that_is_not_there_or_whose_id_cannot_be_asked_for_is_not_taken_for_another_one()
    {
        await CommitAsync(Answer(Old), next: 10);
        var identities = NewProcess();
        identities.Compare(new(new Dictionary<string, Guid>(), "the broker is older than Kafka 2.8"), await VersionAsync());
        identities.Compare(new(new Dictionary<string, Guid>(), null), await VersionAsync());
    }

    [Fact]
    public async Task Brokers_that_are_away_do_not_hold_a_flush_up()
        => await NewProcess().ConfirmAsync(["events"], await VersionAsync(), TestContext.Current.CancellationToken);

    private async Task CommitAsync(TopicIds answer, long next)
    {
        var identities = NewProcess();
        identities.Compare(answer, await VersionAsync());
        await CommitAsync(identities, recorded: null, next);
    }

    private async Task CommitAsync(TopicIdentities identities, long? recorded, long next)
    {
        var state = new TableState(catalog, Table);
        var committer = new TableCommitter(state, new TableMetrics(), NullLogger.Instance, identities);
        var file = new DataFile
        {
            Path = $"file://{folder}/{Guid.NewGuid():N}.parquet",
            SpecId = 0,
            RecordCount = next - (recorded ?? 0),
            FileSizeBytes = 100,
        };
        await committer.CommitAsync(
            new(Guid.NewGuid().ToString(), [new CommitUnit([new(P0, recorded, next)], [file])]), TestContext.Current.CancellationToken);
    }

    private async Task<TableVersion> VersionAsync()
        => (await new TableState(catalog, Table).RefreshAsync(TestContext.Current.CancellationToken))!;

    /// <summary>No broker listens at its address: only <see cref="TopicIdentities.ConfirmAsync"/> would ask there.</summary>
    private TopicIdentities NewProcess() => new(nobody, "shop.events", NullLogger.Instance);

    private static TopicIds Answer(Guid id) => new(new Dictionary<string, Guid> { ["events"] = id }, null);
}
