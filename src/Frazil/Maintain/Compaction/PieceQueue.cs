using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Frazil.Maintain.Compaction;

/// <summary>Rows between one reader and one writer: as many as memory is for, whatever the size of the pieces. Disposed, after both have
/// ended, it frees what was never taken.</summary>
internal sealed class PieceQueue : IDisposable
{
    private const int RoomMb = 64;

    private readonly Channel<RowPiece> pieces = Channel.CreateUnbounded<RowPiece>(new() { SingleReader = true, SingleWriter = true });
    private readonly SemaphoreSlim room = new(RoomMb);

    /// <summary>Waits for room; the piece is the queue's from now on.</summary>
    public async ValueTask PutAsync(RowPiece piece, CancellationToken cancellationToken)
    {
        try
        {
            for (var mb = SizeOf(piece); mb > 0; mb--)
            {
                await room.WaitAsync(cancellationToken);
            }
        }
        catch
        {
            piece.Dispose();
            throw;
        }
        pieces.Writer.TryWrite(piece);
    }

    /// <summary>No more will come.</summary>
    /// <param name="error">Why, where it is not the end.</param>
    public void Complete(Exception? error) => pieces.Writer.TryComplete(error);

    /// <summary>All pieces, until the end or the reader's error. Each stays the queue's until the taker calls
    /// <see cref="Release"/>.</summary>
    public async IAsyncEnumerable<RowPiece> TakeAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (await pieces.Reader.WaitToReadAsync(cancellationToken))
        {
            // Left in the queue while it is worked on: where that fails, it is freed with the rest.
            while (pieces.Reader.TryPeek(out var piece))
            {
                yield return piece;
            }
        }
    }

    /// <summary>The piece that was taken last has another owner now, and leaves room for others.</summary>
    public void Release(RowPiece piece)
    {
        pieces.Reader.TryRead(out _);
        room.Release(SizeOf(piece));
    }

    public void Dispose()
    {
        while (pieces.Reader.TryRead(out var left))
        {
            left.Dispose();
        }
        room.Dispose();
    }

    private static int SizeOf(RowPiece piece) => (int)Math.Clamp((piece.Bytes + (1 << 20) - 1) >> 20, 1, RoomMb);
}
