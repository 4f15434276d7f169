using Frazil.Cold;
using Frazil.Columnar;
using Frazil.DuckDb;
using Frazil.Schemas;

namespace Frazil.Query;

/// <summary>What one session has been told of tables, so that a view is described anew only when the table's files or schema have changed; the
/// hot rows under it are swapped query by query. Not thread-safe.</summary>
/// <param name="files">What files call their columns themselves.</param>
/// <param name="firstHandle">Of the session's tables; later ones count up.</param>
internal sealed class OfferedTables(FileColumns files, long firstHandle)
{
    private readonly Dictionary<(string Namespace, string Name), KnownTable> known = [];
    private readonly Dictionary<string, string> bareNames = new(SqlNameComparer.Instance);

    /// <summary>What to tell of a table. It counts as told from here on; see <see cref="Forget"/>.</summary>
    /// <exception cref="SqlException">The table cannot be read.</exception>
    public TableOffer Offer(TableBinding binding)
    {
        var table = binding.Table;
        var key = (table.Namespace, table.Name);
        if (!known.TryGetValue(key, out var view))
        {
            known.Add(key, view = new KnownTable(firstHandle + known.Count));
        }
        var fields = view.Name(table);
        var text = view.IsCurrent(table) ? null : view.Describe(table, fields, files);
        var isBareNew = binding.HasBareName && !SqlNameComparer.Instance.Equals(table.Namespace, "main") && bareNames.GetValueOrDefault(table.Name) != view.Text;
        if (isBareNew)
        {
            bareNames[table.Name] = view.Text;
        }
        return new(view.Handle, table.Namespace, table.Name, text, isBareNew ? view.Text : null, fields, table.HotSlices);
    }

    /// <summary>The session may not have taken in what was offered.</summary>
    public void Forget(TableOffer offer)
    {
        if (offer.View is not null)
        {
            known[(offer.Namespace, offer.Name)].Forget();
        }
        if (offer.BareView is not null)
        {
            bareNames.Remove(offer.Name);
        }
    }

    /// <summary>What one view was made of.</summary>
    private sealed class KnownTable(long handle)
    {
        private ColumnFields fields = ColumnFields.Empty;
        private TableInput? made;

        public long Handle => handle;

        /// <summary>The defining query; empty before there is one.</summary>
        public string Text { get; private set; } = "";

        /// <summary>The table's columns as SQL names them.</summary>
        public ColumnFields Name(TableInput table)
            => fields = made is not null && ReferenceEquals(made.Schema, table.Schema) ? fields : SqlNames.Apply(table.Schema);

        public bool IsCurrent(TableInput table) => made is not null
            && made.HotSlices.Count > 0 == table.HotSlices.Count > 0
            && made.Schema.Equals(table.Schema)
            && made.Defaults.Equals(table.Defaults)
            && (ReferenceEquals(made.ColdFiles, table.ColdFiles) || made.ColdFiles.SequenceEqual(table.ColdFiles));

        /// <summary>Remembers the table's shape, not its rows.</summary>
        /// <exception cref="SqlException">The table cannot be read.</exception>
        public string Describe(TableInput table, ColumnFields named, FileColumns files)
        {
            made = null;
            try
            {
                Text = TableViewText.Write(new(table.ToString(), named, table.Defaults, table.ColdFiles), table.HotSlices.Count > 0 ? handle : null, files);
            }
            catch (UnreadableTableException error)
            {
                throw new SqlException(error.Message, null, error);
            }
            made = table with { HotPin = null, HotSlices = [.. table.HotSlices.Take(1).Select(Shape)] };
            return Text;
        }

        public void Forget() => made = null;

        private static BatchSlice Shape(BatchSlice slice) => new() { Schema = slice.Schema, Columns = [], Count = 0 };
    }
}
