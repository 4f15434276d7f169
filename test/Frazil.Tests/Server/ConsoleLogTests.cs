using Frazil.Server.Logging;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Frazil.Tests.Server;

public sealed class ConsoleLogTests
{
    [Theory]
    [InlineData("a\n12:00:00.000 info  forged", "a\\n12:00:00.000 info  forged")]
    [InlineData("\r\t\e[2Jx\u202E", "\\r\\t\\u001b[2Jx\\u202e")]
    [InlineData("\u0085\u2028 zoë 漢 😀", "\\u0085\\u2028 zoë 漢 😀")]
    public void What_a_record_is_called_neither_forges_a_line_nor_steers_the_terminal(string name, string shown)
    {
        var output = new StringWriter();
        using (var loggers = ConsoleLog.CreateFactory(output, LogLevel.Information, json: false, coloured: false))
        {
#pragma warning disable CA1848, CA1873, CA2254 // not the place to be quick
            loggers.CreateLogger("x").LogWarning(new InvalidOperationException($"because of {name}"), $"field {name}");
#pragma warning restore CA1848, CA1873, CA2254
        }
        var line = Assert.Single(output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.EndsWith($"field {shown}: because of {shown}", line, StringComparison.Ordinal);
    }
}
