using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Frazil.Kafka;

/// <summary>
/// The topics whose names match a regular expression, by one engine and one meaning for everything that asks: .NET's, matched in linear
/// time, so without look-around, back references and atomic groups. Names are subscribed to one by one; brokers and librdkafka never see
/// the expression. What Kafka keeps for itself is never among them, and other names that begin with two underscores only where the
/// expression says so with its first characters.
/// </summary>
public sealed class TopicPattern
{
    private const string Hidden = "__";

    private static readonly HashSet<string> KafkasOwn = new(StringComparer.Ordinal)
    {
        "__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata", "__remote_log_metadata",
    };

    private readonly Regex _regex;

    private TopicPattern(string text)
    {
        Text = text;
        _regex = new(text, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    /// <summary>The expression as it was given.</summary>
    public string Text { get; }

    /// <summary>Compiles an expression.</summary>
    /// <exception cref="ArgumentException">It does not begin with <c>^</c>, or is no such expression; says what is wrong with it.</exception>
    public static TopicPattern Parse(string text)
        => TryParse(text, out var pattern, out var problem) ? pattern : throw new ArgumentException($"The topic pattern '{text}' {problem}.", nameof(text));

    /// <summary>Compiles an expression, or says what is wrong with it in words that follow its text.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out TopicPattern? pattern, [NotNullWhen(false)] out string? problem)
    {
        ArgumentNullException.ThrowIfNull(text);
        (pattern, problem) = (null, null);
        if (!text.StartsWith('^'))
        {
            problem = "does not begin with ^";
            return false;
        }
        try
        {
            pattern = new(text);
            return true;
        }
        catch (NotSupportedException)
        {
            problem = "uses look-around, a back reference or an atomic group, which cannot be matched in linear time";
        }
        catch (ArgumentException error)
        {
            problem = $"is not a regular expression: {error.Message}";
        }
        return false;
    }

    /// <summary>Whether the topic is one of those.</summary>
    public bool Selects(string topic)
        => !KafkasOwn.Contains(topic) && (!topic.StartsWith(Hidden, StringComparison.Ordinal) || Text.StartsWith($"^{Hidden}", StringComparison.Ordinal))
            && _regex.IsMatch(topic);

    public override string ToString() => Text;
}
