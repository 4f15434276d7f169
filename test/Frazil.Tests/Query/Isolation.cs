using Frazil.Query;
using Frazil.Server;

namespace Frazil.Tests.Query;

/// <summary>With FRAZIL_TEST_ISOLATION=process in the environment the tests of SQL run their statements in workers: the same answers are wanted.</summary>
internal static class Isolation
{
    public static bool IsProcess { get; } = Environment.GetEnvironmentVariable("FRAZIL_TEST_ISOLATION") is "process";

    public static SqlExecutorOptions Apply(SqlExecutorOptions options)
        => IsProcess ? options with { WorkerCommand = FrazilServer.WorkerCommand(), SpareWorkers = 1 } : options;
}
