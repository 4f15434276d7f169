namespace Frazil.Bench;

/// <summary>A part of the journey.</summary>
/// <param name="Name">Of its figure.</param>
/// <param name="Stage">What it belongs to in the picture.</param>
/// <param name="What">What is done there.</param>
internal sealed record ProfilePart(string Name, string Stage, string What);

/// <summary>Which part of the journey a sample belongs to, by its thread and function.</summary>
internal static class ProfileParts
{
    private static readonly ProfilePart Network = new("fetch.network", "fetch", "librdkafka's threads: responses received, decompressed, taken apart");
    private static readonly ProfilePart HandOver = new("fetch.hand_over", "fetch", "messages taken from the queue and given back, one by one");
    private static readonly ProfilePart Decode = new("decode", "decode", "JSON to column values");
    private static readonly ProfilePart Append = new("append", "append", "Kafka columns, offsets, publishing");
    private static readonly ProfilePart AppendFaults = new("append.kernel", "append", "page faults of new chunks, waiting");
    private static readonly ProfilePart Zstd = new("parquet.zstd", "Parquet", "compression (ZstdSharp)");
    private static readonly ProfilePart Dictionaries = new("parquet.dictionaries", "Parquet", "distinct values found and numbered");
    private static readonly ProfilePart Values = new("parquet.values", "Parquet", "levels, values gathered, encodings");
    private static readonly ProfilePart Statistics = new("parquet.statistics", "Parquet", "bounds, counts");
    private static readonly ProfilePart Checksums = new("parquet.checksums", "Parquet", "CRC-32 of pages, SHA-256 of the file");
    private static readonly ProfilePart FileWrites = new("parquet.kernel", "Parquet", "writes, page faults, fsync");
    private static readonly ProfilePart Compiling = new("compile", "runtime", "the JIT");
    private static readonly ProfilePart Rest = new("rest", "runtime", "commit, HTTP, collector, timers");

    /// <summary>In the order of the journey.</summary>
    public static IReadOnlyList<ProfilePart> All { get; } = [
        Network, HandOver, Decode, Append, AppendFaults, Values, Dictionaries, Statistics, Zstd, Checksums, FileWrites, Compiling, Rest];

    public static ProfilePart Of(ProfileSample sample)
        => sample.Module == "libclrjit.so" || IsOn(sample, ".NET Tier") ? Compiling
            : IsOn(sample, "rdk:") ? Network
            : IsOn(sample, "frazil-i") ? OfIngest(sample)
            : IsOn(sample, ".NET Long") ? OfParquet(sample)
            : Rest;

    private static ProfilePart OfIngest(ProfileSample sample) => sample.Module switch
    {
        "managed" when Has(sample, "Frazil.Formats.") => Decode,
        "managed" when Has(sample, "MessageQueue::") || Has(sample, "rd_kafka_message_destroy") => HandOver,
        "managed" => Append,
        "[kernel.kallsyms]" => AppendFaults,
        var module when module.Contains("librdkafka", StringComparison.Ordinal) => HandOver,
        "libc.so.6" or "ld-linux-x86-64.so.2" => HandOver, // its locks and its memory
        _ => Append,
    };

    private static ProfilePart OfParquet(ProfileSample sample) => sample.Module switch
    {
        "managed" when Has(sample, "[ZstdSharp]") => Zstd,
        "managed" when Has(sample, "Dictionary") => Dictionaries,
        "managed" when Has(sample, ".Statistics.") || Has(sample, "PageBounds") => Statistics,
        "managed" when Has(sample, "System.IO.Hashing") => Checksums,
        "[kernel.kallsyms]" => FileWrites,
        var module when module.Contains("crypto", StringComparison.Ordinal) => Checksums,
        _ => Values,
    };

    private static bool IsOn(ProfileSample sample, string thread) => sample.Thread.StartsWith(thread, StringComparison.Ordinal);

    private static bool Has(ProfileSample sample, string text) => sample.Function.Contains(text, StringComparison.Ordinal);
}
