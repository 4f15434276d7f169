using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Frazil.Kafka;

/// <summary>
/// Asks a plaintext broker for topic ids with one Metadata request (version 10, the first that carries them): librdkafka cannot before 2.3,
/// and asks the controller since, which its own mock cluster does not have. Speaks nothing else: no TLS, no SASL, no retries beyond the next
/// bootstrap server.
/// </summary>
internal static class TopicIdClient
{
    private const short ApiVersions = 18;
    private const short Metadata = 3;
    private const short MetadataVersion = 10;
    private const int MaxAnswer = 16 * 1024 * 1024;

    /// <exception cref="KafkaException">No bootstrap server answered in time.</exception>
    public static async Task<TopicIds> AskAsync(
        string bootstrapServers, IReadOnlyList<string> topics, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        foreach (var address in bootstrapServers.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(timeout);
            try
            {
                return await AskServerAsync(address, topics, limit.Token).ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or IOException or FormatException
                || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                reasons.Add($"{address}: {(failure is OperationCanceledException ? "no answer in time" : failure.Message)}");
            }
        }
        throw new KafkaException(KafkaError.Of(KafkaErrorCodes.Transport, $"asking for topic ids: {string.Join("; ", reasons)}"));
    }

    private static async Task<TopicIds> AskServerAsync(string address, IReadOnlyList<string> topics, CancellationToken cancellationToken)
    {
        var (host, port) = Split(address);
        using var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(host, port, cancellationToken).ConfigureAwait(false);
        var stream = socket.GetStream();
        var versions = await ExchangeAsync(stream, Request(ApiVersions, 0, 1, []), 1, cancellationToken).ConfigureAwait(false);
        if (!Offers(versions))
        {
            return new(new Dictionary<string, Guid>(), $"the broker {address} is older than Kafka 2.8 and has no topic ids");
        }
        var answer = await ExchangeAsync(
            stream, Request(Metadata, MetadataVersion, 2, MetadataBody(topics)), 2, cancellationToken).ConfigureAwait(false);
        return new(ReadIds(answer), null);
    }

    private static (string Host, int Port) Split(string address)
    {
        var bare = address[(address.IndexOf("://", StringComparison.Ordinal) is var at and >= 0 ? at + 3 : 0)..];
        var colon = bare.LastIndexOf(':');
        return colon < 0 || bare.EndsWith(']')
            ? (bare.Trim('[', ']'), 9092)
            : (bare[..colon].Trim('[', ']'), int.Parse(bare[(colon + 1)..], CultureInfo.InvariantCulture));
    }

    /// <summary>Length, then the request header: version 2 (with tagged fields) for flexible requests, 1 otherwise.</summary>
    private static byte[] Request(short api, short version, int correlation, byte[] body)
    {
        using var stream = new MemoryStream();
        Write(stream, 4, 0);
        Write(stream, 2, api);
        Write(stream, 2, version);
        Write(stream, 4, correlation);
        Write(stream, 2, 6);
        stream.Write("frazil"u8);
        if (api == Metadata)
        {
            stream.WriteByte(0);
        }
        stream.Write(body);
        var request = stream.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(request, request.Length - 4);
        return request;
    }

    private static byte[] MetadataBody(IReadOnlyList<string> topics)
    {
        using var stream = new MemoryStream();
        WriteVarint(stream, (uint)topics.Count + 1);
        foreach (var topic in topics)
        {
            stream.Write(new byte[16]); // topic id: by name
            var name = Encoding.UTF8.GetBytes(topic);
            WriteVarint(stream, (uint)name.Length + 1);
            stream.Write(name);
            stream.WriteByte(0);
        }
        stream.Write([0, 0, 0, 0]); // no auto-creation, no authorized operations of cluster and topics, no tagged fields
        return stream.ToArray();
    }

