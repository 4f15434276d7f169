using Frazil.Kafka;

namespace Frazil.Ingest;

/// <summary>Which worker has which partition: a new one goes to the worker that has the fewest, and stays there until it is given up.
/// Thread-safe.</summary>
internal sealed class PartitionSpread(int workers)
{
    private readonly Lock gate = new();
    private readonly Dictionary<TopicPartition, int> workerOf = [];
    private readonly int[] load = new int[workers];

    public int Of(TopicPartition partition)
    {
        lock (gate)
        {
            if (!workerOf.TryGetValue(partition, out var worker))
            {
                worker = Array.IndexOf(load, load.Min());
                load[worker]++;
                workerOf.Add(partition, worker);
            }
            return worker;
        }
    }

    public void Forget(TopicPartition partition)
    {
        lock (gate)
        {
            if (workerOf.Remove(partition, out var worker))
            {
                load[worker]--;
            }
        }
    }
}
