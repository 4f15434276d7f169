namespace Frazil;

/// <summary>
/// The local folder of one Frazil process. Locked while it runs, because its instance id names this process in its consumer groups: two
/// processes of one name would throw each other out. Losing the folder loses nothing but time (invariant 8). Dispose unlocks.
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream lockFile;

    private DataDirectory(FileStream lockFile, (string Id, bool IsKnown) instance)
        => (this.lockFile, InstanceId, HasPredecessor) = (lockFile, instance.Id, instance.IsKnown);

    /// <summary>Stays the same over restarts, so that a restarted process gets its partitions back without waiting for its old session to
    /// end.</summary>
    public string InstanceId { get; }

    /// <summary>An earlier process had this folder, and may have been in the groups under this name.</summary>
    public bool HasPredecessor { get; }

    /// <exception cref="FrazilStartException">The folder cannot be made or written, or another process uses it.</exception>
    public static DataDirectory Open(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
            var lockPath = Path.Combine(path, "frazil.lock");
            FileStream lockFile;
            try
            {
                lockFile = new(lockPath, Own(FileMode.OpenOrCreate));
            }
            catch (IOException error) when (File.Exists(lockPath))
            {
                throw new FrazilStartException(
                    $"data_dir '{path}' is in use by another frazil process; stop it, or give this one a data_dir of its own", error);
            }
            return new(lockFile, ReadInstanceId(Path.Combine(path, "instance-id")));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new FrazilStartException(
                $"data_dir '{path}' cannot be used: {error.Message} Choose a folder that this user may write", error);
        }
    }

    public void Dispose() => lockFile.Dispose();

    private static (string Id, bool IsKnown) ReadInstanceId(string path)
    {
        if (File.Exists(path) && Guid.TryParse(File.ReadAllText(path).Trim(), out var known))
        {
            return ($"frazil-{known}", true);
        }
        var id = Guid.NewGuid();
        using (var file = new StreamWriter(path, Own(FileMode.Create)))
        {
            file.Write($"{id}\n");
        }
        return ($"frazil-{id}", false);
    }

    /// <summary>Nobody else's business: who knows the name can throw this process out of its groups.</summary>
    private static FileStreamOptions Own(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }
        return options;
    }
}
