namespace Frazil;

/// <summary>A table's pipeline cannot go on: the message says why and what to do. Its rows stay in Kafka; other tables go on.</summary>
public sealed class PipelineFailedException(string message, Exception? inner = null) : Exception(message, inner);
