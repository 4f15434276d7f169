using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Frazil.Server.Logging;

/// <summary>One short line each, for people: time of day (UTC), level, message and what caused it.</summary>
internal sealed class TextLogFormatter(bool isColoured, TimeProvider time) : ConsoleFormatter("frazil-text")
{
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var (name, colour) = logEntry.LogLevel switch
        {
            LogLevel.Trace or LogLevel.Debug => ("debug", "\e[2m"),
            LogLevel.Information => ("info ", "\e[32m"),
            LogLevel.Warning => ("warn ", "\e[33m"),
            _ => ("error", "\e[31m"),
        };
        textWriter.Write(time.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        textWriter.Write(isColoured ? $" {colour}{name}\e[0m " : $" {name} ");
        textWriter.Write(Visible(message));
        for (var cause = logEntry.Exception; cause is not null; cause = cause.InnerException)
        {
            // Many messages quote their exception's already.
            if (!message.Contains(cause.Message, StringComparison.Ordinal))
            {
                textWriter.Write(": ");
                textWriter.Write(Visible(cause.Message));
            }
        }
        textWriter.WriteLine();
    }

    /// <summary>What a record or a client sends may be quoted in a line, and neither end it, nor colour it, nor turn it around.</summary>
    private static string Visible(string text)
    {
        if (!text.Any(IsHidden))
        {
            return text;
        }
        var shown = new StringBuilder(text.Length + 16);
        foreach (var letter in text)
        {
            _ = letter switch
            {
                '\n' => shown.Append("\\n"),
                '\r' => shown.Append("\\r"),
                '\t' => shown.Append("\\t"),
                _ when IsHidden(letter) => shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)letter:x4}"),
                _ => shown.Append(letter),
            };
        }
        return shown.ToString();
    }

    private static bool IsHidden(char letter) => char.GetUnicodeCategory(letter)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
