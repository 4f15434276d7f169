using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Iceberg;
using Xunit;

namespace Frazil.Tests.Flush;

/// <summary>Footers are looked for at the length that the manifest says. Other engines' manifests have said it wrong.</summary>
public sealed class ParquetFooterTests : IDisposable
{
    private static readonly ColumnFields OneLong = new([new ColumnField("n", ColumnType.Int64, 1)]);

    private readonly ArrowValues memory = new();
    private readonly ScratchFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        memory.Dispose();
        folder.Dispose();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(1)]
    [InlineData(-100)]
    [InlineData(1_000_000)]
    [InlineData(-1_000_000)]
    public async Task A_file_is_read_whatever_length_its_manifest_says(int wrongBy)
    {
        foreach (var (store, location) in Stores())
        {
            var written = await WriteAsync(store, location);
            var footer = await ParquetFooter.ReadAsync(store, location, written.FileSizeBytes + wrongBy, Cancel);
            Assert.Equal((3, "t"), (footer.RecordCount, footer.KeyValueMetadata["kafka.topic"]));
        }
    }

    [Fact]
    public async Task A_footer_longer_than_what_is_usual_is_read_whole()
    {
        foreach (var (store, location) in Stores())
        {
            var written = await WriteAsync(store, location, new('x', 200_000));
            Assert.Equal(200_000, (await ParquetFooter.ReadAsync(store, location, written.FileSizeBytes, Cancel)).KeyValueMetadata["long"].Length);
            Assert.Equal(3, (await ParquetFooter.ReadAsync(store, location, written.FileSizeBytes - 70_000, Cancel)).RecordCount);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(100)]
    [InlineData(100_000)]
    public async Task What_is_no_Parquet_file_is_refused_by_name_and_with_both_lengths(int bytes)
    {
        foreach (var (store, location) in Stores())
        {
            await store.CreateAsync(location, new byte[bytes], Cancel);
            var asSaid = await Assert.ThrowsAsync<InvalidDataException>(() => ParquetFooter.ReadAsync(store, location, bytes, Cancel));
            Assert.Contains(location, asSaid.Message, StringComparison.Ordinal);
            var other = await Assert.ThrowsAsync<InvalidDataException>(() => ParquetFooter.ReadAsync(store, location, bytes + 50, Cancel));
            Assert.Contains($"{location} cannot be read (it has {bytes} bytes, its manifest says {bytes + 50})", other.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_gone_is_not_there_whatever_its_length_was()
    {
        foreach (var (store, location) in Stores())
        {
            await Assert.ThrowsAsync<FileNotFoundException>(() => ParquetFooter.ReadAsync(store, location, 1000, Cancel));
            await Assert.ThrowsAsync<FileNotFoundException>(() => ParquetFooter.ReadAsync(store, location, 0, Cancel));
        }
    }

    private IEnumerable<(IFileIO Store, string Location)> Stores()
    {
        var local = new LocalFileIO();
        return [(local, local.LocationFor($"{folder.Path}/{Guid.NewGuid():N}.parquet")), (new BucketFileIO(), "bucket://lake/f.parquet")];
    }

    private async Task<WrittenDataFile> WriteAsync(IFileIO store, string location, string text = "")
    {
        await using var writer = new ParquetDataFileWriter(concurrentFiles: 1);
        return await writer.WriteAsync(
            new()
            {
                Store = store,
                Location = location,
                Schema = OneLong,
                Slices = [memory.Slice(OneLong, [1L, 2L, 3L])],
                KeyValueMetadata = new Dictionary<string, string> { ["kafka.topic"] = "t", ["long"] = text },
            },
            Cancel);
    }
}
