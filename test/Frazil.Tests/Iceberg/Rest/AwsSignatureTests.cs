using System.Text;
using Frazil.Iceberg.Catalogs;
using Xunit;

namespace Frazil.Tests.Iceberg.Rest;

/// <summary>Amazon's own examples: its test suite for Signature Version 4, and those of its documentation.</summary>
public sealed class AwsSignatureTests
{
    private static readonly AwsKeys Keys = new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    private static readonly DateTimeOffset Moment = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("GET", "/", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31")] // get-vanilla
    [InlineData("POST", "/", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b")] // post-vanilla
    [InlineData("GET", "/?Param1=value1&Param2=value2", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")] // get-vanilla-query
    [InlineData("GET", "/?Param2=value2&Param1=value1", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")] // …-order-key-case
    [InlineData("GET", "/ሴ", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85")] // get-utf8: what is sent is escaped
    [InlineData("GET", "/example space/", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741")] // get-space
    public void The_suites_requests_get_the_suites_signatures(string method, string path, string body, string signature)
    {
        var signed = AwsSignature.Sign(
            method, path, [new("Host", "example.amazonaws.com"), new("X-Amz-Date", AwsSignature.Moment(Moment))],
            AwsSignature.Hash(Encoding.UTF8.GetBytes(body)), Moment, ("us-east-1", "service"), Keys);
        Assert.Equal(
            $"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={signature}",
            signed);
    }

    [Fact]
    public void Values_of_headers_lose_the_blanks_around_and_more_than_one_within()
    {
        var signed = AwsSignature.Sign(
            "GET", "/", [new("Host", "example.amazonaws.com"), new("My-Header1", " value1,value2,value3 "), new("X-Amz-Date", "20150830T123600Z")],
            AwsSignature.Hash([]), Moment, ("us-east-1", "service"), Keys);
        Assert.EndsWith("SignedHeaders=host;my-header1;x-amz-date, Signature=ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790", signed);
    }

    [Fact]
    public void A_body_and_its_type_are_signed()
    {
        var signed = AwsSignature.Sign(
            "POST", "/", [new("Content-Type", "application/x-www-form-urlencoded"), new("Host", "example.amazonaws.com"), new("X-Amz-Date", "20150830T123600Z")],
            AwsSignature.Hash("Param1=value1"u8), Moment, ("us-east-1", "service"), Keys);
        Assert.EndsWith("Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a", signed);
    }

    [Fact]
    public void The_documentations_request_to_iam_gets_the_documentations_signature()
    {
        var signed = AwsSignature.Sign(
            "GET", "/?Action=ListUsers&Version=2010-05-08",
            [
                new("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"), new("Host", "iam.amazonaws.com"),
                new("X-Amz-Date", "20150830T123600Z"),
            ],
            AwsSignature.Hash([]), Moment, ("us-east-1", "iam"), Keys);
        Assert.EndsWith("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7", signed);
    }

    [Fact]
    public void The_documentations_key_is_derived()
        => Assert.Equal(
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
            Convert.ToHexStringLower(AwsSignature.Key(Keys.SecretAccessKey, "20150830", ("us-east-1", "iam"))));

    [Fact]
    public void A_path_that_is_sent_escaped_is_escaped_once_more()
    {
        string Sign(string path) => AwsSignature.Sign("GET", path, [new("Host", "h")], AwsSignature.Hash([]), Moment, ("r", "s"), Keys);
        Assert.Equal(Sign("/a%20b"), Sign("/a%20b"));
        Assert.NotEqual(Sign("/a b"), Sign("/a%20b"));
    }
}
