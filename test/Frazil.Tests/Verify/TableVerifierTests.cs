using Frazil.Config;
using Frazil.Iceberg.Catalogs;
using Frazil.Tests.Engine;
using Frazil.Verify;
using Xunit;

namespace Frazil.Tests.Verify;

/// <summary>Proofs of tables of which files are gone or harmed. Other damage is proven found with the real binary and broker,
/// elsewhere.</summary>
public sealed class TableVerifierTests : IAsyncDisposable
{
    private readonly EngineFixture fixture = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task A_file_that_is_gone_is_found_with_its_offsets()
    {
        var options = await IngestAsync("gone", Rounds());
        Assert.Empty(Findings(await VerifyAsync(options, "gone", deep: false)));
        Assert.Empty(Findings(await VerifyAsync(options, "gone", deep: true)));
        var file = (await FilesAsync(options, "shop.gone"))[1];
        File.Delete(PathOf(file));

        AssertFound(await VerifyAsync(options, "gone", deep: false), file, "is not there");
        AssertFound(await VerifyAsync(options, "gone", deep: true), file, "is not there");
    }

    [Fact]
    public async Task A_file_that_was_cut_short_is_found_with_its_offsets()
    {
        var options = await IngestAsync("cut", Rounds());
        var file = (await FilesAsync(options, "shop.cut"))[1];
        await File.WriteAllBytesAsync(PathOf(file), (await File.ReadAllBytesAsync(PathOf(file), Token))[..200], Token);

        var words = $"has 200 bytes, but was committed with {file.File.FileSizeBytes}";
        AssertFound(await VerifyAsync(options, "cut", deep: false), file, words);
        AssertFound(await VerifyAsync(options, "cut", deep: true), file, words);
    }

    [Fact]
    public async Task A_deep_look_finds_a_file_of_the_right_length_that_cannot_be_read_and_reads_the_others()
    {
        var options = await IngestAsync("garbage", Rounds());
        var file = (await FilesAsync(options, "shop.garbage"))[1];
        await File.WriteAllBytesAsync(PathOf(file), new byte[file.File.FileSizeBytes], Token);

        var found = await VerifyAsync(options, "garbage", deep: true);

        AssertFound(found, file, "cannot be read (");
        Assert.Equal(60 - file.Rows, Assert.Single(found.Partitions).Rows);
    }

    [Fact]
    public async Task Columns_of_any_name_do_not_get_into_the_way_of_a_deep_look()
    {
        var options = await IngestAsync(
            "names", Enumerable.Range(0, 20).Select(static i => $$"""{"o":"x{{i}}","n":{{i}},"g":null,"kafka_offset_":{{i}}}"""));
        var found = await VerifyAsync(options, "names", deep: true);
        Assert.True(found.IsProven, string.Join("; ", Findings(found).Select(static finding => finding.Text)));
        Assert.Equal(20, Assert.Single(found.Partitions).Rows);
    }

    [Fact]
    public async Task A_harmed_file_of_the_dead_letter_table_is_found()
    {
        var options = await IngestAsync("letters", Enumerable.Range(0, 20).Select(static i => i == 7 ? "no json" : $$"""{"id":{{i}}}"""));
        var file = Assert.Single(await FilesAsync(options, "shop.letters_dlq"));
        var path = PathOf(file);

        await File.WriteAllBytesAsync(path, new byte[file.File.FileSizeBytes], Token);
        AssertLetters(await VerifyAsync(options, "letters", deep: false), path, "cannot be read (");
        await File.WriteAllBytesAsync(path, new byte[100], Token);
        AssertLetters(await VerifyAsync(options, "letters", deep: false), path, "has 100 bytes");
        File.Delete(path);
        AssertLetters(await VerifyAsync(options, "letters", deep: true), path, "is not there");
    }

    private static void AssertLetters(TableVerification found, string path, string words)
    {
        var finding = Assert.Single(found.Findings);
        Assert.Equal((FindingKind.Missing, 1), (finding.Kind, finding.Count));
        Assert.StartsWith($"a file of the dead-letter table {words}", finding.Text, StringComparison.Ordinal);
        Assert.Contains(path, finding.Text, StringComparison.Ordinal);
    }

    private static void AssertFound(TableVerification found, HeldFile file, string words)
    {
        Assert.False(found.IsProven);
        Assert.False(Assert.Single(found.Partitions).IsProven);
        var finding = Assert.Single(
            Findings(found), finding => finding.Text.Contains(file.File.Path, StringComparison.Ordinal));
        Assert.Contains(words, finding.Text, StringComparison.Ordinal);
        Assert.Equal((FindingKind.Missing, file.Offsets, file.Rows), (finding.Kind, Assert.Single(finding.Offsets), finding.Count));
    }

    private static List<VerifyFinding> Findings(TableVerification found)
        => [.. found.Findings, .. found.Partitions.SelectMany(static partition => partition.Findings)];

    private static async Task<TableVerification> VerifyAsync(FrazilOptions options, string topic, bool deep)
    {
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Token);
        return await new TableVerifier(catalog, options.Kafka).VerifyAsync(
            TableIdentifier.Parse($"shop.{topic}"), deep, cancellationToken: Token);
    }

    /// <summary>Each becomes a file, or several.</summary>
    private static IEnumerable<string>[] Rounds()
        => [.. Enumerable.Range(0, 3).Select(static round => Enumerable.Range(round * 20, 20).Select(static i => $$"""{"id":{{i}}}"""))];

    /// <summary>At least a commit a round.</summary>
    private async Task<FrazilOptions> IngestAsync(string topic, params IEnumerable<string>[] rounds)
    {
        fixture.Cluster.CreateTopic(topic, 1);
        var options = fixture.Options(topic, hot: new() { FlushIntervalSeconds = 0.1 });
        await using var engine = await FrazilEngine.StartAsync(options, EngineFixture.Logs());
        var records = 0;
        foreach (var round in rounds.Select(static values => values.ToList()))
        {
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].CommittedRows == records), "what was read is committed");
            await fixture.ProduceAsync(topic, 0, round);
            records += round.Count;
            await EngineFixture.Eventually(() => Task.FromResult(engine.Tables[0].Records == records), "all records are read");
        }
        return options;
    }

    private static async Task<List<HeldFile>> FilesAsync(FrazilOptions options, string name)
    {
        await using var catalog = await WarehouseCatalog.OpenAsync(options.Catalog, Token);
        var table = await catalog.LoadTableAsync(TableIdentifier.Parse(name), Token);
        var files = await HeldFiles.ReadAsync(table, options.Tables[0].Topics, Token);
        return [.. files.All.OrderBy(static file => file.Offsets!.Value.First)];
    }

    private static string PathOf(HeldFile file) => new Uri(file.File.Path).LocalPath;
}
