using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Frazil.Server.Logging;

/// <summary>Where log lines go. To the console through ASP.NET's logging, whose own thread writes them: a consumer thread that has something
/// to say never waits for who reads it.</summary>
public static class ConsoleLog
{
    /// <summary>Lines that may wait for the console. Past it they are dropped, and their number is told.</summary>
    private const int LongestQueue = 10_000;

    /// <summary>Makes a factory that writes to <paramref name="writer"/>; the caller disposes it, which writes out what waits. Any other writer
    /// than the console's is written to at once.</summary>
    public static ILoggerFactory CreateFactory(TextWriter writer, LogLevel minimum, bool json, bool coloured, TimeProvider? time = null)
        => LoggerFactory.Create(logging =>
        {
            logging.SetMinimumLevel(minimum)
                // Kestrel's own start-up chatter says nothing that ours does not.
                .AddFilter("Microsoft", minimum < LogLevel.Information ? minimum : LogLevel.Warning)
                // A start that fails is told by whoever started it, with what to change.
                .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
            ConsoleFormatter formatter = json ? new JsonLogFormatter(time ?? TimeProvider.System)
                : new TextLogFormatter(coloured, time ?? TimeProvider.System);
            if (ReferenceEquals(writer, Console.Error))
            {
                AddConsole(logging, formatter);
            }
            else
            {
                logging.AddProvider(new WriterLog(writer, formatter));
            }
        });

    private static void AddConsole(ILoggingBuilder logging, ConsoleFormatter formatter)
    {
        logging.AddConsole(console =>
        {
            console.FormatterName = formatter.Name;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
            console.MaxQueueLength = LongestQueue;
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
        logging.Services.AddSingleton(formatter);
    }

    /// <summary>The same lines for a file, or for a test.</summary>
    private sealed class WriterLog(TextWriter writer, ConsoleFormatter formatter) : ILoggerProvider
    {
        private readonly Lock sync = new();

        public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

        public void Dispose()
        {
        }

        private void Write<TState>(in LogEntry<TState> entry)
        {
            using var formatted = new StringWriter();
            formatter.Write(entry, null, formatted);
            var line = formatted.ToString().TrimEnd('\r', '\n'); // the writer ends lines as it likes
            lock (sync)
            {
                writer.WriteLine(line);
            }
        }

        private sealed class Category(WriterLog log, string name) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

            public void Log<TState>(
                LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
                => log.Write(new LogEntry<TState>(logLevel, name, eventId, state, exception, formatter));
        }
    }
}
