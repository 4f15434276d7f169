using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Frazil.Server.CommandLine;

/// <summary>--help as usual, with examples below: they teach more than a list of options.</summary>
internal sealed class ExamplesHelp(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public static HelpOption CreateOption()
    {
        var help = new HelpOption { Recursive = true };
        help.Action = new ExamplesHelp((HelpAction)help.Action!);
        return help;
    }

    public override int Invoke(ParseResult parseResult)
    {
        var code = usual.Invoke(parseResult);
        if (parseResult.CommandResult.Command is Verb verb)
        {
            var output = parseResult.InvocationConfiguration.Output;
            output.WriteLine("Examples:");
            foreach (var line in verb.Examples.ReplaceLineEndings("\n").Split('\n'))
            {
                output.WriteLine($"  {line}");
            }
            output.WriteLine();
        }
        return code;
    }
}
