using Frazil.Query.Workers;
using Xunit;

namespace Frazil.Tests.Query;

/// <summary>The filter's program, run here as the kernel runs it, for both processors. Numbers by the kernel's tables: x64's, arm64's.</summary>
public sealed class SystemCallFilterTests
{
    private const int Self = 4711, Other = 815;
    private const uint Allowed = 0x7fff0000, Refused = 0x00050001, Unknown = 0x00050026, Killed = 0x80000000;

    [Theory]
    [InlineData(0, 63, 0, Allowed)] // read
    [InlineData(257, 56, 0, Allowed)] // openat
    [InlineData(202, 98, 0, Allowed)] // futex
    [InlineData(9, 222, 0, Allowed)] // mmap
    [InlineData(41, 198, 0, Refused)] // socket
    [InlineData(42, 203, 0, Refused)] // connect
    [InlineData(59, 221, 0, Refused)] // execve
    [InlineData(101, 117, 0, Refused)] // ptrace
    [InlineData(62, 129, Self, Refused)] // kill
    [InlineData(141, 140, 0, Refused)] // setpriority
    [InlineData(144, 119, Other, Refused)] // sched_setscheduler
    [InlineData(425, 425, 0, Refused)] // io_uring_setup
    [InlineData(424, 424, Other, Refused)] // pidfd_send_signal
    [InlineData(435, 435, 0, Unknown)] // clone3
    [InlineData(56, 220, 0x00010000 | 0x100, Allowed)] // clone: a thread
    [InlineData(56, 220, 17, Refused)] // clone: a process
    [InlineData(302, 261, 0, Allowed)] // prlimit64: its own
    [InlineData(302, 261, Other, Refused)] // prlimit64: the server's
    [InlineData(203, 122, 0, Allowed)] // sched_setaffinity
    [InlineData(203, 122, Other, Refused)]
    [InlineData(234, 131, Self, Allowed)] // tgkill
    [InlineData(234, 131, Other, Refused)]
    public void A_worker_may_do_what_it_must_to_itself_and_nothing_to_others(long x64, long arm64, long argument, long expected)
    {
        Assert.Equal(expected, Run(isX64: true, 0xC000003E, x64, argument));
        Assert.Equal(expected, Run(isX64: false, 0xC00000B7, arm64, argument));
    }

    [Fact]
    public void Calls_of_another_processor_end_it_and_calls_under_other_numbers_are_refused()
    {
        Assert.Equal((long)Killed, Run(isX64: true, 0x40000003, 1, 0));
        Assert.Equal((long)Killed, Run(isX64: false, 0xC000003E, 1, 0));
        Assert.Equal((long)Refused, Run(isX64: true, 0xC000003E, 0x40000000 | 41, 0));
    }

    private static long Run(bool isX64, uint architecture, long call, long argument)
    {
        var program = SystemCallFilter.Write(isX64, Self);
        var loaded = 0L;
        for (var at = 0; ; at++)
        {
            var (code, ifTrue, ifFalse, value) = program[at];
            switch (code)
            {
                case 0x20:
                    loaded = value switch { 0 => call, 4 => architecture, 16 => argument, _ => throw new InvalidOperationException($"loads {value}") };
                    break;
                case 0x06:
                    return value;
                default:
                    var isTrue = code switch { 0x15 => loaded == value, 0x35 => loaded >= value, 0x45 => (loaded & value) != 0, _ => throw new InvalidOperationException($"code {code}") };
                    at += isTrue ? ifTrue : ifFalse;
                    break;
            }
        }
    }
}
