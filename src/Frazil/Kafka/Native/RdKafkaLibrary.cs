using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Frazil.Columnar;

namespace Frazil.Kafka.Native;

/// <summary>The librdkafka that this process loaded.</summary>
internal static unsafe class RdKafkaLibrary
{
    /// <summary>2.12. Older ones lack calls that are used unconditionally, and have faults that Frazil no longer goes around.</summary>
    private const int OldestVersion = 0x020c0000;

    private static readonly Lazy<nint> Handle = new(LoadOnce);

    /// <summary>Loads the library on the first call.</summary>
    /// <exception cref="DllNotFoundException">librdkafka cannot be loaded; the message says what was tried.</exception>
    /// <exception cref="NotSupportedException">It is older than 2.12.</exception>
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

    /// <summary>A C string of the library's, copied; empty for null.</summary>
    public static string Text(byte* text)
        => text is null ? "" : Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text));

    private static nint LoadOnce()
    {
        var handle = NativeLibraries.Load(NativeLibraries.RdKafka);
        if (RdKafkaNative.rd_kafka_version() < OldestVersion)
        {
            var variable = NativeLibraries.VariableOf(NativeLibraries.RdKafka);
            throw new NotSupportedException(
                $"librdkafka {Text(RdKafkaNative.rd_kafka_version_str())} ({variable}={Environment.GetEnvironmentVariable(variable)}) is too old: Frazil needs 2.12 or "
                + "newer. Name a newer one there, or remove the variable to use the one that comes with Frazil.");
        }
        return handle;
    }

#pragma warning disable CA2255 // a library may not do much here; this only says where to look, and nothing else comes before every call
    [ModuleInitializer]
    internal static void RegisterThisAssembly() => NativeLibraries.Register(typeof(RdKafkaLibrary).Assembly);
#pragma warning restore CA2255
}
