using System.Globalization;
using Frazil.Query;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Frazil.Server.Demo;

/// <summary>The demo's screen.</summary>
internal static class DemoView
{
    public static IRenderable Waiting(string what) => new Markup($"[bold]frazil demo[/]  [grey]{Markup.Escape(what)}[/]");

    public static IRenderable Of(DemoSample sample, DemoOptions options, Uri? http, int width)
    {
        var left = options.Duration is { } duration ? $" of {duration.TotalSeconds:0} s" : "";
        List<IRenderable> rows =
        [
            new Markup(string.Create(CultureInfo.InvariantCulture,
                $"[bold]frazil demo[/]  Kafka topic [aqua]{DemoOptions.Topic}[/] → Iceberg table [aqua]{DemoOptions.Table}[/]  [grey]{sample.Elapsed.TotalSeconds:0} s{left}[/]")),
            Figures(sample),
            Union(sample, Math.Clamp(width - 42, 20, 70)),
            Side(Commits(sample), sample.Aggregate is { } aggregate ? Aggregate(aggregate) : Text.Empty, width),
            new Markup(
                $"[grey]{(http is null ? "" : $"console and SQL at [/][link]{http.ToString().TrimEnd('/')}[/][grey]; ")}Ctrl-C ends[/]"),
        ];
        return new Rows(rows.Select(row => new Padder(row, new Padding(0, 0, 0, 1))));
    }

    private static Grid Figures(DemoSample sample)
    {
        var grid = new Grid().AddColumns(5);
        grid.AddRow("[grey]rows/s[/]", "[grey]freshness[/]", "[grey]query time[/]", "[grey]produced[/]", "[grey]state[/]");
        grid.AddRow(
            $"[bold green]{Number((long)sample.RowsPerSecond)}[/]",
            $"[bold green]{DemoReport.Milliseconds(sample.Freshness)}[/]",
            string.Create(CultureInfo.InvariantCulture, $"{sample.QueryTime.TotalMilliseconds:0.0} ms"),
            Number(sample.Produced),
            Markup.Escape(sample.Table.State));
        grid.Columns[0].Width(14);
        grid.Columns[1].Width(14);
        grid.Columns[2].Width(14);
        grid.Columns[3].Width(14);
        return grid;
    }

    /// <summary>One count, two places: what of it is in memory and what Iceberg has.</summary>
    private static Rows Union(DemoSample sample, int width)
    {
        var hot = sample.VisibleRows == 0 ? 0 : (int)Math.Round((double)sample.HotRows / sample.VisibleRows * width);
        var bar = $"[orange1]{new string('█', hot)}[/][deepskyblue3]{new string('█', width - hot)}[/]";
        return new Rows(
            new Markup($"[grey]select count(*) from {DemoOptions.Table}[/]  →  [bold]{Number(sample.VisibleRows)}[/]"),
            new Markup($"{bar}  [orange1]{Number(sample.HotRows)} hot[/] + [deepskyblue3]{Number(sample.ColdRows)} in Iceberg[/]"));
    }

    private static IRenderable Side(IRenderable one, IRenderable other, int width)
        => width < 110 ? new Rows(one, other) : new Columns(one, other) { Expand = false };

    private static Table Commits(DemoSample sample)
    {
        var table = NewTable("commits, as they land").AddColumn("at").AddColumn("snapshot").AddColumn(Right("rows"))
            .AddColumn(Right("in all"));
        foreach (var commit in sample.Commits)
        {
            table.AddRow(
                string.Create(CultureInfo.InvariantCulture, $"{commit.At.TotalSeconds:0.0} s"),
                commit.SnapshotId.ToString(CultureInfo.InvariantCulture),
                $"+{Number(commit.Rows)}",
                Number(commit.TotalRows));
        }
        return table;
    }

    private static Table Aggregate(SqlResult result)
    {
        var table = NewTable("SQL over the last 10 seconds");
        foreach (var column in result.Columns)
        {
            table.AddColumn(column.Name == "event_type" ? new TableColumn(column.Name) : Right(column.Name));
        }
        foreach (var row in result.Rows)
        {
            table.AddRow(Array.ConvertAll(row, value => Markup.Escape(value switch
            {
                null => "",
                string text => text,
                IFormattable number => number.ToString(value is decimal ? "#,0.00" : "#,0", CultureInfo.InvariantCulture),
                _ => value.ToString() ?? "",
            })));
        }
        return table;
    }

    private static Table NewTable(string title)
        => new Table().Border(TableBorder.Rounded).BorderColor(Color.Grey).Title($"[grey]{title}[/]");

    private static TableColumn Right(string name) => new TableColumn(name).RightAligned();

    private static string Number(long value) => value.ToString("#,0", CultureInfo.InvariantCulture);
}
