using Frazil.Rig;

namespace Frazil.EndToEnd.Crash;

/// <summary>What a scene stands on: a broker, its own or the shared one, and a folder, on a small file system of its own or not.
/// Dispose unmounts, removes, and stops what is its own.</summary>
internal sealed class SceneStage : IAsyncDisposable
{
    private const string DiskSize = "192m";

    private SceneStage(string folder, string bootstrap, Broker? broker, bool canFill)
        => (Folder, Bootstrap, Broker, CanFill) = (folder, bootstrap, broker, canFill);

    public string Folder { get; }
    public string Bootstrap { get; }

    /// <summary>The scene's own broker; null where it shares one.</summary>
    public Broker? Broker { get; }

    /// <summary>Whether <see cref="Fill"/> can really fill the disk. Mounting needs root; where it is refused the failures are
    /// injected.</summary>
    public bool CanFill { get; }

    private string Ballast => Path.Combine(Folder, "ballast");

    public static async Task<SceneStage> SetAsync(
        SceneTraits traits, string folder, Func<Task<string>> sharedBootstrap, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var broker = traits.OwnBroker ? await Broker.StartAsync(folder + "-kafka", cancellationToken) : null;
        var canFill = traits.SmallDisk && await TryMountAsync(folder, cancellationToken);
        return new(folder, broker?.Bootstrap ?? await sharedBootstrap(), broker, canFill);
    }

    /// <summary>Leaves not a byte on the disk.</summary>
    public void Fill()
    {
        try
        {
            using var file = new FileStream(Ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
            var block = new byte[1 << 20];
            for (var length = block.Length; length > 0;)
            {
                length = TryWrite(file, block.AsSpan(0, length)) ? length : length / 2;
            }
        }
        catch (IOException)
        {
            // Closing may say once more that it is full.
        }
    }

    public void MakeRoom() => File.Delete(Ballast);

    public async ValueTask DisposeAsync()
    {
        if (CanFill)
        {
            await Kit.RunInAsync("/", "umount", ["-l", Folder], CancellationToken.None);
        }
        Directory.Delete(Folder, recursive: true);
        if (Broker is not null)
        {
            await Broker.DisposeAsync();
        }
    }

    private static bool TryWrite(FileStream file, ReadOnlySpan<byte> block)
    {
        try
        {
            file.Write(block);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<bool> TryMountAsync(string folder, CancellationToken cancellationToken)
    {
        try
        {
            await Kit.RunInAsync("/", "mount", ["-t", "tmpfs", "-o", $"size={DiskSize}", "tmpfs", folder], cancellationToken);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }
}
