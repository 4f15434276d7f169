using Frazil.DuckDb;

namespace Frazil.Query;

/// <summary>Where the rows of a statement go: to a reader in this process, or through a socket to another one.</summary>
internal interface IRowSink
{
    /// <summary>The statement is right, and this is what its rows consist of.</summary>
    void Begin(IReadOnlyList<DuckDbColumn> found);

    /// <summary>Takes over a frame. Waits for the reader where it holds all it may.</summary>
    void Write(ChunkFrame frame, CancellationToken cancellationToken);
}
