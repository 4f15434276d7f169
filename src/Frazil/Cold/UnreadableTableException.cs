namespace Frazil.Cold;

/// <summary>A table, or a data file of it, is of a kind that cannot be read here, or is spoilt; the message says which, and what to do.</summary>
internal sealed class UnreadableTableException(string message, Exception? inner = null) : Exception(message, inner);
