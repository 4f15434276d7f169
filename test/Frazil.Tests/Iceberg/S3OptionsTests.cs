using Frazil.Iceberg;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.Tests.Iceberg;

/// <summary>Iceberg's property names, Java's and PyIceberg's, as what they mean.</summary>
public sealed class S3OptionsTests
{
    [Fact]
    public void Nothing_set_is_Amazon_with_its_own_places_for_credentials()
    {
        var options = Read();

        Assert.Null(options.Endpoint);
        Assert.Null(options.AccessKeyId);
        Assert.Null(options.PathStyle);
        Assert.Equal(S3Encryption.None, options.Encryption);
        Assert.Equal(8 << 20, options.PartBytes);
    }

    [Theory]
    [InlineData("s3.region", "client.region")]
    [InlineData("s3.access-key-id", "client.access-key-id")]
    [InlineData("s3.profile-name", "client.profile-name")]
    [InlineData("client.assume-role.arn", "s3.role-arn")]
    public void Java_s_names_and_PyIceberg_s_mean_the_same(string one, string other)
    {
        string[] secret = one == "s3.access-key-id" ? ["s3.secret-access-key", "secret"] : ["x", "y"];

        var first = Read(one, "value", secret[0], secret[1]);
        var second = Read(other, "value", secret[0], secret[1]);

        Assert.Equal(first with { WriteTags = second.WriteTags }, second);
        Assert.NotEqual(Read() with { WriteTags = second.WriteTags }, second);
    }

    [Fact]
    public void The_bucket_s_place_in_the_address_is_said_from_either_side()
    {
        Assert.True(Read("s3.path-style-access", "true").PathStyle);
        Assert.True(Read("s3.force-virtual-addressing", "false").PathStyle);
        Assert.False(Read("s3.force-virtual-addressing", "true").PathStyle);
    }

    [Theory]
    [InlineData("s3.endpoint", "localhost:9000", "s3.endpoint")]
    [InlineData("s3.path-style-access", "yes", "true or false")]
    [InlineData("s3.sse.type", "aes", "none, s3, kms, dsse-kms or custom")]
    [InlineData("s3.sse.type", "custom", "s3.sse.key")]
    [InlineData("s3.multipart.part-size-bytes", "1000", "5242880")]
    [InlineData("s3.request-timeout", "-1", "seconds")]
    [InlineData("s3.access-key-id", "only", "s3.secret-access-key")]
    public void A_value_that_its_property_does_not_take_is_refused_with_what_it_takes(string name, string value, string told)
    {
        var error = Assert.Throws<ValidationException>(() => Read(name, value));

        Assert.Contains(told, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_as_text_hold_no_secret()
        => Assert.DoesNotContain("hush", Read("s3.access-key-id", "id", "s3.secret-access-key", "hush", "s3.session-token", "hush").ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("s3://b/k/e y", "b", "k/e y")]
    [InlineData("s3a://b/%2F#?", "b", "%2F#?")]
    [InlineData("S3N://b//x", "b", "/x")]
    [InlineData("s3://b", "b", "")]
    public void A_location_is_cut_into_bucket_and_key_as_it_stands(string location, string bucket, string key)
        => Assert.Equal((bucket, key), (S3Location.Parse(location).Bucket, S3Location.Parse(location).Key));

    [Theory]
    [InlineData("file:///x")]
    [InlineData("s3:///x")]
    [InlineData("/s3/x")]
    public void What_is_no_location_in_S3_is_refused(string location) => Assert.Throws<ValidationException>(() => S3Location.Parse(location));

    private static S3Options Read(params string[] pairs)
        => S3Options.From(pairs.Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]));
}
