using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Frazil.Server.Logging;

/// <summary>Log lines for a console: one short line each for people, or one JSON object each for machines. Timestamps are UTC.</summary>
public sealed class ConsoleLog : ILoggerProvider
{
    private readonly TextWriter writer;
    private readonly bool isJson;
    private readonly bool isColoured;
    private readonly TimeProvider time;
    private readonly Lock sync = new();

    private ConsoleLog(TextWriter writer, bool isJson, bool isColoured, TimeProvider time)
        => (this.writer, this.isJson, this.isColoured, this.time) = (writer, isJson, isColoured, time);

    /// <summary>Makes a factory that writes to <paramref name="writer"/>; the caller disposes of it.</summary>
    public static ILoggerFactory CreateFactory(TextWriter writer, LogLevel minimum, bool json, bool coloured, TimeProvider? time = null)
        => LoggerFactory.Create(logging => logging
            .SetMinimumLevel(minimum)
            // Kestrel's own start-up chatter says nothing that ours does not.
            .AddFilter("Microsoft", minimum < LogLevel.Information ? minimum : LogLevel.Warning)
            // A start that fails is told by whoever started it, with what to change.
            .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None)
            .AddProvider(new ConsoleLog(writer, json, coloured, time ?? TimeProvider.System)));

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
    }

    private void Write(
        string category, LogLevel level, EventId id, string message, IReadOnlyList<KeyValuePair<string, object?>>? fields,
        Exception? exception)
    {
        var line = isJson ? FormatJson(category, level, id, message, fields, exception) : FormatText(level, message, exception);
        lock (sync)
        {
            writer.WriteLine(line);
        }
    }

    private string FormatText(LogLevel level, string message, Exception? exception)
    {
        var (name, colour) = level switch
        {
            LogLevel.Trace or LogLevel.Debug => ("debug", "\e[2m"),
            LogLevel.Information => ("info ", "\e[32m"),
            LogLevel.Warning => ("warn ", "\e[33m"),
            _ => ("error", "\e[31m"),
        };
        var line = new StringBuilder(time.GetUtcNow().ToString("HH:mm:ss.fff", CultureInfo.InvariantCulture));
        line.Append(' ').Append(isColoured ? $"{colour}{name}\e[0m" : name).Append(' ').Append(Visible(message));
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            // Many messages quote their exception's already.
            if (!message.Contains(cause.Message, StringComparison.Ordinal))
            {
                line.Append(": ").Append(Visible(cause.Message));
            }
        }
        return line.ToString();
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

    private string FormatJson(
        string category, LogLevel level, EventId id, string message, IReadOnlyList<KeyValuePair<string, object?>>? fields,
        Exception? exception)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("time", time.GetUtcNow().UtcDateTime);
            json.WriteString("level", level.ToString().ToLowerInvariant());
            json.WriteString("category", category);
            json.WriteNumber("event", id.Id);
            json.WriteString("message", message);
            WriteFields(json, fields);
            if (exception is not null)
            {
                json.WriteString("exception", exception.ToString());
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteFields(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>>? fields)
    {
        if (fields is null)
        {
            return;
        }
        json.WriteStartObject("fields");
        foreach (var (name, value) in fields)
        {
            if (name == "{OriginalFormat}")
            {
                continue;
            }
            switch (value)
            {
                case null:
                    json.WriteNull(name);
                    break;
                case long or int or short or byte or uint:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case bool flag:
                    json.WriteBoolean(name, flag);
                    break;
                default:
                    json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }
        json.WriteEndObject();
    }

    private sealed class Category(ConsoleLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => log.Write(
                name, logLevel, eventId, formatter(state, exception), state as IReadOnlyList<KeyValuePair<string, object?>>, exception);
    }
}
