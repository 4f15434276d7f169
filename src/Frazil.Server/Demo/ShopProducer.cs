using Frazil.Kafka;

namespace Frazil.Server.Demo;

/// <summary>A thread that produces the shop's events at a steady rate, and holds back while the reader is far behind: the mock broker keeps
/// only the newest 5 MiB of a partition.</summary>
internal sealed class ShopProducer : IAsyncDisposable
{
    /// <summary>Records that the brokers may hold unread; a fifth of what they keep.</summary>
    private const int MostUnread = 20_000;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    private readonly KafkaProducer producer;
    private readonly ShopEvents events;
    private readonly string topic;
    private readonly int rate;
    private readonly Func<long> readSoFar;
    private readonly Thread thread;
    private readonly CancellationTokenSource stop = new();
    private Exception? failure;

    /// <param name="bootstrapServers">The mock cluster.</param>
    /// <param name="topic">An existing topic.</param>
    /// <param name="rate">Records a second.</param>
    /// <param name="seed">Of the events.</param>
    /// <param name="readSoFar">Records consumed so far.</param>
    public ShopProducer(string bootstrapServers, string topic, int rate, int seed, Func<long> readSoFar)
    {
        (this.topic, this.rate, this.readSoFar) = (topic, rate, readSoFar);
        producer = new KafkaProducer(
            new KafkaProducerOptions { BootstrapServers = bootstrapServers, Linger = TimeSpan.FromMilliseconds(1), Compression = "none" });
        events = new ShopEvents(seed);
        thread = new Thread(Run) { IsBackground = true, Name = "demo producer" };
    }

    /// <summary>Records produced so far.</summary>
    public long Produced => producer.Produced;

    /// <summary>Whether it holds back because the reader is behind.</summary>
    public bool IsHeldBack { get; private set; }

    public void Start() => thread.Start();

    /// <summary>Stops producing and waits until the brokers have everything.</summary>
    /// <returns>Records that the brokers acknowledged.</returns>
    public async Task<long> FinishAsync(CancellationToken cancellationToken)
    {
        await stop.CancelAsync();
        if (thread.IsAlive)
        {
            await Task.Run(thread.Join, cancellationToken);
        }
        if (failure is not null)
        {
            throw new InvalidOperationException($"the demo's producer failed: {failure.Message}", failure);
        }
        await producer.FlushAsync(cancellationToken);
        return producer.Delivered;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        if (thread.IsAlive)
        {
            thread.Join();
        }
        await producer.DisposeAsync();
        events.Dispose();
        stop.Dispose();
    }

    private void Run()
    {
        try
        {
            Produce(stop.Token);
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
        catch (Exception exception)
        {
            failure = exception;
        }
    }

    private void Produce(CancellationToken cancellationToken)
    {
        var clock = TimeProvider.System;
        var last = clock.GetTimestamp();
        var due = 0.0;
        while (!cancellationToken.IsCancellationRequested)
        {
            var now = clock.GetTimestamp();
            // After a pause of the machine it goes on at its rate rather than catching up in a burst.
            due = Math.Min(due + (clock.GetElapsedTime(last, now).TotalSeconds * rate), rate / 10.0);
            last = now;
            IsHeldBack = producer.Produced - readSoFar() > MostUnread;
            for (; due >= 1 && !IsHeldBack; due--)
            {
                var value = events.Next(clock.GetUtcNow());
                producer.Produce(topic, KafkaProducer.AnyPartition, events.Key, value, cancellationToken);
            }
            Thread.Sleep(Pause);
        }
    }
}
