using System.Runtime.InteropServices;

namespace Frazil.Parquet.Values;

/// <summary>Padded copies of the few short values that lie at the very end of a buffer, where nothing beyond may be read.</summary>
internal sealed unsafe class TailBytes : IDisposable
{
    private const int BlockBytes = 4096;

    private readonly List<nint> blocks = [];
    private int usedBlocks;
    private int usedBytes = BlockBytes;

    /// <summary>A copy of at most <see cref="ColumnValues.SafeBytes"/> bytes that stays where it is until <see cref="Clear"/>.</summary>
    public byte* Copy(byte* value, int length)
    {
        if (usedBytes == BlockBytes)
        {
            if (usedBlocks == blocks.Count)
            {
                blocks.Add((nint)NativeMemory.AllocZeroed(BlockBytes));
            }
            (usedBlocks, usedBytes) = (usedBlocks + 1, 0);
        }
        var copy = (byte*)blocks[usedBlocks - 1] + usedBytes;
        usedBytes += ColumnValues.SafeBytes;
        Buffer.MemoryCopy(value, copy, ColumnValues.SafeBytes, length);
        return copy;
    }

    public void Clear() => (usedBlocks, usedBytes) = (0, BlockBytes);

    public void Dispose()
    {
        blocks.ForEach(static block => NativeMemory.Free((void*)block));
        blocks.Clear();
        Clear();
    }
}
