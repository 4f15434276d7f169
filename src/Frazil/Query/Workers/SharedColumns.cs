using System.Runtime.InteropServices;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>The worker's view of the server's shared blocks: mapped once, before there is a statement, and without a descriptor that stays, so that no
/// statement can make it writable.</summary>
internal sealed unsafe class SharedColumns
{
    private readonly byte* start;

    /// <param name="descriptor">Closed here; -1 where nothing is shared.</param>
    /// <param name="reserve">Addresses to set aside.</param>
    public SharedColumns(int descriptor, long reserve)
    {
        const int WithoutPromise = 0x4000;
        if (descriptor < 0)
        {
            return;
        }
        var mapped = Map(0, (nuint)reserve, ReadFlag, Shared | WithoutPromise, descriptor, 0);
        var reason = Marshal.GetLastPInvokeErrorMessage();
        _ = Close(descriptor);
        start = mapped != -1 ? (byte*)mapped : throw new IOException($"The shared columns cannot be mapped: {reason}.");
    }

    public byte* At(long offset) => start + offset;
}
