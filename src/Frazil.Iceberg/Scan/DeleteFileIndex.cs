using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>The delete files of a snapshot, found by the data file that they apply to.</summary>
internal sealed class DeleteFileIndex
{
    /// <summary>Field id of the <c>file_path</c> column of position delete files.</summary>
    private const int FilePathId = 2147483546;

    private readonly Schema schema;
    private readonly List<ManifestEntry> globalEquality = [];
    private readonly Dictionary<(int, PartitionTuple), List<ManifestEntry>> equality = [];
    private readonly Dictionary<(int, PartitionTuple), List<ManifestEntry>> positions = [];
    private readonly Dictionary<string, List<ManifestEntry>> positionsByFile = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ManifestEntry> vectors = new(StringComparer.Ordinal);

    public DeleteFileIndex(IEnumerable<ManifestEntry> entries, Schema schema, TableMetadata metadata)
    {
        this.schema = schema;
        var unpartitioned = metadata.PartitionSpecs.Where(spec => spec.IsUnpartitioned).Select(spec => spec.SpecId).ToHashSet();
        foreach (var entry in entries)
        {
            var file = entry.File;
            if (file.IsDeletionVector)
                vectors[file.ReferencedDataFile ?? throw new InvalidFormatException($"The deletion vector in '{file.Path}' names no data file.")] = entry;
            else if (file.Content == FileContent.PositionDeletes && (file.ReferencedDataFile ?? OnlyPathOf(file)) is { } path)
                Add(positionsByFile, path, entry);
            else if (file.Content == FileContent.PositionDeletes)
                Add(positions, (file.SpecId, file.Partition), entry);
            else if (unpartitioned.Contains(file.SpecId))
                globalEquality.Add(entry);
            else
                Add(equality, (file.SpecId, file.Partition), entry);
            Count++;
        }
    }

    public int Count { get; }

    /// <summary>The delete files that apply to a data file, by the specification's scope rules.</summary>
    public IReadOnlyList<DataFile> Of(ManifestEntry data)
    {
        if (Count == 0)
            return [];
        var sequence = data.SequenceNumber ?? 0;
        var partition = (data.File.SpecId, data.File.Partition);
        List<DataFile> found = [];
        found.AddRange(
            globalEquality.Where(entry => entry.SequenceNumber > sequence && MayDelete(entry.File, data.File)).Select(entry => entry.File));
        if (equality.TryGetValue(partition, out var inPartition))
            found.AddRange(inPartition.Where(entry => entry.SequenceNumber > sequence && MayDelete(entry.File, data.File)).Select(entry => entry.File));
        if (vectors.TryGetValue(data.File.Path, out var vector) && vector.SequenceNumber >= sequence)
        {
            found.Add(vector.File);     // it holds whatever position delete files said before
            return found;
        }
        if (positionsByFile.TryGetValue(data.File.Path, out var ofFile))
            found.AddRange(ofFile.Where(entry => entry.SequenceNumber >= sequence).Select(entry => entry.File));
        if (positions.TryGetValue(partition, out var ofPartition))
            found.AddRange(
                ofPartition.Where(entry => entry.SequenceNumber >= sequence && MayName(entry.File, data.File.Path))
                    .Select(entry => entry.File));
        return found;
    }

    private static void Add<TKey>(Dictionary<TKey, List<ManifestEntry>> index, TKey key, ManifestEntry entry) where TKey : notnull
    {
        if (!index.TryGetValue(key, out var list))
            index[key] = list = [];
        list.Add(entry);
    }

    private static string? OnlyPathOf(DataFile deletes) =>
        deletes.LowerBounds?.TryGetValue(FilePathId, out var lower) == true
            && deletes.UpperBounds?.TryGetValue(FilePathId, out var upper) == true && lower.AsSpan().SequenceEqual(upper)
            ? System.Text.Encoding.UTF8.GetString(lower)
            : null;

    private static bool MayName(DataFile deletes, string path)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(path);
        return !(deletes.LowerBounds?.TryGetValue(FilePathId, out var lower) == true && bytes.AsSpan().SequenceCompareTo(lower) < 0)
            && !(deletes.UpperBounds?.TryGetValue(FilePathId, out var upper) == true && bytes.AsSpan().SequenceCompareTo(upper) > 0);
    }

    /// <summary>False where the metrics of both files show that no key of the deletes is in the data.</summary>
    private bool MayDelete(DataFile deletes, DataFile data)
    {
        foreach (var id in deletes.EqualityIds ?? [])
        {
            if (schema.FindField(id)?.Type is not PrimitiveType type)
                continue;
            var (dataNulls, deleteNulls) = (CountOf(data.NullValueCounts, id), CountOf(deletes.NullValueCounts, id));
            if (dataNulls is not 0 && deleteNulls is not 0)
                continue;
            if ((AllNull(data, id, dataNulls) && deleteNulls is 0) || (AllNull(deletes, id, deleteNulls) && dataNulls is 0))
                return false;
            if (AreApart(deletes, data, id, type) || AreApart(data, deletes, id, type))
                return false;
        }
        return true;
    }

    private static bool AreApart(DataFile low, DataFile high, int id, PrimitiveType type) =>
        low.UpperBounds?.TryGetValue(id, out var upper) == true && high.LowerBounds?.TryGetValue(id, out var lower) == true
        && SingleValue.Deserialize(type, upper) < SingleValue.Deserialize(type, lower)
        // NaN lies outside of all bounds: a key that is NaN may be in both. What order a writer's uuid bounds have, nothing says.
        && type.Id is not (TypeId.Float or TypeId.Double or TypeId.Uuid);

    private static bool AllNull(DataFile file, int id, long? nulls) => nulls is not null && CountOf(file.ValueCounts, id) == nulls;

    private static long? CountOf(FieldMap<long>? counts, int id) => counts?.TryGetValue(id, out var count) == true ? count : null;
}
