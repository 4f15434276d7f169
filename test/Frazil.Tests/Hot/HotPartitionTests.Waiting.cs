using Frazil.Config;
using Frazil.Formats;
using Frazil.Hot;
using Xunit;

namespace Frazil.Tests.Hot;

/// <summary>Records that wait: for the table that is made from them, or for a schema that must be fetched.</summary>
public sealed partial class HotPartitionTests
{
    [Theory]
    [InlineData(null, "null_value", "tombstone")]
    [InlineData("", "empty", "the value is empty")]
    [InlineData("  ", "empty", "only white space")]
    [InlineData("not json", "syntax", "byte 0")]
    [InlineData("{\"id\":\"x\"}", "wrong_type", "field id (byte 6): expected an integer")]
    [InlineData("{\"a\":1,\"a\":2}", "duplicate_field", "field a (byte 7)")]
    [InlineData("{\"kafka_offset\":1}", "reserved_field", "kafka_offset")]
    public void A_record_before_there_is_a_table_is_refused_with_the_code_and_words_of_any_other(string? value, string code, string words)
    {
        foreach (var hasTable in (bool[])[false, true])
        {
            var partition = Open(0, OnBadRecord.Fail, hasTable);
            partition.BeginRun();
            try
            {
                var error = Assert.Throws<BadRecordException>(() => AppendOne(partition, 0, value));
                Assert.Contains($"({code})", error.Message, StringComparison.Ordinal);
                Assert.Contains(words, error.Message, StringComparison.Ordinal);
            }
            finally
            {
                partition.EndRun();
            }
        }
    }

    [Theory]
    [InlineData("{\"id\":1}")]
    [InlineData("{\"id\":1,\"new\":true}")]
    public void A_sound_record_before_there_is_a_table_asks_for_one(string value)
    {
        var partition = Open(0, hasTable: false);
        partition.BeginRun();
        Assert.Equal(AppendStatus.Waits, AppendOne(partition, 0, value));
        partition.EndRun();
        Assert.Null(partition.Seal());
    }

    [Fact]
    public async Task A_record_whose_schema_is_missing_waits_and_is_judged_once_it_has_come()
    {
        var format = new NumberedFormat();
        var partition = Open(0, format: format);
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 0, """7{"id":1}"""));
        Assert.Null(partition.Seal());

        var need = partition.TakeNeed();
        Assert.Equal((new SchemaReference("7"), true), (need.Missing, need.IsComplete));
        partition.Answer(0, await format.LoadSchemaAsync(need.Missing!, TestContext.Current.CancellationToken));

        Assert.Equal(AppendStatus.Row, RunOne(partition, 0, """7{"id":1}"""));
        Assert.Equal(AppendStatus.Row, RunOne(partition, 1, """7{"id":2}"""));
        Assert.Equal(2, partition.Seal()!.RowCount);
    }

    [Fact]
    public void A_record_of_a_schema_that_nobody_knows_is_a_dead_letter_and_those_behind_it_go_on()
    {
        var format = new NumberedFormat("8");
        var partition = Open(0, format: format);
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 0, """7{"id":1}"""));
        partition.Answer(0, new(DecodeReason.UnknownSchema, "", 0, "the registry knows no schema 7"));

        Assert.Equal(AppendStatus.DeadLetter, RunOne(partition, 0, """7{"id":1}"""));
        Assert.Equal(AppendStatus.Row, RunOne(partition, 1, """8{"id":2}"""));

        var batch = partition.Seal()!;
        Assert.Equal((1L, 1L), (batch.RowCount, batch.DeadLetterCount));
    }

    [Fact]
    public void What_was_brought_and_did_not_help_is_not_asked_for_again()
    {
        var format = new NumberedFormat();
        var partition = Open(0, format: format, evolves: true);
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 0, """7{"id":1}"""));
        partition.Answer(0, null);
        Assert.Equal(AppendStatus.DeadLetter, RunOne(partition, 0, """7{"id":1}"""));

        Assert.Equal(AppendStatus.Waits, RunOne(partition, 1, """8{"id":1,"new":2}"""));
        format.Learn("8");
        partition.Answer(1, null);
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 1, """8{"id":1,"new":2}""")); // now for the column
        Assert.Equal(1, partition.TakeNeed().Samples.Count);
        partition.Answer(1, null);
        Assert.Equal(AppendStatus.DeadLetter, RunOne(partition, 1, """8{"id":1,"new":2}"""));
        Assert.Equal(2, partition.Seal()!.DeadLetterCount);
    }

    /// <summary>An answer that came for a record before belongs to no other one.</summary>
    [Fact]
    public void An_answer_counts_for_its_own_record()
    {
        var partition = Open(0, format: new NumberedFormat());
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 0, """7{"id":1}"""));
        partition.Answer(5, new(DecodeReason.UnknownSchema, "", 0, "of another record"));
        Assert.Equal(AppendStatus.Waits, RunOne(partition, 0, """7{"id":1}"""));
    }
}
