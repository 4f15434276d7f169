using Frazil.Columnar;
using Frazil.DuckDb;

namespace Frazil.Query.Workers;

/// <summary>What a worker is told when it starts.</summary>
/// <param name="Build">Of the server: <see cref="ThisBuild"/>.</param>
/// <param name="Threads">Of DuckDB.</param>
/// <param name="MemoryMb">Of DuckDB.</param>
/// <param name="Spill">Its own folder; null for none.</param>
/// <param name="SpillMb">That may lie there.</param>
/// <param name="SharedReserve">Addresses for the server's shared columns, whose descriptor comes along; 0 where it has none.</param>
/// <param name="Directories">That it may read.</param>
internal sealed record WorkerSettings(
    string Build, int Threads, int MemoryMb, string? Spill, int SpillMb, long SharedReserve, IReadOnlyList<string> Directories)
{
    /// <summary>What the two must have in common to understand each other: the assemblies that write and read what goes between them.</summary>
    public static string ThisBuild { get; } = string.Join(
        ' ', new[] { typeof(WorkerSettings), typeof(ByteReader), typeof(ColumnView) }.Select(static type => type.Module.ModuleVersionId.ToString("N")));

    public void Write(ByteWriter writer)
    {
        writer.Write(Build);
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

    /// <exception cref="IOException">Another build's.</exception>
    public static WorkerSettings Read(ByteReader reader)
    {
        var build = reader.ReadText();
        if (build != ThisBuild)
        {
            // What comes next would be read as something else.
            throw new IOException("the program on disk is another build than the one that runs, so that it cannot be its worker; restart it");
        }
        var (threads, memory, spill, spillMb) = (reader.ReadInt(), reader.ReadInt(), reader.ReadOptionalText(), reader.ReadInt());
        var reserve = reader.ReadLong();
        var directories = new string[reader.ReadCount(leastBytes: 4)];
        for (var index = 0; index < directories.Length; index++)
        {
            directories[index] = reader.ReadText();
        }
        return new(build, threads, memory, spill, spillMb, reserve, directories);
    }
}
