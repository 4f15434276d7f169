using Frazil.Hot;
using Xunit;

namespace Frazil.Tests.Hot;

/// <summary>Half of the memory is guaranteed in equal shares, half is lent.</summary>
public sealed class MemoryBudgetTests
{
    private readonly MemoryBudget budget = new(800);

    [Fact]
    public void One_table_alone_may_have_everything()
    {
        var table = budget.Join();
        table.Account.Add(799);
        Assert.False(table.IsFull);
        Assert.Equal(800, table.Allowance);
        table.Account.Add(1);
        Assert.True(table.IsFull);
        Assert.Equal(800, budget.Account.Bytes);
    }

    [Fact]
    public void A_table_that_has_taken_all_there_is_leaves_the_others_their_shares()
    {
        var (greedy, modest) = (budget.Join(), budget.Join());
        greedy.Account.Add(600); // a share of 200 and the 400 that are lent
        Assert.True(greedy.IsFull);
        Assert.False(modest.IsFull);
        Assert.Equal(200, modest.Allowance);
        modest.Account.Add(199);
        Assert.False(modest.IsFull);
        Assert.True(modest.IsUnderPressure);
        modest.Account.Add(1);
        Assert.True(modest.IsFull);

        greedy.Account.Add(-300);
        Assert.False(modest.IsFull);
        Assert.Equal(500, modest.Allowance);
    }

    [Fact]
    public void Tables_that_come_and_go_change_the_shares_of_those_that_are_there()
    {
        var first = budget.Join();
        first.Account.Add(400);
        Assert.Equal(0, budget.Lent.Bytes);
        var second = budget.Join();
        Assert.Equal(200, budget.Lent.Bytes);
        budget.Leave(second);
        Assert.Equal(0, budget.Lent.Bytes);
        Assert.Equal(400, first.Account.Share);
    }

    [Fact]
    public void What_is_lent_is_counted_exactly_whatever_many_threads_take_and_give()
    {
        var tables = Enumerable.Range(0, 4).Select(_ => budget.Join()).ToArray();
        Parallel.For(0, 8, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 20_000; i++)
            {
                var bytes = random.Next(1, 400);
                tables[worker % 4].Account.Add(bytes);
                tables[worker % 4].Account.Add(-bytes);
            }
        });
        Assert.Equal((0, 0), (budget.Account.Bytes, budget.Lent.Bytes));
        tables[0].Account.Add(150);
        Assert.Equal(50, budget.Lent.Bytes);
    }

    /// <summary>Under pressure a flush frees a fair part of what the table may hold, or it waits for those under way.</summary>
    [Fact]
    public void A_flush_that_only_memory_asks_for_is_worth_a_quarter_of_the_room()
    {
        var table = budget.Join();
        table.Account.Add(600);
        Assert.True(table.IsUnderPressure);
        Assert.Equal(200, table.WorthFlushing);
    }
}
