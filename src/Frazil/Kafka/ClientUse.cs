namespace Frazil.Kafka;

/// <summary>Who is inside a native client right now. Whoever frees the client closes this first, which lets nobody in any more and waits for
/// the last one to come out: a call that waits for a broker may take as long as its time-out.</summary>
internal sealed class ClientUse(string client)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _inside;
    private bool _isClosed;

    /// <summary>How many are inside.</summary>
    public int Inside
    {
        get
        {
            lock (_gate)
            {
                return _inside;
            }
        }
    }

    /// <summary>Dispose the visit when the native call has returned.</summary>
    /// <exception cref="OperationCanceledException">The client is being freed: there is nobody left to ask.</exception>
    public Visit Enter()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                throw new OperationCanceledException($"the {client} is being closed");
            }
            _inside++;
        }
        return new Visit(this);
    }

    /// <summary>Completes when nobody is inside and nobody can come. Idempotent.</summary>
    public Task CloseAsync()
    {
        lock (_gate)
        {
            _isClosed = true;
            if (_inside == 0)
            {
                _empty.TrySetResult();
            }
        }
        return _empty.Task;
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_inside == 0 && _isClosed)
            {
                _empty.TrySetResult();
            }
        }
    }

    internal readonly struct Visit(ClientUse use) : IDisposable
    {
        public void Dispose() => use.Leave();
    }
}
