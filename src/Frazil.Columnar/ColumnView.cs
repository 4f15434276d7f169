namespace Frazil.Columnar;

/// <summary>
/// A read-only look at one column's buffers in Arrow layout, fixed at the moment it was taken. Holds no reference: the memory stays valid
/// only while the chunk it came from is pinned. Safe to read from any thread while the chunk's writer appends further rows.
/// </summary>
public sealed unsafe class ColumnView
{
    public required ColumnType Type { get; init; }

    /// <summary>Values visible, in rows (for a list's child: in elements).</summary>
    public required long Length { get; init; }

    /// <summary>One bit a value, least significant first, 1 = present; null where every value is present. Padded to 8 bytes.</summary>
    public byte* Validity { get; init; }

    /// <summary>Fixed-width values, Boolean bits, or the bytes of Utf8 and Binary. Null for nested kinds.</summary>
    public byte* Values { get; init; }

    /// <summary><see cref="Length"/> + 1 offsets for Utf8, Binary, List and Map; null for others.</summary>
    public int* Offsets { get; init; }

    /// <summary>Struct: one a field. List: the element. Map: key and value. Empty for others. A struct's null does not imply its
    /// children's bits are clear.</summary>
    public IReadOnlyList<ColumnView> Children { get; init; } = [];

    public bool IsNull(long row) => Validity != null && (Validity[row >> 3] & (1 << (int)(row & 7))) == 0;
}
