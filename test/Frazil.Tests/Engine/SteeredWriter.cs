using Frazil.Flush;

namespace Frazil.Tests.Engine;

/// <summary>The real writer, each call of which can be held or made to fail.</summary>
internal sealed class SteeredWriter : DataFileWriter
{
    private readonly ParquetDataFileWriter real = new();
    private int calls;

    public int Calls => Volatile.Read(ref calls);

    /// <summary>Runs before a file is written; gets the number of the call, from 1.</summary>
    public Func<int, Task> Before { get; set; } = static _ => Task.CompletedTask;

    /// <summary>Runs before a file is written; gets its location.</summary>
    public Action<string> BeforePath { get; set; } = static _ => { };

    public Action<int> After { get; set; } = static _ => { };

    public override async Task<WrittenDataFile> WriteAsync(DataFileRequest request, CancellationToken cancellationToken = default)
    {
        var call = Interlocked.Increment(ref calls);
        await Before(call).WaitAsync(cancellationToken);
        BeforePath(request.Location);
        var file = await real.WriteAsync(request, cancellationToken);
        After(call);
        return file;
    }

    public override async ValueTask DisposeAsync()
    {
        await real.DisposeAsync();
        await base.DisposeAsync();
    }
}
