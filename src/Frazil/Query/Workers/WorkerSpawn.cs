using System.Collections;
using System.Runtime.InteropServices;
using System.Text;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>Starts a process that has one descriptor of ours, number 3, and nothing else: not our files, not our environment, which may hold
/// secrets, and, where the kernel has Landlock, only the files that it is given.</summary>
internal static unsafe class WorkerSpawn
{
    /// <summary>Where the worker finds its socket.</summary>
    public const int SocketDescriptor = 3;

    private static readonly string[] Passed = ["HOME", "DOTNET_ROOT", "DOTNET_BUNDLE_EXTRACT_BASE_DIR", "DOTNET_ROLL_FORWARD", "LD_LIBRARY_PATH", "FRAZIL_LIBDUCKDB"];

    /// <exception cref="IOException">It does not start; says why.</exception>
    public static SpawnedProcess Start(IReadOnlyList<string> command, int socket, WorkerConfinement? confinement) => SpawnedProcess.Start(() =>
    {
        // What a thread has taken on it never gets rid of: it is one that does nothing else.
        if (confinement is not null && !confinement.HoldThisThread())
        {
            throw new IOException("The kernel does not let a thread be confined (landlock_restrict_self).");
        }
        GiveUpCapabilities();
        var (arguments, environment) = (Texts(command), Texts(Variables()));
        int process, error;
        fixed (byte** first = arguments)
        fixed (byte** variables = environment)
        {
            error = Spawn(out process, first, socket, variables);
        }
        Free(arguments);
        Free(environment);
        return error == 0 ? process : throw new IOException($"{command[0]} cannot be started: {Marshal.GetPInvokeErrorMessage(error)}.");
    });

    /// <summary>What root may do beyond other users, and a service's own: not the worker's, but for reading files, as those who run us may not own the tables'.</summary>
    private static void GiveUpCapabilities()
    {
        const int DropOfBounding = 24, Ambient = 47, ClearAll = 4, ReadEverything = 2, Last = 63;
        _ = ProcessControl(Ambient, ClearAll, 0, 0, 0);
        for (var capability = 0; capability <= Last; capability++)
        {
            // Refused where there is nothing to give up.
            _ = capability == ReadEverything ? 0 : ProcessControl(DropOfBounding, (ulong)capability, 0, 0, 0);
        }
        var header = stackalloc uint[2] { 0x20080522, 0 };
        var sets = stackalloc uint[6] { 1 << ReadEverything, 1 << ReadEverything, 0, 0, 0, 0 };
        _ = Call(SetCapabilitiesNumber, (long)header, (long)sets, 0, 0);
    }

    private static int Spawn(out int process, byte** arguments, int socket, byte** environment)
    {
        const short OwnGroup = 2, SignalMask = 8;
        const int Reading = 0, Writing = 1;
        // glibc's are 80 and 336 bytes, musl's smaller.
        var actions = stackalloc byte[512];
        var attributes = stackalloc byte[512];
        var noSignals = stackalloc byte[128];
        new Span<byte>(noSignals, 128).Clear();
        _ = InitActions(actions);
        _ = InitAttributes(attributes);
        // A signal that the terminal sends to us is none of its business.
        _ = SetFlags(attributes, OwnGroup | SignalMask);
        _ = SetSignalMask(attributes, noSignals);
        _ = AddCopy(actions, socket, SocketDescriptor);
        _ = AddOpen(actions, 0, "/dev/null", Reading, 0);
        _ = AddOpen(actions, 1, "/dev/null", Writing, 0);
        _ = AddOpen(actions, 2, "/dev/null", Writing, 0);
        CloseOthers(actions);
        int started;
        var error = LinuxCalls.Spawn(&started, arguments[0], actions, attributes, arguments, environment);
        _ = DestroyActions(actions);
        _ = DestroyAttributes(attributes);
        process = started;
        return error;
    }

    private static void CloseOthers(byte* actions)
    {
        try
        {
            _ = AddCloseFrom(actions, SocketDescriptor + 1);
        }
        catch (EntryPointNotFoundException)
        {
            // Older than glibc 2.34: ours are closed by exec, as each is opened so.
        }
    }

    private static List<string> Variables()
    {
        List<string> variables =
        [
            "DOTNET_EnableDiagnostics=0", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1", "DOTNET_gcConcurrent=0", "DOTNET_gcServer=0", "DOTNET_TieredPGO=0",
            "DOTNET_GCHeapHardLimit=0x10000000", "LANG=C.UTF-8", "TZ=UTC",
        ];
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (Passed.Contains(variable.Key))
            {
                variables.Add($"{variable.Key}={variable.Value}");
            }
        }
        if (!variables.Exists(static variable => variable.StartsWith("DOTNET_ROOT=", StringComparison.Ordinal)) && WorkerFiles.RuntimeRoot is { } root)
        {
            variables.Add($"DOTNET_ROOT={root}");
        }
        return variables;
    }

    private static byte*[] Texts(IReadOnlyList<string> texts)
    {
        var list = new byte*[texts.Count + 1];
        for (var index = 0; index < texts.Count; index++)
        {
            var bytes = Encoding.UTF8.GetBytes(texts[index] + '\0');
            list[index] = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            bytes.CopyTo(new Span<byte>(list[index], bytes.Length));
        }
        return list;
    }

    private static void Free(byte*[] list)
    {
        foreach (var text in list)
        {
            NativeMemory.Free(text);
        }
    }
}
