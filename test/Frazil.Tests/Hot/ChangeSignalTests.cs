using Frazil.Hot;
using Xunit;

namespace Frazil.Tests.Hot;

public sealed class ChangeSignalTests
{
    /// <summary>The one that waits has always just looked when the next change comes.</summary>
    [Fact]
    public async Task No_change_between_a_look_and_the_waiting_is_missed()
    {
        const int Rounds = 50_000;
        var signal = new ChangeSignal();
        var (published, seen) = (0, 0);
        var writer = Task.Run(() =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                Volatile.Write(ref published, round);
                signal.Raise();
                SpinWait.SpinUntil(() => Volatile.Read(ref seen) == round, TimeSpan.FromMinutes(2));
                Assert.Equal(round, Volatile.Read(ref seen));
            }
        });
        while (seen < Rounds && !writer.IsFaulted)
        {
            var changed = signal.Next();
            var now = Volatile.Read(ref published);
            if (now == seen)
            {
                await changed.WaitAsync(TimeSpan.FromMinutes(2));
                continue;
            }
            Volatile.Write(ref seen, now);
        }
        await writer;
    }
}
