using Frazil.Columnar;

namespace Frazil.Query;

/// <summary>What a query tells a session of one table.</summary>
/// <param name="Handle">Under which the session's view reads hot rows; one table's for as long as the session lives.</param>
/// <param name="Namespace">Of the table.</param>
/// <param name="Name">Of the table.</param>
/// <param name="View">The query that is the table; null where the session has it already.</param>
/// <param name="BareView">The same where the table's bare name stands for it too, and the session does not know that yet.</param>
/// <param name="Fields">Of the hot rows, as SQL names them.</param>
/// <param name="Slices">The hot rows.</param>
/// <param name="Pin">Holds them; taken over by the session. Null where the caller holds them.</param>
internal sealed record TableOffer(
    long Handle, string Namespace, string Name, string? View, string? BareView, ColumnFields Fields, IReadOnlyList<BatchSlice> Slices, IDisposable? Pin = null);
