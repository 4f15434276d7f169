using Frazil.DuckDb;

namespace Frazil.Query.Workers;

/// <summary>What a worker is told when it starts.</summary>
/// <param name="Threads">Of DuckDB.</param>
/// <param name="MemoryMb">Of DuckDB.</param>
/// <param name="Spill">Its own folder; null for none.</param>
/// <param name="SpillMb">That may lie there.</param>
/// <param name="SharedReserve">Addresses for the server's shared columns, whose descriptor comes along; 0 where it has none.</param>
/// <param name="Directories">That it may read.</param>
internal sealed record WorkerSettings(int Threads, int MemoryMb, string? Spill, int SpillMb, long SharedReserve, IReadOnlyList<string> Directories)
{
    public void Write(ByteWriter writer)
    {
        writer.Write(Threads);
        writer.Write(MemoryMb);
        writer.Write(Spill);
        writer.Write(SpillMb);
        writer.Write(SharedReserve);
        writer.Write(Directories.Count);
        foreach (var directory in Directories)
        {
            writer.Write(directory);
        }
    }

    public static WorkerSettings Read(ByteReader reader)
    {
        var (threads, memory, spill, spillMb) = (reader.ReadInt(), reader.ReadInt(), reader.ReadOptionalText(), reader.ReadInt());
        var reserve = reader.ReadLong();
        var directories = new string[reader.ReadCount(leastBytes: 4)];
        for (var index = 0; index < directories.Length; index++)
        {
            directories[index] = reader.ReadText();
        }
        return new(threads, memory, spill, spillMb, reserve, directories);
    }
}
