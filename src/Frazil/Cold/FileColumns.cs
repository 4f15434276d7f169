using System.Collections.Concurrent;
using Frazil.Flush;

namespace Frazil.Cold;

/// <summary>The columns of data files as the files themselves name and number them. Files never change, so that what was read once is kept.
/// Thread-safe.</summary>
internal sealed class FileColumns
{
    private const int MaxFiles = 100_000;
    private readonly ConcurrentDictionary<string, IReadOnlyList<ParquetNode>> columnsByPath = new();

    /// <summary>The file's own columns.</summary>
    /// <exception cref="UnreadableTableException">The file cannot be read.</exception>
    public IReadOnlyList<ParquetNode> Read(string path)
    {
        if (columnsByPath.TryGetValue(path, out var known))
        {
            return known;
        }
        try
        {
            using var file = File.OpenRead(path);
            var columns = ParquetFooter.Read(file).Columns;
            if (columnsByPath.Count >= MaxFiles)
            {
                columnsByPath.Clear();
            }
            return columnsByPath.GetOrAdd(path, columns);
        }
        catch (Exception failure) when (failure is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new UnreadableTableException($"The data file {path} cannot be read: {failure.Message}", failure);
        }
    }
}
