using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Text;
using Frazil.Columnar;

namespace Frazil.Formats.Json;

/// <summary>A field of an object as the decoder expects it: its key's bytes with quotes and colon, its column, and what usually
/// follows.</summary>
internal sealed unsafe class JsonField
{
    private readonly byte[] key;
    private readonly Vector256<byte> keyStart;
    private readonly uint keyMask;

    /// <param name="reader">Null for a name that the pipeline keeps for itself.</param>
    public JsonField(string name, ColumnWriter? column, JsonValueReader? reader)
    {
        Text = name;
        Name = Encoding.UTF8.GetBytes(name);
        Column = column!;
        Reader = reader!;
        IsReserved = reader is null;
        key = KeyBytes(name);
        KeyLength = key.Length;
        Span<byte> start = stackalloc byte[32];
        key.AsSpan(0, Math.Min(32, key.Length)).CopyTo(start);
        keyStart = Vector256.Create<byte>(start);
        keyMask = key.Length >= 32 ? uint.MaxValue : (1u << key.Length) - 1;
        fixed (byte* bytes = Name)
        {
            Hash = JsonNames.HashUnpadded(bytes, Name.Length, 0);
        }
        Next = this;
    }

    public string Text { get; }

    /// <summary>The name unescaped.</summary>
    public byte[] Name { get; }

    public ulong Hash { get; }

    public bool IsReserved { get; }

    public ColumnWriter Column { get; }

    public JsonValueReader Reader { get; }

    /// <summary>Bytes of the key with quotes and colon.</summary>
    public int KeyLength { get; }

    /// <summary>The field that followed this one last time (at first: in the schema). Producers rarely change the order.</summary>
    public JsonField Next { get; set; }

    /// <summary>Whether the bytes at <paramref name="p"/> are this key, quotes and colon included, written in the usual way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Matches(byte* p, byte* end)
    {
        var equal = Vector256.Equals(Vector256.Load(p), keyStart).ExtractMostSignificantBits();
        return (equal & keyMask) == keyMask && (KeyLength <= 32 || TailMatches(p, end));
    }

    private bool TailMatches(byte* p, byte* end)
        => end - p >= key.Length && new ReadOnlySpan<byte>(p + 32, key.Length - 32).SequenceEqual(key.AsSpan(32));

    private static byte[] KeyBytes(string name)
    {
        var text = new StringBuilder("\"");
        foreach (var character in name)
        {
            _ = character switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                < ' ' => text.Append($"\\u{(int)character:x4}"),
                _ => text.Append(character),
            };
        }
        return Encoding.UTF8.GetBytes(text.Append("\":").ToString());
    }
}
