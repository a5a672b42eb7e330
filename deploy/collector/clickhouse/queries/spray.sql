-- Guessing that no single host sees: one address that failed at five hosts or more within an hour, few
-- times at each (spray), or one account that failed from five networks or more (/24, /48) at three
-- hosts or more (distributed). `entered` is what then got in: the lines to begin with.
-- Needs the events of agents (`send: [alerts, sessions, events]`): a host tells in an alert only of
-- what was too much for itself. Reads a day.
-- `entered` of a spray: whoever came in from that address afterwards; of a distributed one: from an address
-- that had failed on that account.
WITH
    failures AS
    (
        SELECT
            *,
            toStartOfHour(time) AS hour,
            if(isIPAddressInRange(toString(origin), '::ffff:0:0/96'),
               IPv6CIDRToRange(origin, 120).1, IPv6CIDRToRange(origin, 48).1) AS network
        FROM outergate.attempts_v
        WHERE outcome = 'failure' AND time >= now() - INTERVAL 1 DAY AND origin != toIPv6('::')
    ),
    sprays AS
    (
        SELECT
            origin, hour, groupUniqArray(1000)(host_name) AS hosts, uniqExact(host_id) AS hosts_total,
            uniqExact(account) AS accounts, sum(count) AS tries
        FROM failures
        GROUP BY origin, hour
        HAVING hosts_total >= 5
    ),
    distributed AS
    (
        SELECT
            account, hour, groupUniqArray(1000)(host_name) AS hosts, uniqExact(host_id) AS hosts_total,
            uniqExact(network) AS networks, sum(count) AS tries
        FROM failures
        WHERE account != ''
        GROUP BY account, hour
        HAVING hosts_total >= 3 AND networks >= 5
    ),
    logins AS
    (
        SELECT origin, account, time, concat(account, '@', host_name) AS entry
        FROM outergate.logins_v
        WHERE time >= now() - INTERVAL 1 DAY
    )
SELECT
    'spray' AS what, replaceRegexpOne(toString(origin), '^::ffff:', '') AS who, hour, hosts_total, accounts,
    toUInt64(1) AS networks, tries, arraySort(hosts) AS hosts,
    arraySort(arrayMap(x -> x.2, arrayFilter(x -> x.1 >= hour, l.entries))) AS entered
FROM sprays
LEFT JOIN (SELECT origin, groupArray((time, entry)) AS entries FROM logins GROUP BY origin) AS l USING (origin)
UNION ALL
SELECT
    'distributed', account, hour, hosts_total, toUInt64(1), networks, tries, arraySort(hosts),
    arraySort(arrayMap(x -> x.2, arrayFilter(x -> x.1 >= hour, l.entries)))
FROM distributed
LEFT JOIN
(
    SELECT account, groupArray((time, entry)) AS entries
    FROM logins
    WHERE (origin, account) IN (SELECT origin, account FROM failures)
    GROUP BY account
) AS l USING (account)
