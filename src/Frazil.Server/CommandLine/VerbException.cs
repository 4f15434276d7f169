namespace Frazil.Server.CommandLine;

/// <summary>A verb cannot do what it was asked. The message is for users: what failed, the value seen, what to change.</summary>
internal sealed class VerbException(string message, int exitCode = ExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    public int Code { get; } = exitCode;
}

internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadUsage = 2;
}
