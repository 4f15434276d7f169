using Frazil.Kafka.Native;

namespace Frazil.Kafka;

/// <summary>Builds an <c>rd_kafka_conf_t</c>: our settings, then the user's, each refused with its name, value and librdkafka's
/// reason.</summary>
internal sealed unsafe class ClientConfiguration : IDisposable
{
    private const int TextSize = 512;

    private nint _handle;

    public ClientConfiguration()
    {
        RdKafkaLibrary.Load();
        _handle = RdKafkaNative.rd_kafka_conf_new();
    }

    public nint Handle => _handle;

    /// <summary>Sets a property of ours or of the user's.</summary>
    /// <exception cref="KafkaException">librdkafka does not know the property or refuses the value.</exception>
    public void Set(string name, string value)
    {
        var text = stackalloc byte[TextSize];
        if (RdKafkaNative.rd_kafka_conf_set(_handle, name, value, text, TextSize) != 0)
        {
            var shown = IsSecret(name) ? "(hidden)" : $"'{value}'";
            throw new KafkaException(new KafkaError(
                KafkaErrorKind.InvalidConfiguration,
                KafkaErrorCodes.InvalidArgument,
                "_INVALID_ARG",
                $"Kafka property {name} = {shown} is refused by librdkafka {RdKafkaLibrary.Version}: {RdKafkaLibrary.Text(text)}"));
        }
    }

    /// <summary>Sets a property that only newer versions know; false when the loaded one does not.</summary>
    public bool TrySet(string name, string value)
    {
        var text = stackalloc byte[TextSize];
        return RdKafkaNative.rd_kafka_conf_set(_handle, name, value, text, TextSize) == 0;
    }

    /// <summary>Sets the user's properties over ours.</summary>
    /// <param name="properties">As given.</param>
    /// <param name="reserved">Properties that exactness depends on, with what to use instead.</param>
    public void SetAll(IReadOnlyDictionary<string, string> properties, IReadOnlyDictionary<string, string> reserved)
    {
        foreach (var (name, value) in properties)
        {
            if (reserved.TryGetValue(name, out var instead))
            {
                throw new KafkaException(new KafkaError(
                    KafkaErrorKind.InvalidConfiguration,
                    KafkaErrorCodes.InvalidArgument,
                    "_INVALID_ARG",
                    $"Kafka property {name} = '{value}' cannot be set: {instead}"));
            }
            Set(name, value);
        }
    }

    /// <summary>Makes the client, which then owns the configuration.</summary>
    /// <exception cref="KafkaException">The settings contradict each other, or a file that they name cannot be read.</exception>
    public nint CreateClient(int type)
    {
        var text = stackalloc byte[TextSize];
        var client = RdKafkaNative.rd_kafka_new(type, _handle, text, TextSize);
        if (client == 0)
        {
            throw new KafkaException(new KafkaError(
                KafkaErrorKind.InvalidConfiguration,
                KafkaErrorCodes.InvalidArgument,
                "_INVALID_ARG",
                $"librdkafka {RdKafkaLibrary.Version} refuses the Kafka properties: {RdKafkaLibrary.Text(text)}"));
        }
        _handle = 0;
        return client;
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            RdKafkaNative.rd_kafka_conf_destroy(_handle);
            _handle = 0;
        }
    }

    private static bool IsSecret(string name) =>
        name.Contains("password", StringComparison.Ordinal) || name.Contains("secret", StringComparison.Ordinal)
            || name.EndsWith(".pem", StringComparison.Ordinal)
        || name.StartsWith("sasl.oauthbearer", StringComparison.Ordinal);
}
