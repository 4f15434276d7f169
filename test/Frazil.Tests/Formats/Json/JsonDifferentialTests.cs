using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;
using Frazil.Formats;
using Frazil.Formats.Json;
using Frazil.Tests.Columnar;
using Xunit;

namespace Frazil.Tests.Formats.Json;

/// <summary>The decoder against <see cref="ReferenceJson"/>: same records taken, same values. FRAZIL_FUZZ_RECORDS makes it longer,
/// FRAZIL_FUZZ_SEED repeats a run.</summary>
public sealed partial class JsonDifferentialTests
{
    private static readonly ColumnFields Schema = new(
    [
        new("id", ColumnType.Int64, 1, Nullable: false),
        new("b", ColumnType.Boolean, 2),
        new("i", ColumnType.Int32, 3),
        new("f", ColumnType.Float32, 4),
        new("d", ColumnType.Float64, 5),
        new("dec", ColumnType.Decimal128(12, 4), 6),
        new("date", ColumnType.Date32, 7),
        new("time", ColumnType.Time64, 8),
        new("ts", ColumnType.Timestamp, 9),
        new("tz", ColumnType.TimestampTz, 10),
        new("s", ColumnType.Utf8, 11),
        new("bin", ColumnType.Binary, 12),
        new("fix", ColumnType.FixedBinary(5), 13),
        new("uuid", ColumnType.Uuid, 14),
        new(
            "st",
            ColumnType.Struct(
                new("x", ColumnType.Int32, 16, Nullable: false), new("y", ColumnType.Utf8, 17),
                new("a_key_that_is_longer_than_one_vector", ColumnType.Struct(new ColumnField("w", ColumnType.Float64, 19)), 18)),
            15),
        new("li", ColumnType.List(new("element", ColumnType.List(new("element", ColumnType.Int64, 22)), 21)), 20),
        new("m", ColumnType.Map(new("key", ColumnType.Utf8, 24, Nullable: false), new("value", ColumnType.Float64, 25)), 23),
    ]);

    [Fact]
    public void Mutated_records_are_taken_or_refused_and_read_as_by_the_reference()
    {
        var records = int.Parse(Environment.GetEnvironmentVariable("FRAZIL_FUZZ_RECORDS") ?? "60000", CultureInfo.InvariantCulture);
        var seed = int.Parse(
            Environment.GetEnvironmentVariable("FRAZIL_FUZZ_SEED") ?? $"{Environment.TickCount}", CultureInfo.InvariantCulture);
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var mutations = new JsonMutations(random);
        using var pages = new GuardedPages();
        using var decoder = new JsonDecoder();
        var outcomes = new Dictionary<DecodeStatus, int>();
        var account = new MemoryAccount();
        while (records > 0)
        {
            var chunk = new ColumnChunk(Schema, 1, account);
            decoder.Bind(chunk);
            for (var count = Math.Min(records, 2000); count > 0; count--, records--)
            {
                var record = mutations.Next();
                var status = Compare(decoder, chunk, record, pages, random, seed);
                outcomes[status] = outcomes.GetValueOrDefault(status) + 1;
            }
            chunk.Unpin();
        }
        Assert.Equal(0, account.Bytes);
        TestContext.Current.TestOutputHelper!.WriteLine(string.Join(", ", outcomes));
        Assert.True(outcomes[DecodeStatus.Ok] > 0 && outcomes[DecodeStatus.Bad] > 0 && outcomes[DecodeStatus.UnknownField] > 0);
    }

    private static DecodeStatus Compare(JsonDecoder decoder, ColumnChunk chunk, byte[] record, GuardedPages pages, Random random, int seed)
    {
        var expected = ReferenceJson.Decode(record, Schema);
        var result = Decode(decoder, record, pages.Place(record, random), seed);
        var actual = result.Status switch
        {
            DecodeStatus.Ok => Take(chunk),
            DecodeStatus.UnknownField => ReferenceJson.Unknown,
            _ => ReferenceJson.Bad,
        };
        DecodedRow.AssertUntouched(chunk.Columns, chunk.Rows);
        if (expected != actual)
        {
            Assert.Fail($"seed {seed}\n{Encoding.UTF8.GetString(record)}\n{Convert.ToHexString(record)}\nreference {expected}\ndecoder   {actual}\n{result.Error}");
        }
        return result.Status;
    }

