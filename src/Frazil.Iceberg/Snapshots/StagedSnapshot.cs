using Frazil.Iceberg.Manifests;

namespace Frazil.Iceberg;

/// <summary>
/// One attempt at a commit: its manifests and manifest list are written (durable, but visible to nobody), and this is what to ask the
/// catalog for.
/// </summary>
/// <param name="Snapshot">The snapshot that the commit would make.</param>
/// <param name="Requirements">That the table is the same and its branch has not moved.</param>
/// <param name="Updates">The snapshot, the branch, and the caller's properties.</param>
/// <param name="Manifests">Every manifest of the snapshot.</param>
public sealed record StagedSnapshot(
    Snapshot Snapshot, IReadOnlyList<TableRequirement> Requirements, IReadOnlyList<TableUpdate> Updates,
    IReadOnlyList<ManifestFile> Manifests);
