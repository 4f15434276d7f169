namespace Frazil.Iceberg.IO;

/// <summary>A local file on its way: written beside its place under another name (<c>.NAME.RANDOM.tmp</c>), then flushed to disk and linked
/// into place.</summary>
internal sealed class LocalUpload : UploadStream
{
    private readonly string location;
    private readonly string path;
    private readonly string folder;
    private readonly string temporary;
    private readonly FileStream file;
    private bool isOver;

    /// <param name="location">As the caller named it, for messages.</param>
    /// <param name="path">Of the object; its folder is there.</param>
    public LocalUpload(string location, string path)
    {
        (this.location, this.path) = (location, path);
        folder = Path.GetDirectoryName(path)!;
        temporary = Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 0, FileOptions.Asynchronous);
    }

    public override async Task CompleteAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(isOver, this);
        cancellationToken.ThrowIfCancellationRequested();
        file.Flush(flushToDisk: true);
        await file.DisposeAsync().ConfigureAwait(false);
        LocalFiles.LinkIntoPlace(temporary, path, location);
        isOver = true;
        // Whatever fails from here on, the object stays: others may have seen it, and a catalog's next version may be built on it.
        File.Delete(temporary);
        DirectorySync.Flush(folder);
    }

    public override void Flush() => file.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => file.FlushAsync(cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => file.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => file.Write(buffer);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
        => file.WriteAsync(buffer, offset, count, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        => file.WriteAsync(buffer, cancellationToken);

    protected override void Dispose(bool disposing)
    {
        if (disposing && !isOver)
        {
            isOver = true;
            file.Dispose();
            File.Delete(temporary);
        }
        base.Dispose(disposing);
    }
}
