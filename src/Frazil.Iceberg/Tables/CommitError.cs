namespace Frazil.Iceberg;

/// <summary>What an error of a commit means; there is nothing between these.</summary>
public enum CommitError
{
    /// <summary>Nothing happened: another was first. Refresh, re-validate, try again.</summary>
    Conflict,
    /// <summary>Nothing happened, and trying the same again cannot help.</summary>
    Refused,
    /// <summary>It may have happened. Look for it before anything else, never retry blind, delete nothing.</summary>
    Unknown,
}

/// <summary>The one place where errors of <see cref="Catalogs.ICatalog.CommitTableAsync"/> get their meaning.</summary>
public static class CommitErrors
{
    /// <summary>Only what the catalog's contract calls definite is; whatever else was thrown, cancellation included, the swap may have been
    /// made.</summary>
    public static CommitError KindOf(Exception error) => error switch
    {
        CommitConflictException => CommitError.Conflict,
        ValidationException or NoSuchTableException => CommitError.Refused,
        _ => CommitError.Unknown,
    };
}
