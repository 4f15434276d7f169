using Frazil.Config;
using Xunit;

namespace Frazil.Tests.Config;

public sealed class TomlReaderTests
{
    [Theory]
    [InlineData("a = 'x'", "x")]
    [InlineData("a = \"tab\\t quote\\\" back\\\\ \\u00e9 \\U0001F600\"", "tab\t quote\" back\\ é 😀")]
    [InlineData("a = '''\nfirst\n'quoted' ''twice'''''", "first\n'quoted' ''twice''")]
    [InlineData("a = \"\"\"\none \\\n   \n  two\"\"\"", "one two")]
    [InlineData("a = \"\"\"five\"\"\"\"\"", "five\"\"")]
    [InlineData("a = \"\"", "")]
    [InlineData("a = ''''''", "")]
    public void Strings_of_every_kind_are_read(string toml, string expected) => Assert.Equal(expected, Value(toml));

    [Theory]
    [InlineData("a = 0", 0L)]
    [InlineData("a = -17", -17L)]
    [InlineData("a = +1_000_000", 1_000_000L)]
    [InlineData("a = 0xDEAD_beef", 0xDEADBEEFL)]
    [InlineData("a = 0o755", 493L)]
    [InlineData("a = 0b1101", 13L)]
    [InlineData("a = 9223372036854775807", long.MaxValue)]
    [InlineData("a = -9223372036854775808", long.MinValue)]
    [InlineData("a = 1.5", 1.5)]
    [InlineData("a = 6.02e+23", 6.02e23)]
    [InlineData("a = 5e-2", 0.05)]
    [InlineData("a = -inf", double.NegativeInfinity)]
    [InlineData("a = nan", double.NaN)]
    [InlineData("a = true", true)]
    public void Numbers_and_booleans_of_every_kind_are_read(string toml, object expected) => Assert.Equal(expected, Value(toml));

    [Fact]
    public void Dates_and_times_of_every_kind_are_read()
    {
        Assert.Equal(new DateTimeOffset(1979, 5, 27, 7, 32, 0, TimeSpan.Zero), Value("a = 1979-05-27T07:32:00Z"));
        Assert.Equal(new DateTimeOffset(1979, 5, 27, 0, 32, 0, 999, TimeSpan.FromHours(-7)), Value("a = 1979-05-27 00:32:00.999-07:00"));
        Assert.Equal(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddTicks(1234560), Value("a = 2026-01-01T00:00:00.123456Z"));
        Assert.Equal(TomlKind.OffsetDateTime, Kind("a = 1979-05-27T07:32:00Z"));
        Assert.Equal(TomlKind.LocalDateTime, Kind("a = 1979-05-27T07:32:00"));
        Assert.Equal(TomlKind.LocalDate, Kind("a = 1979-05-27"));
        Assert.Equal(TomlKind.LocalTime, Kind("a = 07:32:00.123"));
        Assert.Equal("1979-05-27 00:32:00-07:00", ((TomlScalar)TomlReader.Read("a = 1979-05-27 00:32:00-07:00 # x").Find("a")!).Text);
    }

    [Fact]
    public void Tables_arrays_and_dotted_keys_build_one_tree()
    {
        var document = TomlReader.Read("""
            top.inner = 1 # comment
            [a.b]
            "quoted.key" = [1, [2, 3], # comment inside
                {x = 1, y.z = 2},]
            [[tables]]
            name = "one"
            [tables.properties]
            p = "q"
            [[tables]]
            name = "two"
            [tables.properties]
            p = "r"
            """);
        Assert.Equal(1L, ((TomlScalar)Walk(document, "top", "inner")).Value);
        var array = (TomlArray)Walk(document, "a", "b", "quoted.key");
        Assert.Equal(3, array.Items.Count);
        Assert.Equal(2L, ((TomlScalar)Walk(array.Items[2], "y", "z")).Value);
        var tables = (TomlArray)Walk(document, "tables");
        Assert.Equal(2, tables.Items.Count);
        Assert.Equal("q", ((TomlScalar)Walk(tables.Items[0], "properties", "p")).Value);
        var second = Walk(tables.Items[1], "name");
        Assert.Equal((10, 8), (second.Line, second.Column));
        Assert.Equal("r", ((TomlScalar)Walk(tables.Items[1], "properties", "p")).Value);
        Assert.Equal((9, 3), (tables.Items[1].Line, tables.Items[1].Column));
    }

