using System.Text;
using Frazil.Columnar;
using Frazil.Flush;
using Frazil.Formats.Json;
using Frazil.Iceberg.IO;
using Frazil.Kafka;

namespace Frazil.Bench;

/// <summary>Each stage of the journey alone, in this process, on the same records: what its rows cost in CPU. The sum of the costs is the
/// ceiling that the whole can be held against.</summary>
internal static class StageBench
{
    private const int ChunkRows = 250_000;

    public static async Task RunAsync(BenchRun run, RecordStream stream, CancellationToken cancellationToken)
    {
        var count = run.Records(stream.UsualCount);
        var topic = await run.TopicAsync(stream, count, cancellationToken);
        BenchRun.Say($"the stages alone, {stream.Name} stream");
        var records = await SampleAsync(stream, run.NewFolder("sample"), ChunkRows, cancellationToken);

        var fetch = await FetchAsync(run, stream, topic, cancellationToken);
        var decode = Decode(run, stream, records);
        var parquet = await ParquetAsync(run, stream, records, cancellationToken);
        await AllocationAsync(run, stream, topic, cancellationToken);

        var ceiling = 1 / (fetch + decode + parquet);
        var name = $"stage.{stream.Name}.sum.rows_per_cpu_second";
        run.Figures.Add(name, ceiling, "rows/CPU-s", "one row through fetch, decode and Parquet, each alone: the costs added up");
        run.Figures.AddRatio($"ingest.{stream.Name}.share_of_stages", $"ingest.{stream.Name}.rows_per_cpu_second", name);
    }

    internal static async Task<byte[][]> SampleAsync(RecordStream stream, string folder, int rows, CancellationToken cancellationToken)
    {
        var path = Path.Combine(folder, "records.ndjson");
        await stream.WriteAsync(path, rows, cancellationToken);
        return [.. (await File.ReadAllLinesAsync(path, cancellationToken)).Select(Encoding.UTF8.GetBytes)];
    }

    /// <returns>CPU seconds a row, here and below.</returns>
    private static async Task<double> FetchAsync(BenchRun run, RecordStream stream, Topic topic, CancellationToken cancellationToken)
    {
        var (rows, bytes) = (0L, 0L);
        var (cpu, seconds) = (0.0, 0.0);
        await using (var reader = new TopicReader(topic, "fetch"))
        {
            var meter = new Meter();
            reader.Read(topic.Filled.Records, (in KafkaMessage message) =>
            {
                rows++;
                bytes += message.Value.Length + message.Key.Length;
            }, cancellationToken);
            (cpu, seconds) = meter.Stop();
        }
        run.Figures.Add($"stage.{stream.Name}.fetch.rows_per_cpu_second", rows / cpu, "rows/CPU-s",
            $"consume-batch loop, librdkafka {KafkaConsumer.LibraryVersion}'s threads included; {rows / seconds:N0} rows/s, {bytes / seconds / 1048576:F0} MiB/s, start of the group included");
        return cpu / rows;
    }

    private static double Decode(BenchRun run, RecordStream stream, byte[][] records)
    {
        using var decoder = new JsonDecoder();
        var sizing = ChunkSizing.ForRows(records.Length);
        var best = (Cpu: double.MaxValue, Seconds: 0.0, Allocated: 0L);
        for (var round = 0; round < 6; round++)
        {
            var chunk = new ColumnChunk(stream.Schema, sizing, new MemoryAccount());
            decoder.Bind(chunk, Positions(stream));
            var (allocated, meter) = (GC.GetAllocatedBytesForCurrentThread(), new Meter());
            Fill(decoder, chunk, records);
            var (cpu, seconds) = meter.Stop();
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            best = cpu < best.Cpu ? (cpu, seconds, allocated) : best;
            sizing = chunk.TakeSizing();
            chunk.Unpin();
        }
        run.Figures.Add($"stage.{stream.Name}.decode.rows_per_cpu_second", records.Length / best.Cpu, "rows/CPU-s",
            $"JSON to columns, one thread, {records.Length:N0} rows, best of 6");
        return best.Cpu / records.Length;
    }

