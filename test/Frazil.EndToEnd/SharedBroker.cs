using Frazil.Rig;
using Xunit;

[assembly: AssemblyFixture(typeof(Frazil.EndToEnd.SharedBroker))]

namespace Frazil.EndToEnd;

/// <summary>One broker for all tests that do not harm it; started by the first test that asks.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("frazil-e2e-").FullName;
    private readonly SemaphoreSlim gate = new(1);
    private Broker? broker;
    private int folders;

    /// <summary>A JVM that lives for seconds never earns back what its optimising compiler takes: half of the time of the kit's
    /// programs.</summary>
    public SharedBroker() => Environment.SetEnvironmentVariable("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1");

    /// <summary>Its address. Skips the test that asks where there is no kit.</summary>
    public async Task<string> BootstrapAsync()
    {
        SkipWithoutKit();
        await gate.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            broker ??= await Broker.StartAsync(Path.Combine(folder, "kafka"), Broker.NeverKilled, TestContext.Current.CancellationToken);
            return broker.Bootstrap;
        }
        finally
        {
            gate.Release();
        }
    }

    public string NewFolder(string name)
    {
        var path = Path.Combine(folder, $"{name}-{Interlocked.Increment(ref folders)}");
        Directory.CreateDirectory(path);
        return path;
    }

    public static void SkipWithoutKit() => Assert.SkipWhen(Kit.Folder is null, Kit.Absent);

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (broker is not null)
        {
            await broker.DisposeAsync();
        }
        gate.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
