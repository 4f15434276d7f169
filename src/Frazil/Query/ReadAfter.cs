using Frazil.Kafka;

namespace Frazil.Query;

/// <summary>Read your writes: waits until every record named is in a hot batch or in the table.</summary>
internal static class ReadAfter
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(2);

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
                + $"({string.Join(", ", tables.Select(static table => table.State.Identifier))})", null);
    }

    private static async Task WaitAsync(QueryTable table, TopicPartition partition, long offset, CancellationToken cancellationToken)
    {
        long? next = null;
        try
        {
            while (true)
            {
                next = Later(next, HotNext(table, partition));
                if (next is not { } hot || hot <= offset)
                {
                    next = Later(next, (await table.State.RefreshAsync(cancellationToken))?.Progress.NextOffset(partition));
                }
                if (next > offset)
                {
                    return;
                }
                await Task.Delay(Poll, cancellationToken);
            }
        }
        catch (OperationCanceledException failure) when (cancellationToken.IsCancellationRequested)
        {
            throw new UnseenRecordException(Explain(table, partition, offset, next), failure, cancellationToken);
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
        var name = table.State.Identifier;
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
