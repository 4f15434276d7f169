using Frazil.Iceberg.IO;
using Xunit;

namespace Frazil.EndToEnd.Stores;

/// <summary>The store's contract on a server of Google's JSON API.</summary>
public sealed class GcsFileIOTests(GcsServer server) : FileIOContract, IClassFixture<GcsServer>
{
    protected override string NewFolder() => server.NewFolder();

    protected override IFileIO Open() => server.Open();
}
