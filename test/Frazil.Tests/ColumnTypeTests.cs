using Frazil.Columnar;
using Xunit;

namespace Frazil.Tests;

public sealed class ColumnTypeTests
{
    [Fact]
    public void Equality_of_column_types_is_structural()
    {
        var one = ColumnType.Struct(new ColumnField("a", ColumnType.Utf8, 1));
        var two = ColumnType.Struct(new ColumnField("a", ColumnType.Utf8, 1));
        Assert.Equal(one, two);
    }
}
