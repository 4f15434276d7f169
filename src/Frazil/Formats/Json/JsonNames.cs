using System.Numerics;
using System.Runtime.CompilerServices;

namespace Frazil.Formats.Json;

/// <summary>Finds an object's field by its name's bytes. For lookups within the process only: the hash is never stored.</summary>
internal sealed unsafe class JsonNames
{
    private readonly JsonField?[] slots;

    public JsonNames(IReadOnlyList<JsonField> fields)
    {
        slots = new JsonField?[Math.Max(4, (int)BitOperations.RoundUpToPowerOf2((uint)fields.Count * 2))];
        foreach (var field in fields)
        {
            var slot = (int)field.Hash & (slots.Length - 1);
            while (slots[slot] is not null)
            {
                slot = (slot + 1) & (slots.Length - 1);
            }
            slots[slot] = field;
        }
    }

    /// <summary>The field of that name, or null. Eight bytes behind the name must be readable.</summary>
    public JsonField? Find(byte* name, int length)
    {
        var hash = Hash(name, length, 0);
        for (var slot = (int)hash & (slots.Length - 1); slots[slot] is { } field; slot = (slot + 1) & (slots.Length - 1))
        {
            if (field.Hash == hash && new ReadOnlySpan<byte>(name, length).SequenceEqual(field.Name))
            {
                return field;
            }
        }
        return null;
    }

    /// <summary>Reads up to 7 bytes behind the name.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Hash(byte* name, int length, ulong seed)
    {
        var hash = Mix(seed, (ulong)length);
        for (; length > 8; name += 8, length -= 8)
        {
            hash = Mix(hash, Unsafe.ReadUnaligned<ulong>(name));
        }
        return length == 0 ? hash : Mix(hash, Unsafe.ReadUnaligned<ulong>(name) << (64 - length * 8));
    }

    /// <summary>The same hash without reading behind the name.</summary>
    public static ulong HashUnpadded(byte* name, int length, ulong seed)
    {
        var hash = Mix(seed, (ulong)length);
        for (; length > 8; name += 8, length -= 8)
        {
            hash = Mix(hash, Unsafe.ReadUnaligned<ulong>(name));
        }
        ulong tail = 0;
        for (var index = 0; index < length; index++)
        {
            tail |= (ulong)name[index] << (index * 8);
        }
        return length == 0 ? hash : Mix(hash, tail << (64 - length * 8));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong hash, ulong word)
    {
        hash = (hash ^ word) * 0x9FB21C651E98DF25;
        return hash ^ (hash >> 32);
    }
}
