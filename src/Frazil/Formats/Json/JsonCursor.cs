using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Frazil.Formats.Json;

/// <summary>
/// What the readers of one record share: where it ends, how deep they are, and how it failed. Readers pass a pointer to the next unread
/// byte and return the byte after what they read, or null when they failed.
///
/// Invariant: at least <see cref="Padding"/> bytes behind <see cref="End"/> can be read (their content means nothing), so vectors and words
/// may be loaded anywhere in the record; every reader checks that what it accepted ends at or before <see cref="End"/>.
/// </summary>
internal sealed unsafe class JsonCursor : IDisposable
{
    public const int Padding = 64;
    public const int MaxDepth = 64;

    /// <summary>Bytes of a buffer that outlive the record they were needed for.</summary>
    private const int MaxKept = 1 << 20;

    private byte* scratch;
    private int scratchSize;
    private byte* copy;
    private int copySize;

    public byte* Start { get; private set; }

    public byte* End { get; private set; }

    /// <summary>Complete rows in the chunk: the index of the row being appended.</summary>
    public int Row { get; private set; }

    public int Depth { get; set; }

    /// <summary>Whether an unknown field counts even when its value is nothing.</summary>
    public bool RefuseUnknown { get; init; }

    /// <summary>First key without a column whose value is not nothing; null when there is none.</summary>
    public byte* UnknownKey { get; set; }

    /// <summary>Unknown keys and map keys of this record.</summary>
    public JsonKeySet Keys { get; } = new();

    public DecodeReason Reason { get; private set; }

    public byte* FailedAt { get; private set; }

    /// <summary>What was expected, or what is wrong, as the rest of a sentence.</summary>
    public string Detail { get; private set; } = "";

    /// <summary>The field that is missing below the path of <see cref="FailedAt"/>.</summary>
    public string? MissingName { get; private set; }

    /// <summary>Begins a record. It is read in place where the bytes behind it lie on its own memory page, from a copy otherwise.</summary>
    public byte* Begin(byte* value, int length, int row)
    {
        const int PageMask = 4095;
        if ((int)((nuint)(value + length - 1) & PageMask) + Padding > PageMask)
        {
            value = CopyPadded(value, length);
        }
        Start = value;
        End = value + length;
        Row = row;
        Depth = 0;
        UnknownKey = null;
        MissingName = null;
        FailedAt = null;
        if (Keys.Count > 0)
        {
            Keys.Clear();
        }
        return value;
    }

    /// <summary>Notes the failure. Always null, to be returned.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public byte* Fail(DecodeReason reason, byte* at, string detail)
    {
        Reason = reason;
        FailedAt = at > End ? End : at;
        Detail = FailedAt == End && reason is DecodeReason.Syntax ? "the value ends in the middle" : detail;
        return null;
    }

    public byte* FailMissing(byte* at, string name)
    {
        MissingName = name;
        return Fail(DecodeReason.MissingRequired, at, "required, but missing");
    }

    /// <summary>A buffer for text that is not taken from the record as it stands; good until the next call.</summary>
    public byte* Scratch(int size)
    {
        if (size > scratchSize || scratchSize > MaxKept)
        {
            Reallocate(ref scratch, ref scratchSize, size);
        }
        return scratch;
    }

    public void Dispose()
    {
        NativeMemory.Free(scratch);
        NativeMemory.Free(copy);
        scratch = copy = null;
        scratchSize = copySize = 0;
    }

    private byte* CopyPadded(byte* value, int length)
    {
        if (length > copySize || copySize > MaxKept)
        {
            // One very large record must not hold its memory for good.
            Reallocate(ref copy, ref copySize, length);
        }
        Buffer.MemoryCopy(value, copy, copySize, length);
        return copy;
    }

    private static void Reallocate(ref byte* buffer, ref int size, int needed)
    {
        NativeMemory.Free(buffer);
        buffer = null; // should there be no memory
        size = 0;
        var larger = (int)Math.Min(Math.Max(4096L, needed * 2L), Math.Max(needed, Array.MaxLength));
        buffer = (byte*)NativeMemory.Alloc((nuint)larger + Padding);
        size = larger;
    }
}
