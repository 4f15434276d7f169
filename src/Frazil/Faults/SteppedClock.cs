using System.Globalization;

namespace Frazil.Faults;

/// <summary>The machine's clock, moved by as many seconds as a file says; asked anew each time, so that a test can step it under a running
/// process. Only the wall clock moves: time that was measured goes on as it does when an operator sets a clock.</summary>
internal sealed class SteppedClock(string file) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + Offset();

    private TimeSpan Offset()
    {
        try
        {
            return double.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var seconds)
                ? TimeSpan.FromSeconds(seconds)
                : TimeSpan.Zero;
        }
        catch (FileNotFoundException)
        {
            return TimeSpan.Zero;
        }
    }
}