    private static async Task<byte[]> ExchangeAsync(
        NetworkStream stream, byte[] request, int correlation, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(request, cancellationToken).ConfigureAwait(false);
        var head = new byte[8];
        await stream.ReadExactlyAsync(head, cancellationToken).ConfigureAwait(false);
        var length = BinaryPrimitives.ReadInt32BigEndian(head);
        if (length is < 4 or > MaxAnswer || BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(4)) != correlation)
        {
            throw new FormatException($"it does not speak Kafka's protocol in plaintext (an answer of {length} bytes)");
        }
        var body = new byte[length - 4];
        await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
        return body;
    }

    private static bool Offers(byte[] versions)
    {
        var reader = new AnswerReader(versions);
        _ = reader.Int16();
        for (var left = reader.Int32(); left > 0; left--)
        {
            var (api, oldest, newest) = (reader.Int16(), reader.Int16(), reader.Int16());
            if (api == Metadata)
            {
                return oldest <= MetadataVersion && MetadataVersion <= newest;
            }
        }
        return false;
    }

    private static Dictionary<string, Guid> ReadIds(byte[] answer)
    {
        var reader = new AnswerReader(answer);
        reader.SkipTags();
        _ = reader.Int32(); // throttle time
        for (var brokers = reader.Count(); brokers > 0; brokers--)
        {
            reader.Skip(4);
            _ = reader.String();
            reader.Skip(4);
            _ = reader.String();
            reader.SkipTags();
        }
        _ = reader.String(); // cluster id
        _ = reader.Int32(); // controller
        var ids = new Dictionary<string, Guid>(StringComparer.Ordinal);
        for (var topics = reader.Count(); topics > 0; topics--)
        {
            var error = reader.Int16();
            var name = reader.String();
            var id = new Guid(reader.Bytes(16), bigEndian: true);
            if (error == 0 && id != Guid.Empty)
            {
                ids[name] = id;
            }
            SkipRestOfTopic(ref reader);
        }
        return ids;
    }

    private static void SkipRestOfTopic(ref AnswerReader reader)
    {
        reader.Skip(1); // internal
        for (var partitions = reader.Count(); partitions > 0; partitions--)
        {
            reader.Skip(2 + 4 + 4 + 4); // error, id, leader, epoch
            for (var lists = 3; lists > 0; lists--)
            {
                reader.Skip(4 * reader.Count()); // replicas, in sync, offline
            }
            reader.SkipTags();
        }
        reader.Skip(4); // authorized operations
        reader.SkipTags();
    }

    private static void Write(MemoryStream stream, int bytes, int value)
    {
        for (var shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        {
            stream.WriteByte((byte)(value >> shift));
        }
    }

    private static void WriteVarint(MemoryStream stream, uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            stream.WriteByte((byte)(value | 0x80));
        }
        stream.WriteByte((byte)value);
    }

    private ref struct AnswerReader(ReadOnlySpan<byte> answer)
    {
        private ReadOnlySpan<byte> _left = answer;

        public ReadOnlySpan<byte> Bytes(int count)
        {
            if (count < 0 || count > _left.Length)
            {
                throw new FormatException("its answer ends early");
            }
            var bytes = _left[..count];
            _left = _left[count..];
            return bytes;
        }

        public void Skip(int count) => _ = Bytes(count);

        public short Int16() => BinaryPrimitives.ReadInt16BigEndian(Bytes(2));

        public int Int32() => BinaryPrimitives.ReadInt32BigEndian(Bytes(4));

        public int Varint()
        {
            var value = 0;
            for (var shift = 0; shift < 35; shift += 7)
            {
                var next = Bytes(1)[0];
                value |= (next & 0x7f) << shift;
                if (next < 0x80)
                {
                    return value;
                }
            }
            throw new FormatException("its answer holds a number that is too long");
        }

        /// <summary>Of a compact array; 0 for null.</summary>
        public int Count() => Math.Max(Varint() - 1, 0);

        /// <summary>Compact; empty for null.</summary>
        public string String() => Encoding.UTF8.GetString(Bytes(Math.Max(Varint() - 1, 0)));

        public void SkipTags()
        {
            for (var tags = Varint(); tags > 0; tags--)
            {
                _ = Varint();
                Skip(Varint());
            }
        }
    }
}