    private static DecodeResult Decode(JsonDecoder decoder, byte[] record, ReadOnlySpan<byte> placed, int seed)
    {
        try
        {
            return decoder.Decode(placed);
        }
        catch (Exception unexpected)
        {
            throw new InvalidOperationException(
                $"seed {seed}\n{Encoding.UTF8.GetString(record)}\n{Convert.ToHexString(record)}", unexpected);
        }
    }

    private static string Take(ColumnChunk chunk)
    {
        chunk.EndRow();
        chunk.Publish();
        var views = chunk.TakeViews(out var rows);
        return ViewReader.ShowRow(views, rows - 1);
    }

    [Fact]
    public void Millions_of_doubles_are_bit_for_bit_those_of_the_platform()
    {
        var seed = Environment.TickCount;
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var random = new Random(seed);
        var chunk = new ColumnChunk(new([new("v", ColumnType.Float64, 1)]), 500_000, new());
        using var decoder = new JsonDecoder();
        decoder.Bind(chunk);
        var expected = new List<double>();
        var record = new byte[128];
        while (expected.Count < 500_000)
        {
            var digits = random.NextInt64() >> random.Next(63);
            var text = random.Next(5) switch
            {
                0 => string.Create(CultureInfo.InvariantCulture, $"{digits >> 10}.{random.Next()}"),
                1 => string.Create(CultureInfo.InvariantCulture, $"{random.Next(100_000)}.{random.Next(100):00}"),
                2 => string.Create(CultureInfo.InvariantCulture, $"-{digits}e{random.Next(-350, 290)}"),
                3 => string.Create(CultureInfo.InvariantCulture, $"0.{new string('0', random.Next(12))}{digits}"),
                _ => string.Create(CultureInfo.InvariantCulture, $"{digits}.{random.NextInt64()}E{random.Next(-40, 40)}"),
            };
            var length = Encoding.ASCII.GetBytes($"{{\"v\":{text}}}", record);
            var result = decoder.Decode(record.AsSpan(0, length));
            Assert.True(result.IsOk, $"{text}: {result.Error}");
            expected.Add(double.Parse(text, CultureInfo.InvariantCulture));
            chunk.EndRow();
        }
        chunk.Publish();
        var view = chunk.TakeViews(out _)[0];
        unsafe
        {
            for (var row = 0; row < expected.Count; row++)
            {
                if (BitConverter.DoubleToInt64Bits(expected[row]) != ((long*)view.Values)[row])
                {
                    Assert.Fail($"row {row}: expected {expected[row]:R}");
                }
            }
        }
        chunk.Unpin();
    }

    /// <summary>Memory whose last page cannot be touched: a record placed against it shows every read that goes too far, and what stands
    /// before and behind other records looks like JSON.</summary>
    private sealed unsafe partial class GuardedPages : IDisposable
    {
        private const int Size = 64 * 1024;
        private readonly byte* memory;

        public GuardedPages()
        {
            if (!OperatingSystem.IsLinux())
            {
                memory = (byte*)NativeMemory.AlignedAlloc(Size, 4096);
                return;
            }
            memory = MapMemory(null, Size + 4096, 3 /* read, write */, 0x22 /* private, anonymous */, -1, 0);
            Assert.Equal(0, ProtectMemory(memory + Size, 4096, 0));
        }

        public ReadOnlySpan<byte> Place(byte[] record, Random random)
        {
            if (record.Length > Size / 2)
            {
                return record;
            }
            var behind = random.Next(3) == 0 ? 0 : random.Next(200);
            var place = new Span<byte>(memory + Size - behind - record.Length, record.Length + behind);
            record.CopyTo(place);
            var filler = random.Next(3) switch { 0 => "}}}}}}"u8, 1 => "123456"u8, _ => "\",\"a\":"u8 };
            for (var index = record.Length; index < place.Length; index++)
            {
                place[index] = filler[(index - record.Length) % filler.Length];
            }
            return place[..record.Length];
        }

        public void Dispose()
        {
            if (OperatingSystem.IsLinux())
            {
                _ = UnmapMemory(memory, Size + 4096);
            }
            else
            {
                NativeMemory.AlignedFree(memory);
            }
        }

        [LibraryImport("libc", EntryPoint = "mmap")]
        private static partial byte* MapMemory(byte* address, nint length, int protection, int flags, int file, nint offset);

        [LibraryImport("libc", EntryPoint = "mprotect")]
        private static partial int ProtectMemory(byte* address, nint length, int protection);

        [LibraryImport("libc", EntryPoint = "munmap")]
        private static partial int UnmapMemory(byte* address, nint length);
    }
}
