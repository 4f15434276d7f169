using Frazil.Parquet.Pages;
using Frazil.Parquet.Statistics;

namespace Frazil.Parquet.Metadata;

/// <summary>Collects the column and offset index of one column chunk while its pages are written.</summary>
internal sealed unsafe class PageIndex : IDisposable
{
    private const int Unordered = 0, Ascending = 1, Descending = 2;

    private readonly List<Page> pages = [];
    private readonly NativeBuffer bounds = new();
    private ValueBounds? previous;
    private bool hasPrevious;
    private bool isAscending;
    private bool isDescending;
    private bool hasColumnIndex;

    /// <summary>Data pages so far.</summary>
    public int Count => pages.Count;

    /// <param name="scratch">Bounds of the leaf's type, for the comparison of neighbours.</param>
    public void Begin(ValueBounds scratch)
    {
        pages.Clear();
        bounds.Clear();
        previous = scratch;
        hasPrevious = false;
        isAscending = isDescending = hasColumnIndex = true;
    }

    public void Add(PageRange range, FileRange location, ValueBounds page)
    {
        var entry = new Page(range, location, page.NanCount ?? 0);
        if (range.Values > 0)
        {
            // A page of nothing but NaN has no bounds, and an index without them would be misread: then there is none at all.
            hasColumnIndex &= !page.IsEmpty;
            entry = page.IsEmpty ? entry : entry with { Lower = Append(page, isUpper: false), Upper = Append(page, isUpper: true) };
            Order(page);
        }
        pages.Add(entry);
    }

    /// <summary>Writes the column index; false where the chunk cannot have one.</summary>
    public bool WriteColumnIndex(ThriftWriter thrift, bool hasNans)
    {
        if (!hasColumnIndex)
        {
            return false;
        }
        thrift.BeginStruct();
        thrift.BeginBooleanList(1, pages.Count);
        pages.ForEach(page => thrift.WriteBooleanElement(page.Range.Values == 0));
        thrift.BeginBinaryList(2, pages.Count);
        pages.ForEach(page => thrift.WriteBinaryElement(Bytes(page.Lower)));
        thrift.BeginBinaryList(3, pages.Count);
        pages.ForEach(page => thrift.WriteBinaryElement(Bytes(page.Upper)));
        thrift.WriteInt32(4, isAscending ? Ascending : isDescending ? Descending : Unordered);
        thrift.BeginInt64List(5, pages.Count);
        pages.ForEach(page => thrift.WriteIntegerElement(page.Range.Nulls));
        if (hasNans)
        {
            thrift.BeginInt64List(8, pages.Count);
            pages.ForEach(page => thrift.WriteIntegerElement(page.Nans));
        }
        thrift.EndStruct();
        return true;
    }

    public void WriteOffsetIndex(ThriftWriter thrift)
    {
        thrift.BeginStruct();
        thrift.BeginStructList(1, pages.Count);
        foreach (var page in pages)
        {
            thrift.BeginStruct();
            thrift.WriteInt64(1, page.Location.Offset);
            thrift.WriteInt32(2, page.Location.Length);
            thrift.WriteInt64(3, page.Range.FirstRow);
            thrift.EndStruct();
        }
        thrift.EndStruct();
    }

    public void Dispose() => bounds.Dispose();

    private FileRange Append(ValueBounds page, bool isUpper)
    {
        var start = bounds.Length;
        page.Append(bounds, isUpper);
        return new(start, (int)(bounds.Length - start));
    }

    private ReadOnlySpan<byte> Bytes(FileRange range) => new(bounds.Data + range.Offset, range.Length);

    private void Order(ValueBounds page)
    {
        if (page.IsEmpty)
        {
            return;
        }
        if (hasPrevious)
        {
            var (lower, upper) = (page.Compare(previous!, isUpper: false), page.Compare(previous!, isUpper: true));
            isAscending &= lower >= 0 && upper >= 0;
            isDescending &= lower <= 0 && upper <= 0;
        }
        previous!.CopyFrom(page);
        hasPrevious = true;
    }

    private readonly record struct Page(PageRange Range, FileRange Location, long Nans)
    {
        public FileRange Lower { get; init; }

        public FileRange Upper { get; init; }
    }
}
