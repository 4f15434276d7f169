using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Frazil.DuckDb;

/// <summary>A struct read from a result: its members by name, enumerated in the type's order.</summary>
internal sealed class StructValue(int capacity) : IReadOnlyDictionary<string, object?>
{
    private readonly List<KeyValuePair<string, object?>> members = new(capacity);

    public int Count => members.Count;

    public IEnumerable<string> Keys => members.Select(member => member.Key);

    public IEnumerable<object?> Values => members.Select(member => member.Value);

    public object? this[string key] =>
        TryGetValue(key, out var value)
            ? value
            : throw new KeyNotFoundException($"The struct has no member '{key}'; it has {string.Join(", ", Keys)}.");

    public void Add(string name, object? value) => members.Add(new(name, value));

    public bool ContainsKey(string key) => TryGetValue(key, out _);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out object? value)
    {
        foreach (var member in members)
        {
            if (member.Key == key)
            {
                value = member.Value;
                return true;
            }
        }
        value = null;
        return false;
    }

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => members.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
