using Frazil.Kafka;

namespace Frazil.Query;

/// <summary>Read your writes: waits until every record named is in a hot batch or in the table.</summary>
internal static class ReadAfter
{
    /// <summary>The catalog is asked again for what another process may have committed; what this one reads it is told of.</summary>
    private static readonly TimeSpan FirstCatalogWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestCatalogWait = TimeSpan.FromMilliseconds(500);

    /// <param name="records">Topic → partition → offset; null for none.</param>
    /// <param name="tables">Those of the query.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="SqlException">A topic feeds none of the tables.</exception>
    /// <exception cref="UnseenRecordException">Cancelled while a record was waited for; says which.</exception>
    public static async Task WaitAsync(
        IReadOnlyDictionary<string, IReadOnlyDictionary<int, long>>? records, IReadOnlyList<QueryTable> tables,
        CancellationToken cancellationToken)
    {
        foreach (var (topic, partitions) in records ?? new Dictionary<string, IReadOnlyDictionary<int, long>>())
        {
            var fed = await FedByAsync(topic, tables, cancellationToken);
            foreach (var (partition, offset) in partitions)
            {
                foreach (var table in fed)
                {
                    await WaitAsync(table, new(topic, partition), offset, cancellationToken);
                }
            }
        }
    }

    private static async Task<List<QueryTable>> FedByAsync(
        string topic, IReadOnlyList<QueryTable> tables, CancellationToken cancellationToken)
    {
        var fed = new List<QueryTable>();
        foreach (var table in tables)
        {
            if (await table.IsFedByAsync(topic, cancellationToken))
            {
                fed.Add(table);
            }
        }
        return fed.Count > 0
            ? fed
            : throw new SqlException(
                $"read_after names the topic {topic}, from which no table of this query is fed "
                + $"({string.Join(", ", tables.Select(static table => table.Identifier))})", null);
    }

    private static async Task WaitAsync(QueryTable table, TopicPartition partition, long offset, CancellationToken cancellationToken)
    {
        long? next = null;
        try
        {
            for (var wait = TimeSpan.Zero; ; wait = NextWait(wait)) // at once the first time: the record may have left the memory
            {
                using var untilCatalog = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var isTime = Task.Delay(wait, untilCatalog.Token);
                next = Later(next, await HotNextAsync(table, partition, offset, isTime));
                if (next is not { } seen || seen <= offset)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    next = Later(next, (await table.Lake.RefreshAsync(cancellationToken))?.Progress.NextOffset(partition));
                }
                await untilCatalog.CancelAsync();
                if (next > offset)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException failure) when (cancellationToken.IsCancellationRequested)
        {
            throw new UnseenRecordException(Explain(table, partition, offset, next), failure, cancellationToken);
        }
    }

    private static TimeSpan NextWait(TimeSpan wait)
        => wait == TimeSpan.Zero ? FirstCatalogWait : wait * 2 < LongestCatalogWait ? wait * 2 : LongestCatalogWait;

    /// <summary>Looks at each change of what is in memory, until the record is there or it is time to ask the catalog.</summary>
    private static async Task<long?> HotNextAsync(QueryTable table, TopicPartition partition, long offset, Task isTime)
    {
        while (true)
        {
            var changed = table.Hot?.Published.Next() ?? isTime;
            var next = HotNext(table, partition);
            if (next > offset || isTime.IsCompleted)
            {
                return next;
            }
            await Task.WhenAny(changed, isTime);
        }
    }

    /// <summary>The offset after the last record of the partition in memory; null where there is none.</summary>
    private static long? HotNext(QueryTable table, TopicPartition partition)
    {
        long? next = null;
        foreach (var batch in table.Hot?.Batches ?? [])
        {
            if (batch.Partition == partition && !batch.IsDropped)
            {
                next = Later(next, batch.NextOffset);
            }
        }
        return next;
    }

    private static long? Later(long? one, long? other) => one is null || other > one ? other : one;

    private static string Explain(QueryTable table, TopicPartition partition, long offset, long? next)
    {
        var name = table.Identifier;
        var asked = $"offset {offset} of partition {partition.Partition} of the topic {partition.Topic}, which read_after asks for, was "
            + $"not visible in {name}";
        return next > 0
            ? $"{asked}: it is visible up to offset {next - 1}. Give the query a longer timeout_ms, or see the table's lag at /v1/tables"
            : $"{asked}: nothing of this partition is. See that the topic has the partition and that {name} is running (/v1/tables), or "
                + "give the query a longer timeout_ms";
    }
}

/// <summary>The time was up before a record that is waited for became visible.</summary>
internal sealed class UnseenRecordException(string message, Exception inner, CancellationToken cancellationToken)
    : OperationCanceledException(message, inner, cancellationToken);
