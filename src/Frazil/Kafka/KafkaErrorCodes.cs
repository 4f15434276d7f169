namespace Frazil.Kafka;

/// <summary>The codes of librdkafka (negative) and of the Kafka protocol (positive) that Frazil tells apart.</summary>
internal static class KafkaErrorCodes
{
    public const int BadMessage = -199;
    public const int BadCompression = -198;
    public const int Destroy = -197;
    public const int Transport = -195;
    public const int Resolve = -193;
    public const int MessageTimedOut = -192;
    public const int PartitionEof = -191;
    public const int UnknownPartition = -190;
    public const int UnknownTopicLocal = -188;
    public const int AllBrokersDown = -187;
    public const int InvalidArgument = -186;
    public const int TimedOut = -185;
    public const int QueueFull = -184;
    public const int Ssl = -181;
    public const int AssignPartitions = -175;
    public const int RevokePartitions = -174;
    public const int State = -172;
    public const int AuthenticationLocal = -169;
    public const int NoOffset = -168;
    public const int UnsupportedFeature = -165;
    public const int PurgeQueue = -152;
    public const int PurgeInflight = -151;
    public const int FatalLocal = -150;
    public const int MaxPollExceeded = -147;
    public const int Fenced = -144;
    public const int AutoOffsetReset = -140;
    public const int LogTruncation = -139;

    public const int OffsetOutOfRange = 1;
    public const int UnknownTopicOrPartition = 3;
    public const int InvalidTopic = 17;
    public const int TopicAuthorization = 29;
    public const int GroupAuthorization = 30;
    public const int ClusterAuthorization = 31;
    public const int UnsupportedSaslMechanism = 33;
    public const int IllegalSaslState = 34;
    public const int TopicAlreadyExists = 36;
    public const int TransactionalIdAuthorization = 53;
    public const int SecurityDisabled = 54;
    public const int SaslAuthentication = 58;
    public const int FencedInstanceId = 82;
    public const int ProducerFenced = 90;
    public const int UnknownTopicId = 100;

    public static KafkaErrorKind KindOf(int code) => code switch
    {
        Transport or Resolve or AllBrokersDown or TimedOut => KafkaErrorKind.Unreachable,
        AuthenticationLocal or Ssl or UnsupportedSaslMechanism or IllegalSaslState or SaslAuthentication
            or SecurityDisabled => KafkaErrorKind.Authentication,
        TopicAuthorization or GroupAuthorization or ClusterAuthorization or TransactionalIdAuthorization
            or 65 => KafkaErrorKind.Authorization,
        UnknownTopicOrPartition or UnknownTopicLocal or UnknownPartition or UnknownTopicId => KafkaErrorKind.UnknownTopic,
        OffsetOutOfRange or AutoOffsetReset or LogTruncation => KafkaErrorKind.OffsetOutOfRange,
        FatalLocal or Fenced or FencedInstanceId or ProducerFenced => KafkaErrorKind.Fatal,
        InvalidArgument or InvalidTopic or 40 => KafkaErrorKind.InvalidConfiguration,
        _ when IsRetriable(code) => KafkaErrorKind.Retriable,
        _ => KafkaErrorKind.Other,
    };

    /// <summary>What a person can do about it.</summary>
    public static string FixOf(KafkaError error) => error.Kind switch
    {
        KafkaErrorKind.Unreachable =>
            "Check kafka.bootstrap_servers, and security.protocol in [kafka.properties], and that the broker runs; the client keeps trying",
        KafkaErrorKind.Authentication when error.Code == Ssl =>
            "Check ssl.ca.location (and the client certificate, if the broker wants one) in [kafka.properties]; the client keeps trying",
        KafkaErrorKind.Authentication =>
            "Check security.protocol, sasl.mechanism, sasl.username and sasl.password in [kafka.properties]; the client keeps trying",
        KafkaErrorKind.Authorization when error.Code == GroupAuthorization => "Grant this user Read on the consumer group",
        KafkaErrorKind.Authorization when error.Code == TopicAuthorization => "Grant this user Read and Describe on the topic",
        KafkaErrorKind.Authorization => "Grant this user the right that the text names",
        KafkaErrorKind.UnknownTopic => "Create the topic or correct its name; the client keeps looking",
        KafkaErrorKind.Fatal when error.Code is FencedInstanceId =>
            "Another instance of the same name took over: its data_dir is a copy of this one's. Run only one, or remove the file instance-id from the "
            + "copy. Where there is only one, the brokers were so slow that they took its second request to join the group for another instance",
        KafkaErrorKind.Fatal when error.Code is Fenced or ProducerFenced => "Another instance with the same id took over; run only one",
        _ => "",
    };

    /// <summary>Broker-side states that pass, and client-side ones that the client itself recovers from.</summary>
    private static bool IsRetriable(int code) => code is
        (-184) or (-183) or (-192) or (-180) or (-178) or (-177) or (-168) or (-164) or (-163) or (-153) or (-147) or (-146) or (-142)
        or 2 or 5 or 6 or 7 or 8 or 9 or 13 or 14 or 15 or 16 or 19 or 20 or 22 or 25 or 27 or 41 or 51 or 56 or 70 or 71 or 72 or 74 or 75
            or 78 or 79
        or 80 or 83 or 88 or 89;
}
