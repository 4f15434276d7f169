using System.Globalization;
using Frazil.Iceberg.Avro;

namespace Frazil.Iceberg.Manifests;

/// <summary>Reads manifest lists of any version.</summary>
public static class ManifestListReader
{
    /// <exception cref="InvalidFormatException">Damaged, or not a manifest list.</exception>
    public static IReadOnlyList<ManifestFile> Read(ReadOnlyMemory<byte> file, string location) => AvroFileReader.Read(file, location,
        reader =>
    {
        var manifests = new List<ManifestFile>();
        while (reader.TryReadBlock(out var block, out var count))
        {
            var decoder = new AvroDecoder(block.Span);
            for (; count > 0; count--)
                manifests.Add(ReadManifest(ref decoder, reader.Schema, location));
        }
        return manifests;
    });

    private static ManifestFile ReadManifest(ref AvroDecoder decoder, AvroSchema schema, string location)
    {
        string? path = null;
        byte[]? keyMetadata = null;
        List<PartitionFieldSummary>? partitions = null;
        var numbers = new long?[21];
        foreach (var field in schema.Fields)
        {
            switch (field.FieldId)
            {
                case 500:
                    path = decoder.ReadString();
                    break;
                case 507:
                    partitions = ReadSummaries(ref decoder, decoder.Resolve(field.Type));
                    break;
                case 519:
                    keyMetadata = ManifestReader.ReadOptionalBytes(ref decoder, field.Type);
                    break;
                case (>= 501 and <= 506) or (>= 512 and <= 517) or 520:
                    numbers[field.FieldId - 500] = ManifestReader.ReadOptionalLong(ref decoder, field.Type);
                    break;
                default:
                    decoder.Skip(field.Type);
                    break;
            }
        }
        return new ManifestFile
        {
            Path = path ?? throw new InvalidFormatException($"The manifest list '{location}' has an entry without manifest_path (id 500)."),
            LengthBytes = numbers[1] ?? 0,
            SpecId = (int)(numbers[2] ?? 0),
            AddedSnapshotId = numbers[3] ?? 0,
            AddedFiles = (int?)numbers[4],
            ExistingFiles = (int?)numbers[5],
            DeletedFiles = (int?)numbers[6],
            AddedRows = numbers[12],
            ExistingRows = numbers[13],
            DeletedRows = numbers[14],
            SequenceNumber = numbers[15] ?? 0,
            MinSequenceNumber = numbers[16] ?? 0,
            Content = (ManifestContent)(numbers[17] ?? 0),
            Partitions = partitions,
            KeyMetadata = keyMetadata,
            FirstRowId = numbers[20],
        };
    }

    private static List<PartitionFieldSummary>? ReadSummaries(ref AvroDecoder decoder, AvroSchema array)
    {
        if (array.Kind == AvroKind.Null)
            return null;
        var summaries = new List<PartitionFieldSummary>();
        for (var count = decoder.ReadBlockCount(); count != 0; count = decoder.ReadBlockCount())
            for (; count > 0; count--)
                summaries.Add(ReadSummary(ref decoder, decoder.Resolve(array.Branches[0])));
        return summaries;
    }

    private static PartitionFieldSummary ReadSummary(ref AvroDecoder decoder, AvroSchema record)
    {
        var containsNull = true;
        bool? containsNaN = null;
        byte[]? lower = null, upper = null;
        foreach (var field in record.Fields)
        {
            switch (field.FieldId)
            {
                case 509:
                    containsNull = decoder.ReadBoolean();
                    break;
                case 518:
                    containsNaN = decoder.Resolve(field.Type).Kind == AvroKind.Null ? null : decoder.ReadBoolean();
                    break;
                case 510:
                    lower = ManifestReader.ReadOptionalBytes(ref decoder, field.Type);
                    break;
                case 511:
                    upper = ManifestReader.ReadOptionalBytes(ref decoder, field.Type);
                    break;
                default:
                    decoder.Skip(field.Type);
                    break;
            }
        }
        return new PartitionFieldSummary(containsNull, containsNaN, lower, upper);
    }
}

/// <summary>Writes the manifest list of one commit attempt.</summary>
public static class ManifestListWriter
{
    /// <summary>The sequence number of a manifest that no commit has taken yet.</summary>
    public const long Unassigned = -1;

