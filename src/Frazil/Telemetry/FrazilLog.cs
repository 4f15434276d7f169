using Microsoft.Extensions.Logging;

namespace Frazil.Telemetry;

/// <summary>Every log line of the engine, in one place. Event ids: 1xx Kafka, 2xx decode, 3xx hot buffer, 4xx flush (42x transaction log),
/// 5xx commit, 6xx query, 7xx maintenance, 8xx process.</summary>
internal static partial class FrazilLog
{
    [LoggerMessage(801, LogLevel.Information, "frazil {Version} started: {Tables} table(s), warehouse {Warehouse}")]
    public static partial void EngineStarted(this ILogger logger, string version, int tables, string warehouse);

    [LoggerMessage(810, LogLevel.Information, "ready: {Address}")]
    public static partial void Serving(this ILogger logger, string address);

    [LoggerMessage(811, LogLevel.Information, "{Signal}: stopping; flushing and committing what is in memory (a second signal ends at once)")]
    public static partial void Stopping(this ILogger logger, string signal);

    [LoggerMessage(812, LogLevel.Information, "stopped; {Rows} rows committed since the start")]
    public static partial void Stopped(this ILogger logger, long rows);

    [LoggerMessage(813, LogLevel.Error, "table {Table} had failed: {Reason}")]
    public static partial void TableHadFailed(this ILogger logger, string table, string reason);

