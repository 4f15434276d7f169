using System.Runtime.InteropServices;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>
/// What a worker may open, held by Landlock: the rules are made once, and every thread that takes them on, with every process that it starts,
/// is held by them from then on. No connections; no file but those named, of which only the spill folder may be written; no signal to others.
/// </summary>
internal sealed unsafe class WorkerConfinement : IDisposable
{
    private const ulong Execute = 1, WriteFile = 2, ReadFile = 4, ReadFolder = 8, Truncate = 1 << 14;
    private const int PathOnly = 0x200000 | CloseOnExec;
    private readonly int version;
    private int rules;

    private WorkerConfinement(int version, int rules) => (this.version, this.rules) = (version, rules);

    /// <summary>Landlock's version; 0 where the kernel has none.</summary>
    public static int KernelVersion { get; } = OperatingSystem.IsLinux() ? (int)Math.Max(0, Call(LandlockCreate, 0, 0, 1, 0)) : 0;

    /// <summary>Null where the kernel has no Landlock.</summary>
    public static WorkerConfinement? TryCreate()
    {
        if (KernelVersion == 0)
        {
            return null;
        }
        // Files, connections (version 4), signals and abstract sockets (version 6); a kernel refuses a longer struct than its own.
        var wanted = stackalloc ulong[3];
        wanted[0] = EveryRight(KernelVersion);
        wanted[1] = KernelVersion >= 4 ? 3UL : 0;
        wanted[2] = KernelVersion >= 6 ? 3UL : 0;
        var size = KernelVersion >= 6 ? 24 : KernelVersion >= 4 ? 16 : 8;
        var rules = (int)Call(LandlockCreate, (long)wanted, size, 0, 0);
        return rules >= 0 ? new(KernelVersion, rules) : null;
    }

    /// <summary>Files below it may be read and, for programs, run. What does not exist is passed over.</summary>
    public void AllowReading(string path) => Allow(path, Execute | ReadFile | ReadFolder);

    /// <summary>All may be done below it.</summary>
    public void AllowAll(string folder) => Allow(folder, EveryRight(version) & ~Execute);

    public void AllowDevice(string path) => Allow(path, ReadFile | WriteFile);

    /// <summary>From here on the calling thread is held, and what it starts.</summary>
    /// <returns>False where the kernel does not let it.</returns>
    public bool HoldThisThread()
    {
        const int NoNewPrivileges = 38;
        return ProcessControl(NoNewPrivileges, 1, 0, 0, 0) == 0 && Call(LandlockRestrict, rules, 0, 0, 0) == 0;
    }

    public void Dispose()
    {
        if (rules >= 0)
        {
            _ = Close(rules);
            rules = -1;
        }
    }

    private static ulong EveryRight(int version) => version switch
    {
        1 => (1 << 13) - 1,
        2 => (1 << 14) - 1,
        3 or 4 => (1 << 15) - 1,
        _ => (1 << 16) - 1,
    };

    private void Allow(string path, ulong rights)
    {
        var descriptor = Open(path, PathOnly);
        if (descriptor < 0)
        {
            return;
        }
        var isFile = !Directory.Exists(path);
        var rule = new PathRule { Rights = rights & EveryRight(version) & (isFile ? Execute | WriteFile | ReadFile | Truncate : ulong.MaxValue), Parent = descriptor };
        var added = Call(LandlockAdd, rules, 1, (long)&rule, 0);
        _ = Close(descriptor);
        if (added != 0)
        {
            throw new IOException($"Workers cannot be confined to {path}: {Marshal.GetLastPInvokeErrorMessage()}.");
        }
    }

    [StructLayout(LayoutKind.Sequential, Pack = 1)]
    private struct PathRule
    {
        public ulong Rights;
        public int Parent;
    }
}
