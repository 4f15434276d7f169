using System.Collections.Immutable;
using Frazil.Iceberg;
using Frazil.Iceberg.Manifests;

namespace Frazil.Commit;

/// <summary>Data files that take the place of others in one atomic commit that moves no progress.</summary>
internal sealed record TableRewrite
{
    /// <summary>Names the commit for ever: one whose answer was lost is looked up by it.</summary>
    public required string FlushId { get; init; }

    /// <summary>What it is for; names its fault points: <c>KIND.staged</c>, <c>KIND.swapped</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The branch that it changes; one that does not exist is made at the head of main.</summary>
    public string Branch { get; init; } = SnapshotRef.MainBranch;

    /// <summary>The snapshot that <see cref="Removed"/> were found in; null where there was none.</summary>
    public required Snapshot? Start { get; init; }

    public required ImmutableArray<DataFile> Removed { get; init; }

    /// <summary>Durable already, in no table yet.</summary>
    public required ImmutableArray<DataFile> Added { get; init; }

    /// <summary>The added files hold the very rows of the removed ones, less what delete files say: an Iceberg <c>replace</c> of main, which
    /// also takes out delete files that apply to nothing any more. Else an <c>overwrite</c>.</summary>
    public bool HoldsSameRows { get; init; }

    /// <summary>Entries of the snapshot's summary beside the flush id.</summary>
    public ImmutableDictionary<string, string> Summary { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Looks at each version tried, before anything is staged on it; throws where the rewrite is no longer right for it.</summary>
    public required Func<TableVersion, CancellationToken, Task> Validate { get; init; }
}

/// <summary>The table changed such that a rewrite planned before no longer fits it. Certainly not committed; plan it anew.</summary>
internal sealed class StaleRewriteException(string message, Exception? inner = null) : Exception(message, inner);
