-- Hosts that said nothing for four times their own longest usual pause (the 99th percentile of two
-- weeks), for an hour at least; of hosts that spoke less than ten times, for a day. An agent sends what
-- happens and no heartbeat: silence is an idle host, a broken network, or somebody who stopped it.
-- The clock is the collector's (arrival), not the host's.
WITH
    said AS
    (
        SELECT DISTINCT host_id, host_name, toStartOfMinute(ingested) AS minute
        FROM outergate.records
        WHERE ingested >= now() - INTERVAL 14 DAY
    ),
    pauses AS
    (
        SELECT
            host_id, host_name, minute,
            dateDiff('second', lagInFrame(minute, 1, minute) OVER
                (PARTITION BY host_id ORDER BY minute ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING), minute) AS pause
        FROM said
    )
SELECT
    host_id, argMax(host_name, minute) AS host, max(minute) AS last_seen,
    dateDiff('second', last_seen, now()) AS silent_s, count() AS spoke,
    if(spoke < 10, 86400, greatest(3600, 4 * quantileExact(0.99)(pause))) AS allowed_s
FROM pauses
GROUP BY host_id
HAVING silent_s > allowed_s
ORDER BY silent_s DESC
