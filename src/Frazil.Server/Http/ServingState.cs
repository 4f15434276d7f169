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

    /// <exception cref="HttpProblem">503 while there is none.</exception>
    public FrazilEngine RequireEngine() => engine
        ?? throw new HttpProblem(
            StatusCodes.Status503ServiceUnavailable, "not_ready", "Frazil is starting or stopping; /readyz answers 200 once it serves");
}
