using System.Collections.Concurrent;

namespace Frazil.Commit;

/// <summary>Ids of writes whose files are in no version of a table yet. Thread-safe.</summary>
internal sealed class OpenWrites
{
    private readonly ConcurrentDictionary<string, bool> open = new(StringComparer.Ordinal);

    /// <summary>What the names of their files begin with.</summary>
    public IEnumerable<string> Ids => open.Keys;

    /// <summary>A write begins. Dispose ends it.</summary>
    public IDisposable Begin(string id)
    {
        open[id] = true;
        return new Write(this, id);
    }

    private sealed class Write(OpenWrites owner, string id) : IDisposable
    {
        public void Dispose() => owner.open.TryRemove(id, out _);
    }
}
