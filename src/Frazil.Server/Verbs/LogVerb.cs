using System.CommandLine;
using System.Text;
using Frazil.Config;
using Frazil.Log;
using Frazil.Server.CommandLine;

namespace Frazil.Server.Verbs;

/// <summary><c>frazil log</c>: the transaction log of a table, also while a server writes it.</summary>
internal static class LogVerb
{
    private static readonly TimeSpan FollowInterval = TimeSpan.FromMilliseconds(200);

    public static Command Create(CommonOptions common, Terminal terminal)
    {
        var name = new Argument<string?>("table") { Description = "namespace.table; may be left out where data_dir has the log of one table only", Arity = ArgumentArity.ZeroOrOne };
        var kinds = new Option<string[]>("--kind")
        {
            Description = "Only entries of this kind, such as ParquetWritten; may be repeated",
            HelpName = "KIND",
        };
        var flush = new Option<string?>("--flush") { Description = "Only entries of this flush", HelpName = "ID" };
        var last = new Option<int?>("--last") { Description = "Only the last N entries that match", HelpName = "N" };
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on printing what is appended, until interrupted" };
        var verb = new Verb("log", """
            Print the transaction log of a table: what each flush did, step by step. With --json each line is printed as it is on disk.
            Damaged lines are told on standard error; they lose nothing, because progress is in the table itself.
            """)
        {
            Examples = """
                frazil log --last 20
                frazil log shop.user_events --follow
                frazil log --kind GapRecorded --json
                """,
        };
        verb.Add(name);
        Array.ForEach<Option>([kinds, flush, last, follow], verb.Add);
        verb.SetAction(async (result, cancellationToken) =>
        {
            var filter = new LogFilter(result.GetValue(kinds) ?? [], FlushFrom(result.GetValue(flush)));
            if (result.GetValue(last) is < 0 and var count)
            {
                throw new VerbException($"--last is {count}; allowed are 0 and more", ExitCode.BadUsage);
            }
            var folder = FolderOf(common.Load(result).DataDir, result.GetValue(name));
            CheckKinds(filter.Kinds, folder);
            var printer = new Printer(terminal, filter, result.GetValue(common.Json));
            printer.Print(LogSegments.Read(folder), result.GetValue(last));
            if (result.GetValue(follow))
            {
                await FollowAsync(folder, printer, cancellationToken);
            }
            return ExitCode.Done;
        });
        return verb;
    }

    /// <summary>Ids are compared as they are written in the log.</summary>
    private static string? FlushFrom(string? text)
        => text is null ? null : Guid.TryParse(text, out var id) ? id.ToString() : throw new VerbException(
            $"--flush is \"{text}\", which is no flush's id; give the whole UUID, as `frazil log` prints it", ExitCode.BadUsage);

    /// <summary>A kind that only a newer Frazil knows may be asked for where the log has it.</summary>
    private static void CheckKinds(IEnumerable<string> kinds, string folder)
    {
        foreach (var kind in kinds.Except(LogText.Kinds, StringComparer.OrdinalIgnoreCase))
        {
            if (!LogSegments.Read(folder).Any(
                record => record.Entry is { } entry && LogText.KindOf(entry).Equals(kind, StringComparison.OrdinalIgnoreCase)))
            {
                throw new VerbException(
                    $"--kind is \"{kind}\"; " + (NearestName.Find(kind, LogText.Kinds) is { } meant ? $"did you mean {meant}? " : "")
                    + $"Kinds are {string.Join(", ", LogText.Kinds)}", ExitCode.BadUsage);
            }
        }
    }

    private static string FolderOf(string dataDir, string? table)
    {
        var root = Path.Combine(dataDir, "log");
        var known = Directory.Exists(root)
            ? Directory.GetDirectories(root)
                .Select(static folder => Uri.UnescapeDataString(Path.GetFileName(folder))).Order(StringComparer.Ordinal).ToList()
            : [];
        if (known.Count == 0)
        {
            throw new VerbException(
                $"there is no transaction log in {root} (data_dir = \"{dataDir}\") yet. `frazil run` writes one for each table");
        }
        if (table is null && known.Count > 1)
        {
            throw new VerbException($"data_dir has the logs of several tables; name one: {string.Join(", ", known)}", ExitCode.BadUsage);
        }
        var wanted = table ?? known[0];
        return known.Contains(wanted) ? LogSegments.FolderOf(dataDir, wanted) : throw new VerbException(
            $"there is no log of a table {wanted} in {root}; " + (NearestName.Find(wanted,
                known) is { } meant ? $"did you mean {meant}?" : $"there are {string.Join(", ", known)}"));
    }

    private static async Task FollowAsync(string folder, Printer printer, CancellationToken cancellationToken)
    {
        // Begins behind what was printed: the sequence number is the one position that survives rotation.
        LogTail? tail = LogSegments.In(folder) is [.., var newest] ? new(folder, newest) : null;
        while (!cancellationToken.IsCancellationRequested)
        {
            foreach (var segment in LogSegments.In(folder).Where(number => number >= (tail?.Segment ?? 0)))
            {
                tail = tail?.Segment == segment ? tail : new(folder, segment);
                printer.PrintNew(tail.ReadOn(atEnd: false));
            }
            try
            {
                await Task.Delay(FollowInterval, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return; // its ordinary end
            }
        }
    }

    private sealed record LogFilter(IReadOnlyList<string> Kinds, string? Flush)
    {
        public bool Lets(LogEntry entry)
            => (Kinds.Count == 0 || Kinds.Contains(LogText.KindOf(entry), StringComparer.OrdinalIgnoreCase))
                && (Flush is null || LogText.FlushOf(entry) == Flush);
    }

    private sealed class Printer(Terminal terminal, LogFilter filter, bool asJson)
    {
        private long printed = -1;

        public void Print(IEnumerable<LogRecord> records, int? last)
        {
            var matching = records.Where(Matches);
            foreach (var record in last is { } count ? matching.TakeLast(count) : matching)
            {
                Write(record);
            }
        }

        public void PrintNew(IEnumerable<LogRecord> records)
        {
            foreach (var record in records.Where(record => record.Entry is null || record.Entry.Sequence > printed).Where(Matches))
            {
                Write(record);
            }
        }

        private bool Matches(LogRecord record)
        {
            if (record.Entry is not { } entry)
            {
                terminal.Error.WriteLine($"frazil: segment {record.Segment}, line {record.Line} cannot be used: {record.Damage}");
                return false;
            }
            return filter.Lets(entry);
        }

        private void Write(LogRecord record)
        {
            printed = Math.Max(printed, record.Entry!.Sequence);
            terminal.Output.WriteLine(asJson ? Encoding.UTF8.GetString(record.Bytes.Span) : LogText.Line(record.Entry));
        }
    }
}