    [Theory]
    [InlineData("a = 1\na = 2", 2, "`a` is already defined at (1,1)")]
    [InlineData("[a]\n[a]", 2, "`a` is already defined at (1,1)")]
    [InlineData("a = {x = 1}\n[a.y]", 2, "`a` is already defined at (1,1)")]
    [InlineData("a = {x = 1}\na.y = 2", 2, "`a` is already defined at (1,1)")]
    [InlineData("[a.b.c]\nz = 1\n[a]\nb.c.t = 1", 4, "`a.b.c` is already defined at (1,1)")]
    [InlineData("a = [{}]\n[[a]]", 2, "`a` is already defined at (1,1)")]
    [InlineData("[[a]]\n[a]", 2, "`a` is already defined at (1,1)")]
    [InlineData("a.b = 1\na.b.c = 2", 2, "`a.b` is already defined at (1,1)")]
    public void What_is_defined_twice_is_refused_with_both_lines(string toml, int line, string message)
    {
        var refused = Assert.Throws<TomlException>(() => TomlReader.Read(toml));
        Assert.Equal(line, refused.Line);
        Assert.Contains(message, refused.Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", 1, 2, "Expecting `=`")]
    [InlineData("a = ", 1, 5, "for a value")]
    [InlineData("a = text", 1, 5, "text needs quotes")]
    [InlineData("a = 1 b = 2", 1, 7, "newline")]
    [InlineData("a = 01", 1, 5, "leading zero")]
    [InlineData("a = 1__0", 1, 7, "underscore")]
    [InlineData("a = 9223372036854775808", 1, 5, "9223372036854775808")]
    [InlineData("a = 1.", 1, 5, "`1.` for a value")]
    [InlineData("a = .5", 1, 5, "for a value")]
    [InlineData("a = +0x1", 1, 7, "newline")]
    [InlineData("a = 2026-02-30", 1, 5, "`2026-02-30`")]
    [InlineData("a = \"x", 1, 6, "string literal")]
    [InlineData("a = \"\\q\"", 1, 7, "escape")]
    [InlineData("a = \"\\uD800\"", 1, 7, "Invalid Unicode")]
    [InlineData("a = \"\u0001\"", 1, 5, "control character")]
    [InlineData("a = [1, 2", 1, 10, "closing `]`")]
    [InlineData("[a", 1, 3, "`]`")]
    [InlineData("[]", 1, 2, "base key")]
    [InlineData("# ok\n\n  é = 1", 3, 3, "é")]
    public void What_is_not_TOML_is_refused_where_it_stands(string toml, int line, int column, string message)
    {
        var refused = Assert.Throws<TomlException>(() => TomlReader.Read(toml));
        Assert.Equal((line, column), (refused.Line, refused.Column));
        Assert.Contains(message, refused.Problem, StringComparison.Ordinal);
    }

    /// <summary>Tomlyn quotes the first of two definitions whole; it may be a password.</summary>
    [Theory]
    [InlineData("password = 'hunter2'\npassword = 'other'")]
    [InlineData("[kafka]\npassword = 'hunter2'\n[kafka]")]
    [InlineData("[kafka]\npassword.first = 'hunter2'\n[kafka.password]")]
    public void What_is_refused_is_not_quoted_with_its_values(string toml)
        => Assert.DoesNotContain("hunter2", Assert.Throws<TomlException>(() => TomlReader.Read(toml)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("a = 1\nb = \"C:\\Users\"\nc = 2", 2)]
    [InlineData("a = \"\\U[59\n4\"", 1)]
    [InlineData("a = \"C:\\Users\"", 1)]
    public void A_path_with_backslashes_is_refused_on_its_line(string toml, int line)
        => Assert.Equal(line, Assert.Throws<TomlException>(() => TomlReader.Read(toml)).Line);

    [Theory]
    [InlineData("1", true)]
    [InlineData("[1, 2] # comment", true)]
    [InlineData("{ a = 1 }", true)]
    [InlineData("1\nb = 2", false)]
    [InlineData("1\n[b]", false)]
    [InlineData("", false)]
    public void A_value_alone_is_one_value(string text, bool isOne)
    {
        if (isOne)
        {
            Assert.Equal((1, 9), (TomlReader.ReadValue(text).Line, TomlReader.ReadValue(text).Column));
        }
        else
        {
            Assert.Throws<TomlException>(() => TomlReader.ReadValue(text));
        }
    }

    [Fact]
    public void Bytes_that_are_not_UTF8_are_refused()
        => Assert.Contains(
            "UTF-8", Assert.Throws<TomlException>(() => TomlReader.Read([(byte)'a', (byte)'=', (byte)'"', 0xC3, (byte)'"'])).Problem,
            StringComparison.Ordinal);

    [Fact]
    public void A_byte_order_mark_and_CRLF_line_ends_are_taken()
        => Assert.Equal(2L, ((TomlScalar)Walk(TomlReader.Read("\uFEFFa = 1\r\n[t]\r\nb = 2\r\n"u8), "t", "b")).Value);

    [Theory]
    [InlineData("a = ", "[", "")]
    [InlineData("a = ", "{a=", "")]
    [InlineData("", "a.", "a = 1")]
    [InlineData("[", "a.", "a]")]
    [InlineData("[[", "a.", "a]]")]
    public void Values_nested_beyond_reason_are_refused_rather_than_overflow_the_stack(string before, string again, string after)
        => Assert.Throws<TomlException>(() => TomlReader.Read(before + string.Concat(Enumerable.Repeat(again, 100_000)) + after));

    [Fact]
    public void Random_text_is_parsed_or_refused_but_never_crashes()
    {
        var seed = Random.Shared.Next();
        var random = new Random(seed);
        const string Alphabet = "ab.=[]{}\"'#\\\n\r ,0123456789:-+_eTZuU\t\u0001é";
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Create(random.Next(1, 30), random, (span, source) =>
            {
                foreach (ref var letter in span)
                {
                    letter = Alphabet[source.Next(Alphabet.Length)];
                }
            });
            try
            {
                TomlReader.Read(text);
            }
            catch (TomlException)
            {
                // refused is fine
            }
            catch (Exception exception)
            {
                Assert.Fail($"seed {seed}: {exception.GetType().Name} for {text}");
            }
        }
    }

    private static TomlKind Kind(string toml) => TomlReader.Read(toml).Find("a")!.Kind;

    private static object Value(string toml) => ((TomlScalar)TomlReader.Read(toml).Find("a")!).Value;

    private static TomlNode Walk(TomlNode node, params string[] path) => path.Aggregate(node, (at, key) => ((TomlTable)at).Find(key)!);
}
