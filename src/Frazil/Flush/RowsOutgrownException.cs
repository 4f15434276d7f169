namespace Frazil.Flush;

/// <summary>Rows were decoded for a looser schema than the table has now: another engine made a column required meanwhile, and they hold a null
/// in it. Writing them again cannot help; read from Kafka again, each is judged by the table as it is.</summary>
internal sealed class RowsOutgrownException(string message, Exception inner) : Exception(message, inner);
