using Microsoft.AspNetCore.Http;

namespace Frazil.Server.Http;

/// <summary>What the HTTP side knows of the engine: nothing until it has started, nothing once it stops.</summary>
internal sealed class ServingState
{
    private volatile FrazilEngine? engine;

    /// <summary>The engine while it serves, else null.</summary>
    public FrazilEngine? Engine
    {
        get => engine;
        set => engine = value;
    }

    public QueryCounters Queries { get; } = new();

    /// <exception cref="HttpProblem">503 while there is none.</exception>
    public FrazilEngine RequireEngine() => engine
        ?? throw new HttpProblem(
            StatusCodes.Status503ServiceUnavailable, "not_ready", "Frazil is starting or stopping; /readyz answers 200 once it serves");
}

/// <summary>Counts finished queries. Thread-safe.</summary>
internal sealed class QueryCounters
{
    private long succeeded;
    private long failed;
    private long ticks;

    public long Succeeded => Interlocked.Read(ref succeeded);
    public long Failed => Interlocked.Read(ref failed);
    public TimeSpan Time => new(Interlocked.Read(ref ticks));

    public void Finished(TimeSpan elapsed, bool failed)
    {
        Interlocked.Increment(ref failed ? ref this.failed : ref succeeded);
        Interlocked.Add(ref ticks, elapsed.Ticks);
    }
}
