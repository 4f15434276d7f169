using System.Text.RegularExpressions;
using Xunit;

namespace Frazil.Tests;

/// <summary>
/// Who may know whom. Rooms (the folders of src/Frazil) stand in one order; a room knows those above it in the list and nothing below it.
/// What rooms know of the root, which stands above them all, is listed as well: a line may go, none may come. Seen are using directives and
/// names that begin with Frazil, and the root's types by their names; a file's namespace is its folder.
/// </summary>
public sealed partial class ArchitectureTests
{
    /// <summary>From what knows nobody to what knows everybody. The root (Pipeline, FrazilEngine) stands last.</summary>
    private static readonly string[] Rooms =
    [
        "Faults", "Telemetry", "Kafka", "Schemas", "Formats", "Config", "Hot", "Commit", "Log", "Flush", "Cold", "Query", "Index",
        "Maintain", "DeadLetters", "Verify", "Replay", "Ingest", "",
    ];

    /// <summary>Types of the root, and the rooms that know them.</summary>
    private static readonly (string Type, string[] Rooms, string Because)[] OfTheRoot =
    [
        ("PipelineFailedException", ["Commit", "Ingest", "Maintain", "Query", "Replay"], "whoever finds that a table cannot go on says so by it"),
        ("WarehouseCatalog", ["Maintain", "Query", "Replay"], "each is also begun by itself, without an engine, from a configuration"),
        ("Pipeline", ["Ingest"], "a source makes the tables that it feeds, and hands them what it reads"),
        ("PipelineShared", ["Ingest"], "and with that, what they share"),
        ("StepRetry", ["Ingest"], "positions are asked for until there is an answer"),
        ("TableStatus", ["Ingest"], "an entry whose tables are not known yet has one as well"),
    ];

    /// <summary>The projects below the engine stand alone, but for what is named.</summary>
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["Frazil.Iceberg"] = [],
        ["Frazil.Columnar"] = [],
        ["Frazil.DuckDb"] = ["Frazil.Columnar"],
        ["Frazil.Parquet"] = ["Frazil.Columnar"],
        ["Frazil.Iceberg.Azure"] = ["Frazil.Iceberg"],
        ["Frazil.Iceberg.Gcs"] = ["Frazil.Iceberg"],
        ["Frazil.Iceberg.S3"] = ["Frazil.Iceberg"],
        ["Frazil.Iceberg.Sql"] = ["Frazil.Iceberg"],
        ["Frazil"] = ["Frazil.Columnar", "Frazil.DuckDb", "Frazil.Iceberg", "Frazil.Iceberg.Azure", "Frazil.Iceberg.Gcs", "Frazil.Iceberg.S3", "Frazil.Iceberg.Sql", "Frazil.Parquet"],
        ["Frazil.Server"] = ["Frazil"],
    };

    private static readonly string Source = Path.Combine(FindRoot(), "src");

    [Fact]
    public void A_room_knows_only_rooms_before_it()
        => Assert.Empty(Files().SelectMany(static file => Known(file).Select(known => (file.Room, Knows: known)))
            .Where(static pair => Array.IndexOf(Rooms, pair.Knows) > Array.IndexOf(Rooms, pair.Room))
            .Select(static pair => $"{pair.Room} must not know {pair.Knows}").Distinct());

    [Fact]
    public void Of_the_root_a_room_knows_only_what_is_listed_and_that_only_gets_less()
    {
        var files = Files().ToList();
        var types = files.Where(static file => file.Room.Length == 0)
            .SelectMany(static file => Declaration().Matches(file.Text).Select(static match => match.Groups["name"].Value)).ToHashSet();
        var known = files.Where(static file => file.Room.Length > 0)
            .SelectMany(file => Word().Matches(file.Code).Select(static match => match.Value).Where(types.Contains).Select(type => (Type: type, file.Room)))
            .ToHashSet();
        var allowed = OfTheRoot.SelectMany(static one => one.Rooms.Select(room => (one.Type, Room: room))).ToHashSet();
        var news = known.Except(allowed).Select(static pair => $"{pair.Room} must not know {pair.Type} of the root");
        var gone = allowed.Except(known).Select(static pair => $"{pair.Room} no longer knows {pair.Type}: take it off the list");
        Assert.Empty(news.Concat(gone).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_room_is_in_the_order_and_every_file_in_the_namespace_of_its_room()
    {
        Assert.Empty(Files().Select(static file => file.Room).Distinct().Except(Rooms));
        Assert.Empty(Files().Where(static file => file.Namespace != $"Frazil.{file.Folder}".TrimEnd('.')).Select(static file => $"{file.Name} is in {file.Namespace}"));
    }

    [Fact]
    public void The_libraries_below_the_engine_stand_alone()
    {
        foreach (var (project, allowed) in Projects)
        {
            var text = File.ReadAllText(Path.Combine(Source, project, $"{project}.csproj"));
            var known = ProjectReference().Matches(text).Select(static match => match.Groups["name"].Value);
            Assert.Empty(known.Except(allowed).Select(name => $"{project} must not refer to {name}"));
        }
    }

    private sealed record SourceFile(string Name, string Folder, string Text)
    {
        /// <summary>The folder right below src/Frazil; empty for the root.</summary>
        public string Room => Folder.Split('.')[0];

        /// <summary>Without its comments.</summary>
        public string Code => Comment().Replace(Text, "");

        public string Namespace => NamespaceLine().Match(Text).Groups["name"].Value;
    }

    private static IEnumerable<SourceFile> Files()
    {
        var root = Path.Combine(Source, "Frazil");
        foreach (var path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            var folder = Path.GetRelativePath(root, Path.GetDirectoryName(path)!).Replace(Path.DirectorySeparatorChar, '.');
            if (folder.Split('.')[0] is not ("obj" or "bin"))
            {
                yield return new(Path.GetRelativePath(root, path), folder == "." ? "" : folder, File.ReadAllText(path));
            }
        }
    }

    /// <summary>The other rooms that a file names. The libraries' namespaces are no rooms.</summary>
    private static IEnumerable<string> Known(SourceFile file)
        => Name().Matches(file.Code).Select(static match => match.Groups["room"].Value)
            .Where(room => Rooms.Contains(room) && room != file.Room).Distinct();

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Frazil.slnx")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("the tests do not run inside the repository");
        }
        return folder.FullName;
    }

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\bFrazil\.(?<room>\w+)")]
    private static partial Regex Name();

    [GeneratedRegex(@"^(?:(?:public|internal|sealed|static|abstract|partial|readonly|unsafe) )*(?:class|record struct|record|struct|interface|enum|delegate) (?<name>\w+)", RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\w+")]
    private static partial Regex Word();

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex("<ProjectReference Include=\"[^\"]*?(?<name>[\\w.]+)[.]csproj")]
    private static partial Regex ProjectReference();
}
