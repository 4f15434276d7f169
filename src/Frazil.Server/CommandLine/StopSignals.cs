using System.Runtime.InteropServices;

namespace Frazil.Server.CommandLine;

/// <summary>SIGTERM and SIGINT (Ctrl-C): the first asks to stop in order, the second ends the process at once with exit code 1.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource stop;
    private readonly PosixSignalRegistration[] registrations;
    private readonly Action<string> onFirst;
    private int seen;

    /// <param name="onFirst">Told the signal's name when the first arrives; runs on a thread of the runtime.</param>
    /// <param name="cancellationToken">Asks to stop as well.</param>
    public StopSignals(Action<string> onFirst, CancellationToken cancellationToken = default)
    {
        this.onFirst = onFirst;
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle),
        ];
    }

    /// <summary>Cancelled once stopping was asked for.</summary>
    public CancellationToken Token => stop.Token;

    public void Dispose()
    {
        Array.ForEach(registrations, registration => registration.Dispose());
        stop.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref seen) > 1)
        {
            Environment.Exit(ExitCode.Failed);
        }
        onFirst(context.Signal.ToString());
        stop.Cancel();
    }
}
