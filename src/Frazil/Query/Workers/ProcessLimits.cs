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

    private static void Limit(int resource, ulong value)
    {
        var limit = new LinuxCalls.Limit { Soft = value, Hard = value };
        if (SetLimit(resource, &limit) != 0)
        {
            throw new IOException($"The limit {resource} cannot be set to {value}.");
        }
    }
}
