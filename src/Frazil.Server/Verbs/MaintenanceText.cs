using System.Text.Json;
using Frazil.Maintain;
using Frazil.Server.Output;

namespace Frazil.Server.Verbs;

/// <summary>What a compaction did, for people and for machines.</summary>
internal static class MaintenanceText
{
    private const int MostLeftShown = 20;

    public static void Write(TextWriter text, CompactionCounts counts, bool isDryRun)
    {
        var would = isDryRun ? "would be " : "";
        var outBytes = isDryRun ? "" : $" ({new Bytes(counts.BytesOut)})";
        text.WriteLine(counts.FilesIn == 0
            ? "  data files             nothing to compact"
            : $"  data files             {counts.FilesIn} ({new Bytes(counts.BytesIn)}) {would}compacted into {(isDryRun ? "about " : "")}{counts.FilesOut}{outBytes}");
        if (counts.RowsDeleted > 0)
        {
            text.WriteLine($"  deleted rows           {counts.RowsDeleted} applied");
        }
        if (counts.DeleteFilesRemoved > 0)
        {
            text.WriteLine($"  delete files           {counts.DeleteFilesRemoved} {would}removed: they apply to nothing any more");
        }
        if (counts.FilesRest > 0)
        {
            text.WriteLine($"  for the next run       {counts.FilesRest} files ({new Bytes(counts.BytesRest)})");
        }
        if (counts.Left.Count > 0)
        {
            text.WriteLine($"  left as they are       {counts.Left.Count}");
        }
        foreach (var file in counts.Left.Take(MostLeftShown))
        {
            text.WriteLine($"    {file}");
        }
    }

    public static void Write(Utf8JsonWriter json, CompactionCounts counts)
    {
        json.WriteStartObject("compaction");
        json.WriteNumber("files_in", counts.FilesIn);
        json.WriteNumber("bytes_in", counts.BytesIn);
        json.WriteNumber("files_out", counts.FilesOut);
        json.WriteNumber("bytes_out", counts.BytesOut);
        json.WriteNumber("rows_deleted", counts.RowsDeleted);
        json.WriteNumber("delete_files_removed", counts.DeleteFilesRemoved);
        json.WriteNumber("commits", counts.Commits);
        json.WriteNumber("files_rest", counts.FilesRest);
        json.WriteNumber("bytes_rest", counts.BytesRest);
        json.WriteStartArray("left");
        foreach (var file in counts.Left)
        {
            json.WriteStringValue(file);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
