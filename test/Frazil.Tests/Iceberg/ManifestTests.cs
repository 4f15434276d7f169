using System.Text.Json;
using Frazil.Iceberg;
using Frazil.Iceberg.Avro;
using Frazil.Iceberg.Manifests;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class ManifestTests : IDisposable
{
    private readonly ScratchFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static Schema Every { get; } = new(3,
    [
        new(1, "i", false, IcebergType.Int), new(2, "l", false, IcebergType.Long), new(3, "f", false, IcebergType.Float), new(
            4, "d", false, IcebergType.Double),
        new(5, "b", false, IcebergType.Boolean), new(
            6, "dec", false, IcebergType.Decimal(20, 3)), new(7, "dt", false, IcebergType.Date), new(8, "t", false, IcebergType.Time),
        new(9, "ts", false, IcebergType.Timestamp), new(
            10, "tz", false, IcebergType.TimestampTz), new(11, "s", false, IcebergType.String), new(12, "u", false, IcebergType.Uuid),
        new(13, "fx", false, IcebergType.Fixed(3)), new(14, "bin", false, IcebergType.Binary), new(
            15, "weird näme", false, IcebergType.String), new(16, "u2", false, IcebergType.Uuid),
    ]);

    private static TableMetadata Table(int version = 2) =>
        FilterCases.Metadata(Every, new PartitionSpec(0, [.. Every.Fields.Select((field, i) => new PartitionField(field.Id, 1000 + i, field.Name + "_p", Transform.Identity))])) with
        {
            FormatVersion = version,
        };

    private static PartitionTuple SomePartition { get; } = new(
        -5, 5L, float.NaN, -0.0, true, IcebergValue.FromDecimal(-12345, 3), -1, 1L, -1L, 2L, "ü🧊", IcebergValue.From(
            Guid.Parse("f79c3e09-677c-4bbd-a479-3f349cb785e7")),
        IcebergValue.From([1, 2, 3]), IcebergValue.From([9]), "x", IcebergValue.From(Guid.Empty));

    private static DataFile SomeFile(string path, PartitionTuple partition) => new()
    {
        Path = path,
        SpecId = 0,
        Partition = partition,
        RecordCount = 7,
        FileSizeBytes = 1234,
        ColumnSizes = new FieldMap<long>([new(2, 20), new(1, 10)]),
        ValueCounts = new FieldMap<long>([new(1, 7)]),
        NullValueCounts = new FieldMap<long>([]),
        LowerBounds = new FieldMap<byte[]>([new(1, [1, 0, 0, 0])]),
        UpperBounds = new FieldMap<byte[]>([new(1, [9, 0, 0, 0])]),
        SplitOffsets = [4, 100],
        SortOrderId = 0,
    };

    [Fact]
    public void Entries_come_back_as_they_were_written_with_partition_values_of_every_type()
    {
        var table = Table();
        var writer = new ManifestWriter(table, table.DefaultSpec, ManifestContent.Data);
        var nulls = new PartitionTuple(new IcebergValue[Every.Fields.Count]);
        var (one, two) = (SomeFile("a", SomePartition), SomeFile("b", nulls));
        writer.Add(77, one);
        writer.Keep(new ManifestEntry(EntryStatus.Added, 5, 3, 2, two));
        writer.Delete(77, new ManifestEntry(EntryStatus.Existing, 5, 1, 1, two));
        var (content, manifest) = writer.Finish("m", 77);
        var list = ManifestListWriter.Write(2, 77, 5, 9, 0, [manifest]);
        var listed = Assert.Single(ManifestListReader.Read(list.Content, "list"));
        Assert.Equal((9, 3, 77, 1, 1, 1), (listed.SequenceNumber, listed.MinSequenceNumber, listed.AddedSnapshotId, listed.AddedFiles!.Value, listed.ExistingFiles!.Value, listed.DeletedFiles!.Value));
        Assert.Equal((7, 7, 7), (listed.AddedRows!.Value, listed.ExistingRows!.Value, listed.DeletedRows!.Value));
        Assert.True(listed.Partitions![0].ContainsNull);
        Assert.True(listed.Partitions[2].ContainsNaN);
        Assert.Null(listed.Partitions[2].LowerBound);
        Assert.Equal([0xFB, 0xFF, 0xFF, 0xFF], listed.Partitions[0].LowerBound);

        var entries = ManifestReader.Read(content, listed, table);
        Assert.Equal(
            (EntryStatus.Added, 77, 9, 9),
            (entries[0].Status, entries[0].SnapshotId!.Value, entries[0].SequenceNumber!.Value, entries[0].FileSequenceNumber!.Value));
        Assert.Equal(
            (EntryStatus.Existing, 5, 3, 2),
            (entries[1].Status, entries[1].SnapshotId!.Value, entries[1].SequenceNumber!.Value, entries[1].FileSequenceNumber!.Value));
        Assert.Equal(
            (EntryStatus.Deleted, 77, 1, 1),
            (entries[2].Status, entries[2].SnapshotId!.Value, entries[2].SequenceNumber!.Value, entries[2].FileSequenceNumber!.Value));
        Assert.Equal(SomePartition, entries[0].File.Partition);
        Assert.Equal(nulls, entries[1].File.Partition);
        Assert.Equal(20, entries[0].File.ColumnSizes![2]);
        Assert.Empty(entries[0].File.NullValueCounts!);
        Assert.Null(entries[0].File.NanValueCounts);
        Assert.Equal([9, 0, 0, 0], entries[0].File.UpperBounds![1]);
        Assert.Equal([4L, 100L], entries[0].File.SplitOffsets);
    }

    [Fact]
    public void Row_ids_are_assigned_by_the_list_and_inherited_in_v3()
    {
        var table = Table(3);
        var writer = new ManifestWriter(table, table.DefaultSpec, ManifestContent.Data);
        writer.Add(1, SomeFile("a", SomePartition));
        writer.Add(1, SomeFile("b", SomePartition));
        var (content, manifest) = writer.Finish("m", 1);
        var list = ManifestListWriter.Write(3, 1, null, 1, 100, [manifest]);
        Assert.Equal(114, list.NextRowId);
        var listed = Assert.Single(ManifestListReader.Read(list.Content, "list"));
        Assert.Equal([100L, 107L], ManifestReader.Read(content, listed, table).Select(entry => entry.File.FirstRowId!.Value));
    }

    [Fact]
    public async Task Fastavro_reads_our_manifests_with_the_specifications_field_ids()
    {
        var table = Table();
        var writer = new ManifestWriter(table, table.DefaultSpec, ManifestContent.Data);
        writer.Add(77, SomeFile("file:/a", SomePartition));
        var (content, manifest) = writer.Finish("m", 77);
        var (manifestPath, listPath) = (Path.Combine(folder.Path, "m.avro"), Path.Combine(folder.Path, "l.avro"));
        await File.WriteAllBytesAsync(manifestPath, content);
        await File.WriteAllBytesAsync(listPath, ManifestListWriter.Write(2, 77, null, 1, 0, [manifest]).Content);
        var golden = await IcebergKit.RequireGoldenAsync();
        var printed = await IcebergKit.RunPythonAsync("""
            import sys, json, glob, fastavro
            def shape(schema):   # field ids with names and Avro types, docs and record names aside
                if isinstance(schema, list): return [shape(s) for s in schema]
                if isinstance(schema, dict):
                    if schema["type"] == "record":
                        return {f["field-id"]: (f["name"], shape(f["type"])) for f in schema["fields"] if f["field-id"] != 102}
                    if schema["type"] == "array": return ["array", schema.get("logicalType"), schema.get("element-id"), shape(schema["items"])]
                    return {k: v for k, v in schema.items() if k != "name"}
                return schema
            def read(path):
                reader = fastavro.reader(open(path, "rb"))
                return reader.metadata, list(reader), json.loads(reader.metadata["avro.schema"])
            golden = glob.glob(sys.argv[3] + "/part_multi/metadata/*-m0.avro")[0], glob.glob(sys.argv[3] + "/part_multi/metadata/snap*.avro")[0]
            for ours, theirs in zip(sys.argv[1:3], golden):
                a, b = shape(read(ours)[2]), shape(read(theirs)[2])
                assert json.dumps(a) == json.dumps(b), (a, b)
            meta, entries, schema = read(sys.argv[1])
            assert set(meta) >= {"schema", "schema-id", "partition-spec", "partition-spec-id", "format-version", "content"}, meta.keys()
            assert (meta["schema-id"], meta["format-version"], meta["content"], meta["partition-spec-id"]) == ("3", "2", "data", "0")
            assert len(json.loads(meta["partition-spec"])) == 16 and json.loads(meta["schema"])["schema-id"] == 3
            partition = [f for f in schema["fields"][4]["type"]["fields"] if f["name"] == "partition"][0]["type"]["fields"]
            assert [f["field-id"] for f in partition] == list(range(1000, 1016))
            entry = entries[0]
            assert entry["status"] == 1 and entry["snapshot_id"] == 77 and entry["sequence_number"] is None
            print(json.dumps({k: str(v) for k, v in entry["data_file"]["partition"].items()}, ensure_ascii=False))
            """, manifestPath, listPath, golden);
        using var partition = JsonDocument.Parse(printed);
        Assert.Equal("-12.345", partition.RootElement.GetProperty("dec_p").GetString());
        Assert.Equal("ü🧊", partition.RootElement.GetProperty("s_p").GetString());
        Assert.Equal("x", partition.RootElement.GetProperty("weird_x20n_xE4me_p").GetString());
    }

    [Fact]
    public void Damaged_files_are_refused_with_their_name()
    {
        var table = Table();
        var writer = new ManifestWriter(table, table.DefaultSpec, ManifestContent.Data);
        for (var i = 0; i < 50; i++)
            writer.Add(77, SomeFile($"file:/{i}", SomePartition));
        var (content, manifest) = writer.Finish("m", 77);
        var listed = manifest with { SequenceNumber = 1, Path = "file:/the-manifest" };
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var round = 0; round < 500; round++)
        {
            var damaged = round % 2 == 0 ? content[..random.Next(content.Length)] : (byte[])content.Clone();
            for (var flips = round % 2 * 3; flips > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                ManifestReader.Read(damaged, listed, table);        // some bits do not matter, or change a value only
            }
            catch (InvalidFormatException e)
            {
                Assert.True(e.Message.Contains("file:/the-manifest", StringComparison.Ordinal), $"seed {seed}: {e.Message}");
            }
        }
    }

    [Fact]
    public void Snappy_blocks_are_decompressed()
    {
        // Literal "abcd", a copy of 8 bytes at offset 4 (overlapping), a literal "!".
        byte[] block = [13, (4 - 1) << 2, (byte)'a', (byte)'b', (byte)'c', (byte)'d', ((8 - 4) << 2) | 1, 4, 0 << 2, (byte)'!'];
        Assert.Equal("abcdabcdabcd!"u8.ToArray(), Snappy.Decompress(block));
        Assert.Throws<InvalidFormatException>(() => Snappy.Decompress([13, 1, 9]));
    }

    [Fact]
    public void Manifests_are_packed_from_the_oldest_on()
    {
        static ManifestFile Of(string path, long length) => new() { Path = path, LengthBytes = length, SpecId = 0, AddedSnapshotId = 1 };
        var bins = ManifestMerging.Pack([Of("new", 1), Of("c", 4), Of("b", 5), Of("a", 5)], 10);
        Assert.Equal([["new", "c"], ["b", "a"]], bins.Select(bin => bin.Select(manifest => manifest.Path)));
    }
}