    [LoggerMessage(820, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger logger, Exception exception, string method, string? path);

    [LoggerMessage(101, LogLevel.Warning, "{Table}: Kafka: {Problem}")]
    public static partial void KafkaProblem(this ILogger logger, string table, string problem);

    [LoggerMessage(102, LogLevel.Information, "{Table}: reading {Partition} from offset {Offset}")]
    public static partial void PartitionPositioned(this ILogger logger, string table, string partition, long offset);

    [LoggerMessage(103, LogLevel.Information, "{Table}: gave up {Partition} (lost to another instance: {Lost})")]
    public static partial void PartitionReleased(this ILogger logger, string table, string partition, bool lost);

    [LoggerMessage(104, LogLevel.Error, "{Table}: {Partition}: offsets {First} to {Last} were removed from the log (retention) before they were read; records may have been lost. The gap is recorded in the table with the next commit, reading goes on behind it")]
    public static partial void OffsetsLost(this ILogger logger, string table, string partition, long first, long last);

    [LoggerMessage(105, LogLevel.Warning, "{Table}: partitions are given up before what is buffered of them was committed; their next owner reads it again: {Reason}")]
    public static partial void RevokedUnflushed(this ILogger logger, string table, string reason);

    [LoggerMessage(106, LogLevel.Warning, "{Table}: topic ids cannot be asked for, so a topic that is deleted and recreated is not recognised as another one: {Reason}")]
    public static partial void TopicIdsUnavailable(this ILogger logger, string table, string reason);

    [LoggerMessage(107, LogLevel.Information, "{Table}: whether topic {Topic} is compacted cannot be asked for, so its gaps are recorded as unknown instead of transaction or compaction: {Reason}")]
    public static partial void CleanupPolicyUnavailable(this ILogger logger, string table, string topic, string reason);

    [LoggerMessage(108, LogLevel.Warning, "{Table}: the group fenced this instance; joining it anew in {Seconds} s and reading from where the table is. Another instance of the same name, or brokers that stall, cause this: {Reason}")]
    public static partial void MemberFenced(this ILogger logger, string table, double seconds, string reason);

    [LoggerMessage(401, LogLevel.Warning, "{Table}: {Step} failed, trying again in {Seconds:0.0} s; rows stay in memory and queries go on")]
    public static partial void FlushStepFailed(this ILogger logger, Exception error, string table, string step, double seconds);

    [LoggerMessage(402, LogLevel.Information, "{Table}: flush {FlushId}: {Rows} rows, {Files} files, {DeadLetters} dead letters, snapshot {SnapshotId}, {Milliseconds} ms")]
    public static partial void FlushDone(
        this ILogger logger, string table, string flushId, long rows, int files, long deadLetters, long? snapshotId, long milliseconds);

    [LoggerMessage(403, LogLevel.Warning, "dead letters in {File} cannot be compared with those of {Partition} at offsets {First} to {Last}, so that some may be kept twice: {Fault}")]
    public static partial void LettersUnreadable(this ILogger logger, string file, string fault, string partition, long first, long last);

    [LoggerMessage(421, LogLevel.Information, "{Table}: recovery: table at snapshot {SnapshotId}; log of {Entries} entries ({Damaged} damaged, {Unknown} of an unknown kind); {Unfinished} unfinished flushes: {Found} had been committed, {Files} written files with {Rows} rows committed as they are, {Removed} files removed; everything else is read again from Kafka")]
    public static partial void Recovered(
        this ILogger logger, string table, long? snapshotId, long entries, long damaged, long unknown, int unfinished, int found, int files,
        long rows, int removed);

    [LoggerMessage(422, LogLevel.Warning, "{Table}: recovery could not finish what an earlier run had begun; its files stay for the next start, its rows are read again from Kafka: {Reason}")]
    public static partial void RecoveryPostponed(this ILogger logger, string table, string reason);

    [LoggerMessage(501, LogLevel.Information, "{Table} created: {Schema}, partitioned by {Spec}")]
    public static partial void TableCreated(this ILogger logger, string table, string schema, string spec);

    [LoggerMessage(502, LogLevel.Information, "{Table}: schema {SchemaId} now: {Schema}")]
    public static partial void SchemaEvolved(this ILogger logger, string table, int schemaId, string schema);

    [LoggerMessage(503, LogLevel.Debug, "{Table}: another commit was quicker (attempt {Attempt}): {Reason}")]
    public static partial void CommitConflict(this ILogger logger, string table, int attempt, string reason);

    [LoggerMessage(504, LogLevel.Warning, "{Table}: no answer to the commit of flush {FlushId}; looking whether it happened: {Reason}")]
    public static partial void CommitAnswerLost(this ILogger logger, string table, string flushId, string reason);

    [LoggerMessage(505, LogLevel.Information, "{Table}: the commit of flush {FlushId} had happened: snapshot {SnapshotId}")]
    public static partial void CommitFoundAfterLostAnswer(this ILogger logger, string table, string flushId, long snapshotId);

    [LoggerMessage(506, LogLevel.Warning, "{Table}: {Partition} is fenced: our rows begin at {Expected}, but the table records {Recorded}; another instance wrote them. Dropping ours and reading on from there")]
    public static partial void CommitFenced(this ILogger logger, string table, string partition, long expected, long recorded);

    [LoggerMessage(511, LogLevel.Warning, "{Table}: the rows of flush {FlushId} do not fit the table any more and are read again: {Reason}")]
    public static partial void RowsOutgrown(this ILogger logger, string table, string flushId, string reason);

    [LoggerMessage(507, LogLevel.Warning, "{Table}: snapshot {SnapshotId} is committed, but what is done after a commit failed: {Reason}")]
    public static partial void AfterCommitFailed(this ILogger logger, string table, long snapshotId, string reason);

    [LoggerMessage(508, LogLevel.Warning, "{Table}: whether {Count} files of a commit that did not happen are used cannot be told, so they stay: {Reason}")]
    public static partial void UnusedFilesLeft(this ILogger logger, string table, int count, string reason);

    [LoggerMessage(509, LogLevel.Warning, "{Table}: {Count} files of a commit that did not seem to have happened are named by the table, so they stay")]
    public static partial void FilesInUse(this ILogger logger, string table, int count);

    [LoggerMessage(510, LogLevel.Warning, "{What}. Progress is put back to where the rows end (on_rollback), records after it are read again")]
    public static partial void ReadingAgain(this ILogger logger, string what);

    [LoggerMessage(601, LogLevel.Information, "SQL runs in processes of its own, {Count} at a time, {MemoryMb} MB each; Landlock {Landlock} (0: none), seccomp {HasFilter}")]
    public static partial void WorkersStarted(this ILogger logger, int count, int memoryMb, int landlock, bool hasFilter);

    [LoggerMessage(602, LogLevel.Warning, "the SQL worker {Process} ended under a query: {Reason}")]
    public static partial void WorkerEnded(this ILogger logger, int process, string reason);

    [LoggerMessage(603, LogLevel.Error, "no SQL worker starts, queries wait or fail: {Reason}. Where none can start on this machine, sql.isolation = \"in_process\" runs SQL in this process, where a statement can end it")]
    public static partial void WorkerDoesNotStart(this ILogger logger, string reason);

    [LoggerMessage(604, LogLevel.Warning, "SQL runs in this process, and a statement can end it: {Reason}. sql.isolation = \"in_process\" says that this is meant")]
    public static partial void WorkersUnavailable(this ILogger logger, string reason);

    [LoggerMessage(605, LogLevel.Warning, "SQL runs in processes of its own, but this kernel has {Missing}: a statement that takes over its process can do more there than docs/security.md says")]
    public static partial void WorkersNotConfined(this ILogger logger, string missing);

    [LoggerMessage(710, LogLevel.Information, "{Table}: replayed {Partition} offsets {First} to {Last}: {Added} rows in the place of {Removed}, snapshot {SnapshotId}")]
    public static partial void ReplayDone(
        this ILogger logger, string table, string partition, long first, long last, long added, long removed, long? snapshotId);

    [LoggerMessage(802, LogLevel.Error, "{Table} stopped: {Reason}")]
    public static partial void PipelineFailed(this ILogger logger, Exception? error, string table, string reason);

    [LoggerMessage(805, LogLevel.Error, "{Table}: {Step} has failed for {Seconds} s, nothing is committed: {Reason}")]
    public static partial void TableCannotCommit(this ILogger logger, Exception error, string table, string step, long seconds, string reason);

    [LoggerMessage(806, LogLevel.Error, "{Table}: {Step} gives no answer, nothing is committed: {What}")]
    public static partial void StepHangs(this ILogger logger, string table, string step, string what);

    [LoggerMessage(807, LogLevel.Warning, "{Table}: {Partition} is paused at offset {Offset}, the table takes no more just now; others of its source go on")]
    public static partial void LaneDetached(this ILogger logger, string table, string partition, long offset);

    [LoggerMessage(808, LogLevel.Information, "{Table}: {Partition} goes on at offset {Offset}")]
    public static partial void LaneAttached(this ILogger logger, string table, string partition, long offset);

    [LoggerMessage(809, LogLevel.Error, "topic {Topic} is not read: its table would be {Table}, which is no name of a table or another one's")]
    public static partial void TopicWithoutTable(this ILogger logger, string topic, string table);

    [LoggerMessage(803, LogLevel.Error, "{Table}: stopped with {Records} records that could not be committed ({Reason}); they are read again at the next start")]
    public static partial void StoppedUnflushed(this ILogger logger, string table, long records, string reason);

    [LoggerMessage(804, LogLevel.Information, "frazil stopped")]
    public static partial void EngineStopped(this ILogger logger);
}
