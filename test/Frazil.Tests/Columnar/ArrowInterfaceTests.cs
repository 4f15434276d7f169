using System.Runtime.InteropServices;
using Frazil.Columnar;
using Frazil.Columnar.Arrow;
using Xunit;

namespace Frazil.Tests.Columnar;

public sealed unsafe class ArrowInterfaceTests
{
    [Fact]
    public void Every_kind_survives_the_way_out_and_back_and_the_memory_is_freed_by_the_consumer()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var account = new MemoryAccount();
        var chunk = Filled(account, new Random(seed), 200);
        ArrowSchema schema;
        ArrowArray array;
        ArrowExport.ExportSchema(chunk.Schema, &schema);
        ArrowExport.ExportChunk(chunk, &array);
        var expected = chunk.TakeViews(out var rows);
        var texts = Enumerable.Range(0, rows).Select(row => ViewReader.ShowRow(expected, row)).ToArray();
        chunk.Unpin();

        var import = ArrowImport.Take(&schema, &array);
        Assert.True(schema.Release == null && array.Release == null);
        Assert.Equal(RandomRows.EveryKind, import.Schema);
        Assert.Equal(rows, import.Rows);
        Assert.Equal(texts, Enumerable.Range(0, rows).Select(row => ViewReader.ShowRow(import.Columns, row)));
        Assert.NotEqual(0, account.Bytes);
        import.Dispose();
        import.Dispose();
        Assert.Equal(0, account.Bytes);
    }

    [Fact]
    public void A_child_moved_out_keeps_the_memory_after_its_parent_is_released()
    {
        var account = new MemoryAccount();
        var chunk = Filled(account, new Random(1), 10);
        ArrowArray array;
        ArrowExport.ExportChunk(chunk, &array);
        chunk.Unpin();
        var moved = *array.Children[2];
        array.Children[2]->Release = null;
        array.Release(&array);
        Assert.True(array.Release == null);
        Assert.NotEqual(0, account.Bytes);
        Assert.Equal(10, moved.Length);
        moved.Release(&moved);
        Assert.Equal(0, account.Bytes);
    }

    [Fact]
    public void Structs_have_the_layout_of_the_specification()
    {
        Assert.Equal(72, sizeof(ArrowSchema));
        Assert.Equal(80, sizeof(ArrowArray));
        Assert.Equal(24, (int)Marshal.OffsetOf<ArrowSchema>(nameof(ArrowSchema.Flags)));
        Assert.Equal(56, (int)Marshal.OffsetOf<ArrowSchema>(nameof(ArrowSchema.Release)));
        Assert.Equal(40, (int)Marshal.OffsetOf<ArrowArray>(nameof(ArrowArray.Buffers)));
        Assert.Equal(64, (int)Marshal.OffsetOf<ArrowArray>(nameof(ArrowArray.Release)));
    }

    [Fact]
    public void Formats_names_flags_and_buffers_are_those_of_the_specification()
    {
        var chunk = Filled(new(), new Random(1), 100);
        ArrowSchema schema;
        ArrowArray array;
        ArrowExport.ExportSchema(chunk.Schema, &schema);
        ArrowExport.ExportChunk(chunk, &array);
        string[] formats = ["b", "i", "l", "f", "g", "d:38,9", "tdD", "ttu", "tsu:", "tsu:UTC", "u", "z", "w:5", "w:16", "+s", "+l", "+m"];
        long[] buffers = [2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 2, 2, 1, 2, 2];
        Assert.Equal("+s", Text(schema.Format));
        Assert.Equal((17, 17, 1), ((int)schema.ChildCount, (int)array.ChildCount, (int)array.BufferCount));
        for (var index = 0; index < formats.Length; index++)
        {
            var field = schema.Children[index];
            Assert.Equal(formats[index], Text(field->Format));
            Assert.Equal(chunk.Schema[index].Name, Text(field->Name));
            Assert.Equal(2, field->Flags);
            Assert.Equal(buffers[index], array.Children[index]->BufferCount);
            Assert.Equal(100, array.Children[index]->Length);
            Assert.Equal(0, (nint)array.Children[index]->Buffers[0] % 64);
        }
        var entries = schema.Children[16]->Children[0];
        Assert.Equal(("+s", "entries", 0L, 2L), (Text(entries->Format), Text(entries->Name), entries->Flags, entries->ChildCount));
        Assert.Equal(("key", 0L), (Text(entries->Children[0]->Name), entries->Children[0]->Flags));
        Assert.Equal(1, array.Children[16]->Children[0]->BufferCount);
        Assert.Equal(((int*)array.Children[16]->Buffers[1])[100], array.Children[16]->Children[0]->Length);
        schema.Release(&schema);
        array.Release(&array);
        chunk.Unpin();
    }

    private static string Text(byte* text) => Marshal.PtrToStringUTF8((nint)text)!;

    private static ColumnChunk Filled(MemoryAccount account, Random random, int rows)
    {
        var chunk = new ColumnChunk(RandomRows.EveryKind, 1, account);
        for (var row = 0; row < rows; row++)
        {
            foreach (var column in chunk.Columns)
            {
                RandomRows.Append(column, random, 0.2);
            }
            chunk.EndRow();
        }
        chunk.Publish();
        return chunk;
    }
}
