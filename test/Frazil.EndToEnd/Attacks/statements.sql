-- As people ask: what is changed into what nobody would
select count(*) from shop.user_events
select * from shop.user_events limit 5
select user_id, sum(amount) as total from shop.user_events group by user_id order by total desc nulls last limit 10
select event_type, count(*), count(distinct user_id), avg(amount), min(event_timestamp), max(event_timestamp) from shop.user_events group by all
select date_trunc('minute', event_timestamp) m, count(*) from shop.user_events where event_timestamp > timestamptz '2020-01-01' group by m having count(*) > 1 order by m
select kafka_partition, max(kafka_offset) - min(kafka_offset) + 1 - count(*) as gaps from shop.user_events group by kafka_partition
select a.user_id, b.amount from shop.user_events a join shop.user_events b using (user_id, kafka_offset) where a.amount is not null limit 3
select * from shop.user_events a left join (select user_id, max(kafka_offset) o from shop.user_events group by user_id) b on a.user_id = b.user_id and a.kafka_offset = b.o limit 2
with last as (select user_id, max_by(event_type, kafka_offset) t from shop.user_events group by user_id) select t, count(*) from last group by t
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20) select i, i * i from n
select user_id, row_number() over (partition by user_id order by kafka_offset desc) r, lag(amount, 1, 0) over w, sum(amount) over w from shop.user_events window w as (order by kafka_offset rows between 3 preceding and current row) limit 5
select * from shop.user_events where event_type in (select distinct event_type from shop.user_events where amount > 10) and user_id between 1 and 100 limit 5
select case when amount > 100 then 'large' when amount > 10 then 'middle' else 'small' end size, count(*) from shop.user_events group by 1
select list(event_type order by kafka_offset)[1:3], array_agg(distinct user_id) filter (user_id < 10) from shop.user_events where kafka_offset < 50
select {'id': user_id, 'more': [amount, null]} s, map {event_type: user_id} m, s.more[1], m[event_type] from shop.user_events limit 2
select unnest([1, 2, 3]) x, generate_subscripts([4, 5], 1) y
select string_agg(event_type, ', ' order by user_id) from (select distinct event_type, user_id from shop.user_events where user_id < 5)
select regexp_extract(event_type, '([a-z]+)_?([a-z]*)', 2), upper(substr(event_type, 1, 3)) || lpad(user_id::VARCHAR, 8, '0'), format('{:.2f} {}', amount::DOUBLE, event_type) from shop.user_events limit 3
select json_extract('{"a":[1,{"b":"c"}]}', '$.a[1].b') j, '{"a":1}'::JSON ->> 'a', json_object('k', user_id), to_json([amount]) from shop.user_events limit 2
select quantile_cont(amount, [0.5, 0.9, 0.99]), approx_count_distinct(user_id), histogram(event_type), stddev(amount), corr(amount::DOUBLE, user_id::DOUBLE) from shop.user_events
pivot (select event_type, kafka_partition p, amount from shop.user_events) on p using sum(amount) group by event_type
unpivot (select 1 a, 2 b, 3 c) on a, b, c into name n value v
select * from (values (1, 'a'), (2, 'b')) t(i, s) natural join (values (2, 'x')) u(i, z)
from shop.user_events select columns('kafka_.*') where kafka_offset = 1
select * exclude (amount) replace (user_id + 1 as user_id) from shop.user_events limit 1
select grouping(event_type), event_type, kafka_partition, count(*) from shop.user_events group by rollup (event_type, kafka_partition)
select distinct on (user_id) user_id, event_type from shop.user_events order by user_id, kafka_offset desc limit 4
(select 1 as a union select 2) except select 2 intersect select 2 order by a limit 1
select interval '1 day' * 3, date '2024-02-29' + interval 1 year, age(timestamp '2024-01-01', timestamp '2000-02-29'), '2024-01-01 00:00:00+02'::TIMESTAMPTZ at time zone 'Europe/Berlin', strftime(event_timestamp, '%Y-%m-%d') from shop.user_events limit 1
select try_cast('x' as INT), cast('1.5' as DECIMAL(10, 2)), 1::UTINYINT, 'a'::BLOB, '101'::BIT, uuid '00000000-0000-0000-0000-000000000001', 5 // 2, 5 % 3, 2 ** 10, ~1, 1 << 3, @ -1, 5!
select list_transform([1, 2, 3], lambda x: x + 1), list_filter(range(10), lambda x, i: i % 2 = 0), list_reduce([1, 2], lambda a, b: a + b), [x for x in range(5) if x > 2], list_zip([1], ['a']), array_cosine_similarity([1, 2]::FLOAT[2], [2, 1]::FLOAT[2])
select a.i, b.j from range(3) a(i), lateral (select a.i * 10 j) b positional join range(2) c(k)
select * from shop.user_events asof join (select kafka_offset o, amount from shop.user_events) x on kafka_offset >= x.o limit 1
select e.event_type, (select count(*) from shop.user_events i where i.user_id = e.user_id and i.kafka_offset < e.kafka_offset) from shop.user_events e where e.kafka_offset < 20
select sum(x) filter (where x > 1) over (partition by x % 2 order by x range between 1 preceding and 1 following exclude current row) from range(10) t(x)
select count(*) from json_each('{"a":[1,2]}') a, json_tree('{"a":[1,2]}') b
explain select event_type, count(*) from shop.user_events group by all
describe shop.user_events
summarize select amount from shop.user_events limit 100
show tables
select * from shop.user_events using sample 10 rows
select sha256(event_type), md5(event_type), hash(user_id), base64(encode(event_type)), hex(user_id), bar(user_id, 0, 100), levenshtein(event_type, 'view') from shop.user_events limit 1
