using Frazil.Columnar;

namespace Frazil.Cold;

/// <summary>The files of a table's snapshot, as SQL reads them.</summary>
/// <param name="Name">For messages.</param>
/// <param name="Columns">The table's current schema, in SQL's names.</param>
/// <param name="Defaults">What rows hold of columns that are younger than their file.</param>
/// <param name="Files">The snapshot's files.</param>
internal sealed record ColdTable(string Name, ColumnFields Columns, ColumnDefaults Defaults, IReadOnlyList<DataFileInput> Files);

/// <param name="Path">An absolute local path in one of the executor's directories. Files never change.</param>
/// <param name="RecordCount">Rows, as the manifest has it.</param>
public sealed record DataFileInput(string Path, long RecordCount)
{
    /// <summary>By field id, the values that every row of the file has of the columns that the table is partitioned by, as they are. Only
    /// looked at for columns that the file itself does not have.</summary>
    public ColumnDefaults PartitionValues { get; init; } = ColumnDefaults.None;

    /// <summary>Where it is, if <see cref="Path"/> is that of a copy, which must be brought first; null where the path is its own.</summary>
    internal RemoteFile? Remote { get; init; }
}
