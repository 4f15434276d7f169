using System.Text;
using Frazil.Iceberg;
using Frazil.Iceberg.Expressions;
using Frazil.Iceberg.Manifests;
using Frazil.Iceberg.Metrics;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class MetricsTests
{
    [Theory]
    [InlineData("abcdef", 3, "abc", "abd")]
    [InlineData("abc", 3, "abc", "abc")]
    [InlineData("ab\U0010FFFFx", 3, "ab\U0010FFFF", "ac")]
    [InlineData("\U0010FFFF\U0010FFFFx", 2, "\U0010FFFF\U0010FFFF", null)]
    [InlineData("a\uD7FFx", 2, "a\uD7FF", "a\uE000")]
    [InlineData("🧊🧊🧊", 2, "🧊🧊", "🧊🧋")]
    public void String_bounds_are_cut_at_code_points_and_the_upper_one_rounded_up(string value, int width, string lower, string? upper)
    {
        Assert.Equal(lower, BoundsTruncation.LowerString(value, width));
        Assert.Equal(upper, BoundsTruncation.UpperString(value, width));
    }

    [Fact]
    public void Binary_bounds_carry_over_bytes_that_are_full()
    {
        Assert.Equal([1, 2], BoundsTruncation.LowerBinary([1, 2, 3], 2));
        Assert.Equal([1, 3], BoundsTruncation.UpperBinary([1, 2, 3], 2));
        Assert.Equal([2], BoundsTruncation.UpperBinary([1, 0xFF, 3], 2));
        Assert.Null(BoundsTruncation.UpperBinary([0xFF, 0xFF, 0], 2));
    }

    [Fact]
    public void Truncated_bounds_still_bound_over_seeded_strings()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        string[] alphabet = ["a", "z", "é", "\uD7FF", "\uE000", "\uFFFF", "🧊", "\U0010FFFF"];
        for (var i = 0; i < 20_000; i++)
        {
            var value = string.Concat(Enumerable.Range(0, random.Next(0, 6)).Select(_ => alphabet[random.Next(alphabet.Length)]));
            var width = random.Next(1, 4);
            IcebergValue exact = value;
            Assert.True(BoundsTruncation.LowerString(value, width) <= exact, $"seed {seed}: {value}");
            if (BoundsTruncation.UpperString(value, width) is { } upper)
            {
                Assert.True(upper >= exact, $"seed {seed}: {value}");
                Assert.True(upper.EnumerateRunes().Count() <= Math.Max(width, 1), $"seed {seed}: {value}");
                // The order of values is the order of their stored bytes.
                Assert.True(
                    Encoding.UTF8.GetBytes(upper).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(value)) >= 0, $"seed {seed}: {value}");
                Assert.Equal(Encoding.UTF8.GetBytes(upper), BoundsTruncation.Utf8(Encoding.UTF8.GetBytes(value), width, isUpper: true));
            }
        }
    }

    [Fact]
    public void Metrics_modes_come_from_the_column_then_the_default_then_truncate_16()
    {
        var schema = new Schema(0, [new(1, "a", false, IcebergType.String), new(2, "b", false, IcebergType.String)]);
        Assert.Equal(MetricsMode.Truncate(16), new MetricsConfig(schema, new Dictionary<string, string>()).ModeOf(1));
        var config = new MetricsConfig(schema, new Dictionary<string, string>
        {
            ["write.metadata.metrics.default"] = "counts",
            ["write.metadata.metrics.column.b"] = "truncate(4)",
        });
        Assert.Equal(MetricsMode.Counts, config.ModeOf(1));
        Assert.Equal(MetricsMode.Truncate(4), config.ModeOf(2));
        Assert.Equal("abce"u8.ToArray(), BoundsTruncation.Apply(config.ModeOf(2), IcebergType.String, "abcdefg", isUpper: true));
        Assert.Null(BoundsTruncation.Apply(config.ModeOf(1), IcebergType.String, "abcdefg", isUpper: true));
    }

    /// <summary>LESSONS 37: what another engine set stops nothing; what our own users set is told (<see cref="TablePropertyRules"/>).</summary>
    [Fact]
    public void A_mode_that_is_none_and_a_column_that_is_not_there_are_passed_over()
    {
        var schema = new Schema(0, [new(1, "a", false, IcebergType.String), new(2, "b", false, IcebergType.String)]);
        var config = new MetricsConfig(schema, new Dictionary<string, string>
        {
            ["write.metadata.metrics.default"] = "truncate(0)",
            ["write.metadata.metrics.column.dropped"] = "full",
            ["write.metadata.metrics.column.b"] = "some",
            ["write.metadata.metrics.max-inferred-column-defaults"] = "all",
        });
        Assert.Equal(MetricsMode.Truncate(16), config.ModeOf(1));
        Assert.Equal(MetricsMode.Truncate(16), config.ModeOf(2));
    }

    [Fact]
    public void Columns_beyond_the_limit_have_no_inferred_metrics()
    {
        var schema = new Schema(0, [.. Enumerable.Range(1, 120).Select(i => new NestedField(i, $"c{i}", false, IcebergType.Int))]);
        var config = new MetricsConfig(schema, new Dictionary<string, string>());
        Assert.Equal(MetricsMode.Truncate(16), config.ModeOf(100));
        Assert.Equal(MetricsMode.None, config.ModeOf(101));
    }

    [Theory]
    [InlineData("0", "00"), InlineData("1.00", "64"), InlineData("-1.28", "80"), InlineData("1.28", "0080"), InlineData("-1.29", "ff7f"), InlineData("14.20", "058c")]
    public void Decimals_take_the_fewest_bytes(string text, string hex)
    {
        var type = IcebergType.Decimal(9, 2);
        Assert.True(DecimalText.TryParse(text, out var unscaled, out var scale));
        var value = IcebergValue.FromDecimal(scale == 2 ? unscaled : unscaled * 100, 2);
        var bytes = SingleValue.Serialize(type, value);
        Assert.Equal(hex, Convert.ToHexStringLower(bytes));
        Assert.Equal(value, SingleValue.Deserialize(type, bytes));
    }

    [Fact]
    public void Single_values_survive_their_binary_form()
    {
        (PrimitiveType Type, IcebergValue Value, string Hex)[] cases =
        [
            (IcebergType.Boolean, true, "01"),
            (IcebergType.Int, -2, "feffffff"),
            (IcebergType.Long, 34L, "2200000000000000"),
            (IcebergType.Float, -4.5f, "000090c0"),
            (IcebergType.Double, 6.0, "0000000000001840"),
            (IcebergType.Date, 17486, "4e440000"),
            (IcebergType.TimestampTz, 1510871468000000L, "00a62a4e205e0500"),
            (IcebergType.String, "iceberg", "69636562657267"),
            (IcebergType.Uuid, IcebergValue.From(Guid.Parse("f79c3e09-677c-4bbd-a479-3f349cb785e7")), "f79c3e09677c4bbda4793f349cb785e7"),
            (IcebergType.Fixed(4), IcebergValue.From([0, 1, 2, 3]), "00010203"),
            (IcebergType.Decimal(38, 0), IcebergValue.FromDecimal(Int128.Parse("-99999999999999999999999999999999999999"), 0), "b4c4b357a5793b85f675ddc000000001"),
        ];
        foreach (var (type, value, hex) in cases)
        {
            var bytes = SingleValue.Serialize(type, value);
            if (type.Id is not TypeId.TimestampTz)
                Assert.Equal(hex, Convert.ToHexStringLower(bytes));
            Assert.Equal(value, SingleValue.Deserialize(type, bytes));
        }
        Assert.Equal(-2L, SingleValue.Deserialize(IcebergType.Long, [0xFE, 0xFF, 0xFF, 0xFF]).AsLong());
        Assert.Throws<InvalidFormatException>(() => SingleValue.Deserialize(IcebergType.Int, [1, 2, 3]));
    }

    [Fact]
    public void A_file_with_a_matching_row_is_never_left_out()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var schema = new Schema(0, [new(1, "c", false, IcebergType.Double)]);
        double[] specials = [double.NaN, 0.0, -0.0, double.PositiveInfinity, double.NegativeInfinity, 1.5, -1.5];
        for (var round = 0; round < 20_000; round++)
        {
            var values = Enumerable.Range(0, random.Next(1, 4))
                .Select(_ => random.Next(3) == 0 ? specials[random.Next(specials.Length)] : random.Next(-3, 3)).ToArray();
            var numbers = values.Where(value => !double.IsNaN(value)).Select(IcebergValue.From).ToArray();
            var withNaNs = random.Next(2) == 0;
            var file = new DataFile
            {
                Path = "f",
                SpecId = 0,
                RecordCount = values.Length,
                FileSizeBytes = 1,
                ValueCounts = new FieldMap<long>([new(1, values.Length)]),
                NullValueCounts = new FieldMap<long>([new(1, 0)]),
                NanValueCounts = withNaNs ? new FieldMap<long>([new(1, values.Length - numbers.Length)]) : null,
                LowerBounds = numbers.Length == 0
                    ? null
                    : new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Double, numbers.Min()))]),
                UpperBounds = numbers.Length == 0
                    ? null
                    : new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Double, numbers.Max()))]),
            };
            var literal = specials[random.Next(1, specials.Length)];
            // As DuckDB compares: NaN above everything, both zeros equal.
            (Expression Filter, Func<double, bool> Matches)[] cases =
            [
                (Expression.LessThan("c", literal), value => value < literal),
                (Expression.LessThanOrEqual("c", literal), value => value <= literal),
                (Expression.GreaterThan("c", literal), value => value > literal || double.IsNaN(value)),
                (Expression.GreaterThanOrEqual("c", literal), value => value >= literal || double.IsNaN(value)),
                (Expression.Equal("c", literal), value => value == literal),
                (Expression.NotEqual("c", literal), value => value != literal),
                (Expression.IsNaN("c"), double.IsNaN),
                (Expression.NotNaN("c"), value => !double.IsNaN(value)),
                (Expression.IsNull("c"), _ => false),
            ];
            foreach (var (filter, matches) in cases)
                if (values.Any(matches))
                    Assert.True(
                        new FileFilter(filter, schema, FilterCases.Metadata(schema)).MayMatch(file),
                        $"seed {seed}: {filter} loses ({string.Join(", ", values)})");
        }
    }

    /// <summary>Java's bounds of uuids are the least and the greatest as two signed numbers, other engines' as unsigned bytes (apache/iceberg #14216):
    /// what lies outside of them in one order may lie inside in the other.</summary>
    [Theory]
    [InlineData("00000000-0000-0000-0000-000000000001", "f0000000-0000-0000-0000-000000000000")]
    [InlineData("f0000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000001")]
    [InlineData("70000000-0000-0000-0000-000000000000", "80000000-0000-0000-0000-000000000000")]
    [InlineData("70000000-0000-0000-f000-000000000000", "70000000-0000-0000-0000-000000000000")]
    public void Bounds_of_uuids_leave_no_file_out_whatever_order_their_writer_had(string lower, string upper)
    {
        var schema = new Schema(0, [new(1, "c", false, IcebergType.Uuid)]);
        var spec = new PartitionSpec(0, [new(1, 1000, "p", Transform.Identity)]);
        byte[] Bytes(string text) => SingleValue.Serialize(IcebergType.Uuid, IcebergValue.From(Guid.Parse(text)));
        var file = new DataFile
        {
            Path = "f",
            SpecId = 1,
            RecordCount = 3,
            FileSizeBytes = 1,
            ValueCounts = new FieldMap<long>([new(1, 3)]),
            NullValueCounts = new FieldMap<long>([new(1, 0)]),
            LowerBounds = new FieldMap<byte[]>([new(1, Bytes(lower))]),
            UpperBounds = new FieldMap<byte[]>([new(1, Bytes(upper))]),
        };
        var manifest = new ManifestFile
        {
            Path = "m", LengthBytes = 1, SpecId = 0, AddedSnapshotId = 1,
            Partitions = [new PartitionFieldSummary(false, null, file.LowerBounds[1], file.UpperBounds[1])],
        };
        foreach (var held in (string[])[lower, upper, "00000000-0000-0000-0000-000000000002", "f1000000-0000-0000-0000-000000000000", "75000000-0000-0000-0000-000000000000"])
        {
            var value = IcebergValue.From(Guid.Parse(held));
            foreach (var filter in (Expression[])[Expression.Equal("c", value), Expression.In("c", value), Expression.LessThanOrEqual("c", value), Expression.GreaterThanOrEqual("c", value)])
            {
                var files = new FileFilter(filter, schema, FilterCases.Metadata(schema, spec));
                Assert.True(files.MayMatch(file), $"{filter}");
                Assert.True(files.MayMatch(manifest), $"{filter}");
            }
        }
    }

    [Fact]
    public void Bounds_of_uuids_that_are_one_value_leave_out_all_others()
    {
        var schema = new Schema(0, [new(1, "c", false, IcebergType.Uuid)]);
        var only = Guid.NewGuid();
        var bounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Uuid, IcebergValue.From(only)))]);
        var file = new DataFile { Path = "f", SpecId = 0, RecordCount = 3, FileSizeBytes = 1, LowerBounds = bounds, UpperBounds = bounds };
        bool Keeps(Guid value) => new FileFilter(Expression.Equal("c", IcebergValue.From(value)), schema, FilterCases.Metadata(schema)).MayMatch(file);
        Assert.True(Keeps(only));
        Assert.False(Keeps(Guid.NewGuid()));
    }

    [Fact]
    public void Literals_beyond_a_columns_range_and_between_its_values_are_understood()
    {
        var schema = new Schema(0, [new(1, "i", false, IcebergType.Int), new(2, "d", false, IcebergType.Decimal(5, 2)), new(3, "ts", false, IcebergType.TimestampTz)]);
        var file = new DataFile
        {
            Path = "f",
            SpecId = 0,
            RecordCount = 1,
            FileSizeBytes = 1,
            LowerBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Int, 5)), new(2, SingleValue.Serialize(IcebergType.Decimal(5, 2), IcebergValue.From(1.00m)))]),
            UpperBounds = new FieldMap<byte[]>([new(1, SingleValue.Serialize(IcebergType.Int, 9)), new(2, SingleValue.Serialize(IcebergType.Decimal(5, 2), IcebergValue.From(2.00m)))]),
        };
        bool Keeps(Expression filter) => new FileFilter(filter, schema, FilterCases.Metadata(schema)).MayMatch(file);
        Assert.True(Keeps(Expression.LessThan("i", long.MaxValue)));
        Assert.False(Keeps(Expression.GreaterThan("i", long.MaxValue)));
        Assert.False(Keeps(Expression.Equal("i", 5.5)));
        Assert.True(Keeps(Expression.NotEqual("i", 5.5)));
        Assert.False(Keeps(Expression.Equal("d", 3)));
        Assert.True(Keeps(Expression.Equal("d", "1.5")));
        Assert.Throws<ValidationException>(() => Keeps(Expression.Equal("nope", 1)));
        Assert.Throws<ValidationException>(() => Keeps(Expression.Equal("ts", "2026-01-01T00:00:00")));
        Assert.Throws<ValidationException>(() => Keeps(Expression.Equal("i", "five")));
        Assert.Throws<ValidationException>(() => Keeps(Expression.Equal("i", IcebergValue.Null)));
    }
}
