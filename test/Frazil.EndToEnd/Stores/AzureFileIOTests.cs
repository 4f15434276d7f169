using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The store's contract on Azure's own emulator.</summary>
public sealed class AzureFileIOTests(AzuriteServer server) : FileIOContract, IClassFixture<AzuriteServer>
{
    [Fact]
    public async Task A_container_that_is_not_there_is_said_to_be_missing()
    {
        using var time = Time();
        var folder = NewFolder().Replace("lake@", "nowhere@", StringComparison.Ordinal);

        var error = await Assert.ThrowsAsync<IOException>(() => Open().CreateAsync($"{folder}/x", "x"u8.ToArray(), time.Token));

        Assert.Contains("container does not exist", error.Message, StringComparison.Ordinal);
    }

    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => server.Open();
}
