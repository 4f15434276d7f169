using Frazil.Hot;
using Xunit;

namespace Frazil.Tests.Hot;

public sealed class ChangeSignalTests
{
    /// <summary>As close as the one that waits follows the one that changes, and the other way round; further, nobody waits for the
    /// other.</summary>
    private const int MostSpins = 200;

    /// <summary>One looks and would wait, one changes and raises, over very many signals side by side: on a busy machine they pass many of
    /// them apart, which costs nothing, and meet at the others.</summary>
    [Fact]
    public async Task No_change_between_a_look_and_the_waiting_is_missed()
    {
        const int Signals = 200_000;
        var signals = Enumerable.Range(0, Signals).Select(static _ => new ChangeSignal()).ToArray();
        var changes = new int[Signals];
        var waits = new List<(int Signal, Task Changed)>();
        var (changing, looking) = (0, 0);

        var writer = Task.Run(() =>
        {
            for (var at = 0; at < Signals; at++)
            {
                Follow(ref looking, at);
                Volatile.Write(ref changing, at);
                Volatile.Write(ref changes[at], 1);
                signals[at].Raise();
            }
        });
        await Task.Run(() =>
        {
            for (var at = 0; at < Signals; at++)
            {
                Follow(ref changing, at);
                Volatile.Write(ref looking, at);
                var changed = signals[at].Next();
                if (Volatile.Read(ref changes[at]) == 0)
                {
                    waits.Add((at, changed));
                }
            }
        });
        await writer;

        // Every change was made and raised: whoever found none has been woken.
        Assert.Empty(waits.Where(static wait => !wait.Changed.IsCompleted).Select(static wait => wait.Signal));
    }

    [Fact]
    public void A_signal_wakes_once_for_each_change_whoever_waits()
    {
        var signal = new ChangeSignal();
        signal.Raise(); // nobody waits: that is no change for those who come later
        var (first, second) = (signal.Next(), signal.Next());
        Assert.False(first.IsCompleted);
        signal.Raise();
        Assert.True(first.IsCompletedSuccessfully && second.IsCompletedSuccessfully);

        var later = signal.Next();
        Assert.False(later.IsCompleted);
        signal.Raise();
        Assert.True(later.IsCompletedSuccessfully);
    }

    private static void Follow(ref int other, int at)
    {
        for (var spins = 0; spins < MostSpins && Volatile.Read(ref other) < at; spins++)
        {
            Thread.SpinWait(1);
        }
    }
}
