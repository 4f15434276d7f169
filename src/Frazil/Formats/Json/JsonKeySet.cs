namespace Frazil.Formats.Json;

/// <summary>
/// Names seen in the objects of one record that have no column to show it: map keys and unknown fields. Each object is a frame of its
/// own. Finds a name that stands twice in linear time, whatever the names are.
/// </summary>
internal sealed unsafe class JsonKeySet
{
    /// <summary>Unpredictable to whoever writes the records, so that they cannot make all names collide.</summary>
    private static readonly ulong Seed = unchecked((ulong)Random.Shared.NextInt64()) | 1;

    private int[] slots = new int[64];
    private Entry[] entries = new Entry[32];
    private byte[] names = new byte[512];
    private int nameBytes;
    private int frames;

    private record struct Entry(ulong Hash, int Frame, int Start, int Length);

    public int Count { get; private set; }

    public int OpenFrame() => ++frames;

    /// <summary>False when the frame holds the name already. Names are compared unescaped.</summary>
    public bool Add(int frame, ReadOnlySpan<byte> name)
    {
        ulong hash;
        fixed (byte* bytes = name)
        {
            hash = JsonNames.HashUnpadded(bytes, name.Length, Seed + (ulong)frame * 0x9E3779B97F4A7C15);
        }
        var slot = FindSlot(hash, frame, name);
        if (slots[slot] != 0)
        {
            return false;
        }
        AddEntry(hash, frame, name);
        slots[slot] = Count;
        if (Count * 2 > slots.Length)
        {
            Rehash();
        }
        return true;
    }

    public void Clear()
    {
        if (slots.Length > 16 * 1024)
        {
            // One very wide record must not make every later one clear a large table.
            slots = new int[64];
            entries = new Entry[32];
            names = new byte[512];
        }
        Array.Clear(slots);
        Count = nameBytes = frames = 0;
    }

    private int FindSlot(ulong hash, int frame, ReadOnlySpan<byte> name)
    {
        var mask = slots.Length - 1;
        for (var slot = (int)hash & mask; ; slot = (slot + 1) & mask)
        {
            if (slots[slot] == 0)
            {
                return slot;
            }
            ref var entry = ref entries[slots[slot] - 1];
            if (entry.Hash == hash && entry.Frame == frame && names.AsSpan(entry.Start, entry.Length).SequenceEqual(name))
            {
                return slot;
            }
        }
    }

    private void AddEntry(ulong hash, int frame, ReadOnlySpan<byte> name)
    {
        if (Count == entries.Length)
        {
            Array.Resize(ref entries, entries.Length * 2);
        }
        if (names.Length - nameBytes < name.Length)
        {
            Array.Resize(ref names, checked(Math.Max(names.Length * 2, nameBytes + name.Length)));
        }
        name.CopyTo(names.AsSpan(nameBytes));
        entries[Count++] = new(hash, frame, nameBytes, name.Length);
        nameBytes += name.Length;
    }

    private void Rehash()
    {
        slots = new int[slots.Length * 4];
        var mask = slots.Length - 1;
        for (var index = 0; index < Count; index++)
        {
            var slot = (int)entries[index].Hash & mask;
            while (slots[slot] != 0)
            {
                slot = (slot + 1) & mask;
            }
            slots[slot] = index + 1;
        }
    }
}
