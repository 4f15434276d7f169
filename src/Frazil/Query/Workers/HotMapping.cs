using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.DuckDb;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>The worker's view of a <see cref="HotCopy"/>: mapped to be read only, until it is disposed.</summary>
internal sealed unsafe class HotMapping : IDisposable
{
    private readonly SharedColumns shared;
    private readonly long bytes;
    private byte* memory;

    /// <param name="descriptor">Closed here; -1 where there are no hot rows.</param>
    /// <param name="bytes">Of it.</param>
    /// <param name="shared">What is named instead of copied.</param>
    public HotMapping(int descriptor, long bytes, SharedColumns shared)
    {
        (this.bytes, this.shared) = (bytes, shared);
        if (descriptor < 0)
        {
            return;
        }
        var mapped = Map(0, (nuint)bytes, ReadFlag, Shared, descriptor, 0);
        var reason = Marshal.GetLastPInvokeErrorMessage();
        _ = Close(descriptor);
        memory = mapped != -1 ? (byte*)mapped : throw new IOException($"Hot rows cannot be mapped: {reason}.");
    }

    public IReadOnlyList<BatchSlice> ReadSlices(ByteReader layout)
    {
        var slices = new BatchSlice[layout.ReadCount(leastBytes: 8)];
        for (var index = 0; index < slices.Length; index++)
        {
            var schema = ColumnTypes.Read(layout);
            var (start, count, selected) = (layout.ReadLong(), layout.ReadLong(), layout.ReadInt());
            var selection = selected < 0 ? null : new int[selected];
            for (var row = 0; row < selected; row++)
            {
                selection![row] = layout.ReadInt();
            }
            slices[index] = new() { Schema = schema, Start = start, Count = count, Selection = selection, Columns = [.. schema.Select(field => ReadView(layout, field.Type))] };
        }
        return slices;
    }

    public void Dispose()
    {
        if (memory != null)
        {
            _ = Unmap((nint)memory, (nuint)bytes);
            memory = null;
        }
    }

    private ColumnView ReadView(ByteReader layout, ColumnType type)
    {
        var (length, validity, offsets, values) = (layout.ReadLong(), layout.ReadLong(), layout.ReadLong(), layout.ReadLong());
        return new()
        {
            Type = type,
            Length = length,
            Validity = At(validity),
            Offsets = (int*)At(offsets),
            Values = At(values),
            Children = [.. type.Fields.Select(field => ReadView(layout, field.Type))],
        };
    }

    private byte* At(long offset)
        => offset < 0 ? null : offset >= HotCopy.InSharedBlocks ? shared.At(offset - HotCopy.InSharedBlocks) : memory + offset;
}
