using System.Runtime.InteropServices;
using System.Text;
using Frazil.Commit;
using Frazil.Config;
using Frazil.DeadLetters;
using Frazil.Flush;
using Frazil.Formats.Json;
using Frazil.Hot;
using Frazil.Iceberg;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Kafka;
using Frazil.Kafka.Native;
using Frazil.Maintain;
using Frazil.Query;
using Frazil.Tests.Commit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.DeadLetters;

/// <summary>Each dead letter is kept once, whatever was read again, cleared away or recreated. Real catalog, real files.</summary>
public sealed class DeadLetterSinkTests : IAsyncLifetime
{
    private static readonly TopicPartition Place = new("events", 0);
    private static readonly TableIdentifier Letters = TableIdentifier.Parse("shop.events_dlq");
    private static readonly Guid Topic = Guid.NewGuid();

    private readonly string folder = Path.Combine(Path.GetTempPath(), $"frazil-letters-{Guid.NewGuid():N}");
    private readonly HotBuffer hot = new();
    private readonly ParquetDataFileWriter writer = new();
    private FrazilOptions options = null!;
    private FaultyCatalog catalog = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        RdKafkaLibrary.Load();
        Directory.CreateDirectory(folder);
        options = new FrazilOptionsBuilder { Server = new() { Http = "" } }.InFolder(folder).AddTable("shop.events", "events").Build();
        catalog = new(await WarehouseCatalog.OpenAsync(options.Catalog, Cancel));
        await catalog.CreateNamespaceAsync(Letters.Namespace);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var batch in hot.Batches)
        {
            hot.Evict(batch);
        }
        await writer.DisposeAsync();
        await catalog.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Letters_that_are_read_again_after_a_crash_are_kept_once()
    {
        Assert.Equal(3, await KeepAsync(recorded: 0, end: 10, 2, 5, 9));
        Assert.Equal(0, await KeepAsync(recorded: 0, end: 10, 2, 5, 9));
        Assert.Equal(1, await KeepAsync(recorded: 0, end: 14, 2, 5, 9, 12));
        Assert.Equal([2L, 5, 9, 12], await KeptAsync());
    }

    [Fact]
    public async Task Letters_that_were_cleared_away_are_kept_again_when_the_table_is_read_from_its_beginning()
    {
        await KeepAsync(recorded: 0, end: 10, 2, 5, 9);
        await KeepAsync(recorded: 10, end: 20, 15);
        await ClearAsync(0); // the first file: the rows of one commit

        Assert.Equal(3, await KeepAsync(recorded: null, end: 20, 2, 5, 9, 15));

        Assert.Equal([2L, 5, 9, 15], await KeptAsync());
        Assert.Equal("""{"0":20}""", (await catalog.LoadTableAsync(Letters)).Metadata.Properties["frazil.offsets.events"]);
    }

    [Fact]
    public async Task Of_two_instances_that_keep_letters_again_at_the_same_time_one_does()
    {
        await KeepAsync(recorded: 0, end: 10, 2);
        await KeepAsync(recorded: 10, end: 20, 15);
        await ClearAsync(0);
        catalog.BeforeCommit = async () => Assert.Equal(1, await KeepAsync(recorded: 0, end: 10, 2));

        Assert.Equal(0, await KeepAsync(recorded: 0, end: 10, 2));

        Assert.Equal([2L, 15], await KeptAsync());
    }

    [Fact]
    public async Task A_lost_answer_is_not_taken_for_a_commit_where_no_progress_tells()
    {
        await KeepAsync(recorded: 0, end: 10, 2);
        await ClearAsync(0);
        catalog.BeforeCommit = static () => throw new CommitStateUnknownException("the line was cut");

        Assert.Equal(1, await KeepAsync(recorded: 0, end: 10, 2));
        Assert.Equal([2L], await KeptAsync());

        await ClearAsync(0);
        catalog.AfterCommit = static () => throw new CommitStateUnknownException("the line was cut");
        Assert.Equal(1, await KeepAsync(recorded: 0, end: 10, 2));
        Assert.Equal([2L], await KeptAsync());
    }

    [Fact]
    public async Task A_letter_is_rather_kept_twice_than_not_at_all_where_what_is_there_cannot_be_read()
    {
        await KeepAsync(recorded: 0, end: 10, 2);
        await KeepAsync(recorded: 10, end: 20, 15);
        var metadata = (await catalog.LoadTableAsync(Letters)).Metadata;
        var files = await LiveFiles.ListAsync(new ManifestCache(catalog.FileIO), metadata, metadata.CurrentSnapshot, Cancel);
        var harmed = catalog.FileIO.LocalPathFor(files.OrderBy(static one => one.Path, StringComparer.Ordinal).First().Path)!;
        var bytes = await File.ReadAllBytesAsync(harmed, Cancel);
        await File.WriteAllBytesAsync(harmed, new byte[bytes.Length], Cancel);

        Assert.Equal(1, await KeepAsync(recorded: 0, end: 20, 2, 15));

        await File.WriteAllBytesAsync(harmed, bytes, Cancel);
        Assert.Equal([2L, 2, 15], await KeptAsync());
    }

    [Fact]
    public async Task Letters_of_a_recreated_topic_are_kept_whatever_its_forerunner_had()
    {
        await KeepAsync(recorded: 0, end: 30, 2, 25);

        Assert.Equal(2, await KeepAsync(recorded: null, end: 10, identities: Identities(Guid.NewGuid()), 2, 5));

        Assert.Equal([2L, 2, 5, 25], await KeptAsync());
        Assert.Equal("""{"0":10}""", (await catalog.LoadTableAsync(Letters)).Metadata.Properties["frazil.offsets.events"]);
    }

    [Fact]
    public async Task A_letter_of_a_recreated_topic_is_kept_also_where_its_forerunner_had_one_of_the_same_offset_and_a_crash_came_between()
    {
        var second = Identities(Guid.NewGuid());
        await KeepAsync(recorded: 0, end: 30, 2, 25);
        await KeepAsync(recorded: null, end: 40, second, 2, 35);

        Assert.Equal(["2", "35"], (await BeyondAsync(0, second)).Split(", "));
        Assert.Equal(1, await KeepAsync(recorded: 10, end: 40, second, 25, 35));

        Assert.Equal([2L, 2, 25, 25, 35], await KeptAsync());
    }

    [Fact]
    public async Task Letters_beyond_the_tables_progress_are_named()
    {
        Assert.Equal("", await BeyondAsync(null, Identities(Topic)));
        await KeepAsync(recorded: 0, end: 10, 2, 5, 9);
        await KeepAsync(recorded: 10, end: 20, 15);

        Assert.Equal("2, 5, 9, 15", await BeyondAsync(null, Identities(Topic)));
        Assert.Equal("9, 15", await BeyondAsync(6, Identities(Topic)));
        Assert.Equal("", await BeyondAsync(20, Identities(Topic)));
        Assert.Equal("", await BeyondAsync(null, Identities(Guid.NewGuid()))); // another topic of that name
    }

    [Fact]
    public async Task Letters_are_kept_also_where_another_engine_has_partitioned_their_table()
    {
        await KeepAsync(recorded: 0, end: 10, 2);
        var metadata = (await catalog.LoadTableAsync(Letters)).Metadata;
        await catalog.CommitTableAsync(
            Letters, [],
            [
                new TableUpdate.AddSpec(PartitionSpecParser.Parse(["bucket(4, kafka_offset)"], metadata.CurrentSchema)),
                new TableUpdate.SetDefaultSpec(-1),
            ]);

        Assert.Equal(1, await KeepAsync(recorded: 10, end: 20, 15));

        Assert.Equal([2L, 15], await KeptAsync());
    }

    private Task<long> KeepAsync(long? recorded, long end, params long[] bad) => KeepAsync(recorded, end, Identities(Topic), bad);

    /// <summary>A process reads up to <paramref name="end"/> and comes by records that do not fit.</summary>
    private async Task<long> KeepAsync(long? recorded, long end, TopicIdentities identities, params long[] bad)
    {
        var sink = NewSink(identities);
        using var flush = new SealedFlush(Guid.CreateVersion7().ToString(), [Batch(recorded, end, bad)]);
        return await sink.CommitAsync(flush, Cancel);
    }

    /// <summary>The letters at or after the table's progress.</summary>
    private async Task<string> BeyondAsync(long? recorded, TopicIdentities identities)
    {
        var progress = recorded is { } next ? TableProgress.Empty.With([KeyValuePair.Create(Place, next)]) : null;
        return (await NewSink(identities).LettersBeyondAsync([Place.Topic], progress, Cancel)).GetValueOrDefault(Place)?.ToString() ?? "";
    }

    private DeadLetterSink NewSink(TopicIdentities identities)
        => new(new(catalog, new(catalog, Letters), NullLogger.Instance, new() { Identities = identities }), writer);

    private HotBatch Batch(long? recorded, long end, long[] bad)
    {
        var schema = new TableSchema(new Schema(0, [new NestedField(1, "id", false, IcebergType.Long)]), []);
        var partition = new HotPartition(Place, recorded, new()
        {
            Hot = hot,
            Memory = new MemoryBudget(1L << 30).Join(),
            Time = TimeProvider.System,
            Schema = () => schema,
            Declared = () => schema,
            Format = new JsonFormat(),
            OnBadRecord = OnBadRecord.Dlq,
            EvolveSchema = false,
            PinsStart = false,
            KindOfGap = static _ => SkipKind.Transaction,
        });
        partition.BeginAt(0);
        partition.BeginRun();
        foreach (var offset in bad)
        {
            Assert.Equal(AppendStatus.DeadLetter, AppendOne(partition, offset));
        }
        partition.AdvanceTo(end);
        partition.EndRun();
        return partition.Seal()!;
    }

    private static unsafe AppendStatus AppendOne(HotPartition partition, long offset)
    {
        var bytes = Encoding.UTF8.GetBytes("no json");
        var native = (RdKafkaMessage*)NativeMemory.AllocZeroed(1024);
        try
        {
            fixed (byte* payload = bytes)
            {
                native->Payload = payload;
                native->Length = (nuint)bytes.Length;
                native->Offset = offset;
                return partition.Append(new KafkaMessage(native, null!));
            }
        }
        finally
        {
            NativeMemory.Free(native);
        }
    }

    private static TopicIdentities Identities(Guid topic)
    {
        var identities = new TopicIdentities(null!, "shop.events", NullLogger.Instance); // nobody is asked
        identities.Compare(new(new Dictionary<string, Guid> { ["events"] = topic }, null), null);
        return identities;
    }

    /// <summary>Another engine deletes the rows of a file; progress stays.</summary>
    private async Task ClearAsync(int file)
    {
        var metadata = (await catalog.LoadTableAsync(Letters)).Metadata;
        var cache = new ManifestCache(catalog.FileIO);
        var files = await LiveFiles.ListAsync(cache, metadata, metadata.CurrentSnapshot, Cancel);
        var gone = files.OrderBy(static one => one.Path, StringComparer.Ordinal).ElementAt(file);
        var staged = await new OverwriteFiles(cache, metadata.CurrentSnapshot, TimeProvider.System).Remove(gone).StageAsync(metadata, Cancel);
        await catalog.CommitTableAsync(Letters, staged.Requirements, staged.Updates);
    }

    private async Task<IEnumerable<long>> KeptAsync()
    {
        await using var sql = await SqlSession.OpenCatalogAsync(options);
        var rows = (await sql.QueryAsync(new("select kafka_offset from shop.events_dlq order by 1"))).Rows;
        return rows.Select(static row => (long)row[0]!);
    }
}
