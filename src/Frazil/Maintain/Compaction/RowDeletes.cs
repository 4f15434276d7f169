using Frazil.Columnar;
using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Parquet;

namespace Frazil.Maintain.Compaction;

/// <summary>
/// What delete files say of some data files: positions and equal values, each for the data files that the specification's scope rules give
/// it to. Held in memory, within bounds. Not thread-safe.
/// </summary>
internal sealed class RowDeletes
{
    /// <summary>Reserved field ids of position delete files.</summary>
    private const int PathId = 2147483546, PositionId = 2147483545;

    /// <summary>Bytes that keys and positions take at most.</summary>
    private const long MostBytes = 256L << 20;

    private const int KeyOverhead = 64;

    private readonly Dictionary<string, List<long>> positions = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<KeySet>> keys = new(StringComparer.Ordinal);
    private long bytes;

    private RowDeletes() { }

    public static RowDeletes None { get; } = new();

    /// <summary>Why deletes of a file cannot be applied here; null where they can.</summary>
    public static string? ProblemOf(ScanFile file)
        => file.Deletes.FirstOrDefault(static delete => delete.Format != FileFormat.Parquet) is { } odd
            ? $"has deletes in {(odd.IsDeletionVector ? "a deletion vector" : odd.Format)} ({odd.Path}), which are not read yet"
            : null;

    /// <summary>Fields that rows of a file are compared by; they may have been dropped from the table since.</summary>
    public IEnumerable<int> FieldsOf(ScanFile file)
        => keys.TryGetValue(file.File.Path, out var sets) ? sets.SelectMany(static set => set.FieldIds) : [];

    /// <param name="store">Where the files are.</param>
    /// <param name="files">Data files with the deletes that apply to each.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="UnfitFileException">A delete file cannot be read, or there are too many deletes for one unit.</exception>
    public static async Task<RowDeletes> LoadAsync(IFileIO store, IReadOnlyCollection<ScanFile> files, CancellationToken cancellationToken)
    {
        var deletes = new RowDeletes();
        var scopes = files.SelectMany(static file => file.Deletes.Select(delete => (Delete: delete, file.File.Path)))
            .GroupBy(static one => one.Delete.Path, StringComparer.Ordinal);
        foreach (var scope in scopes)
        {
            var (delete, paths) = (scope.First().Delete, scope.Select(static one => one.Path).ToHashSet(StringComparer.Ordinal));
            try
            {
                using var source = await StoredParquet.OpenAsync(store, delete.Path, cancellationToken);
                var reader = await ParquetFileReader.OpenAsync(source, cancellationToken: cancellationToken);
                await (delete.Content == FileContent.PositionDeletes
                    ? deletes.ReadPositionsAsync(reader, paths, cancellationToken)
                    : deletes.ReadKeysAsync(reader, delete, paths, cancellationToken));
            }
            catch (Exception error) when (error is InvalidDataException or NotSupportedException or FileNotFoundException or EndOfStreamException)
            {
                throw new UnfitFileException([.. paths], $"has deletes in {delete.Path}, which cannot be read: {error.Message}", error);
            }
        }
        foreach (var list in deletes.positions.Values)
        {
            list.Sort();
        }
        return deletes;
    }

    /// <summary>Rows that stay, by their place among <paramref name="rows"/>; null where all do.</summary>
    public int[]? StayingOf(DataFile file, ParquetRows rows)
    {
        var gone = new bool[rows.Count];
        var any = MarkPositions(file, rows, gone) | MarkEqual(file, rows, gone);
        return any ? [.. Enumerable.Range(0, rows.Count).Where(row => !gone[row])] : null;
    }

    private bool MarkPositions(DataFile file, ParquetRows rows, bool[] gone)
    {
        if (!positions.TryGetValue(file.Path, out var deleted))
        {
            return false;
        }
        var at = deleted.BinarySearch(rows.FirstRow);
        for (at = at < 0 ? ~at : at; at > 0 && deleted[at - 1] == rows.FirstRow;)
        {
            at--;
        }
        var any = false;
        for (; at < deleted.Count && deleted[at] < rows.FirstRow + rows.Count; at++)
        {
            gone[deleted[at] - rows.FirstRow] = any = true;
        }
        return any;
    }

