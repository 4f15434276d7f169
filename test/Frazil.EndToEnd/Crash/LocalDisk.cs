namespace Frazil.EndToEnd.Crash;

/// <summary>Damages to the local folder of a process that is not running.</summary>
internal static class LocalDisk
{
    /// <param name="dataDir">The <c>data_dir</c>.</param>
    /// <param name="how"><c>data_dir lost</c>, or one of <c>log emptied</c>, <c>log cut</c>, <c>log flipped</c>: the newest file of the
    /// transaction log.</param>
    public static void Damage(string dataDir, string how)
    {
        if (how.Contains("lost", StringComparison.Ordinal))
        {
            Directory.Delete(dataDir, recursive: true);
            return;
        }
        var log = new DirectoryInfo(dataDir).EnumerateFiles("*", SearchOption.AllDirectories)
            .Where(static file => file.Name is not ("frazil.lock" or "instance-id"))
            .MaxBy(static file => (file.LastWriteTimeUtc, file.FullName));
        if (log is null)
        {
            return;
        }
        using var stream = log.Open(FileMode.Open, FileAccess.ReadWrite);
        if (how.Contains("flipped", StringComparison.Ordinal) && stream.Length > 0)
        {
            stream.Position = stream.Length / 2;
            var value = stream.ReadByte();
            stream.Position = stream.Length / 2;
            stream.WriteByte((byte)(value ^ 0x10));
            return;
        }
        stream.SetLength(how.Contains("cut", StringComparison.Ordinal) ? stream.Length * 2 / 3 : 0);
    }
}
