using System.Buffers.Binary;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace Frazil.Iceberg.IO;

/// <summary>An object on its way into a container, in blocks where it is larger than one. Blocks of an upload that was given up are seen by
/// nobody, and the store deletes them after a week.</summary>
internal sealed class AzureUpload(AzureFileIO store, BlockBlobClient blob, string location, AzureOptions options)
    : PartedUpload(options.BlockBytes, options.BlocksInFlight)
{
    private readonly Guid writeId = Guid.NewGuid();
    private int blocks;

    protected override Task CreateAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
        => store.CreateAsync(location, content, cancellationToken);

    protected override Task BeginPartsAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task SendPartAsync(int number, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        using var stream = BinaryData.FromBytes(content).ToStream();
        await AzureErrors.Translated(
            location, () => blob.StageBlockAsync(IdOf(number), stream, cancellationToken: cancellationToken), cancellationToken).ConfigureAwait(false);
        InterlockedMax(number);
    }

    protected override Task CompletePartsAsync(CancellationToken cancellationToken)
    {
        var id = writeId.ToString("N");
        var commit = new CommitBlockListOptions { Conditions = AzureFileIO.IfNone(), Metadata = AzureFileIO.MetadataOf(id) };
        return store.CreateOnceAsync(
            location, id,
            async () => await blob.CommitBlockListAsync(Enumerable.Range(1, blocks).Select(IdOf), commit, cancellationToken).ConfigureAwait(false),
            cancellationToken);
    }

    protected override Task DiscardPartsAsync() => Task.CompletedTask;

    /// <summary>Blocks of all writers of one name lie in one place, and all ids must be equally long.</summary>
    private string IdOf(int number)
    {
        Span<byte> id = stackalloc byte[20];
        writeId.TryWriteBytes(id);
        BinaryPrimitives.WriteInt32BigEndian(id[16..], number);
        return Convert.ToBase64String(id);
    }

    private void InterlockedMax(int number)
    {
        for (var seen = blocks; number > seen; seen = blocks)
            Interlocked.CompareExchange(ref blocks, number, seen);
    }
}
