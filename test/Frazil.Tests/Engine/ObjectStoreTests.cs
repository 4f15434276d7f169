using Frazil.Flush;
using Frazil.Iceberg.Catalogs;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;
using Frazil.Tests.Iceberg;
using Frazil.Verify;
using Xunit;

namespace Frazil.Tests.Engine;

/// <summary>A warehouse that is on no disk: nothing between Kafka and the table, nor what looks at the table later, asks for a path.</summary>
public sealed class ObjectStoreTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();
    private readonly BucketFileIO bucket = new();
    private readonly ScratchFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await fixture.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Rows_and_dead_letters_are_committed_looked_at_and_rewritten_in_a_store_that_is_no_disk()
    {
        await using var catalog = await SqlCatalog.OpenAsync($"sqlite:{folder.Path}/catalog.db", "bucket://lake/warehouse", bucket);
        await using (var pipeline = await fixture.StartPipelineAsync(
            fixture.Options("bucket", hot: new() { FlushIntervalSeconds = 0.2, TtlSeconds = 0 }), catalog, new SteeredWriter(), new(64 << 20)))
        {
            await fixture.ProduceAsync("bucket", 0, """{"id":1}""", "no record", """{"id":2}""", """{"id":3}""");
            await EngineFixture.Eventually(() => Task.FromResult(pipeline.Status().CommittedRows == 3), "the rows are committed");
        }

        var table = await catalog.LoadTableAsync(TableIdentifier.Parse("shop.bucket"), Cancel);
        var letters = await catalog.LoadTableAsync(TableIdentifier.Parse("shop.bucket_dlq"), Cancel);
        Assert.Equal("1", letters.Metadata.CurrentSnapshot!.Summary["total-records"]);
        var held = await HeldFiles.ReadAsync(table, ["bucket"], Cancel);
        Assert.All(held.All, file => Assert.Contains(file.File.Path, bucket.Locations));

        using var reader = new DataFileReader();
        await using var writer = new ParquetDataFileWriter();
        var number = 0;
        var range = new KafkaRange(null, 0, 0, long.MaxValue);
        var rewritten = new List<DataFile>();
        foreach (var file in held.All)
        {
            rewritten.AddRange(await new DataFileRewriter(reader, writer).RewriteAsync(
                file.File, new(table, "again", () => number++), range, static offset => offset == 2 ? -1 : 0, Cancel));
        }
        var offsets = new List<long>();
        foreach (var file in rewritten)
        {
            await new PositionReader(table.FileIO, table.Metadata.CurrentSchema).VisitOffsetsAsync(file, range, offsets.Add, Cancel);
            var footer = await ParquetFooter.ReadAsync(bucket, file.Path, file.FileSizeBytes, Cancel);
            Assert.Equal("bucket", footer.KeyValueMetadata["kafka.topic"]);
        }
        Assert.Equal([0L, 3L], offsets.Order());
    }
}
