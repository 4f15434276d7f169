using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;

namespace Frazil.Kafka.Native;

/// <summary>The librdkafka that this process loaded: its version, and what it offers beyond 2.0.2.</summary>
internal static unsafe class RdKafkaLibrary
{
    /// <summary>The oldest version that is tested; older ones lack calls that are used unconditionally.</summary>
    private const int OldestVersion = 0x020000ff;

    private static readonly Lazy<nint> Handle = new(LoadOnce);

    /// <summary>Loads the library on the first call.</summary>
    /// <exception cref="DllNotFoundException">librdkafka is not installed; the message says where it was looked for.</exception>
    /// <exception cref="NotSupportedException">It is older than 2.0.</exception>
    public static void Load() => _ = Handle.Value;

    /// <summary>For example 2.0.2.</summary>
    public static string Version
    {
        get
        {
            Load();
            return Text(RdKafkaNative.rd_kafka_version_str());
        }
    }

    /// <summary>Before 2.6.1 the client repeats its nonce, which brokers of Kafka 4 refuse as wrong credentials.</summary>
    public static bool HasScramDefect => RdKafkaNative.rd_kafka_version() < 0x02060100;

    /// <summary>Before 2.2 there is no fetch.queue.backoff.ms.</summary>
    public static bool NeedsFetchWakeUps => RdKafkaNative.rd_kafka_version() < 0x02020000;

    /// <summary>Before 2.3 closing a member that was made its group's leader and has not assigned yet ends the whole process with an
    /// assertion.</summary>
    public static bool DiesClosingUnassigned => RdKafkaNative.rd_kafka_version() < 0x02030000;

    /// <summary>Does the loaded library export this function?</summary>
    public static bool Has(string function) => NativeLibrary.TryGetExport(Handle.Value, function, out _);

    /// <summary>A C string of the library's, copied; empty for null.</summary>
    public static string Text(byte* text)
        => text is null ? "" : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static nint LoadOnce()
    {
        NativeLibraries.Register(typeof(RdKafkaLibrary).Assembly);
        var handle = NativeLibraries.Load(NativeLibraries.RdKafka);
        if (RdKafkaNative.rd_kafka_version() < (OldestVersion & ~0xff))
        {
            throw new NotSupportedException(
                $"librdkafka {Text(RdKafkaNative.rd_kafka_version_str())} is too old: Frazil needs 2.0 or newer. Install a newer one, or put it into a folder " +
                $"and name that in the environment variable {NativeLibraries.DirectoryVariable}.");
        }
        return handle;
    }
}
