using Frazil.Iceberg.Avro;

namespace Frazil.Iceberg.Manifests;

/// <summary>Reads manifests of any version by the writer's schema and field ids; what it does not know it skips.</summary>
public static class ManifestReader
{
    /// <summary>Every entry, deleted ones included, with sequence numbers, snapshot ids and row ids inherited where the file leaves them
    /// out.</summary>
    /// <param name="file">The bytes of the manifest.</param>
    /// <param name="manifest">Its description in the manifest list.</param>
    /// <param name="metadata">The table, for the types of partition values.</param>
    /// <exception cref="InvalidFormatException">Damaged, or not a manifest.</exception>
    public static IReadOnlyList<ManifestEntry> Read(ReadOnlyMemory<byte> file, ManifestFile manifest, TableMetadata metadata)
    {
        var spec = metadata.SpecById(manifest.SpecId)
            ?? throw new InvalidFormatException(
                $"The manifest '{manifest.Path}' is of partition spec {manifest.SpecId}, which the table does not have.");
        var partitionType = metadata.PartitionTypeOf(spec);
        return AvroFileReader.Read(file, manifest.Path, reader =>
        {
            var plan = new EntryPlan(reader.Schema, spec, partitionType, manifest);
            var entries = new List<ManifestEntry>();
            while (reader.TryReadBlock(out var block, out var count))
            {
                var decoder = new AvroDecoder(block.Span);
                for (; count > 0; count--)
                    entries.Add(plan.ReadEntry(ref decoder));
            }
            return entries;
        });
    }

    /// <summary>One manifest's way of reading: where each field goes, and what is inherited.</summary>
    private sealed class EntryPlan(AvroSchema schema, PartitionSpec spec, StructType partitionType, ManifestFile manifest)
    {
        private long? nextRowId = manifest.FirstRowId;

        public ManifestEntry ReadEntry(ref AvroDecoder decoder)
        {
            var status = EntryStatus.Existing;
            long? snapshotId = null, sequenceNumber = null, fileSequenceNumber = null;
            DataFile? file = null;
            foreach (var field in schema.Fields)
            {
                switch (field.FieldId)
                {
                    case 0:
                        status = (EntryStatus)decoder.ReadInt();
                        break;
                    case 1:
                        snapshotId = ReadOptionalLong(ref decoder, field.Type);
                        break;
                    case 2:
                        file = ReadFile(ref decoder, decoder.Resolve(field.Type));
                        break;
                    case 3:
                        sequenceNumber = ReadOptionalLong(ref decoder, field.Type);
                        break;
                    case 4:
                        fileSequenceNumber = ReadOptionalLong(ref decoder, field.Type);
                        break;
                    default:
                        decoder.Skip(field.Type);
                        break;
                }
            }
            if (file is null)
                throw new InvalidFormatException($"The manifest '{manifest.Path}' has no data_file field (id 2).");
            // v1 has no sequence numbers: everything counts as 0, as does the manifest then.
            var inherits = status == EntryStatus.Added || manifest.SequenceNumber == 0;
            return new ManifestEntry(
                status, snapshotId ?? manifest.AddedSnapshotId,
                sequenceNumber ?? (inherits ? manifest.SequenceNumber : null),
                fileSequenceNumber ?? (inherits ? manifest.SequenceNumber : null),
                status == EntryStatus.Deleted ? file : InheritRowId(file));
        }

        private DataFile InheritRowId(DataFile file)
        {
            if (file.FirstRowId is not null || nextRowId is not { } first || file.Content != FileContent.Data)
                return file;
            nextRowId = first + file.RecordCount;
            return file with { FirstRowId = first };
        }

        private DataFile ReadFile(ref AvroDecoder decoder, AvroSchema record)
        {
            var draft = new DataFileDraft();
            foreach (var field in record.Fields)
                if (field.FieldId == 102)
                    draft.Partition = ReadPartition(ref decoder, decoder.Resolve(field.Type));
                else if (!draft.TryRead(ref decoder, field))
                    decoder.Skip(field.Type);
            return draft.ToFile(spec.SpecId, manifest.Path);
        }

        private PartitionTuple ReadPartition(ref AvroDecoder decoder, AvroSchema record)
        {
            var values = new IcebergValue[partitionType.Fields.Count];
            foreach (var field in record.Fields)
            {
                var index = IndexOf(field.FieldId);
                if (index < 0)
                    decoder.Skip(field.Type);
                else
                    values[index] = PartitionValues.Read(ref decoder, field.Type, (PrimitiveType)partitionType.Fields[index].Type);
            }
            return new PartitionTuple(values);
        }

        private int IndexOf(int partitionFieldId)
        {
            for (var i = 0; i < partitionType.Fields.Count; i++)
                if (partitionType.Fields[i].Id == partitionFieldId)
                    return i;
            return -1;
        }
    }

    internal static long? ReadOptionalLong(ref AvroDecoder decoder, AvroSchema schema) =>
        decoder.Resolve(schema).Kind == AvroKind.Null ? null : decoder.ReadLong();

    internal static byte[]? ReadOptionalBytes(ref AvroDecoder decoder, AvroSchema schema) =>
        decoder.Resolve(schema).Kind == AvroKind.Null ? null : decoder.ReadBytes().ToArray();
}
