using System.Globalization;
using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using static Frazil.Query.Workers.LinuxCalls;

namespace Frazil.Query.Workers;

/// <summary>One worker, as the server sees it. Takes one statement at a time; nothing that it says is believed. Dispose kills it.</summary>
internal sealed unsafe class WorkerProcess : IDisposable
{
    private const int MostColumnBytes = 1 << 24, MostErrorBytes = 1 << 20;
    private readonly WorkerLink link;
    private readonly SpillFolder? spill;
    private SpawnedProcess? process;

    private WorkerProcess(WorkerLink link, SpillFolder? spill) => (this.link, this.spill) = (link, spill);

    /// <summary>What it has been told of tables.</summary>
    public required OfferedTables Tables { get; init; }

    /// <summary>Its number.</summary>
    public int Id => process?.Id ?? 0;

    /// <summary>Only files that it was given.</summary>
    public bool IsConfined { get; private init; }

    /// <summary>Only harmless system calls.</summary>
    public bool HasFilter { get; private set; }

    /// <summary>When it last had a statement.</summary>
    public long IdleSince { get; set; }

    /// <summary>Its last answer has come to its end, or to a reason why there is none: nothing of it can be taken for the next one.</summary>
    public bool IsDone { get; private set; } = true;

    /// <summary>Completes when it has ended.</summary>
    public Task Ended => process?.Ended ?? Task.CompletedTask;

    /// <summary>It waits for a statement, and would get it.</summary>
    public bool IsAlive => !link.IsBroken;

    /// <summary>Starts one; it is ready after <see cref="WaitUntilReady"/>.</summary>
    /// <exception cref="IOException">It does not start.</exception>
    public static WorkerProcess Start(SqlExecutorOptions options, IReadOnlyList<string> command, FileColumns files)
    {
        var link = WorkerLink.Create(out var other);
        var spill = options.SpillDirectory is { } folder ? SpillFolder.TryCreate(folder) : null;
        using var confinement = Confine(options, command, spill);
        var worker = new WorkerProcess(link, spill) { Tables = new(files, firstHandle: 1), IsConfined = confinement is not null };
        try
        {
            worker.process = WorkerSpawn.Start([.. command, SqlWorker.Verb], other, confinement);
            PreferToEnd(worker.Id);
            worker.SetUp(options);
            return worker;
        }
        catch (EndOfStreamException failure)
        {
            worker.Dispose();
            throw new IOException($"A SQL worker did not start: {worker.DescribeEnd()}.", failure);
        }
        catch
        {
            worker.Dispose();
            throw;
        }
        finally
        {
            _ = Close(other);
        }
    }

    /// <exception cref="IOException">It has ended instead.</exception>
    public void WaitUntilReady()
    {
        try
        {
            var kind = Receive(out var bytes);
            var said = link.ReceiveBody(bytes, MostErrorBytes);
            HasFilter = kind == MessageKind.Ready ? said.ReadFlag() : throw new IOException($"A SQL worker did not start: {said.ReadText()}");
        }
        catch (EndOfStreamException failure)
        {
            throw new IOException($"A SQL worker did not start: {DescribeEnd()}.", failure);
        }
    }

