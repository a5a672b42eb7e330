-- What was never seen at any host before the last day: an address from outside, a key, a network (AS
-- number) that somebody got in by. Before: as far as the tables reach (TTL).
-- A fleet's first week is all new; so is a key that an administrator has just handed out.
WITH
    now() - INTERVAL 1 DAY AS since,
    seen AS
    (
        SELECT
            *,
            arrayJoin(arrayFilter(x -> x.2 != '',
                [('address', if(origin_scope NOT IN ('', 'loopback', 'link-local', 'private'), replaceRegexpOne(toString(origin), '^::ffff:', ''), '')),
                 ('key', key),
                 ('asn', if(asn = 0, '', toString(asn)))])) AS thing
        FROM outergate.logins_v
    )
SELECT
    thing.1 AS what, thing.2 AS value, min(time) AS first_time,
    argMin(host_name, time) AS first_host, argMin(account, time) AS first_account,
    argMin(session, time) AS first_session, uniqExact(host_id) AS hosts, uniqExact(session) AS sessions
FROM seen
GROUP BY thing
HAVING first_time >= since
ORDER BY what, first_time
