using System.Globalization;
using Frazil.Rig;

namespace Frazil.EndToEnd;

/// <summary>A stream of records at a steady rate, in runs of three seconds, until it is told to stop. Disposed before that, because its test
/// has failed, it ends at once: nothing of it takes the machine's time from the tests that follow.</summary>
internal sealed class RunningLoad : IAsyncDisposable
{
    private const int Seconds = 3;

    private readonly CancellationTokenSource life;
    private readonly CancellationTokenSource stop = new();
    private readonly Task<Ledger> producing;

    /// <param name="bootstrap">The broker's address.</param>
    /// <param name="topic">It is created with six partitions unless it exists.</param>
    /// <param name="rate">Records a second.</param>
    /// <param name="cancellationToken">Ends it at once.</param>
    public RunningLoad(string bootstrap, string topic, int rate, CancellationToken cancellationToken)
    {
        life = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        producing = ProduceAsync(bootstrap, topic, rate);
    }

    /// <summary>Whether it has ended, after having been told to.</summary>
    public bool IsCompleted => producing.IsCompleted;

    /// <summary>Lets no further run begin.</summary>
    public void Stop() => stop.Cancel();

    /// <summary>Stops, and waits for the run that is under way.</summary>
    /// <returns>What all runs have produced.</returns>
    public async Task<Ledger> StopAsync()
    {
        Stop();
        return await producing;
    }

    public async ValueTask DisposeAsync()
    {
        Stop();
        if (!producing.IsCompleted)
        {
            await life.CancelAsync();
        }
        await producing.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        stop.Dispose();
        life.Dispose();
    }

    private async Task<Ledger> ProduceAsync(string bootstrap, string topic, int rate)
    {
        var ledger = Ledger.Empty;
        for (var first = 0L; !stop.IsCancellationRequested; first += Seconds * rate)
        {
            ledger += await Kit.LoadAsync(bootstrap, topic, Seconds * rate, life.Token, "--now", "--seq",
                "--rate", rate.ToString(CultureInfo.InvariantCulture), "--first", first.ToString(CultureInfo.InvariantCulture));
        }
        return ledger;
    }
}