    private static async Task<double> ParquetAsync(BenchRun run, RecordStream stream, byte[][] records, CancellationToken cancellationToken)
    {
        using var decoder = new JsonDecoder();
        var chunk = new ColumnChunk(stream.Schema, records.Length, new MemoryAccount());
        decoder.Bind(chunk, Positions(stream));
        Fill(decoder, chunk, records);
        var views = chunk.TakeViews(out var rows);
        await using var writer = new ParquetDataFileWriter();
        var folder = run.NewFolder("parquet");
        var best = (Cpu: double.MaxValue, Seconds: 0.0, Bytes: 0L);
        for (var round = 0; round < 4; round++)
        {
            var meter = new Meter();
            var written = await writer.WriteAsync(new DataFileRequest
            {
                Store = new LocalFileIO(),
                Location = Path.Combine(folder, $"{round}.parquet"),
                Schema = stream.Schema,
                Slices = [new BatchSlice { Schema = stream.Schema, Columns = views, Count = rows }],
            }, cancellationToken);
            var (cpu, seconds) = meter.Stop();
            best = cpu < best.Cpu ? (cpu, seconds, written.FileSizeBytes) : best;
        }
        chunk.Unpin();
        run.Figures.Add($"stage.{stream.Name}.parquet.rows_per_cpu_second", rows / best.Cpu, "rows/CPU-s",
            $"columns to a durable zstd file with statistics, {rows:N0} rows, best of 4, {(double)best.Bytes / rows:F1} B a row");
        return best.Cpu / rows;
    }

    /// <summary>Fetch, decode and append in one thread as the engine does it; counts what the thread allocates on the managed
    /// heap.</summary>
    private static async Task AllocationAsync(BenchRun run, RecordStream stream, Topic topic, CancellationToken cancellationToken)
    {
        var count = Math.Min(topic.Filled.Records, 500_000);
        using var decoder = new JsonDecoder();
        var chunk = new ColumnChunk(stream.Schema, (int)count, new MemoryAccount());
        decoder.Bind(chunk, Positions(stream));
        var (allocated, rows) = (0L, 0L);
        await using (var reader = new TopicReader(topic, "allocation"))
        {
            reader.Read(1, (in KafkaMessage _) => { }, cancellationToken); // the group is joined, the queue is there
            allocated = GC.GetAllocatedBytesForCurrentThread();
            reader.Read(count - 1, (in KafkaMessage message) =>
            {
                if (rows < count && decoder.Decode(message.Value).IsOk)
                {
                    AppendPosition(chunk, message.Partition, message.Offset, message.TimestampMs * 1000);
                    chunk.EndRow();
                    rows++;
                }
            }, cancellationToken);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        }
        chunk.Publish();
        chunk.Unpin();
        run.Figures.Add(
            $"alloc.{stream.Name}.bytes_per_record", (double)allocated / rows, "B",
            $"{allocated:N0} managed bytes for {rows:N0} records on fetch, decode, append");
    }

    internal static int[] Positions(RecordStream stream) => [.. Enumerable.Range(0, stream.Schema.Count - 3)];

    internal static void Fill(JsonDecoder decoder, ColumnChunk chunk, byte[][] records)
    {
        for (var row = 0; row < records.Length; row++)
        {
            var result = decoder.Decode(records[row]);
            if (!result.IsOk)
            {
                throw new InvalidOperationException($"record {row}: {result.Error}");
            }
            AppendPosition(chunk, 0, row, 1_767_225_600_000_000 + row);
            chunk.EndRow();
        }
        chunk.Publish();
    }

    private static void AppendPosition(ColumnChunk chunk, int partition, long offset, long micros)
    {
        var first = chunk.Schema.Count - 3;
        chunk.Column<FixedWriter<int>>(first).Append(partition);
        chunk.Column<FixedWriter<long>>(first + 1).Append(offset);
        chunk.Column<FixedWriter<long>>(first + 2).Append(micros);
    }
}
