using System.Globalization;
using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>Tables on a server of Google's JSON API.</summary>
public sealed class GcsTableTests(SharedBroker shared, GcsServer server) : TableInStoreContract(shared), IClassFixture<GcsServer>
{
    private const long FarAwayMilliseconds = 4_102_444_800_000;

    protected override string Kind => "gcs";

    protected override Dictionary<string, string> Properties => server.Properties;

    protected override (string Engine, string[] Arguments)[] Others
        => [("pyiceberg",
            [
                "--property", $"gcs.service.host={server.Properties["gcs.service.host"]}", "--property", "gcs.oauth2.token=any",
                "--property", string.Create(CultureInfo.InvariantCulture, $"gcs.oauth2.token-expires-at={FarAwayMilliseconds}"),
            ])];

    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => server.Open();
}
