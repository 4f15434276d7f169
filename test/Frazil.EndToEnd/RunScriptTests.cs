using System.Diagnostics;
using Xunit;

namespace Frazil.EndToEnd;

public sealed class RunScriptTests
{
    [Fact]
    public async Task Help_names_every_verb()
    {
        var (code, text) = await RunAsync("help");

        Assert.Equal(0, code);
        Assert.All(["build", "demo", "frazil", "test", "crash", "fuzz-sql", "bench", "publish", "pack", "fmt"], verb => Assert.Contains($"  {verb} ", text));
    }

    [Fact]
    public async Task An_unknown_verb_is_refused_with_the_list_of_verbs()
    {
        var (code, text) = await RunAsync("frobnicate");

        Assert.Equal(2, code);
        Assert.Contains("no such verb: frobnicate", text);
        Assert.Contains("./run VERB", text);
    }

    /// <summary>A mutant whose place has moved would break nothing, and so prove nothing.</summary>
    [Fact]
    public async Task Every_mutant_finds_what_it_breaks()
    {
        Assert.SkipUnless(Path.Exists("/usr/bin/perl"), "there is no perl to make mutants with");
        var (code, text) = await RunAsync("mutants", "--check");

        Assert.True(code == 0, text);
        Assert.Contains("0 stale mutants", text);
    }

    private static async Task<(int Code, string Text)> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(
            Repository.PathOf("run"), arguments)
        { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output + await error);
    }
}
