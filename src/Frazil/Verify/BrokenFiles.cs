using Frazil.Iceberg.IO;
using Frazil.Iceberg.Manifests;
using Frazil.Maintain;

namespace Frazil.Verify;

/// <summary>Files that the table has but nobody can read: their rows are not there, whatever the manifests count.</summary>
internal static class BrokenFiles
{
    /// <summary>Looks at every file's existence and length.</summary>
    public static async Task<IReadOnlyDictionary<HeldFile, string>> FindAsync(
        IFileIO io, IReadOnlyCollection<HeldFile> files, IProgress<VerifyProgress>? progress, CancellationToken cancellationToken)
    {
        var broken = new Dictionary<HeldFile, string>(ReferenceEqualityComparer.Instance);
        var looked = 0L;
        foreach (var file in files)
        {
            if (await DataFileLook.FaultOfAsync(io, file.File, cancellationToken) is { } fault)
            {
                broken[file] = fault;
            }
            progress?.Report(new("looking for files", ++looked, files.Count));
        }
        return broken;
    }

    /// <param name="file">The file.</param>
    /// <param name="fault">What is wrong with it, as the end of a sentence.</param>
    public static VerifyFinding ToFinding(HeldFile file, string fault) => new(
        FindingKind.Missing, $"a file of the table {fault}: {file.File.Path}", file.Offsets is { } range ? [range] : [], file.Rows);

    /// <summary>Of a dead-letter file it is not known which records it had.</summary>
    public static VerifyFinding ToLetterFinding(DataFile file, string fault) => new(
        FindingKind.Missing, $"a file of the dead-letter table {fault}: {file.Path}", [], file.RecordCount);

    /// <summary>What a reader said of a file that it could not read, in one line.</summary>
    public static string UnreadableBecause(string message) => $"cannot be read ({message.ReplaceLineEndings(" ").Trim()})";
}
