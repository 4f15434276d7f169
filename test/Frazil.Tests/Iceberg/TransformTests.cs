using System.Text;
using Frazil.Iceberg;
using Xunit;

namespace Frazil.Tests.Iceberg;

public sealed class TransformTests
{
    [Fact]
    public void Hashes_are_those_of_the_specification()
    {
        Assert.Equal(2017239379, TransformFunctions.Hash(IcebergType.Int, 34));
        Assert.Equal(2017239379, TransformFunctions.Hash(IcebergType.Long, 34L));
        Assert.Equal(-500754589, TransformFunctions.Hash(IcebergType.Decimal(4, 2), IcebergValue.From(14.20m)));
        Assert.True(TemporalText.TryParseDate("2017-11-16", out var day));
        Assert.Equal(-653330422, TransformFunctions.Hash(IcebergType.Date, day));
        Assert.True(TemporalText.TryParseTime("22:31:08", 1_000_000, out var time));
        Assert.Equal(-662762989, TransformFunctions.Hash(IcebergType.Time, time));
        Assert.True(TemporalText.TryParseTimestamp("2017-11-16T22:31:08", 1_000_000, out var micros, out _));
        Assert.Equal(-2047944441, TransformFunctions.Hash(IcebergType.Timestamp, micros));
        Assert.True(TemporalText.TryParseTimestamp("2017-11-16T14:31:08.000001-08:00", 1_000_000, out micros, out var hasOffset));
        Assert.True(hasOffset);
        Assert.Equal(-1207196810, TransformFunctions.Hash(IcebergType.TimestampTz, micros));
        Assert.True(TemporalText.TryParseTimestamp("2017-11-16T22:31:08.000001001", 1_000_000_000, out var nanos, out _));
        Assert.Equal(-1207196810, TransformFunctions.Hash(IcebergType.TimestampNs, nanos));
        Assert.Equal(1210000089, TransformFunctions.Hash(IcebergType.String, "iceberg"));
        Assert.Equal(
            1488055340, TransformFunctions.Hash(IcebergType.Uuid, IcebergValue.From(Guid.Parse("f79c3e09-677c-4bbd-a479-3f349cb785e7"))));
        Assert.Equal(-188683207, TransformFunctions.Hash(IcebergType.Binary, IcebergValue.From([0, 1, 2, 3])));
    }

    [Fact]
    public void Hashes_of_bytes_agree_with_a_reference_implementation_at_every_length()
    {
        var random = new Random(7);
        for (var length = 0; length < 40; length++)
        {
            var bytes = new byte[length];
            random.NextBytes(bytes);
            Assert.Equal(Reference(bytes), Murmur3.HashBytes(bytes));
            if (length == 8)
                Assert.Equal(Reference(bytes), Murmur3.HashLong(BitConverter.ToInt64(bytes)));
        }

        // Written from the algorithm's description, byte by byte, apart from the code under test.
        static int Reference(byte[] data)
        {
            uint h = 0;
            var i = 0;
            for (; i + 4 <= data.Length; i += 4)
            {
                var k = (uint)(data[i] | data[i + 1] << 8 | data[i + 2] << 16 | data[i + 3] << 24);
                k *= 0xcc9e2d51; k = k << 15 | k >> 17; k *= 0x1b873593;
                h ^= k; h = h << 13 | h >> 19; h = h * 5 + 0xe6546b64;
            }
            uint tail = 0;
            for (var j = data.Length - 1; j >= i; j--)
                tail = tail << 8 | data[j];
            tail *= 0xcc9e2d51; tail = tail << 15 | tail >> 17; tail *= 0x1b873593;
            h ^= tail;
            h ^= (uint)data.Length;
            h ^= h >> 16; h *= 0x85ebca6b; h ^= h >> 13; h *= 0xc2b2ae35; h ^= h >> 16;
            return (int)h;
        }
    }

    [Theory]
    [InlineData(1, 0), InlineData(0, 0), InlineData(-1, -10), InlineData(-10, -10), InlineData(-11, -20), InlineData(10, 10)]
    public void Numbers_truncate_toward_negative_infinity(int value, int expected)
    {
        Assert.Equal(expected, TransformFunctions.TruncateInt(value, 10));
        Assert.Equal(expected, TransformFunctions.TruncateLong(value, 10));
        Assert.Equal(expected, (int)TransformFunctions.TruncateUnscaled(value, 10));
    }

