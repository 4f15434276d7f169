using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Frazil.Bench;

/// <summary>CPU and time of this process between two moments.</summary>
internal sealed partial class Meter
{
    private const int ClockProcessCpuTime = 2;

    private readonly double cpu = Cpu();
    private readonly long started = Stopwatch.GetTimestamp();

    public (double CpuSeconds, double Seconds) Stop() => (Cpu() - cpu, Stopwatch.GetElapsedTime(started).TotalSeconds);

    // Process.TotalProcessorTime counts in hundredths of a second, which is a good part of what is measured here.
    private static double Cpu() => GetTime(ClockProcessCpuTime, out var time) == 0
        ? time.Seconds + (time.Nanoseconds / 1e9)
        : throw new InvalidOperationException($"clock_gettime failed with errno {Marshal.GetLastPInvokeError()}");

    [LibraryImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    private static partial int GetTime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