    /// <summary>Sends the statement and hands its rows on.</summary>
    /// <exception cref="DuckDbException">The statement failed, as the worker says.</exception>
    /// <exception cref="WorkerEndedException">The worker has gone.</exception>
    public void Run(WorkerRequest request, IRowSink rows, CancellationToken cancellationToken)
    {
        using var stop = cancellationToken.UnsafeRegister(static worker => ((WorkerProcess)worker!).Kill(), this);
        var isTaken = false;
        IsDone = false;
        try
        {
            link.Send(MessageKind.Query, request.Message.Written, request.Hot.Descriptor);
            request.Dispose();
            isTaken = Receive(out var nothing) == MessageKind.Taken && nothing == 0 ? true : throw NoAnswer();
            while (TakeAnswer(rows, request.MaxChunkBytes, cancellationToken))
            {
            }
        }
        catch (EndOfStreamException failure)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new WorkerEndedException(DescribeEnd(), failure) { IsOfStatement = isTaken };
        }
    }

    /// <summary>It gets no statement any more.</summary>
    public void Spoil() => IsDone = false;

    /// <summary>Ends it at once, whatever it does. Thread-safe.</summary>
    public void Kill() => process?.Kill();

    public void Dispose()
    {
        Kill();
        link.Dispose();
        _ = Task.Run(() =>
        {
            process?.WaitForEnd();
            spill?.Dispose();
        });
    }

    private void SetUp(SqlExecutorOptions options)
    {
        var setup = new ByteWriter();
        var directories = options.Directories.Select(Path.GetFullPath);
        var reserve = NativeBlocks.SharedReserve;
        new WorkerSettings(WorkerSettings.ThisBuild, options.Threads, options.WorkerMemoryMb, spill?.Path, options.WorkerSpillMb, reserve, [.. directories]).Write(setup);
        var columns = reserve > 0 ? NativeBlocks.OpenShared() : -1;
        try
        {
            link.Send(MessageKind.Setup, setup.Written, columns);
        }
        finally
        {
            _ = columns >= 0 ? Close(columns) : 0;
        }
    }

    /// <returns>False after the last message of an answer.</returns>
    private bool TakeAnswer(IRowSink rows, long maxChunkBytes, CancellationToken cancellationToken)
    {
        switch (Receive(out var bytes))
        {
            case MessageKind.Columns:
                rows.Begin(ColumnList.Read(link.ReceiveBody(bytes, MostColumnBytes)));
                return true;
            case MessageKind.Chunk when bytes >= sizeof(long) && bytes <= maxChunkBytes:
                rows.Write(ChunkFrame.Receive(bytes, link.Receive), cancellationToken);
                return true;
            case MessageKind.End when bytes == 0:
                IsDone = true;
                return false;
            case MessageKind.Failed:
                var error = link.ReceiveBody(bytes, MostErrorBytes);
                var (kind, message, position) = (error.ReadText(), error.ReadText(), error.ReadInt());
                IsDone = true;
                throw new DuckDbException(message, kind, position < 0 ? null : position);
            default:
                throw NoAnswer();
        }
    }

    private static WorkerEndedException NoAnswer() => new("it sent what is no answer", null);

    private MessageKind Receive(out long bytes)
    {
        var kind = link.ReceiveHead(out bytes, out var descriptor);
        if (descriptor >= 0)
        {
            _ = Close(descriptor); // none was asked for
        }
        return kind;
    }

    /// <summary>How it ended, in words; ends it where it has not.</summary>
    private string DescribeEnd()
    {
        Kill();
        var status = process?.WaitForEnd() ?? 0;
        var signal = status & 0x7f;
        return signal switch
        {
            0 => string.Create(CultureInfo.InvariantCulture, $"it ended with exit code {(status >> 8) & 0xff}"),
            4 or 6 or 7 or 8 or 11 => string.Create(CultureInfo.InvariantCulture, $"a fault ended it (signal {signal})"),
            _ => string.Create(CultureInfo.InvariantCulture, $"it was ended (signal {signal})"),
        };
    }

    private static WorkerConfinement? Confine(SqlExecutorOptions options, IReadOnlyList<string> command, SpillFolder? spill)
    {
        var confinement = WorkerConfinement.TryCreate();
        if (confinement is null)
        {
            return null;
        }
        foreach (var path in WorkerFiles.ToRead(command).Concat(options.Directories.Select(Path.GetFullPath)))
        {
            confinement.AllowReading(path);
        }
        confinement.AllowDevice("/dev/null");
        if (spill is not null)
        {
            confinement.AllowAll(spill.Path);
        }
        return confinement;
    }

    /// <summary>Where the machine runs out of memory, it goes before anything else does.</summary>
    private static void PreferToEnd(int process)
    {
        try
        {
            File.WriteAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/oom_score_adj"), "1000");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // No /proc here: its own limit holds it still.
        }
    }
}

/// <summary>A statement on its way to a worker. Dispose lets go of the hot rows' copy.</summary>
/// <param name="Message">What is sent.</param>
/// <param name="Hot">What goes with it.</param>
/// <param name="MaxChunkBytes">That the values of a chunk may take.</param>
internal sealed record WorkerRequest(ByteWriter Message, HotCopy Hot, long MaxChunkBytes) : IDisposable
{
    public void Dispose() => Hot.Dispose();
}

/// <summary>A worker is gone, and the answer with it.</summary>
/// <param name="how">It ended.</param>
/// <param name="inner">What was seen of it.</param>
internal sealed class WorkerEndedException(string how, Exception? inner) : Exception(how, inner)
{
    /// <summary>It had begun with the statement; another worker could meet the same end.</summary>
    public bool IsOfStatement { get; init; } = true;
}
