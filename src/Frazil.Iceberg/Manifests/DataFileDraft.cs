using Frazil.Iceberg.Avro;

namespace Frazil.Iceberg.Manifests;

/// <summary>The fields of a data file while a manifest entry is read.</summary>
internal struct DataFileDraft
{
    private FileContent content;
    private string? path;
    private FileFormat format;
    private long recordCount;
    private long fileSizeBytes;
    private FieldMap<long>? columnSizes;
    private FieldMap<long>? valueCounts;
    private FieldMap<long>? nullValueCounts;
    private FieldMap<long>? nanValueCounts;
    private FieldMap<byte[]>? lowerBounds;
    private FieldMap<byte[]>? upperBounds;
    private byte[]? keyMetadata;
    private long[]? splitOffsets;
    private int[]? equalityIds;
    private int? sortOrderId;
    private long? firstRowId;
    private string? referencedDataFile;
    private long? contentOffset;
    private long? contentSizeBytes;

    public PartitionTuple Partition { get; set; }

    /// <summary>Reads one field of the <c>data_file</c> struct; false where its id is not known.</summary>
    public bool TryRead(ref AvroDecoder decoder, AvroField field)
    {
        switch (field.FieldId)
        {
            case 134:
                content = (FileContent)(ManifestReader.ReadOptionalLong(ref decoder, field.Type) ?? 0);
                return true;
            case 100:
                path = decoder.ReadString();
                return true;
            case 101:
                var name = decoder.ReadString();
                format = Enum.TryParse<FileFormat>(name, ignoreCase: true, out var known)
                    ? known
                    : throw new InvalidFormatException($"The file format '{name}' is not known.");
                return true;
            case 103:
                recordCount = decoder.ReadLong();
                return true;
            case 104:
                fileSizeBytes = decoder.ReadLong();
                return true;
            case 108:
                columnSizes = ReadCounts(ref decoder, field.Type);
                return true;
            case 109:
                valueCounts = ReadCounts(ref decoder, field.Type);
                return true;
            case 110:
                nullValueCounts = ReadCounts(ref decoder, field.Type);
                return true;
            case 137:
                nanValueCounts = ReadCounts(ref decoder, field.Type);
                return true;
            case 125:
                lowerBounds = ReadBounds(ref decoder, field.Type);
                return true;
            case 128:
                upperBounds = ReadBounds(ref decoder, field.Type);
                return true;
            default:
                return TryReadRest(ref decoder, field);
        }
    }

    public readonly DataFile ToFile(int specId, string manifestPath) => new()
    {
        Content = content,
        Path = path ?? throw new InvalidFormatException($"The manifest '{manifestPath}' has an entry without file_path (id 100)."),
        Format = format,
        SpecId = specId,
        Partition = Partition,
        RecordCount = recordCount,
        FileSizeBytes = fileSizeBytes,
        ColumnSizes = columnSizes,
        ValueCounts = valueCounts,
        NullValueCounts = nullValueCounts,
        NanValueCounts = nanValueCounts,
        LowerBounds = lowerBounds,
        UpperBounds = upperBounds,
        KeyMetadata = keyMetadata,
        SplitOffsets = splitOffsets,
        EqualityIds = equalityIds,
        SortOrderId = sortOrderId,
        FirstRowId = firstRowId,
        ReferencedDataFile = referencedDataFile,
        ContentOffset = contentOffset,
        ContentSizeBytes = contentSizeBytes,
    };

    private bool TryReadRest(ref AvroDecoder decoder, AvroField field)
    {
        switch (field.FieldId)
        {
            case 131:
                keyMetadata = ManifestReader.ReadOptionalBytes(ref decoder, field.Type);
                return true;
            case 132:
                splitOffsets = ReadLongs(ref decoder, field.Type);
                return true;
            case 135:
                equalityIds = ReadLongs(ref decoder, field.Type) is { } ids ? Array.ConvertAll(ids, id => (int)id) : null;
                return true;
            case 140:
                sortOrderId = (int?)ManifestReader.ReadOptionalLong(ref decoder, field.Type);
                return true;
            case 142:
                firstRowId = ManifestReader.ReadOptionalLong(ref decoder, field.Type);
                return true;
            case 143:
                referencedDataFile = decoder.Resolve(field.Type).Kind == AvroKind.Null ? null : decoder.ReadString();
                return true;
            case 144:
                contentOffset = ManifestReader.ReadOptionalLong(ref decoder, field.Type);
                return true;
            case 145:
                contentSizeBytes = ManifestReader.ReadOptionalLong(ref decoder, field.Type);
                return true;
            default:
                return false;
        }
    }

    private static FieldMap<long>? ReadCounts(ref AvroDecoder decoder, AvroSchema schema)
    {
        if (!TryStartMap(ref decoder, schema, out var entry))
            return null;
        var (ids, values) = (new List<int>(), new List<long>());
        for (var count = decoder.ReadBlockCount(); count != 0; count = decoder.ReadBlockCount())
        {
            for (; count > 0; count--)
            {
                foreach (var field in entry.Fields)
                    if (field.Name == "key")
                        ids.Add(decoder.ReadInt());
                    else
                        values.Add(ManifestReader.ReadOptionalLong(ref decoder, field.Type) ?? 0);
            }
        }
        return new FieldMap<long>([.. ids], [.. values]);
    }

    private static FieldMap<byte[]>? ReadBounds(ref AvroDecoder decoder, AvroSchema schema)
    {
        if (!TryStartMap(ref decoder, schema, out var entry))
            return null;
        var (ids, values) = (new List<int>(), new List<byte[]>());
        for (var count = decoder.ReadBlockCount(); count != 0; count = decoder.ReadBlockCount())
        {
            for (; count > 0; count--)
            {
                foreach (var field in entry.Fields)
                    if (field.Name == "key")
                        ids.Add(decoder.ReadInt());
                    else
                        values.Add(ManifestReader.ReadOptionalBytes(ref decoder, field.Type) ?? []);
            }
        }
        return new FieldMap<byte[]>([.. ids], [.. values]);
    }

    /// <summary>Maps with int keys are arrays of key-value records in Avro.</summary>
    private static bool TryStartMap(ref AvroDecoder decoder, AvroSchema schema, out AvroSchema entry)
    {
        var array = decoder.Resolve(schema);
        entry = array;
        if (array.Kind == AvroKind.Null)
            return false;
        if (array.Kind != AvroKind.Array || array.Branches[0].Kind != AvroKind.Record || array.Branches[0].Fields.Length != 2)
            throw new InvalidFormatException("A map of a manifest entry is not stored as an array of keys and values.");
        entry = array.Branches[0];
        return true;
    }

    private static long[]? ReadLongs(ref AvroDecoder decoder, AvroSchema schema)
    {
        if (decoder.Resolve(schema).Kind == AvroKind.Null)
            return null;
        var values = new List<long>();
        for (var count = decoder.ReadBlockCount(); count != 0; count = decoder.ReadBlockCount())
            for (; count > 0; count--)
                values.Add(decoder.ReadLong());
        return [.. values];
    }
}
