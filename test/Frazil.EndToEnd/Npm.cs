using Frazil.Rig;
using Xunit;

namespace Frazil.EndToEnd;

/// <summary>Readers from npm's registry. Tests that need one skip themselves where it cannot be had.</summary>
internal static class Npm
{
    /// <summary>Puts packages into a folder, to be used by node started there.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="packages">Each with its version.</param>
    public static async Task InstallAsync(string folder, CancellationToken cancellationToken, params string[] packages)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private": true}""", cancellationToken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(TimeSpan.FromMinutes(3)); // a network that swallows what it is sent is no network
        try
        {
            await Kit.RunInAsync(
                folder, "npm", ["install", .. packages, "--silent", "--no-audit", "--no-fund", "--ignore-scripts"], patience.Token);
        }
        catch (Exception failure) when (failure is InvalidOperationException || !cancellationToken.IsCancellationRequested)
        {
            Assert.Skip($"needs {string.Join(" and ", packages)} from npm: {failure.Message}");
        }
    }
}
