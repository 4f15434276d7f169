using System.Runtime.InteropServices;

namespace Frazil.Columnar.Arrow;

/// <summary><c>struct ArrowSchema</c> of the Arrow C data interface.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ArrowSchema
{
    internal const long FlagNullable = 2;

    public byte* Format;
    public byte* Name;
    public byte* Metadata;
    public long Flags;
    public long ChildCount;
    public ArrowSchema** Children;
    public ArrowSchema* Dictionary;

    /// <summary>Null once released. Whoever holds the struct calls it once, or moves the struct to another holder.</summary>
    public delegate* unmanaged[Cdecl]<ArrowSchema*, void> Release;
    public void* PrivateData;
}

/// <summary><c>struct ArrowArray</c> of the Arrow C data interface.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct ArrowArray
{
    public long Length;

    /// <summary>-1 where not counted.</summary>
    public long NullCount;
    public long Offset;
    public long BufferCount;
    public long ChildCount;
    public void** Buffers;
    public ArrowArray** Children;
    public ArrowArray* Dictionary;

    /// <summary>Null once released. Whoever holds the struct calls it once, or moves the struct to another holder.</summary>
    public delegate* unmanaged[Cdecl]<ArrowArray*, void> Release;
    public void* PrivateData;
}
