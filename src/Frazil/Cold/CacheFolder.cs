using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using System.Text;

namespace Frazil.Cold;

/// <summary>The files of a <see cref="FileCache"/> on the disk: <c>HASH.parquet</c>, and <c>HASH.sum</c> with its checksum. What has no
/// checksum was never whole.</summary>
internal sealed class CacheFolder(string path)
{
    private const string Content = ".parquet";
    private const string Checksum = ".sum";
    private const int PieceBytes = 1 << 20;

    /// <summary>The name says location and size, so that it is never another file's.</summary>
    public static string NameOf(RemoteFile file)
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{file.SizeBytes} {file.Location}")))[..40];

    public string PathOf(string name) => Path.Combine(Path.GetFullPath(path), name + Content);

    /// <summary>Makes the folder, for this user alone.</summary>
    public static void Make(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else if (!Directory.Exists(folder))
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>What earlier processes left; what was under way then goes.</summary>
    public IEnumerable<(string Name, long Bytes)> List()
    {
        var root = new DirectoryInfo(path);
        if (!root.Exists)
            yield break;
        foreach (var file in root.EnumerateFiles())
        {
            var name = Path.GetFileNameWithoutExtension(file.Name);
            if (file.Extension == Content && File.Exists(SumOf(name)))
                yield return (name, file.Length);
            else if (file.Extension != Checksum || !File.Exists(PathOf(name)))
                file.Delete();
        }
    }

    /// <summary>The copy is there, as long as it should be, and what was fetched.</summary>
    public bool IsWhole(string name, long sizeBytes)
    {
        try
        {
            using var file = File.OpenRead(PathOf(name));
            if (file.Length != sizeBytes)
                return false;
            var hash = new XxHash128();
            hash.Append(file);
            return File.ReadAllText(SumOf(name)) == Convert.ToHexStringLower(hash.GetCurrentHash());
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <exception cref="InvalidDataException">The object is not as long as its manifest says.</exception>
    public async Task FetchAsync(string name, RemoteFile file)
    {
        Make(path);
        Delete(name);
        var temporary = Path.Combine(path, $"{name}.{Guid.NewGuid():N}.tmp");
        try
        {
            var sum = await CopyAsync(file, temporary);
            File.Move(temporary, PathOf(name), overwrite: true);
            // Last: without it the file is fetched again.
            await File.WriteAllTextAsync(temporary, sum);
            File.Move(temporary, SumOf(name), overwrite: true);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    public void Delete(string name)
    {
        File.Delete(SumOf(name));
        File.Delete(PathOf(name));
    }

    private static async Task<string> CopyAsync(RemoteFile file, string temporary)
    {
        var hash = new XxHash128();
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            await using var source = await file.Store.OpenReadAsync(file.Location);
            await using var target = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            for (int read; (read = await source.ReadAsync(piece)) > 0;)
            {
                hash.Append(piece.AsSpan(0, read));
                await target.WriteAsync(piece.AsMemory(0, read));
            }
            return target.Length == file.SizeBytes ? Convert.ToHexStringLower(hash.GetCurrentHash())
                : throw new InvalidDataException($"'{file.Location}' has {target.Length} bytes, where the table says {file.SizeBytes}: it is cut short, or another file.");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }


    private string SumOf(string name) => Path.Combine(Path.GetFullPath(path), name + Checksum);
}
