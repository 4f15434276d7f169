using System.Globalization;

namespace Frazil.Log;

/// <summary>The files of one table's log: <c>data_dir/log/&lt;table&gt;/&lt;number&gt;.log</c>, read in the order of their
/// numbers.</summary>
internal static class LogSegments
{
    /// <summary>The folder of a table's log.</summary>
    public static string FolderOf(string dataDir, string table) => Path.Combine(dataDir, "log", Uri.EscapeDataString(table));

    public static string PathOf(string folder, long number)
        => Path.Combine(folder, number.ToString("D10", CultureInfo.InvariantCulture) + ".log");

    /// <summary>Segment numbers, ascending; files of other names are not ours.</summary>
    public static List<long> In(string folder)
    {
        var numbers = new List<long>();
        if (Directory.Exists(folder))
        {
            foreach (var path in Directory.EnumerateFiles(folder, "*.log"))
            {
                if (long.TryParse(Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    numbers.Add(number);
                }
            }
            numbers.Sort();
        }
        return numbers;
    }

    /// <summary>Every line of the log, oldest first. Damaged lines come with what is wrong with them; they end nothing.</summary>
    public static IEnumerable<LogRecord> Read(string folder)
    {
        foreach (var number in In(folder))
        {
            foreach (var record in new LogTail(folder, number).ReadOn(atEnd: true))
            {
                yield return record;
            }
        }
    }
}

/// <summary>A line of the log.</summary>
/// <param name="Segment">The number of its segment.</param>
/// <param name="Line">Its number in the segment, from 1.</param>
/// <param name="Entry">What it says; null where it is damaged.</param>
/// <param name="Damage">torn (it ends early), checksum (bits changed) or format; null where it is sound.</param>
/// <param name="Bytes">The line without its line feed.</param>
internal sealed record LogRecord(long Segment, int Line, LogEntry? Entry, string? Damage, ReadOnlyMemory<byte> Bytes);

/// <summary>Reads one segment as far as it is written, again and again. Not thread-safe.</summary>
internal sealed class LogTail(string folder, long segment)
{
    private long position;
    private int line;

    public long Segment => segment;

    /// <summary>The lines written since the last call.</summary>
    /// <param name="atEnd">True where nobody writes the segment any more: a last line without its line feed is reported as torn.</param>
    public IEnumerable<LogRecord> ReadOn(bool atEnd)
    {
        var bytes = ReadFrom(position);
        for (var start = 0; start < bytes.Length;)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0 && !atEnd)
            {
                yield break;
            }
            var text = bytes.AsMemory(start, length < 0 ? bytes.Length - start : length);
            start += text.Length + 1;
            position += text.Length + 1;
            line++;
            var entry = LogLine.TryDecode(text.Span, out var damage);
            yield return new(segment, line, entry, damage, text);
        }
    }

    private byte[] ReadFrom(long offset)
    {
        try
        {
            using var file = new FileStream(
                LogSegments.PathOf(folder, segment), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length <= offset)
            {
                return [];
            }
            var bytes = new byte[file.Length - offset];
            file.Position = offset;
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (FileNotFoundException)
        {
            return []; // rotated away while it was being read
        }
    }
}
