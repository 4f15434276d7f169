using Frazil.Columnar;

namespace Frazil.Hot;

/// <summary>
/// The bytes of native memory that hot rows of all tables may hold (invariant 9). Half of it is guaranteed to the tables in equal shares;
/// the other half is lent to whoever needs it. So a table that cannot flush takes what is free, and never what another one is sure of. At
/// its limit a table is read no further; flushing makes room.
/// </summary>
public sealed class MemoryBudget(long limitBytes)
{
    private readonly Lock gate = new();
    private readonly List<TableMemory> tables = [];

    /// <summary>Every native buffer of every hot chunk is counted here, exactly.</summary>
    public MemoryAccount Account { get; } = new();

    /// <summary>In bytes.</summary>
    public long Limit { get; } = limitBytes;

    /// <summary>Bytes that tables hold above their shares.</summary>
    internal MemoryAccount Lent { get; } = new();

    /// <summary>Bytes that may be lent in all.</summary>
    internal long Lendable { get; } = limitBytes / 2;

    /// <summary>Time to give up what is only kept for speed.</summary>
    public bool IsHalfFull => Account.Bytes >= Limit / 2;

    /// <summary>One table more: every table's share becomes smaller.</summary>
    public TableMemory Join()
    {
        lock (gate)
        {
            var table = new TableMemory(this);
            tables.Add(table);
            Share();
            return table;
        }
    }

    /// <summary>The table is gone. What it still holds counts until it is freed.</summary>
    public void Leave(TableMemory table)
    {
        lock (gate)
        {
            tables.Remove(table);
            Share();
        }
    }

    private void Share()
    {
        foreach (var table in tables)
        {
            table.Account.SetShare((Limit - Lendable) / tables.Count);
        }
    }
}

/// <summary>One table's part of the <see cref="MemoryBudget"/>. Thread-safe.</summary>
public sealed class TableMemory
{
    private const long LeastChunkBytes = 256L << 10;
    private const long MostChunkBytes = 64L << 20;

    private readonly MemoryBudget budget;

    internal TableMemory(MemoryBudget budget)
    {
        this.budget = budget;
        Account = new(budget.Account, budget.Lent);
    }

    /// <summary>What the table's hot chunks hold; part of the budget's account.</summary>
    public MemoryAccount Account { get; }

    /// <summary>Bytes of records after which a chunk of rows ends. Its buffers double when they grow: what one record can add to the
    /// account stays a small part of the table's share.</summary>
    public long ChunkBytes => Math.Clamp(Account.Share / 8, LeastChunkBytes, MostChunkBytes);

    /// <summary>No further record may be appended until memory was freed: the table has its share, and nothing is left to lend.</summary>
    public bool IsFull => budget.Lent.Bytes >= budget.Lendable && Account.Bytes >= Account.Share;

    /// <summary>What the table may hold now, in bytes: its share and what others have not borrowed.</summary>
    public long Allowance
    {
        get
        {
            var mine = Math.Max(0, Account.Bytes - Account.Share);
            return Account.Share + Math.Max(0, budget.Lendable - (budget.Lent.Bytes - mine));
        }
    }

    /// <summary>Little room is left: time to flush.</summary>
    public bool IsUnderPressure => Account.Bytes >= Allowance / 4 * 3;

    /// <summary>Bytes worth a flush that only memory asks for. Under pressure a flush of less would free next to nothing and cost a
    /// snapshot; older flushes that are under way will free more.</summary>
    public long WorthFlushing => Allowance / 4;

    /// <summary>Time to give up what is only kept for speed: this table's room, or everyone's, is half gone.</summary>
    public bool IsHalfFull => Account.Bytes >= Allowance / 2 || budget.IsHalfFull;
}
