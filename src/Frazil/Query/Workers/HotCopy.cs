using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.DuckDb;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>
/// The hot rows of one query for another process. What lies in blocks that it has mapped (<see cref="NativeBlocks.Share"/>) is only named; small buffers
/// are copied into one sealed file without a name, each at a multiple of 64 bytes, no more of them than the query sees. Measured first, then written, by
/// the same walk. Dispose closes the descriptor; who has mapped it keeps it.
/// </summary>
internal sealed unsafe class HotCopy : IDisposable
{
    /// <summary>Of a place that lies in the shared blocks, not in the copy.</summary>
    public const long InSharedBlocks = 1L << 62;

    private const int Alignment = 64, FirstRow = ~63;
    private readonly ByteWriter layout;
    private byte* memory;
    private long at;

    private HotCopy(ByteWriter layout) => this.layout = layout;

    /// <summary>Of the file; -1 where there are no hot rows.</summary>
    public int Descriptor { get; private set; } = -1;

    public long Bytes { get; private set; }

    /// <summary>Bytes that the copy of these rows takes.</summary>
    public static long Measure(IEnumerable<BatchSlice> slices)
    {
        var copy = new HotCopy(new ByteWriter());
        foreach (var slice in slices)
        {
            copy.Write(slice);
        }
        return copy.at;
    }

    /// <summary>Copies the rows, and describes them for <see cref="HotMapping"/>.</summary>
    /// <exception cref="IOException">There is no memory for them.</exception>
    public static HotCopy Of(IReadOnlyList<TableOffer> tables, long bytes, ByteWriter layout)
    {
        var copy = new HotCopy(layout) { Bytes = bytes };
        try
        {
            copy.Map();
            foreach (var table in tables)
            {
                layout.Write(table.Slices.Count);
                foreach (var slice in table.Slices)
                {
                    ColumnTypes.Write(layout, slice.Schema);
                    copy.Write(slice);
                }
            }
            copy.Seal();
            return copy;
        }
        catch
        {
            copy.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Unmap();
        if (Descriptor >= 0)
        {
            _ = Close(Descriptor);
            Descriptor = -1;
        }
    }

    private void Map()
    {
        const uint CloseIt = 1, MayBeSealed = 2, NeverRun = 8;
        if (Bytes == 0)
        {
            return;
        }
        Descriptor = CreateMemoryFile("frazil-hot", CloseIt | MayBeSealed | NeverRun);
        Descriptor = Descriptor >= 0 ? Descriptor : CreateMemoryFile("frazil-hot", CloseIt | MayBeSealed); // before Linux 6.3
        var mapped = Descriptor >= 0 && SetLength(Descriptor, Bytes) == 0 ? LinuxCalls.Map(0, (nuint)Bytes, ReadFlag | WriteFlag, Shared, Descriptor, 0) : -1;
        memory = mapped != -1 ? (byte*)mapped : throw new IOException($"No memory for {Bytes} bytes of hot rows: {Marshal.GetLastPInvokeErrorMessage()}.");
    }

    /// <summary>Nobody may write it, or make it shorter under one who reads.</summary>
    private void Seal()
    {
        const int AddSeals = 1033, All = 1 | 2 | 4 | 8;
        Unmap();
        if (Descriptor >= 0 && Control(Descriptor, AddSeals, All) != 0)
        {
            throw new IOException($"Hot rows cannot be sealed for a worker: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    private void Unmap()
    {
        if (memory != null)
        {
            _ = LinuxCalls.Unmap((nint)memory, (nuint)Bytes);
            memory = null;
        }
    }

    private void Write(BatchSlice slice)
    {
        var (first, end) = slice.Selection is { Length: > 0 } rows ? (rows.Min(), rows.Max() + 1L) : (slice.Start, slice.Start + slice.Count);
        first &= FirstRow;
        layout.Write(slice.Selection is null ? slice.Start - first : 0);
        layout.Write(slice.Count);
        layout.Write(slice.Selection?.Length ?? -1);
        foreach (var row in slice.Selection ?? [])
        {
            layout.Write((int)(row - first));
        }
        foreach (var column in slice.Columns)
        {
            Write(column, first, end);
        }
    }

    /// <summary>Values <paramref name="first"/>, a multiple of 64 so that bits keep their places, to before <paramref name="end"/>.</summary>
    private void Write(ColumnView view, long first, long end)
    {
        var count = Math.Max(0, end - first);
        layout.Write(count);
        layout.Write(view.Validity == null ? -1 : Put(view.Validity + (first >> 3), (count + 7) >> 3));
        if (view.Offsets == null)
        {
            layout.Write(-1L);
            layout.Write(view.Values == null ? -1 : PutValues(view, first, count));
            foreach (var child in view.Children)
            {
                Write(child, first, end);
            }
            return;
        }
        var (from, to) = count == 0 ? (0, 0) : (view.Offsets[first], view.Offsets[end]);
        var isNamed = NativeBlocks.SharedOffsetOf(view.Offsets) >= 0 && (view.Values == null || NativeBlocks.SharedOffsetOf(view.Values) >= 0);
        // In a copy the elements of a list begin at a multiple of 64 as well, the bytes of texts where they begin; named offsets count from the first of all.
        var zero = isNamed ? 0 : view.Children.Count > 0 ? from & FirstRow : from;
        layout.Write(isNamed ? Put((byte*)(view.Offsets + first), (count + 1) * sizeof(int)) : PutOffsets(view.Offsets + first, count + 1, zero));
        layout.Write(view.Children.Count > 0 || view.Values == null ? -1 : Put(view.Values + zero, to - zero));
        foreach (var child in view.Children)
        {
            Write(child, zero, to);
        }
    }

    private long PutValues(ColumnView view, long first, long count) => view.Type.Kind == ColumnKind.Boolean
        ? Put(view.Values + (first >> 3), (count + 7) >> 3)
        : Put(view.Values + (first * view.Type.ValueSize), count * view.Type.ValueSize);

    private long PutOffsets(int* offsets, long count, int zero)
    {
        var start = Take(count * sizeof(int));
        if (memory != null)
        {
            var target = (int*)(memory + start);
            for (var index = 0L; index < count; index++)
            {
                target[index] = offsets[index] - zero;
            }
        }
        return start;
    }

    private long Put(byte* source, long bytes)
    {
        if (NativeBlocks.SharedOffsetOf(source) is var named and >= 0)
        {
            return named | InSharedBlocks;
        }
        var start = Take(bytes);
        if (memory != null)
        {
            Buffer.MemoryCopy(source, memory + start, bytes, bytes);
        }
        return start;
    }

    private long Take(long bytes)
    {
        var start = at;
        at += (bytes + Alignment - 1) & -Alignment;
        return start;
    }
}
