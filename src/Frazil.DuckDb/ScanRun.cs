using Frazil.Columnar;

namespace Frazil.DuckDb;

/// <summary>One execution of a scan: its rows cut into tasks of at most one vector, which threads take one after the other.</summary>
internal sealed class ScanRun
{
    // A thread is worth its start-up from about this many rows on.
    private const long RowsPerThread = 32 * DuckDbNative.VectorSize;

    private readonly ColumnScan scan;
    private readonly int[] projection;
    private readonly long[] firstTasks;
    private readonly ColumnMapping[][] mappings;
    private long nextTask = -1;

    /// <param name="scan">Held by the statement for as long as this lives.</param>
    /// <param name="projection">Positions in the scan's fields, in the order wanted; anything beyond them is a virtual column, not
    /// filled.</param>
    public ScanRun(ColumnScan scan, int[] projection)
    {
        (this.scan, this.projection) = (scan, projection);
        firstTasks = new long[scan.Slices.Count + 1];
        mappings = new ColumnMapping[scan.Slices.Count][];
        var bySchema = new Dictionary<ColumnFields, ColumnMapping[]>(ReferenceEqualityComparer.Instance);
        for (var index = 0; index < scan.Slices.Count; index++)
        {
            var slice = scan.Slices[index];
            firstTasks[index + 1] = firstTasks[index] + ((slice.Count + DuckDbNative.VectorSize - 1) / DuckDbNative.VectorSize);
            if (!bySchema.TryGetValue(slice.Schema, out var mapping))
            {
                mapping = Map(slice.Schema);
                bySchema.Add(slice.Schema, mapping);
            }
            mappings[index] = mapping;
        }
    }

    public int MaxThreads => scan.KeepOrder ? 1 : (int)Math.Clamp(scan.RowCount / RowsPerThread, 1, 256);

    /// <summary>Takes the next task and fills <paramref name="chunk"/>; zero rows when all are taken. Safe from several threads.</summary>
    public void FillNext(nint chunk, VectorFill fill)
    {
        var task = Interlocked.Increment(ref nextTask);
        if (task >= firstTasks[^1])
        {
            DuckDbNative.duckdb_data_chunk_set_size(chunk, 0);
            return;
        }
        var at = Array.BinarySearch(firstTasks, task);
        // Empty slices repeat their number; the last of equals is the one with rows.
        at = at < 0 ? ~at - 1 : at;
        while (firstTasks[at + 1] <= task)
        {
            at++;
        }
        var slice = scan.Slices[at];
        var first = (task - firstTasks[at]) * DuckDbNative.VectorSize;
        var count = (int)Math.Min(DuckDbNative.VectorSize, slice.Count - first);
        for (var column = 0; column < projection.Length; column++)
        {
            if (projection[column] >= 0)
            {
                var mapping = mappings[at][column];
                var view = mapping.Source < 0 ? null : slice.Columns[mapping.Source];
                var vector = DuckDbNative.duckdb_data_chunk_get_vector(chunk, (ulong)column);
                fill.Fill(mapping, view, vector, slice, first, count);
            }
        }
        DuckDbNative.duckdb_data_chunk_set_size(chunk, (ulong)count);
    }

    private ColumnMapping[] Map(ColumnFields sources)
    {
        var mapped = new ColumnMapping[projection.Length];
        for (var index = 0; index < projection.Length; index++)
        {
            if (projection[index] >= 0)
            {
                mapped[index] = ColumnMapping.Create(scan.Fields[projection[index]], sources);
            }
        }
        return mapped;
    }
}
