using System.CommandLine;

namespace Frazil.Server.CommandLine;

/// <summary>A verb, with the examples that its --help ends with.</summary>
internal sealed class Verb(string name, string description) : Command(name, description)
{
    /// <summary>One command a line.</summary>
    public required string Examples { get; init; }
}
