using System.Net;
using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace Frazil.Iceberg.IO;

/// <summary>Makes Amazon's client from our options.</summary>
internal static class S3Clients
{
    private const string RegionWithoutOne = "us-east-1"; // what stores of others take, and Amazon redirects from

    /// <param name="options">How the store is reached.</param>
    /// <param name="vended">Where credentials come from that a catalog lends; null for those of the options.</param>
    public static AmazonS3Client Open(S3Options options, VendedCredentials? vended)
    {
        var config = Configuration(options);
        var credentials = vended ?? Credentials(options);
        return credentials is null ? new AmazonS3Client(config) : new AmazonS3Client(credentials, config);
    }

    private static AmazonS3Config Configuration(S3Options options)
    {
        var isForeign = options.Endpoint is not null;
        var checksums = options.Checksums ?? !isForeign;
        var config = new AmazonS3Config
        {
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = options.Retries,
            Timeout = options.RequestTimeout,
            ConnectTimeout = options.ConnectTimeout,
            ForcePathStyle = options.PathStyle ?? isForeign,
            UseDualstackEndpoint = options.DualStack,
            UseAccelerateEndpoint = options.Accelerate,
            RequestChecksumCalculation = checksums ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = checksums ? ResponseChecksumValidation.WHEN_SUPPORTED : ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint;
            config.AuthenticationRegion = options.Region ?? FallbackRegion() ?? RegionWithoutOne;
        }
        else if (options.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }
        else if (FallbackRegion() is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(RegionWithoutOne);
        }
        if (options.Proxy is { } proxy)
            config.SetWebProxy(new WebProxy(proxy));
        return config;
    }

    /// <summary>Null for Amazon's own chain: environment, profiles, web identity, container, machine.</summary>
    private static AWSCredentials? Credentials(S3Options options)
    {
        var own = options switch
        {
            { IsAnonymous: true } => new AnonymousAWSCredentials(),
            { AccessKeyId: { } id, SecretAccessKey: { } secret, SessionToken: { } token } => new SessionAWSCredentials(id, secret, token),
            { AccessKeyId: { } id, SecretAccessKey: { } secret } => new BasicAWSCredentials(id, secret),
            { Profile: { } profile } => OfProfile(profile),
            _ => (AWSCredentials?)null,
        };
        return options.RoleArn is null ? own : Assumed(options, own);
    }

    private static AssumeRoleAWSCredentials Assumed(S3Options options, AWSCredentials? own)
    {
        var role = new AssumeRoleAWSCredentialsOptions { ExternalId = options.RoleExternalId };
        if (options.RoleLifetime is { } lifetime)
            role.DurationSeconds = (int)lifetime.TotalSeconds;
        own ??= DefaultAWSCredentialsIdentityResolver.GetCredentials();
        return new AssumeRoleAWSCredentials(own, options.RoleArn, options.RoleSessionName ?? "frazil", role);
    }

    private static AWSCredentials OfProfile(string profile)
        => new CredentialProfileStoreChain().TryGetAWSCredentials(profile, out var credentials) ? credentials
            : throw new ValidationException(
                $"The profile '{profile}' is neither in ~/.aws/credentials nor in ~/.aws/config (s3.profile-name, client.profile-name).");

    private static string? FallbackRegion()
    {
        try
        {
            return FallbackRegionFactory.GetRegionEndpoint()?.SystemName;
        }
        catch (AmazonClientException)
        {
            return null; // said nowhere: neither in the environment nor in a profile nor by the machine
        }
    }
}
