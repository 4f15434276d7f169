namespace Frazil.Tests;

/// <summary>Bytes of managed memory that code allocates on the thread that runs it.</summary>
internal static class ManagedMemory
{
    /// <summary>
    /// The least that one of several equal rounds allocated, in bytes. What the code itself allocates shows in every round; what the
    /// runtime allocates when it compiles a loop anew in the middle of its run (tens of bytes, on the thread that loops) shows in one.
    /// </summary>
    public static long LeastAllocated(int rounds, Action round)
    {
        var least = long.MaxValue;
        for (var i = 0; i < rounds; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            round();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
