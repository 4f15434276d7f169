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

    /// <returns>The process's number; it is the caller's to wait for.</returns>
    /// <exception cref="IOException">It does not start; says why.</exception>
    public static int Start(IReadOnlyList<string> command, int socket, WorkerConfinement? confinement)
    {
        var (arguments, environment) = (Texts(command), Texts(Variables()));
        var (process, error, isHeld) = (0, 0, true);
        fixed (byte** first = arguments)
        fixed (byte** variables = environment)
        {
            var (argumentList, variableList) = ((nint)first, (nint)variables);
            // What a thread has taken on it never gets rid of, so that it is one of its own, which does nothing else.
            var thread = new Thread(
                () =>
                {
                    isHeld = confinement is null || confinement.HoldThisThread();
                    error = isHeld ? Spawn(out process, (byte**)argumentList, socket, (byte**)variableList) : 0;
                },
                256 << 10);
            thread.Start();
            thread.Join();
        }
        Free(arguments);
        Free(environment);
        if (!isHeld || error != 0)
        {
            throw new IOException(
                isHeld ? $"{command[0]} cannot be started: {Marshal.GetPInvokeErrorMessage(error)}." : "The kernel does not let a thread be confined (landlock_restrict_self).");
        }
        return process;
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
