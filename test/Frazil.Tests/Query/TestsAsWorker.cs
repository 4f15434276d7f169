using System.Runtime.CompilerServices;
using Frazil.Query.Workers;

namespace Frazil.Tests.Query;

/// <summary>The program of these tests is a worker where it is started to be one, as any program that uses the library can be.</summary>
internal static class TestsAsWorker
{
    [ModuleInitializer]
    internal static void Begin()
    {
        if (Environment.GetCommandLineArgs() is [_, SqlWorker.Verb])
        {
            Environment.Exit(SqlWorker.RunIfAsked([SqlWorker.Verb])!.Value);
        }
    }
}
