using Frazil.Config;
using Frazil.Query;
using Frazil.Query.Workers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Frazil.Tests.Query;

/// <summary>Programs that are no <c>frazil run</c>, and what they are told.</summary>
public sealed partial class SqlWorkerTests
{
    [Fact]
    public async Task A_program_that_uses_the_library_can_be_its_own_worker()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "workers are for Linux");
        await using var own = new SqlExecutor(fixture.Options with { WorkerCommand = SqlWorker.CommandOfThisProgram(), MaxWorkers = 1, SpareWorkers = 0 });
        Assert.Equal("3 text", Line((await own.ExecuteAsync(gate.Parse("SELECT * FROM t"), [Table(3)], Long)).Rows[0]));
        Assert.Contains(Children(), static worker => File.ReadAllText($"/proc/{worker}/cmdline").Contains("Frazil.Tests", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SqlIsolation.Process, 604)]
    [InlineData(SqlIsolation.InProcess, null)]
    public async Task A_program_that_does_not_say_that_it_can_be_a_worker_runs_statements_itself_and_is_told(SqlIsolation isolation, int? told)
    {
        var lines = new Lines();
        var options = new FrazilOptions { DataDir = Directory.CreateDirectory(Path.Combine(fixture.Folder, $"{Guid.NewGuid():N}")).FullName, Sql = new() { Isolation = isolation } };
        await using var catalog = await WarehouseCatalog.OpenAsync(new() { Uri = $"sqlite:{options.DataDir}/catalog.db", Warehouse = options.DataDir }, CancellationToken.None);
        await using var session = new SqlSession(catalog, static () => [], options, logger: lines);

        Assert.Equal(1, (await session.QueryAsync(new SqlRequest("SELECT 1"))).Rows[0][0]);

        Assert.Equal(told is { } one ? [one] : [], lines.Events);
    }

    /// <summary>Numbers of the lines that were written.</summary>
    private sealed class Lines : ILogger
    {
        public List<int> Events { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Events)
            {
                Events.Add(eventId.Id);
            }
        }
    }
}
