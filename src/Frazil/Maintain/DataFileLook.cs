using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;

namespace Frazil.Maintain;

/// <summary>Whether a data file is where its manifest says, in the length that it says. One look at the store a file; its content is not
/// read.</summary>
internal static class DataFileLook
{
    /// <returns>What is wrong with it, as the end of a sentence about the file; null where nothing is.</returns>
    /// <exception cref="UnauthorizedAccessException">It may be there, but there is no right to look.</exception>
    public static async Task<string?> FaultOfAsync(IFileIO files, DataFile file, CancellationToken cancellationToken)
    {
        try
        {
            var length = await files.LengthAsync(file.Path, cancellationToken);
            return length == file.FileSizeBytes
                ? null
                : $"has {length} bytes, but was committed with {file.FileSizeBytes}: it was cut short or replaced, or its writer gave a wrong size";
        }
        catch (FileNotFoundException)
        {
            return "is not there";
        }
    }
}