    /// <summary>Gives sequence numbers (and in v3 row ids) to the new manifests and writes the list.</summary>
    /// <param name="formatVersion">2 or 3.</param>
    /// <param name="snapshotId">The snapshot.</param>
    /// <param name="parentSnapshotId">Its parent, or null.</param>
    /// <param name="sequenceNumber">Its sequence number.</param>
    /// <param name="nextRowId">v3: the table's next row id.</param>
    /// <param name="manifests">All manifests of the snapshot.</param>
    /// <returns>The file, the manifests as listed, and the table's next row id after it.</returns>
    public static (byte[] Content, IReadOnlyList<ManifestFile> Manifests, long NextRowId) Write(
        int formatVersion, long snapshotId, long? parentSnapshotId, long sequenceNumber, long nextRowId,
        IEnumerable<ManifestFile> manifests)
    {
        var writer = new AvroFileWriter(ManifestAvro.ManifestListSchema(formatVersion),
        [
            new("snapshot-id", snapshotId.ToString(CultureInfo.InvariantCulture)),
            new("parent-snapshot-id", parentSnapshotId?.ToString(CultureInfo.InvariantCulture) ?? "null"),
            new("sequence-number", sequenceNumber.ToString(CultureInfo.InvariantCulture)),
            new("format-version", formatVersion.ToString(CultureInfo.InvariantCulture)),
        ]);
        var listed = new List<ManifestFile>();
        foreach (var manifest in manifests)
        {
            var assigned = manifest.SequenceNumber != Unassigned ? manifest : manifest with
            {
                SequenceNumber = sequenceNumber,
                MinSequenceNumber = manifest.MinSequenceNumber == Unassigned
                    ? sequenceNumber
                    : Math.Min(manifest.MinSequenceNumber, sequenceNumber),
            };
            if (formatVersion >= 3 && assigned.Content == ManifestContent.Data && assigned.FirstRowId is null)
            {
                assigned = assigned with { FirstRowId = nextRowId };
                nextRowId += (assigned.AddedRows ?? 0) + (assigned.ExistingRows ?? 0);
            }
            if (assigned.LacksCounts)
                throw new ValidationException($"The manifest '{assigned.Path}' is listed without counts of its files, which version 2 needs.");
            listed.Add(assigned);
            WriteManifest(writer.Encoder, assigned, formatVersion);
            writer.EndRecord();
        }
        return (writer.Finish(), listed, nextRowId);
    }

    private static void WriteManifest(AvroEncoder encoder, ManifestFile manifest, int formatVersion)
    {
        encoder.WriteString(manifest.Path);
        encoder.WriteLong(manifest.LengthBytes);
        encoder.WriteInt(manifest.SpecId);
        encoder.WriteInt((int)manifest.Content);
        encoder.WriteLong(manifest.SequenceNumber);
        encoder.WriteLong(manifest.MinSequenceNumber);
        encoder.WriteLong(manifest.AddedSnapshotId);
        encoder.WriteInt(manifest.AddedFiles!.Value);
        encoder.WriteInt(manifest.ExistingFiles!.Value);
        encoder.WriteInt(manifest.DeletedFiles!.Value);
        encoder.WriteLong(manifest.AddedRows!.Value);
        encoder.WriteLong(manifest.ExistingRows!.Value);
        encoder.WriteLong(manifest.DeletedRows!.Value);
        WriteSummaries(encoder, manifest.Partitions);
        WriteOptionalBytes(encoder, manifest.KeyMetadata);
        if (formatVersion < 3)
            return;
        encoder.WriteBranch(manifest.FirstRowId is not null);
        if (manifest.FirstRowId is { } firstRowId)
            encoder.WriteLong(firstRowId);
    }

    private static void WriteSummaries(AvroEncoder encoder, IReadOnlyList<PartitionFieldSummary>? summaries)
    {
        encoder.WriteBranch(summaries is not null);
        if (summaries is null)
            return;
        if (summaries.Count > 0)
            encoder.WriteLong(summaries.Count);
        foreach (var summary in summaries)
        {
            encoder.WriteBoolean(summary.ContainsNull);
            encoder.WriteBranch(summary.ContainsNaN is not null);
            if (summary.ContainsNaN is { } containsNaN)
                encoder.WriteBoolean(containsNaN);
            WriteOptionalBytes(encoder, summary.LowerBound);
            WriteOptionalBytes(encoder, summary.UpperBound);
        }
        encoder.WriteLong(0);
    }

    private static void WriteOptionalBytes(AvroEncoder encoder, byte[]? value)
    {
        encoder.WriteBranch(value is not null);
        if (value is not null)
            encoder.WriteBytes(value);
    }
}
