using Frazil.Ingest;
using Frazil.Kafka;
using Xunit;

namespace Frazil.Tests.Hot;

public sealed class TurnstileTests
{
    /// <summary>Each change begins when the worker has just been let go from the one before.</summary>
    [Fact]
    public void No_change_ever_runs_while_the_worker_works()
    {
        const int Rounds = 20_000;
        var turnstile = new Turnstile();
        var works = 0;
        var stop = false;
        var worker = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                turnstile.Pass();
                Interlocked.Increment(ref works);
                Thread.SpinWait(Random.Shared.Next(50));
                Interlocked.Decrement(ref works);
            }
        });
        worker.Start();
        var seen = 0;
        void Change()
        {
            for (var i = 0; i < Rounds; i++)
            {
                turnstile.Between(() => seen += Volatile.Read(ref works), static () => { }, () => worker.IsAlive);
            }
        }

        var other = new Thread(Change);
        other.Start();
        Change();
        other.Join();
        Volatile.Write(ref stop, true);
        turnstile.Open();
        worker.Join();
        Assert.Equal(0, seen);
    }

    [Fact]
    public void A_worker_that_has_ended_holds_no_change_up()
    {
        var ran = false;
        new Turnstile().Between(() => ran = true, static () => { }, static () => false);
        Assert.True(ran);
    }

    /// <summary>A pattern over topics whose names are equally long, of one partition each.</summary>
    [Fact]
    public void Partitions_are_spread_evenly_whatever_their_topics_are_called()
    {
        var spread = new PartitionSpread(4);
        var partitions = Enumerable.Range(0, 40).Select(static i => new TopicPartition($"orders-{i:D2}", 0)).ToList();
        Assert.All(partitions.GroupBy(spread.Of), static group => Assert.Equal(10, group.Count()));
        Assert.Equal(partitions.Select(spread.Of), partitions.Select(spread.Of));

        foreach (var gone in partitions.Where(partition => spread.Of(partition) == 2))
        {
            spread.Forget(gone);
        }
        Assert.Equal(2, spread.Of(new("late", 0)));
    }
}
