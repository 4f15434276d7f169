using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Frazil.Rig;

/// <summary>The test kit's scripts: a real broker, a generator with a ledger, foreign readers, the peer.</summary>
public static partial class Kit
{
    /// <summary>The kit's folder (environment variable FRAZIL_KIT, else ../shared/kit beside the repository), or null where there is
    /// none.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>What to tell where it is absent.</summary>
    public const string Absent = "needs the test kit; name its folder in the environment variable FRAZIL_KIT";

    private const int ShownLength = 2000;
    private const int SigQuit = 3;

    /// <summary>A generator that outlives a broker's restart on a machine that is busy with other things; the test's own limit ends it.</summary>
    private static readonly string[] Patient = ["--prop", "max.block.ms=600000", "--prop", "delivery.timeout.ms=600000"];

    /// <summary>Runs a kit script, or any other program given by its path, to its end.</summary>
    /// <returns>Its standard output.</returns>
    /// <exception cref="OperationCanceledException">It was ended; the message has what it wrote, and its threads where it is a JVM.</exception>
    /// <exception cref="InvalidOperationException">It failed; the message has what it wrote.</exception>
    public static async Task<string> RunAsync(string script, IEnumerable<string> arguments, CancellationToken cancellationToken)
        => await RunInAsync(Environment.CurrentDirectory, Path.Combine(Folder!, script), arguments, cancellationToken);

    /// <inheritdoc cref="RunAsync"/>
    public static async Task<string> RunInAsync(
        string workingFolder, string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        // Background processes that a start script leaves behind inherit its pipes, so output goes through files, not pipes.
        var folder = Directory.CreateTempSubdirectory("frazil-kit-").FullName;
        try
        {
            var (output, errors) = (Path.Combine(folder, "out"), Path.Combine(folder, "err"));
            List<string> line = ["-c", "exec \"$0\" \"$@\" >\"$FRAZIL_OUT\" 2>\"$FRAZIL_ERR\" </dev/null", program, .. arguments];
            var start = new ProcessStartInfo("bash", line) { WorkingDirectory = workingFolder };
            start.Environment["FRAZIL_OUT"] = output;
            start.Environment["FRAZIL_ERR"] = errors;
            using var process = Process.Start(start)!;
            try
            {
                await process.WaitForExitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                // A JVM writes where each of its threads stands.
                _ = Signal(process.Id, SigQuit);
                await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
                process.Kill(entireProcessTree: true);
                var told = await File.ReadAllTextAsync(errors, CancellationToken.None) + await File.ReadAllTextAsync(output, CancellationToken.None);
                throw new OperationCanceledException(
                    $"{program} {string.Join(' ', arguments)} had not ended when time was up; it wrote: {told}", cancellationToken);
            }
            if (process.ExitCode != 0)
            {
                var (said, wrote) = (await File.ReadAllTextAsync(errors, cancellationToken), await File.ReadAllTextAsync(output, cancellationToken));
                throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {Last(said)}{Last(wrote)}");
            }
            return await File.ReadAllTextAsync(output, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Produces with the kit's generator, into a topic of six partitions unless it exists, and returns its ledger.</summary>
    public static async Task<Ledger> LoadAsync(
        string bootstrap, string topic, long records, CancellationToken cancellationToken, params IEnumerable<string> more)
    {
        string[] arguments =
        [
            "--bootstrap", bootstrap, "--topic", topic, "--partitions", "6", "--records", records.ToString(CultureInfo.InvariantCulture),
            "--txn-id", $"{topic}-{Guid.NewGuid():N}", // of two producers of one id the broker fences the first, whatever their topics
            .. Patient, .. more,
        ];
        return Ledger.Parse(await RunAsync("kafka/load", arguments, cancellationToken));
    }

    /// <summary>The end of what a program wrote, where the reason stands: a client that cannot reach its broker says so a thousand
    /// times.</summary>
    private static string Last(string text) => text.Length <= ShownLength ? text : $"… {text[^ShownLength..]}";

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int pid, int signal);

    private static string? Find()
    {
        var named = Environment.GetEnvironmentVariable("FRAZIL_KIT");
        var root = AppContext.BaseDirectory;
        while (root is not null && !File.Exists(Path.Combine(root, "Frazil.slnx")))
        {
            root = Path.GetDirectoryName(root);
        }
        var folder = named ?? (root is null ? null : Path.GetFullPath(Path.Combine(root, "..", "shared", "kit")));
        return folder is not null && File.Exists(Path.Combine(folder, "kafka", "start")) ? folder : null;
    }
}
