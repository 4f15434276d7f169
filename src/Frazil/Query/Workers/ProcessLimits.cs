using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>What the kernel lets a worker take, whatever DuckDB promises.</summary>
internal static unsafe class ProcessLimits
{
    /// <summary>Beside DuckDB's own limit: what it does not count, stacks of threads, and .NET with its heap.</summary>
    public const int MemoryBesideMb = 768;

    /// <param name="memoryMb">Of DuckDB.</param>
    /// <param name="spillMb">That may be written.</param>
    public static void Set(int memoryMb, int spillMb)
    {
        const int FileSize = 1, Data = 2, Core = 4;
        Limit(Data, (ulong)(memoryMb + MemoryBesideMb) << 20); // private memory that can be written
        Limit(FileSize, (ulong)spillMb << 20);
        Limit(Core, 0);
    }

    /// <summary>From here on a fault ends the process at once. .NET would look into it first, with memory that it asks the broken C library for, and could
    /// wait for ever: none of our own code counts on a fault to become an exception.</summary>
    public static void LetFaultsEnd()
    {
        const int Illegal = 4, Trap = 5, Abort = 6, Bus = 7, Arithmetic = 8, Segment = 11;
        ReadOnlySpan<int> faults = [Illegal, Trap, Abort, Bus, Arithmetic, Segment];
        foreach (var fault in faults)
        {
            _ = SetHandler(fault, 0);
        }
    }

    private static void Limit(int resource, ulong value)
    {
        var limit = new LinuxCalls.Limit { Soft = value, Hard = value };
        if (SetLimit(resource, &limit) != 0)
        {
            throw new IOException($"The limit {resource} cannot be set to {value}.");
        }
    }
}
