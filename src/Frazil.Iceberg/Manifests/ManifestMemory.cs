namespace Frazil.Iceberg.Manifests;

/// <summary>The newest used manifests and lists of one table or many, parsed, up to so many bytes. Thread-safe; nothing to dispose.</summary>
/// <param name="maxBytes">Memory to keep at most, estimated from file sizes.</param>
public sealed class ManifestMemory(long maxBytes)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, LinkedListNode<Entry>> byKey = new(StringComparer.Ordinal);
    private readonly LinkedList<Entry> newestFirst = new();
    private long heldBytes;

    /// <summary>The read belongs to everybody who waits for it, so nobody's cancellation ends it; each only stops waiting.</summary>
    internal async Task<T> GetAsync<T>(string key, long bytes, Func<Task<T>> read, CancellationToken cancellationToken) where T : class
    {
        Task<T> task;
        lock (gate)
        {
            if (byKey.TryGetValue(key, out var node))
            {
                newestFirst.Remove(node);
                newestFirst.AddFirst(node);
            }
            else
            {
                // Started on the pool: a read must not run under the lock.
                node = newestFirst.AddFirst(new Entry(key, bytes, Task.Run(read, CancellationToken.None)));
                byKey.Add(key, node);
                heldBytes += bytes;
                Trim();
            }
            task = (Task<T>)node.Value.Content;
        }
        try
        {
            return await task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch when (task.IsFaulted)
        {
            Forget(key, task);      // the next caller tries again
            throw;
        }
        catch
        {
            // Given up before it ended: should it fail, nobody else may be there to see it.
            _ = task.ContinueWith(
                failed => Forget(key, failed), CancellationToken.None, TaskContinuationOptions.NotOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    private void Forget(string key, Task failed)
    {
        lock (gate)
        {
            if (!byKey.TryGetValue(key, out var node) || node.Value.Content != failed)
                return;
            byKey.Remove(key);
            newestFirst.Remove(node);
            heldBytes -= node.Value.Bytes;
        }
    }

    private void Trim()
    {
        while (heldBytes > maxBytes && newestFirst.Last is { } oldest && oldest != newestFirst.First)
        {
            byKey.Remove(oldest.Value.Key);
            newestFirst.RemoveLast();
            heldBytes -= oldest.Value.Bytes;
        }
    }

    private sealed record Entry(string Key, long Bytes, Task Content);
}
