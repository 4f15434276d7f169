using System.Text.RegularExpressions;
using Xunit;

namespace Frazil.Tests;

/// <summary>
/// Who may know whom. Rooms (the folders of src/Frazil) stand in one order; a room knows those above it in the list and nothing below it.
/// What today goes the other way is listed as well, one line each: a line may go, none may come. Seen are using directives and names that
/// begin with Frazil; a file's namespace is its folder.
/// </summary>
public sealed partial class ArchitectureTests
{
    /// <summary>From what knows nobody to what knows everybody. The root (Pipeline, FrazilEngine) stands last.</summary>
    private static readonly string[] Rooms =
    [
        "Faults", "Telemetry", "Kafka", "Schemas", "Formats", "Config", "Hot", "Commit", "Log", "Flush", "Cold", "Query", "Index",
        "Maintain", "DeadLetters", "Verify", "Replay", "Ingest", "",
    ];

    /// <summary>Room, whom it knows against the order, and why it still does.</summary>
    private static readonly (string Room, string Knows, string Because)[] Exceptions =
    [
        ("Cold", "Query", "what a query reads is described where queries are"),
    ];

    /// <summary>The projects below the engine stand alone, but for what is named.</summary>
    private static readonly Dictionary<string, string[]> Projects = new()
    {
        ["Frazil.Iceberg"] = [],
        ["Frazil.Columnar"] = [],
        ["Frazil.DuckDb"] = ["Frazil.Columnar"],
        ["Frazil.Parquet"] = ["Frazil.Columnar"],
        ["Frazil.Iceberg.Sql"] = ["Frazil.Iceberg"],
        ["Frazil"] = ["Frazil.Columnar", "Frazil.DuckDb", "Frazil.Iceberg", "Frazil.Iceberg.Sql", "Frazil.Parquet"],
        ["Frazil.Server"] = ["Frazil"],
    };

    private static readonly string Source = Path.Combine(FindRoot(), "src");

    [Fact]
    public void A_room_knows_only_rooms_before_it_and_todays_exceptions_only_go()
    {
        var against = Files().SelectMany(static file => Known(file).Select(known => (file.Room, Knows: known)))
            .Where(static pair => Array.IndexOf(Rooms, pair.Knows) > Array.IndexOf(Rooms, pair.Room)).ToHashSet();
        var allowed = Exceptions.Select(static one => (one.Room, one.Knows)).ToHashSet();
        var news = against.Except(allowed).Select(static pair => $"{pair.Room} must not know {pair.Knows}");
        var gone = allowed.Except(against).Select(static pair => $"{pair.Room} no longer knows {pair.Knows}: take the exception out");
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
        => Name().Matches(Comment().Replace(file.Text, "")).Select(static match => match.Groups["room"].Value)
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

    [GeneratedRegex("//.*")]
    private static partial Regex Comment();

    [GeneratedRegex("<ProjectReference Include=\"[^\"]*?(?<name>[\\w.]+)[.]csproj")]
    private static partial Regex ProjectReference();
}
