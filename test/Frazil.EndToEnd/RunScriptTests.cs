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
        Assert.All(["build", "demo", "frazil", "test", "crash", "bench", "publish", "fmt"], verb => Assert.Contains($"  {verb} ", text));
    }

    [Fact]
    public async Task An_unknown_verb_is_refused_with_the_list_of_verbs()
    {
        var (code, text) = await RunAsync("frobnicate");

        Assert.Equal(2, code);
        Assert.Contains("no such verb: frobnicate", text);
        Assert.Contains("./run VERB", text);
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
