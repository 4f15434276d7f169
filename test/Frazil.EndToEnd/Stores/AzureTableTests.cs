using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>Tables on Azure's own emulator.</summary>
public sealed class AzureTableTests(SharedBroker shared, AzuriteServer server) : TableInStoreContract(shared), IClassFixture<AzuriteServer>
{
    protected override string Kind => "azure";

    protected override Dictionary<string, string> Properties => server.Properties;

    protected override (string Engine, string[] Arguments)[] Others
        => [("pyiceberg", ["--property", $"adls.connection-string={server.Properties.First().Value}"])];

    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => server.Open();
}
