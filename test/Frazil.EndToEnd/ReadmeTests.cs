using System.Text.RegularExpressions;
using Xunit;

namespace Frazil.EndToEnd;

public sealed partial class ReadmeTests
{
    [Fact]
    public void The_library_example_is_the_text_that_these_tests_compile()
    {
        var readme = File.ReadAllText(Repository.PathOf("README.md"));
        var source = File.ReadAllText(Repository.PathOf("test", "Frazil.EndToEnd", "ReadmeExample.cs"));
        var shown = CodeBlock().Match(readme).Groups["code"].Value;

        var compiled = Lines(source.Split("// README\n")[1].Split("// end")[0]);
        var written = Lines(shown).Where(line => !line.StartsWith("using ", StringComparison.Ordinal) || line.Contains("var ")).ToList();

        Assert.NotEmpty(written);
        Assert.Equal(compiled, written);
        Assert.All(["using Frazil;", "using Frazil.Config;", "using Frazil.Query;"], line =>
        {
            Assert.Contains(line, shown);
            Assert.Contains(line, source);
        });
    }

    [Theory]
    [InlineData("README.md")]
    [InlineData("ARCHITECTURE.md")]
    [InlineData("docs/user-guide.md")]
    [InlineData("docs/reliability.md")]
    [InlineData("docs/known-issues.md")]
    [InlineData("docs/benchmarks.md")]
    [InlineData("docs/types.md")]
    public void Links_between_pages_lead_somewhere(string page)
    {
        var path = Repository.PathOf(page);
        var targets = Link().Matches(File.ReadAllText(path)).Select(match => match.Groups["target"].Value)
            .Where(target => !target.Contains("://") && !target.StartsWith('#'));

        Assert.All(targets, target =>
        {
            var file = Path.Combine(Path.GetDirectoryName(path)!, target.Split('#')[0]);
            Assert.True(File.Exists(file) || Directory.Exists(file), $"{page} links to {target}, which is not there");
        });
    }

    private static List<string> Lines(string text) => [.. text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0)];

    [GeneratedRegex("```csharp\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)")]
    private static partial Regex Link();
}
