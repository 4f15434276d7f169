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

    /// <summary>Sets a property of ours.</summary>
    /// <exception cref="KafkaException">librdkafka does not know the property or refuses the value.</exception>
    public void Set(string name, string value)
    {
        if (Refusal(name, value) is { } refusal)
        {
            throw Invalid(refusal);
        }
    }

    /// <summary>Sets the user's properties over ours.</summary>
    /// <param name="properties">As given.</param>
    /// <param name="reserved">Why a property may not be set; null where it may, or for none reserved.</param>
    /// <exception cref="KafkaException">Lists every property that cannot be set or that librdkafka refuses.</exception>
    public void SetAll(IReadOnlyDictionary<string, string> properties, Func<string, string?>? reserved = null)
    {
        var refusals = new List<string>();
        foreach (var (name, value) in properties)
        {
            var refusal = reserved?.Invoke(name) is { } reason ? $"Kafka property {Shown(name, value)} cannot be set: {reason}" : Refusal(name, value);
            if (refusal is not null)
            {
                refusals.Add(refusal);
            }
        }
        if (refusals.Count > 0)
        {
            throw Invalid(string.Join("; ", refusals));
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
            throw Invalid($"librdkafka {RdKafkaLibrary.Version} refuses the Kafka properties: {RdKafkaLibrary.Text(text)}");
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

    /// <summary>Sets it, or says why librdkafka does not take it.</summary>
    private string? Refusal(string name, string value)
    {
        var text = stackalloc byte[TextSize];
        return RdKafkaNative.rd_kafka_conf_set(_handle, name, value, text, TextSize) == 0
            ? null
            : $"Kafka property {Shown(name, value)} is refused by librdkafka {RdKafkaLibrary.Version}: {RdKafkaLibrary.Text(text)}";
    }

    private static string Shown(string name, string value) => $"{name} = {(IsSecret(name) ? "(hidden)" : $"'{value}'")}";

    private static KafkaException Invalid(string reason)
        => new(new KafkaError(KafkaErrorKind.InvalidConfiguration, KafkaErrorCodes.InvalidArgument, "_INVALID_ARG", reason));

    private static bool IsSecret(string name) =>
        name.Contains("password", StringComparison.Ordinal) || name.Contains("secret", StringComparison.Ordinal)
            || name.EndsWith(".pem", StringComparison.Ordinal)
        || name.StartsWith("sasl.oauthbearer", StringComparison.Ordinal);
}
