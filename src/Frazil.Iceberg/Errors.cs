namespace Frazil.Iceberg;

/// <summary>What an Iceberg operation failed with; the subclasses say what the caller may do next.</summary>
public abstract class IcebergException : Exception
{
    private protected IcebergException(string message, Exception? inner = null) : base(message, inner) { }
}

/// <summary>The request itself is wrong: an impossible type, spec, schema change or property value. Repeating it cannot help.</summary>
public sealed class ValidationException(string message, Exception? inner = null) : IcebergException(message, inner);

/// <summary>A metadata, manifest or Avro file is damaged or uses what this library does not know.</summary>
public sealed class InvalidFormatException(string message, Exception? inner = null) : IcebergException(message, inner);

/// <summary>Definitely not committed: another commit was first, or a requirement no longer holds. Refresh, re-validate, retry.</summary>
public sealed class CommitConflictException(string message, Exception? inner = null) : IcebergException(message, inner);

/// <summary>The answer was lost: the commit may or may not have happened. Look it up before anything else; never retry blind, delete
/// nothing.</summary>
public sealed class CommitStateUnknownException(string message, Exception? inner = null) : IcebergException(message, inner);

/// <summary>The catalog could not be reached or written; definitely nothing was changed.</summary>
public sealed class CatalogUnavailableException(string message, Exception? inner = null) : IcebergException(message, inner);

public sealed class NoSuchTableException(string message, Exception? inner = null) : IcebergException(message, inner);

public sealed class NoSuchNamespaceException(string message, Exception? inner = null) : IcebergException(message, inner);

public sealed class TableAlreadyExistsException(string message, Exception? inner = null) : IcebergException(message, inner);

public sealed class NamespaceAlreadyExistsException(string message, Exception? inner = null) : IcebergException(message, inner);

public sealed class NamespaceNotEmptyException(string message, Exception? inner = null) : IcebergException(message, inner);

/// <summary>The table is not the one any more that it was when it was seen first. What was planned for it must not be carried over.</summary>
public sealed class TableLostException(TableLoss loss, string message, Exception? inner = null) : IcebergException(message, inner)
{
    public TableLoss Loss { get; } = loss;
}

/// <summary>How a table was lost.</summary>
public enum TableLoss
{
    /// <summary>There is none of this name any more.</summary>
    Dropped,
    /// <summary>Another one, with another UUID, has its name.</summary>
    Replaced,
    /// <summary>The catalog keeps answering with an older version: it was restored from a backup, or an older version was registered.</summary>
    WentBack,
}
