using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>Takes librdkafka's callbacks over into managed code. No exception may cross back: each goes to <see cref="Failed"/>.</summary>
internal sealed unsafe class ClientCallbacks : IDisposable
{
    private GCHandle _self;

    public ClientCallbacks() => _self = GCHandle.Alloc(this);

    public nint Client { get; set; }

    public required Action<KafkaError> Error { get; init; }

    public required Action<Exception> Failed { get; init; }

    public Action<KafkaStatistics>? Statistics { get; init; }

    public Action<int, string, string>? Log { get; init; }

    public Action<int, nint>? Rebalance { get; init; }

    public Action<int, nint>? OffsetCommit { get; init; }

    /// <summary>A record arrived (code 0) or was given up; topic and partition are only told for the latter.</summary>
    public Action<int, string?, int>? Delivered { get; init; }

    /// <summary>Registers what is wanted. The log always: librdkafka would write to the terminal otherwise.</summary>
    public void Bind(ClientConfiguration configuration)
    {
        RdKafkaNative.rd_kafka_conf_set_opaque(configuration.Handle, GCHandle.ToIntPtr(_self));
        RdKafkaNative.rd_kafka_conf_set_log_cb(configuration.Handle, &OnLog);
        RdKafkaNative.rd_kafka_conf_set_error_cb(configuration.Handle, &OnError);
        if (Statistics is not null)
        {
            RdKafkaNative.rd_kafka_conf_set_stats_cb(configuration.Handle, &OnStatistics);
        }
        if (Delivered is not null)
        {
            RdKafkaNative.rd_kafka_conf_set_dr_msg_cb(configuration.Handle, &OnDelivered);
        }
        if (Rebalance is not null)
        {
            RdKafkaNative.rd_kafka_conf_set_rebalance_cb(configuration.Handle, &OnRebalance);
        }
        if (OffsetCommit is not null)
        {
            RdKafkaNative.rd_kafka_conf_set_offset_commit_cb(configuration.Handle, &OnOffsetCommit);
        }
    }

    /// <summary>Only after the client is destroyed.</summary>
    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _self.Free();
        }
    }

    private static ClientCallbacks? Of(nint opaque) => opaque == 0 ? null : GCHandle.FromIntPtr(opaque).Target as ClientCallbacks;

    private void Guard<T>(Action<T> action, T argument)
    {
        try
        {
            action(argument);
        }
        catch (Exception failure)
        {
            Failed(failure);
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint client, int level, byte* facility, byte* text)
    {
        if (Of(RdKafkaNative.rd_kafka_opaque(client)) is { Log: { } log } self)
        {
            self.Guard(
                line => log(line.Level, line.Facility, line.Text),
                (Level: level, Facility: RdKafkaLibrary.Text(facility), Text: RdKafkaLibrary.Text(text)));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnError(nint client, int code, byte* reason, nint opaque)
    {
        if (Of(opaque) is not { } self)
        {
            return;
        }
        var error = code == KafkaErrorCodes.FatalLocal ? KafkaError.FatalOf(client) : KafkaError.Of(code, RdKafkaLibrary.Text(reason));
        self.Guard(self.Error, error);
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int OnStatistics(nint client, byte* json, nuint length, nint opaque)
    {
        if (Of(opaque) is { Statistics: { } statistics } self)
        {
            try
            {
                statistics(KafkaStatistics.Parse(new ReadOnlySpan<byte>(json, (int)length)));
            }
            catch (Exception failure)
            {
                self.Failed(failure);
            }
        }
        return 0; // librdkafka frees the text
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnRebalance(nint client, int code, RdKafkaTopicPartitionList* partitions, nint opaque)
    {
        if (Of(opaque) is { Rebalance: { } rebalance } self)
        {
            self.Guard(change => rebalance(change.Code, change.List), (Code: code, List: (nint)partitions));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnOffsetCommit(nint client, int code, RdKafkaTopicPartitionList* offsets, nint opaque)
    {
        if (Of(opaque) is { OffsetCommit: { } commit } self)
        {
            self.Guard(result => commit(result.Code, result.List), (Code: code, List: (nint)offsets));
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDelivered(nint client, RdKafkaMessage* message, nint opaque)
    {
        if (Of(opaque) is not { Delivered: { } delivered } self)
        {
            return;
        }
        try
        {
            delivered(
                message->Error, message->Error == 0 ? null : RdKafkaLibrary.Text(RdKafkaNative.rd_kafka_topic_name(message->Topic)),
                message->Partition);
        }
        catch (Exception failure)
        {
            self.Failed(failure);
        }
    }
}