    [Fact]
    public void Strings_truncate_by_code_point_in_both_encodings()
    {
        Assert.Equal("🧊🧊", TransformFunctions.TruncateString("🧊🧊🧊", 2));
        Assert.Equal("ice", TransformFunctions.TruncateString("iceberg", 3));
        Assert.Equal("ic", TransformFunctions.TruncateString("ic", 3));
        Assert.Equal(8, TransformFunctions.TruncatedUtf8Length(Encoding.UTF8.GetBytes("🧊🧊🧊"), 2));
        Assert.Equal(4, TransformFunctions.TruncatedUtf8Length(Encoding.UTF8.GetBytes("aüz!"), 3));
    }

    [Fact]
    public void Calendar_ordinals_agree_with_the_calendar_over_seeded_days()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        for (var i = 0; i < 20_000; i++)
        {
            var ticks = random.NextInt64(DateTime.MaxValue.Ticks);
            var date = new DateTime(ticks, DateTimeKind.Utc);
            var micros = (long)Math.Floor((date - DateTime.UnixEpoch).Ticks / 10.0);
            micros = ((date.Ticks - DateTime.UnixEpoch.Ticks) - (((date.Ticks - DateTime.UnixEpoch.Ticks) % 10 + 10) % 10)) / 10;
            Assert.True(date.Year - 1970 == CalendarOrdinals.YearOfMicros(micros), $"seed {seed}: {date:O}");
            Assert.True((date.Year - 1970) * 12 + date.Month - 1 == CalendarOrdinals.MonthOfMicros(micros), $"seed {seed}: {date:O}");
            Assert.True(
                (int)Math.Floor((date - DateTime.UnixEpoch).TotalDays) == CalendarOrdinals.DayOfMicros(micros), $"seed {seed}: {date:O}");
            var (year, month, day) = CalendarOrdinals.DateOfDay(CalendarOrdinals.DayOfMicros(micros));
            Assert.True((year, month, day) == (date.Year, date.Month, date.Day), $"seed {seed}: {date:O}");
            Assert.Equal(CalendarOrdinals.DayOfMicros(micros), CalendarOrdinals.DayOfDate(year, month, day));
        }
    }

    [Fact]
    public void Whole_columns_give_what_single_values_give()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var micros = Enumerable.Range(0, 1000).Select(_ => random.NextInt64(-5_000_000_000_000_000, 5_000_000_000_000_000)).ToArray();
        var ints = micros.Select(value => (int)value).ToArray();
        var results = new int[micros.Length];
        foreach (var transform in new[] { Transform.Year, Transform.Month, Transform.Day, Transform.Hour, Transform.Bucket(16) })
        {
            TransformFunctions.Apply(transform, IcebergType.TimestampTz, micros, results);
            for (var i = 0; i < micros.Length; i++)
                Assert.True(
                    transform.Apply(IcebergType.TimestampTz, micros[i]).AsInt() == results[i], $"seed {seed}: {transform} of {micros[i]}");
        }
        foreach (var transform in new[] { Transform.Identity, Transform.Truncate(7), Transform.Bucket(16) })
        {
            TransformFunctions.Apply(transform, IcebergType.Int, ints, results);
            for (var i = 0; i < micros.Length; i++)
                Assert.True(transform.Apply(IcebergType.Int, ints[i]).AsInt() == results[i], $"seed {seed}: {transform} of {ints[i]}");
        }
    }

    [Fact]
    public void A_projected_filter_is_true_of_the_partition_of_every_matching_row()
    {
        // The property of LESSONS: pruning never loses a row, whatever the transform, the operator and the literal.
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var sources = new (PrimitiveType Type, Func<IcebergValue> Value, Transform[] Transforms)[]
        {
            (IcebergType.Int, () => random.Next(-50, 50), [Transform.Identity, Transform.Bucket(4), Transform.Truncate(10)]),
            (IcebergType.TimestampTz, () => (long)random.Next(-400, 400) * 3_600_000_000 * 13 + random.Next(-2, 2), [Transform.Year, Transform.Month, Transform.Day, Transform.Hour, Transform.Bucket(3)]),
            (IcebergType.Date, () => random.Next(-800, 800), [Transform.Year, Transform.Month, Transform.Day, Transform.Identity]),
            (IcebergType.String, () => new string(Enumerable.Range(0, random.Next(0, 4)).Select(_ => "ab\uE000"[random.Next(3)]).ToArray()) + (random.Next(4) == 0 ? "🧊" : ""),
                [Transform.Identity, Transform.Truncate(2), Transform.Bucket(3)]),
            (IcebergType.Decimal(9, 2), () => IcebergValue.FromDecimal(random.Next(-500, 500), 2), [Transform.Identity, Transform.Truncate(50), Transform.Bucket(3)]),
        };
        for (var round = 0; round < 20_000; round++)
        {
            var source = sources[random.Next(sources.Length)];
            var transform = source.Transforms[random.Next(source.Transforms.Length)];
            var (value, literal) = (source.Value(), source.Value());
            var matching = FilterCases.Of("c", literal, source.Value()).Where(one => one.Matches(value)).ToArray();
            foreach (var one in matching)
                Assert.True(
                    FilterCases.KeepsPartition(one.Filter, source.Type, transform, value),
                    $"seed {seed}: {one.Filter} loses {value} under {transform} of {source.Type}");
        }
    }

    [Theory]
    [InlineData("day(ts)", "ts_day", "day")]
    [InlineData("bucket(16, user_id)", "user_id_bucket", "bucket[16]")]
    [InlineData("truncate(10,page)", "page_trunc", "truncate[10]")]
    [InlineData("page", "page", "identity")]
    [InlineData("identity(page)", "page", "identity")]
    [InlineData("hour(nested.at)", "nested.at_hour", "hour")]
    [InlineData("void(page) as gone", "gone", "void")]
    public void Partition_notations_are_read(string notation, string name, string transform)
    {
        var spec = PartitionSpecParser.Parse([notation], Wide);
        Assert.Equal(name, spec.Fields[0].Name);
        Assert.Equal(transform, spec.Fields[0].Transform.ToString());
        Assert.Equal(1000, spec.Fields[0].FieldId);
    }

    [Theory]
    [InlineData("day(page)")]
    [InlineData("hour(d)")]
    [InlineData("day(nope)")]
    [InlineData("bucket(0, page)")]
    [InlineData("bucket(page)")]
    [InlineData("weekly(ts)")]
    [InlineData("day(ts) day(ts)")]
    [InlineData("items")]
    [InlineData("items.element")]
    [InlineData("nested")]
    [InlineData("bucket(4, price)")]
    [InlineData("day(ts) as page")]
    public void An_invalid_partition_field_is_refused_and_never_becomes_unpartitioned(string notation) =>
        Assert.Throws<ValidationException>(() => PartitionSpecParser.Parse([notation], Wide));

    [Fact]
    public void A_column_takes_only_one_of_the_time_transforms() =>
        Assert.Throws<ValidationException>(() => PartitionSpecParser.Parse(["day(ts)", "hour(ts)"], Wide));

    [Fact]
    public void Every_field_that_is_wrong_is_named()
    {
        var refused = Assert.Throws<ValidationException>(
            () => PartitionSpecParser.Parse(["bucket(4, nosuch)", "day(ts)", "bucket(4, price)", "weekly(ts)", "hour(ts)"], Wide));
        Assert.All(
            (string[])["'nosuch'", "'price_bucket'", "'weekly(ts)'", "'ts_hour'"],
            field => Assert.Contains(field, refused.Message, StringComparison.Ordinal));
        Assert.DoesNotContain("'ts_day'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Partition_tuples_group_by_value()
    {
        var counts = new Dictionary<PartitionTuple, int>();
        foreach (var tuple in new[] { new PartitionTuple(1, "a"), new PartitionTuple(1, "a"), new PartitionTuple(1, IcebergValue.Null), new PartitionTuple(double.NaN), new PartitionTuple(double.NaN) })
            counts[tuple] = counts.GetValueOrDefault(tuple) + 1;
        Assert.Equal(2, counts[new PartitionTuple(1, "a")]);
        Assert.Equal(2, counts[new PartitionTuple(-double.NaN)]);
        Assert.Equal(3, counts.Count);
        Assert.True(new PartitionTuple(IcebergValue.Null) < new PartitionTuple(1));
        Assert.NotEqual(new PartitionTuple(0.0), new PartitionTuple(-0.0));
    }

    private static Schema Wide { get; } = new(0,
    [
        new(1, "user_id", false, IcebergType.Long),
        new(2, "page", false, IcebergType.String),
        new(3, "ts", false, IcebergType.TimestampTz),
        new(4, "d", false, IcebergType.Date),
        new(5, "price", false, IcebergType.Double),
        new(6, "nested", false, IcebergType.Struct(new NestedField(7, "at", false, IcebergType.Timestamp))),
        new(8, "items", false, IcebergType.List(9, IcebergType.String)),
    ]);
}
