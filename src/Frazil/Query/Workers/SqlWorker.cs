using System.Reflection;
using System.Runtime.InteropServices;
using Frazil.DuckDb;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>
/// The other process: DuckDB, one statement at a time, for the server that started it. A program whose statements are to run so begins with
/// <see cref="RunIfAsked"/>. Ends when the server does.
/// </summary>
public static class SqlWorker
{
    /// <summary>The only argument of a program that is to be a worker.</summary>
    public const string Verb = "sql-worker";

    internal const int MostSetupBytes = 1 << 24, MostQueryBytes = 1 << 30;

    /// <summary>What starts this program again as a worker: its file, or <c>dotnet</c> with its assembly. Null until it has called
    /// <see cref="RunIfAsked"/>, by which it says that it can be one; nobody else's program is started on a guess.</summary>
    internal static IReadOnlyList<string>? ThisProgram { get; private set; }

    /// <summary>
    /// The first thing that a program does: <c>if (SqlWorker.RunIfAsked(args) is { } code) return code;</c>. Where it was started to be a worker it is
    /// one until the server that started it ends, and what the program does otherwise it must not do. Else it can be started as one from now on.
    /// </summary>
    /// <param name="args">The program's.</param>
    /// <returns>The exit code of a worker; null for the program itself.</returns>
    public static int? RunIfAsked(IReadOnlyList<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        if (args is [Verb])
        {
            return Run();
        }
        ThisProgram = CommandOfThisProgram();
        return null;
    }

    internal static IReadOnlyList<string>? CommandOfThisProgram()
    {
        if (Environment.ProcessPath is not { } running || Path.GetFileNameWithoutExtension(running) != "dotnet")
        {
            return Environment.ProcessPath is { } program ? [program] : null;
        }
        var assembly = Path.Combine(AppContext.BaseDirectory, $"{Assembly.GetEntryAssembly()?.GetName().Name}.dll");
        return File.Exists(assembly) ? [running, assembly] : null;
    }

    /// <summary>Serves the socket that this process was started with, until it is closed.</summary>
    private static int Run()
    {
        if (!OperatingSystem.IsLinux())
        {
            return 2;
        }
        LinuxCalls.EndWithParent();
        try
        {
            using var link = new WorkerLink(WorkerSpawn.SocketDescriptor);
            Serve(link);
        }
        catch (EndOfStreamException)
        {
            // The server has gone, and so do we.
        }
        return 0;
    }

    private static void Serve(WorkerLink link)
    {
        Expect(link, MessageKind.Setup, out var bytes, out var columns);
        EndWithServer(link);
        using var duck = Start(link, link.ReceiveBody(bytes, MostSetupBytes), columns, out var shared);
        using var session = new ExecutorSession(duck, 1);
        while (true)
        {
            Expect(link, MessageKind.Query, out bytes, out var descriptor);
            var query = WorkerQuery.Read(link.ReceiveBody(bytes, MostQueryBytes), descriptor, shared);
            link.Send(MessageKind.Taken, []);
            Answer(link, session, query);
        }
    }

    private static DuckDbInstance Start(WorkerLink link, ByteReader setup, int columns, out SharedColumns shared)
    {
        var said = new ByteWriter();
        try
        {
            var settings = WorkerSettings.Read(setup);
            shared = new SharedColumns(columns, settings.SharedReserve);
            var duck = ExecutorHost.Open(
                new() { Threads = settings.Threads, MemoryLimitMb = settings.MemoryMb, MaxSpillMb = settings.SpillMb, Directories = settings.Directories }, settings.Spill);
            WarmUp(duck);
            ProcessLimits.Set(settings.MemoryMb, settings.SpillMb);
            ProcessLimits.LetFaultsEnd();
            said.Write(SystemCallFilter.TryHoldAll());
            link.Send(MessageKind.Ready, said.Written);
            return duck;
        }
        catch (Exception failure) when (failure is not EndOfStreamException)
        {
            said.Write($"{failure.GetType().Name}: {failure.Message}");
            link.Send(MessageKind.Failed, said.Written);
            throw;
        }
    }

    private static void Answer(WorkerLink link, ExecutorSession session, WorkerQuery query)
    {
        var failure = new ByteWriter();
        using (query.Memory)
        {
            try
            {
                session.Run(query.Sql, query.Tables, new WorkerAnswer(link), query.MaxChunkBytes, CancellationToken.None);
                link.Send(MessageKind.End, []);
                return;
            }
            catch (DuckDbException error)
            {
                failure.Write(error.Kind);
                failure.Write(error.Message);
                failure.Write(error.BytePosition ?? -1);
            }
            catch (OutOfMemoryException)
            {
                failure.Write("Out of Memory");
                failure.Write("The query needs more memory than its process may take. Ask for less, or aggregate.");
                failure.Write(-1);
            }
            catch (SqlException error)
            {
                failure.Write("");
                failure.Write(error.Message);
                failure.Write(-1);
            }
        }
        link.Send(MessageKind.Failed, failure.Written);
    }

    /// <summary>What is loaded and compiled with the first statement, is so before there is one: after that fewer files can be opened.</summary>
    private static void WarmUp(DuckDbInstance duck)
    {
        using var connection = duck.Connect();
        using var result = connection.Stream("SELECT i, i::VARCHAR || ' and so on', [i], {'a': i}, make_timestamp(i) FROM range(3) t(i) ORDER BY i");
        var columns = new ByteWriter();
        ColumnList.Write(columns, result.Columns);
        while (result.NextChunk() is { } chunk)
        {
            using (chunk)
            using (ChunkFrame.Copy(chunk, 1 << 20))
            {
            }
        }
    }

    private static void Expect(WorkerLink link, MessageKind wanted, out long bytes, out int descriptor)
    {
        if (link.ReceiveHead(out bytes, out descriptor) != wanted)
        {
            throw new InvalidOperationException($"the server sent something else than {wanted}");
        }
    }

    /// <summary>A statement may run for long without looking at the socket, and a parent may be gone before <see cref="LinuxCalls.EndWithParent"/>.</summary>
    private static void EndWithServer(WorkerLink link) => new Thread(() => WaitForEnd(link.Descriptor), 256 << 10) { IsBackground = true }.Start();

    private static unsafe void WaitForEnd(int descriptor)
    {
        var entry = new PollEntry { Descriptor = descriptor, Events = HungUp };
        while (Poll(&entry, 1, -1) < 0 && Marshal.GetLastPInvokeError() == Interrupted)
        {
        }
        Exit(0);
    }
}

/// <summary>Hands rows to the server.</summary>
internal sealed class WorkerAnswer(WorkerLink link) : IRowSink
{
    public void Begin(IReadOnlyList<DuckDbColumn> found)
    {
        var columns = new ByteWriter();
        ColumnList.Write(columns, found);
        link.Send(MessageKind.Columns, columns.Written);
    }

    public void Write(ChunkFrame frame, CancellationToken cancellationToken)
    {
        using (frame)
        {
            link.Send(MessageKind.Chunk, frame.Content);
        }
    }
}
