using System.Diagnostics;
using System.Globalization;
using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Flush;
using Frazil.Iceberg.IO;
using Frazil.Query;
using Frazil.Query.Workers;
using Frazil.Server;
using Frazil.Tests.DuckDb;
using Frazil.Tests.Engine;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Frazil.Tests.Query;

/// <summary>Workers that all tests share: each takes a while to start.</summary>
public sealed class WorkerFixture : IAsyncDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("frazil-workers-").FullName;

    public SqlExecutor Workers { get; }

    public SqlExecutor InProcess { get; }

    public WorkerFixture()
    {
        Environment.SetEnvironmentVariable("FRAZIL_TEST_SECRET", "hunter2");
        Workers = new SqlExecutor(Options);
        InProcess = new SqlExecutor(Options with { WorkerCommand = null });
    }

    public SqlExecutorOptions Options => new()
    {
        Directories = [Folder],
        SpillDirectory = Path.Combine(Folder, "spill"),
        WorkerCommand = FrazilServer.WorkerCommand(),
        MaxWorkers = 4,
        WorkerMemoryMb = 256,
    };

    public async ValueTask DisposeAsync()
    {
        await Workers.DisposeAsync();
        await InProcess.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}

public sealed partial class SqlWorkerTests(WorkerFixture fixture) : IClassFixture<WorkerFixture>, IDisposable
{
    private const string Endless = "SELECT repeat('a', 300) GLOB '*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b' FROM range(1)";
    private const string Deep = "SELECT json_structure(repeat('[', 1000000) || repeat(']', 1000000))";
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);
    private static readonly ColumnFields Numbers = new([new ColumnField("n", ColumnType.Int64, 1), new ColumnField("t", ColumnType.Utf8, 2)]);

    private readonly ArrowValues memory = new();
    private readonly SqlGate gate = new();

    public void Dispose()
    {
        gate.Dispose();
        memory.Dispose();
    }

    public static TheoryData<int> Seeds => [1, 2, 3, Random.Shared.Next()];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task A_worker_reads_hot_and_cold_rows_of_every_type_as_the_process_itself_does(int seed)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        var random = new RandomColumns(seed);
        var fields = new ColumnFields(
            random.Fields(6).Where(static field => !HoldsFixed(field.Type)).Append(new ColumnField("place", ColumnType.Int32, 9999)));
        var columns = fields.Select(field => random.Values(field.Type, 3000)).ToArray();
        columns[^1] = [.. Enumerable.Range(0, 3000).Select(row => (object?)row)];
        var whole = memory.Slice(fields, columns);
        await using var writer = new ParquetDataFileWriter();
        var written = await writer.WriteAsync(
            new DataFileRequest { Store = new LocalFileIO(), Location = Path.Combine(fixture.Folder, $"{Guid.NewGuid():N}.parquet"), Schema = fields, Slices = [Part(whole, 0, 700)] });
        int[] some = [.. Enumerable.Range(2700, 300).Where(static row => row % 3 != 0).Reverse()];
        var table = new TableInput
        {
            Namespace = "shop",
            Name = "events",
            Schema = fields,
            HotSlices = [Part(whole, 700, 1), Part(whole, 701, 1999), new BatchSlice { Schema = fields, Columns = whole.Columns, Count = some.Length, Selection = some }],
            ColdFiles = [new DataFileInput(written.Location, written.RecordCount)],
        };

        var sql = gate.Parse("SELECT *, [place, NULL] AS list, {'a': place} AS struct FROM shop.events ORDER BY place");
        var expected = await fixture.InProcess.ExecuteAsync(sql, [table], Long);
        var found = await fixture.Workers.ExecuteAsync(sql, [table], Long);

        Assert.Equal(2700 + some.Length, found.Rows.Count);
        Assert.Equal(expected.Columns, found.Columns);
        for (var row = 0; row < found.Rows.Count; row++)
        {
            Assert.Equal(Line(expected.Rows[row]), Line(found.Rows[row]));
        }
    }

    [Fact]
    public async Task A_view_is_told_anew_only_when_the_table_has_changed_and_errors_have_their_positions()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        for (var round = 1L; round <= 5; round++)
        {
            Assert.Equal($"{round} text", Line((await RunAsync("SELECT n, t FROM t WHERE n = (SELECT max(n) FROM a.t)", Table(round))).Rows[0]));
            var failure = await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT 'é😀', nope FROM t", Table(round)));
            Assert.Equal(14, failure.Position);
        }
        var wider = new ColumnFields([.. Numbers, new ColumnField("more", ColumnType.Int32, 3)]);
        var now = new TableInput { Namespace = "a", Name = "t", Schema = wider, HotSlices = [memory.Slice(Numbers, [9L], ["old"])] };
        Assert.Equal("9 old null", Line((await RunAsync("SELECT * FROM t", now)).Rows[0]));
        await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT * FROM a.t"));
        Assert.Contains("no columns yet", (await Assert.ThrowsAsync<SqlException>(() => RunAsync("SELECT * FROM t", now with { Schema = ColumnFields.Empty }))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queries_at_the_same_time_each_see_their_own_rows()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async worker =>
        {
            for (var round = 0; round < 20; round++)
            {
                var own = new ArrowValues();
                var mark = (worker * 1000L) + round;
                var table = Table(0) with { HotSlices = [own.Slice(Numbers, [mark], ["own text that is longer than twelve"])], HotPin = own };
                Assert.Equal($"{mark} 1", Line((await RunAsync("SELECT max(n), count(t) FROM t", table)).Rows[0]));
                Assert.True(own.IsDisposed);
            }
        }));
    }

    [Fact]
    public async Task What_cannot_be_interrupted_is_ended_and_nothing_of_it_stays()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        var late = await Assert.ThrowsAsync<SqlException>(() => fixture.Workers.ExecuteAsync(gate.Parse(Endless), [], TimeSpan.FromMilliseconds(300)));
        Assert.Contains("did not finish within 300 ms", late.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("could not be interrupted", late.Message, StringComparison.Ordinal);
        Assert.Equal(0, fixture.Workers.StuckQueries);
        using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Workers.ExecuteAsync(gate.Parse(Endless), [], Long, leaving.Token));
        Assert.Equal(1, (await RunAsync("SELECT 1")).Rows[0][0]);
    }

    [Theory]
    [InlineData(Deep)] // recurses until the stack ends
    [InlineData("SELECT string_agg(repeat('x', 1000000), '') FROM range(100000)")] // takes memory that DuckDB counts
    [InlineData("SELECT damerau_levenshtein(repeat('a', 30000), repeat('b', 30000))")] // 7 GB that it does not count
    public async Task A_statement_that_breaks_its_process_breaks_nothing_else(string sql)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        // Past the gate, which refuses some of these by name.
        await Assert.ThrowsAsync<SqlException>(() => fixture.Workers.ExecuteAsync(new GatedSql(sql, []), [], Long));
        Assert.Equal("7 text", Line((await RunAsync("SELECT * FROM t", Table(7))).Rows[0]));
    }

    [Fact]
    public async Task A_worker_whose_DuckDB_has_broken_gets_no_more_statements()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await using var pool = new WorkerPool(fixture.Options, TimeProvider.System, NullLogger.Instance);
        await UntilOneWaitsAsync(pool);
        var worker = pool.Idle[0];
        var broken = Assert.Throws<DuckDbException>(() => pool.Run(new GatedSql("FROM repeat_row(1, num_rows = -5)", []), [], new TablePins([]), new Rows(), CancellationToken.None));
        Assert.True(broken.IsFatal, broken.Message);
        Assert.DoesNotContain(worker, pool.Idle);
        pool.Run(gate.Parse("SELECT 1"), [], new TablePins([]), new Rows(), CancellationToken.None);
    }

    [Fact]
    public async Task A_statement_that_is_late_before_it_begins_costs_no_worker()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await using var pool = new WorkerPool(fixture.Options with { SpareWorkers = 0 }, TimeProvider.System, NullLogger.Instance);
        Assert.Throws<OperationCanceledException>(() => pool.Run(gate.Parse("SELECT 1"), [], new TablePins([]), new Rows(), new CancellationToken(canceled: true)));
        Assert.Single(pool.Idle);
    }

    [Fact]
    public async Task Workers_that_are_killed_are_replaced_while_they_wait_and_while_they_work()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await using var pool = new WorkerPool(fixture.Options, TimeProvider.System, NullLogger.Instance);
        for (var round = 0; round < 3; round++)
        {
            await UntilOneWaitsAsync(pool);
            foreach (var worker in pool.Idle)
            {
                Process.GetProcessById(worker).Kill();
            }
            var rows = new Rows();
            pool.Run(gate.Parse("SELECT 1"), [], new TablePins([]), rows, CancellationToken.None);
            Assert.Equal(1, rows.Count);
        }
        var working = Task.Run(() => pool.Run(gate.Parse(Endless), [], new TablePins([]), new Rows(), CancellationToken.None));
        await EngineFixture.Eventually(
            () =>
            {
                Children().ForEach(Kill);
                return Task.FromResult(working.IsCompleted);
            },
            "the statement has ended with its worker");
        Assert.Contains("was ended (signal 9)", (await Assert.ThrowsAsync<SqlException>(() => working)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_worker_that_is_stopped_in_the_middle_of_an_answer_is_ended_at_the_deadline()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        using var deadline = new CancellationTokenSource();
        await using var own = new SqlExecutor(fixture.Options with { SpareWorkers = 1, MaxWorkers = 1 });
        var before = Children();
        await using var chunks = await own.StreamAsync(gate.Parse("SELECT repeat('x', 1000) FROM range(1000000000)"), [], deadline.Token);
        (await chunks.ReadAsync(CancellationToken.None))!.Dispose();
        var stopped = Children().Except(before).ToList();
        stopped.ForEach(static worker => Signal(worker, "STOP"));
        await deadline.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await chunks.ReadAsync(CancellationToken.None) is { } chunk)
            {
                chunk.Dispose();
            }
        });
        foreach (var worker in Children())
        {
            Signal(worker, "CONT"); // the spare one
        }
        Assert.Equal(1, (await own.ExecuteAsync(gate.Parse("SELECT 1"), [], Long)).Rows[0][0]);
    }

    [Fact]
    public async Task A_worker_has_nothing_of_ours_but_its_socket()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await using var pool = new WorkerPool(fixture.Options, TimeProvider.System, NullLogger.Instance);
        await UntilOneWaitsAsync(pool);
        var worker = pool.Idle[0].ToString(CultureInfo.InvariantCulture);
        Assert.DoesNotContain("hunter2", await File.ReadAllTextAsync($"/proc/{worker}/environ"), StringComparison.Ordinal);
        var status = await File.ReadAllTextAsync($"/proc/{worker}/status");
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t2", status, StringComparison.Ordinal);
        Assert.All(new[] { "CapInh", "CapPrm", "CapEff", "CapAmb" }, set => Assert.Matches($"{set}:\t000000000000000[04]\n", status)); // 4: reads every file
        var limits = await File.ReadAllTextAsync($"/proc/{worker}/limits");
        Assert.Matches($@"Max data size +{(256L + ProcessLimits.MemoryBesideMb) << 20} ", limits);
        Assert.Matches("Max core file size +0 ", limits);
        Assert.Matches($"Max file size +{(long)fixture.Options.WorkerSpillMb << 20} ", limits);
        foreach (var descriptor in Directory.EnumerateFileSystemEntries($"/proc/{worker}/fd"))
        {
            var target = new FileInfo(descriptor).LinkTarget ?? "";
            Assert.DoesNotContain("frazil.lock", target, StringComparison.Ordinal);
            Assert.True(Path.GetFileName(descriptor) == "3" || !target.StartsWith("socket:", StringComparison.Ordinal), $"{descriptor}: {target}");
        }
    }

    [Fact]
    public void A_worker_of_another_build_serves_nothing()
    {
        var message = new ByteWriter();
        new WorkerSettings("another", 1, 64, null, 1, 0, []).Write(message);
        var refused = Assert.Throws<IOException>(() => WorkerSettings.Read(new ByteReader(message.Written.ToArray())));
        Assert.Contains("another build", refused.Message, StringComparison.Ordinal);
        var same = new ByteWriter();
        new WorkerSettings(WorkerSettings.ThisBuild, 1, 64, null, 1, 0, ["/a"]).Write(same);
        Assert.Equal(["/a"], WorkerSettings.Read(new ByteReader(same.Written.ToArray())).Directories);
    }

    private static bool HoldsFixed(ColumnType type) => type.Kind == ColumnKind.FixedBinary || type.Fields.Any(static field => HoldsFixed(field.Type));

    private static BatchSlice Part(BatchSlice whole, long start, long count) => new() { Schema = whole.Schema, Columns = whole.Columns, Start = start, Count = count };

    private static string Line(object?[] row) => string.Join(' ', row.Select(RandomColumns.Canonical));

    private static Task UntilOneWaitsAsync(WorkerPool pool) => EngineFixture.Eventually(() => Task.FromResult(pool.Idle.Count > 0), "a worker waits");

    private static void Kill(int process) => Signal(process, "KILL");

    private static void Signal(int process, string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", process.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    /// <summary>Workers of this process, those that wait as well.</summary>
    private static List<int> Children()
    {
        var own = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        return
        [
            .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Where(static name => int.TryParse(name, out _)).Where(name => IsWorkerOf(name!, own))
                .Select(static name => int.Parse(name!, CultureInfo.InvariantCulture)),
        ];
    }

    private static bool IsWorkerOf(string process, string parent)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/cmdline").Contains(SqlWorker.Verb, StringComparison.Ordinal)
                && File.ReadAllText($"/proc/{process}/stat").Split(')')[^1].Split(' ')[2] == parent;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private TableInput Table(long n) => new() { Namespace = "a", Name = "t", Schema = Numbers, HotSlices = [memory.Slice(Numbers, [n], ["text"])] };

    private Task<SqlRows> RunAsync(string sql, params TableInput[] tables) => fixture.Workers.ExecuteAsync(gate.Parse(sql), tables, Long);

    private sealed class Rows : IRowSink
    {
        public int Count { get; private set; }

        public void Begin(IReadOnlyList<DuckDbColumn> found)
        {
        }

        public void Write(ChunkFrame frame, CancellationToken cancellationToken)
        {
            Count++;
            frame.Dispose();
        }
    }
}
