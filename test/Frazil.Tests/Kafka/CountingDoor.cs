using System.Net;
using System.Net.Sockets;

namespace Frazil.Tests.Kafka;

/// <summary>A door in front of a broker that counts who comes through it.</summary>
internal sealed class CountingDoor : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource closing = new();
    private readonly string broker;
    private readonly Task accepting;
    private int visitors;

    public CountingDoor(string broker)
    {
        this.broker = broker;
        listener.Start();
        accepting = AcceptAsync();
    }

    public string Address => listener.LocalEndpoint.ToString()!;

    public int Visitors => Volatile.Read(ref visitors);

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        listener.Dispose();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        var passing = new List<Task>();
        try
        {
            while (true)
            {
                var visitor = await listener.AcceptTcpClientAsync(closing.Token);
                Interlocked.Increment(ref visitors);
                passing.Add(PassAsync(visitor));
            }
        }
        finally
        {
            await Task.WhenAll(passing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task PassAsync(TcpClient visitor)
    {
        using var inside = new TcpClient();
        using (visitor)
        {
            await inside.ConnectAsync(IPEndPoint.Parse(broker), closing.Token);
            await Task.WhenAny(
                visitor.GetStream().CopyToAsync(inside.GetStream(), closing.Token), inside.GetStream().CopyToAsync(visitor.GetStream(), closing.Token));
        }
    }
}
