using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Frazil.Iceberg.Manifests;

/// <summary>Values by field id: two arrays sorted by id, so that a hundred thousand files' metrics stay small. Immutable.</summary>
#pragma warning disable CA1710 // it is a map by field id; "Dictionary" would say less
public sealed class FieldMap<T> : IReadOnlyDictionary<int, T>
#pragma warning restore CA1710
{
    private readonly int[] ids;
    private readonly T[] values;

    /// <exception cref="ArgumentException">An id repeats.</exception>
    public FieldMap(IEnumerable<KeyValuePair<int, T>> entries)
    {
        var sorted = entries.OrderBy(entry => entry.Key).ToArray();
        ids = Array.ConvertAll(sorted, entry => entry.Key);
        values = Array.ConvertAll(sorted, entry => entry.Value);
        for (var i = 1; i < ids.Length; i++)
            if (ids[i] == ids[i - 1])
                throw new ArgumentException($"Field id {ids[i]} is given twice.", nameof(entries));
    }

    /// <summary>Takes both arrays as they are; sorts them where needed.</summary>
    internal FieldMap(int[] ids, T[] values)
    {
        (this.ids, this.values) = (ids, values);
        for (var i = 1; i < ids.Length; i++)
        {
            if (ids[i] > ids[i - 1])
                continue;
            Array.Sort(ids, values);
            break;
        }
    }

    public int Count => ids.Length;

    public T this[int key] => TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"No entry for field id {key}.");

    public IEnumerable<int> Keys => ids;

    public IEnumerable<T> Values => values;

    internal ReadOnlySpan<int> SortedIds => ids;

    internal ReadOnlySpan<T> SortedValues => values;

    public bool ContainsKey(int key) => Array.BinarySearch(ids, key) >= 0;

    public bool TryGetValue(int key, [MaybeNullWhen(false)] out T value)
    {
        var index = Array.BinarySearch(ids, key);
        value = index >= 0 ? values[index] : default;
        return index >= 0;
    }

    public IEnumerator<KeyValuePair<int, T>> GetEnumerator()
    {
        for (var i = 0; i < ids.Length; i++)
            yield return new KeyValuePair<int, T>(ids[i], values[i]);
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
