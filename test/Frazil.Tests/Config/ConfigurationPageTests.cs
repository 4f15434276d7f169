using System.Text;
using Frazil.Config;
using Xunit;

namespace Frazil.Tests.Config;

/// <summary>docs/configuration.md lists every key with its default, range and meaning, word for word as the code has them.</summary>
public sealed class ConfigurationPageTests
{
    [Fact]
    public void The_page_lists_every_key_with_the_default_that_is_in_the_code()
    {
        var page = File.ReadAllText(Path.Combine(FindRoot(), "docs", "configuration.md"));
        var missing = Rows().Where(row => !page.Contains(row, StringComparison.Ordinal)).ToList();
        Assert.True(missing.Count == 0, $"docs/configuration.md lacks these rows:\n{string.Join('\n', missing)}");
    }

    [Fact]
    public void The_page_lists_no_key_that_does_not_exist()
    {
        var rows = Rows().ToHashSet();
        var page = File.ReadAllLines(Path.Combine(FindRoot(), "docs", "configuration.md"));
        var stale = page.Where(line => line.StartsWith("| `", StringComparison.Ordinal) && !rows.Contains(line)).ToList();
        Assert.True(stale.Count == 0, $"docs/configuration.md has rows that the code does not:\n{string.Join('\n', stale)}");
    }

    private static IEnumerable<string> Rows()
    {
        var options = new FrazilOptions();
        var table = new TableOptions { Name = "" };
        return ConfigKeys.All.Select(key => Row(key.Path, key.Read(options), key.Allowed, key.Meaning))
            .Concat(TableKeys.All.Select(key => Row(key.Path, key.Path == "name" ? null : key.Read(table), key.Allowed, key.Meaning)));
    }

    private static string Row(string key, object? value, string allowed, string meaning)
        => new StringBuilder($"| `{key}` | ").Append(value is null ? "–" : $"`{ConfigText.Format(value)}`")
            .Append($" | {allowed} | {meaning} |").ToString();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Frazil.slnx")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("the repository's root is not above the test's folder");
        }
        return folder.FullName;
    }
}
