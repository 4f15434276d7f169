using System.Diagnostics.Metrics;

namespace Frazil.Telemetry;

/// <summary>The histograms that the stages of all tables of an engine record into, in seconds.</summary>
internal sealed record StageTimes(Histogram<double> Freshness, Histogram<double> Flush, Histogram<double> Commit, TimeProvider Clock)
{
    public const string TableLabel = "table";
}
