using Frazil.DuckDb;

namespace Frazil.Query.Workers;

/// <summary>A statement with its tables, as a worker gets it.</summary>
/// <param name="Sql">The statement.</param>
/// <param name="Tables">What it reads.</param>
/// <param name="MaxChunkBytes">Of the values of one chunk.</param>
/// <param name="Memory">Of the hot rows.</param>
internal sealed record WorkerQuery(string Sql, IReadOnlyList<TableOffer> Tables, long MaxChunkBytes, HotMapping Memory)
{
    /// <returns>The hot rows' memory, the caller's to dispose.</returns>
    public static HotCopy Write(ByteWriter writer, string sql, IReadOnlyList<TableOffer> tables, long maxChunkBytes, long hotBytes)
    {
        writer.Write(sql);
        writer.Write(maxChunkBytes);
        writer.Write(hotBytes);
        writer.Write(tables.Count);
        foreach (var table in tables)
        {
            writer.Write(table.Handle);
            writer.Write(table.Namespace);
            writer.Write(table.Name);
            writer.Write(table.View);
            writer.Write(table.BareView);
            ColumnTypes.Write(writer, table.Fields);
        }
        return HotCopy.Of(tables, hotBytes, writer);
    }

    /// <param name="reader">The message.</param>
    /// <param name="descriptor">That came with it; taken over.</param>
    /// <param name="shared">The server's.</param>
    public static WorkerQuery Read(ByteReader reader, int descriptor, SharedColumns shared)
    {
        var (sql, maxChunkBytes) = (reader.ReadText(), reader.ReadLong());
        var memory = new HotMapping(descriptor, reader.ReadLong(), shared);
        var tables = new TableOffer[reader.ReadInt()];
        for (var index = 0; index < tables.Length; index++)
        {
            var (handle, space, name) = (reader.ReadLong(), reader.ReadText(), reader.ReadText());
            tables[index] = new(handle, space, name, reader.ReadOptionalText(), reader.ReadOptionalText(), ColumnTypes.Read(reader), []);
        }
        for (var index = 0; index < tables.Length; index++)
        {
            tables[index] = tables[index] with { Slices = memory.ReadSlices(reader) };
        }
        return new(sql, tables, maxChunkBytes, memory);
    }
}
