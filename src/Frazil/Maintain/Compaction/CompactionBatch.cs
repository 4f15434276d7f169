using Frazil.Commit;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain.Compaction;

/// <summary>What one commit of a compaction replaces. Not thread-safe.</summary>
/// <param name="id">Names the commit for ever, and begins the names of its files.</param>
/// <param name="start">The version that all of it was read from.</param>
internal sealed class CompactionBatch(string id, TableVersion start)
{
    public string Id => id;

    public TableVersion Start => start;

    public List<RewrittenUnit> Units { get; } = [];

    public IEnumerable<DataFile> Removed => Units.SelectMany(static one => one.Unit.Files).Select(static file => file.File);

    public IEnumerable<DataFile> Added => Units.SelectMany(static one => one.Files);

    public long BytesIn => Units.Sum(static one => one.Unit.Bytes);
}
