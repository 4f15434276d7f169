using System.Runtime.InteropServices;
using Frazil.DuckDb;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>What a message is about.</summary>
internal enum MessageKind
{
    /// <summary>To the worker: how much it may take.</summary>
    Setup = 1,
    /// <summary>To the worker: one statement, with its tables. Carries the hot columns' memory where there are some.</summary>
    Query,
    /// <summary>From the worker: what holds it.</summary>
    Ready,
    /// <summary>From the worker: it begins with the statement. Before that, one that ends has not ended because of it.</summary>
    Taken,
    /// <summary>From the worker: the result's columns.</summary>
    Columns,
    /// <summary>From the worker: a <see cref="ChunkFrame"/>.</summary>
    Chunk,
    /// <summary>From the worker: no more rows.</summary>
    End,
    /// <summary>From the worker: why there is no answer.</summary>
    Failed,
}

/// <summary>One end of the socket between a server and its worker. Everything blocks: the server ends a call by killing the worker, the worker
/// its own by ending itself. What comes in is bounded by the receiver before its memory is taken. One sender and one receiver. Dispose.</summary>
internal sealed unsafe class WorkerLink(int descriptor) : IDisposable
{
    private const int SocketLevel = 1, Rights = 1, HeaderBytes = 16;
    private int isClosed;

    public int Descriptor => descriptor;

    /// <summary>The other end has gone.</summary>
    public bool IsBroken
    {
        get
        {
            var entry = new PollEntry { Descriptor = descriptor, Events = Arrived | HungUp };
            return Poll(&entry, 1, 0) != 0; // nothing is to be received between two queries
        }
    }

    /// <summary>The server's end, and the worker's, which the caller closes.</summary>
    public static WorkerLink Create(out int other)
    {
        const int Unix = 1, Stream = 1;
        var pair = stackalloc int[2];
        if (SocketPair(Unix, Stream | CloseOnExec, 0, pair) != 0)
        {
            throw new IOException($"No socket for a worker: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
        other = pair[1];
        return new(pair[0]);
    }

    /// <param name="kind">What it is.</param>
    /// <param name="body">Its bytes.</param>
    /// <param name="right">A descriptor to hand over; -1 for none. Stays the caller's.</param>
    /// <exception cref="EndOfStreamException">The other end has gone.</exception>
    public void Send(MessageKind kind, ReadOnlySpan<byte> body, int right = -1)
    {
        var header = stackalloc long[2];
        header[0] = (long)kind;
        header[1] = body.Length;
        if (right >= 0)
        {
            SendRight((byte*)header, right);
        }
        else
        {
            SendAll((byte*)header, HeaderBytes);
        }
        fixed (byte* data = body)
        {
            SendAll(data, body.Length);
        }
    }

    /// <summary>Waits for the next message's head.</summary>
    /// <param name="bytes">Of its body, to be received next; what the other end says and no more than that.</param>
    /// <param name="right">The descriptor that came with it, the caller's to close; -1 for none.</param>
    /// <exception cref="EndOfStreamException">The other end has gone.</exception>
    public MessageKind ReceiveHead(out long bytes, out int right)
    {
        var header = stackalloc long[2];
        var part = new Part { Data = (byte*)header, Length = HeaderBytes };
        var control = default(OneRight);
        var message = new MessageHeader { Parts = &part, PartCount = 1, Rights = (byte*)&control, RightsLength = (nuint)sizeof(OneRight) };
        nint got;
        while ((got = ReceiveMessage(descriptor, &message, 0x40000000)) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }
        if (got <= 0)
        {
            throw new EndOfStreamException("The other end of a worker's socket has gone.");
        }
        right = message.RightsLength >= 20 && control is { Level: SocketLevel, Type: Rights } ? control.Descriptor : -1;
        ReceiveAll((byte*)header + got, HeaderBytes - got);
        bytes = header[1];
        return (MessageKind)header[0];
    }

    public void Receive(Span<byte> into)
    {
        fixed (byte* data = into)
        {
            ReceiveAll(data, into.Length);
        }
    }

    /// <exception cref="DuckDbException">There are more bytes than wanted.</exception>
    public ByteReader ReceiveBody(long bytes, int most)
    {
        if (bytes < 0 || bytes > most)
        {
            throw new DuckDbException($"A message between processes is damaged: it has {bytes} bytes.", "INTERNAL");
        }
        var body = new byte[bytes];
        Receive(body);
        return new(body);
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref isClosed, 1) == 0)
        {
            _ = Close(descriptor);
        }
    }

    private void SendRight(byte* header, int right)
    {
        var part = new Part { Data = header, Length = HeaderBytes };
        var control = new OneRight { Length = 20, Level = SocketLevel, Type = Rights, Descriptor = right };
        var message = new MessageHeader { Parts = &part, PartCount = 1, Rights = (byte*)&control, RightsLength = (nuint)sizeof(OneRight) };
        nint sent;
        while ((sent = SendMessage(descriptor, &message, NoSignal)) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }
        if (sent <= 0)
        {
            throw new EndOfStreamException("The other end of a worker's socket has gone.");
        }
        SendAll(header + sent, HeaderBytes - sent);
    }

    private void SendAll(byte* data, long length)
    {
        while (length > 0)
        {
            var sent = LinuxCalls.Send(descriptor, data, (nuint)length, NoSignal);
            if (sent <= 0 && Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw new EndOfStreamException("The other end of a worker's socket has gone.");
            }
            sent = Math.Max(sent, 0);
            data += sent;
            length -= sent;
        }
    }

    private void ReceiveAll(byte* data, long length)
    {
        while (length > 0)
        {
            var got = LinuxCalls.Receive(descriptor, data, (nuint)length, 0);
            if (got == 0 || (got < 0 && Marshal.GetLastPInvokeError() != Interrupted))
            {
                throw new EndOfStreamException("The other end of a worker's socket has gone.");
            }
            got = Math.Max(got, 0);
            data += got;
            length -= got;
        }
    }
}
