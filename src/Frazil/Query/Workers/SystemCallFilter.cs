using System.Runtime.InteropServices;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>
/// What a worker may ask of the kernel once it is warm, held by seccomp for all its threads: no sockets, no processes, no signals to others, no
/// tracing, no limits and priorities of others, no mounts, no owners and modes of files, and none of the calls that kernels' faults are made of. What
/// is refused fails with EPERM.
/// </summary>
internal static unsafe class SystemCallFilter
{
    private const ushort Load = 0x20, JumpIfEqual = 0x15, JumpIfAtLeast = 0x35, JumpIfAnyBit = 0x45, Return = 0x06;
    private const uint Allow = 0x7fff0000, Refuse = 0x00050000 | 1, Unknown = 0x00050000 | 38, KillProcess = 0x80000000;
    private const uint NewThread = 0x00010000;

    // By the kernel's tables, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
    private static readonly uint[] OfX64 =
    [
        29, 30, 31, 41, 42, 43, 49, 50, 53, 57, 58, 59, 62, 64, 65, 66, 67, 68, 69, 70, 71, 90, 91, 92, 93, 94, 101, 103, 105, 106, 109, 112, 113, 114, 116, 117, 119, 126,
        129, 132, 133, 135, 141, 142, 144, 153, 154, 155, 159, 161, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 175, 176, 179, 188, 189, 190, 197, 198,
        199, 200, 220, 227, 235, 240, 241, 242, 243, 244, 245, 246, 248, 249, 250, 251, 256, 259, 260, 261, 268, 272, 279, 280, 288, 297, 298, 300, 303, 304, 305, 306,
        308, 310, 311, 312, 313, 314, 320, 321, 322, 323,
    ];

    private static readonly uint[] OfArm64 =
    [
        5, 6, 7, 14, 15, 16, 30, 33, 39, 40, 41, 51, 52, 53, 54, 55, 58, 60, 81, 88, 89, 91, 92, 97, 104, 105, 106, 112, 116, 117, 118, 119, 129, 130, 138, 140, 142, 143,
        144, 145, 146, 147, 149, 154, 157, 159, 161, 162, 170, 171, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195, 196, 197, 198, 199,
        200, 201, 202, 203, 217, 218, 219, 221, 224, 225, 238, 239, 240, 241, 242, 262, 264, 265, 266, 267, 268, 270, 271, 272, 273, 274, 280, 281, 282, 294,
    ];

    // Since these came they have one number everywhere: pidfd_send_signal, io_uring, mounts, pidfd_open, pidfd_getfd, process_madvise, mount_setattr, quotactl_fd, memfd_secret,
    // process_mrelease, fchmodat2.
    private static readonly uint[] Newer = [424, 425, 426, 427, 428, 429, 430, 431, 432, 433, 434, 438, 440, 442, 443, 447, 448, 452];

    /// <summary>Holds every thread of this process from here on.</summary>
    /// <returns>False where the kernel or the processor is none that we know how to.</returns>
    public static bool TryHoldAll()
    {
        const int NoNewPrivileges = 38, SetFilter = 1, AllThreads = 1;
        var architecture = RuntimeInformation.ProcessArchitecture;
        if (architecture is not (Architecture.X64 or Architecture.Arm64) || ProcessControl(NoNewPrivileges, 1, 0, 0, 0) != 0)
        {
            return false;
        }
        var program = Write(architecture == Architecture.X64, Environment.ProcessId);
        fixed (Instruction* first = program)
        {
            var described = new Program { Length = (ushort)program.Length, First = first };
            return Call(SeccompNumber, SetFilter, AllThreads, (long)&described, 0) == 0;
        }
    }

    /// <param name="isX64">Or arm64.</param>
    /// <param name="self">This process's number.</param>
    internal static Instruction[] Write(bool isX64, int self)
    {
        const uint ArchitectureAt = 4, NumberAt = 0, NewThreads = 435;
        List<Instruction> program =
        [
            new(Load, 0, 0, ArchitectureAt),
            new(JumpIfEqual, 1, 0, isX64 ? 0xC000003E : 0xC00000B7),
            new(Return, 0, 0, KillProcess),
            new(Load, 0, 0, NumberAt),
            // Numbers with this bit are x64's calls under other numbers.
            new(JumpIfAtLeast, 0, 1, 0x40000000),
            new(Return, 0, 0, Refuse),
            // Its flags lie in memory, which a filter cannot read: the C library then takes the older call.
            new(JumpIfEqual, 0, 1, NewThreads),
            new(Return, 0, 0, Unknown),
        ];
        foreach (var number in (isX64 ? OfX64 : OfArm64).Concat(Newer))
        {
            program.Add(new(JumpIfEqual, 0, 1, number));
            program.Add(new(Return, 0, 0, Refuse));
        }
        // Threads may be made, processes not.
        program.AddRange(OnlyWhere(isX64 ? 56u : 220u, JumpIfAnyBit, NewThread));
        // Limits and processors of its own, not of others by their number; a signal to its own threads.
        program.AddRange(OnlyWhere(isX64 ? 302u : 261u, JumpIfEqual, 0));
        program.AddRange(OnlyWhere(isX64 ? 203u : 122u, JumpIfEqual, 0));
        program.AddRange(OnlyWhere(isX64 ? 234u : 131u, JumpIfEqual, (uint)self));
        program.Add(new(Return, 0, 0, Allow));
        return [.. program];
    }

    /// <summary>A call that is refused unless the lower half of its first argument is so.</summary>
    private static IEnumerable<Instruction> OnlyWhere(uint call, ushort test, uint value)
    {
        const uint NumberAt = 0, FirstArgumentAt = 16;
        yield return new(JumpIfEqual, 0, 4, call);
        yield return new(Load, 0, 0, FirstArgumentAt);
        yield return new(test, 1, 0, value);
        yield return new(Return, 0, 0, Refuse);
        yield return new(Load, 0, 0, NumberAt);
    }

    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte IfTrue, byte IfFalse, uint Value);

    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public Instruction* First;
    }
}