    private bool MarkEqual(DataFile file, ParquetRows rows, bool[] gone)
    {
        var any = false;
        foreach (var set in keys.TryGetValue(file.Path, out var sets) ? sets : [])
        {
            var key = new EqualityKey(rows.Schema, rows.Columns, set.FieldIds);
            var lookup = set.Keys.GetAlternateLookup<ReadOnlySpan<byte>>();
            for (var row = 0; row < rows.Count; row++)
            {
                if (!gone[row] && lookup.Contains(key.Of(row)))
                {
                    gone[row] = any = true;
                }
            }
        }
        return any;
    }

    private async Task ReadPositionsAsync(ParquetFileReader reader, HashSet<string> paths, CancellationToken cancellationToken)
    {
        var (path, position) = (FieldOf(reader, PathId, "file_path"), FieldOf(reader, PositionId, "pos"));
        var wanted = new HashSet<int> { path.FieldId, position.FieldId };
        await foreach (var rows in reader.ReadAllAsync(wanted, cancellationToken))
        {
            using (rows)
            {
                Take(rows, rows.Schema.IndexOfId(path.FieldId), rows.Schema.IndexOfId(position.FieldId), paths);
            }
        }
    }

    private unsafe void Take(ParquetRows rows, int path, int position, HashSet<string> paths)
    {
        var (texts, numbers) = (rows.Columns[path], rows.Columns[position]);
        List<long>? list = null;
        byte[]? last = null;
        for (var row = 0; row < rows.Count; row++)
        {
            var text = new ReadOnlySpan<byte>(texts.Values + texts.Offsets[row], texts.Offsets[row + 1] - texts.Offsets[row]);
            if (last is null || !text.SequenceEqual(last))
            {
                last = text.ToArray();
                var name = System.Text.Encoding.UTF8.GetString(text);
                list = paths.Contains(name) ? ListOf(name) : null;
            }
            if (list is not null)
            {
                list.Add(((long*)numbers.Values)[row]);
                Count(sizeof(long));
            }
        }
    }

    private async Task ReadKeysAsync(ParquetFileReader reader, DataFile delete, HashSet<string> paths, CancellationToken cancellationToken)
    {
        int[] ids = [.. (delete.EqualityIds ?? []).Order()];
        if (ids.Length == 0)
        {
            throw new InvalidDataException("its manifest entry names no fields that must be equal");
        }
        var set = new KeySet(ids, new(new EqualityKey.Comparer()));
        var lookup = set.Keys.GetAlternateLookup<ReadOnlySpan<byte>>();
        await foreach (var rows in reader.ReadAllAsync(ids.ToHashSet(), cancellationToken))
        {
            using (rows)
            {
                if (!ids.All(id => Holds(rows.Schema, id)))
                {
                    throw new InvalidDataException("it lacks a field that must be equal");
                }
                var key = new EqualityKey(rows.Schema, rows.Columns, ids);
                for (var row = 0; row < rows.Count; row++)
                {
                    var one = key.Of(row);
                    Count(lookup.Add(one) ? one.Length + KeyOverhead : 0);
                }
            }
        }
        foreach (var path in paths)
        {
            if (!keys.TryGetValue(path, out var sets))
            {
                keys[path] = sets = [];
            }
            sets.Add(set);
        }
    }

    private List<long> ListOf(string path)
    {
        if (!positions.TryGetValue(path, out var list))
        {
            positions[path] = list = [];
        }
        return list;
    }

    private void Count(long more)
    {
        bytes += more;
        if (bytes > MostBytes)
        {
            throw new InvalidDataException($"the deletes of one piece of work take more than {MostBytes >> 20} MiB of memory");
        }
    }

    private static bool Holds(ColumnFields fields, int id) => fields.Any(field => field.FieldId == id || Holds(field.Type.Fields, id));

    /// <summary>Old writers gave the two columns no ids.</summary>
    private static ColumnField FieldOf(ParquetFileReader reader, int id, string name)
    {
        var at = reader.Schema.IndexOfId(id) is >= 0 and var known ? known : reader.Schema.IndexOfName(name);
        var kind = id == PathId ? ColumnKind.Utf8 : ColumnKind.Int64;
        return at >= 0 && reader.Schema[at].Type.Kind == kind
            ? reader.Schema[at]
            : throw new InvalidDataException($"it has no column {name} of the right type");
    }

    private sealed record KeySet(int[] FieldIds, HashSet<byte[]> Keys);
}
