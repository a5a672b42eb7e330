-- One identity (key, else account) that got in at two hosts from two places, faster than one travels:
-- with points (a city database on the hosts) over 500 km apart, less both radii, at more than
-- 1000 km/h; without, from two countries within an hour (`by` = country: neighbours' borders make some
-- of these). At one host the agent tells it itself (origin.impossible_travel). Clocks of the two hosts
-- count: ten minutes are allowed for them. Reads a week.
WITH
    l AS
    (
        SELECT *
        FROM outergate.logins_v
        WHERE time >= now() - INTERVAL 7 DAY AND origin_scope NOT IN ('', 'loopback', 'link-local', 'private') AND identity != '' AND country != ''
    ),
    pairs AS
    (
        SELECT
            a.identity AS identity, a.host_name AS host, b.host_name AS then_host,
            a.country AS country, b.country AS then_country, a.origin AS origin, b.origin AS then_origin,
            a.time AS time, b.time AS then_time, a.session AS session, b.session AS then_session,
            (toUnixTimestamp64Milli(b.time) - toUnixTimestamp64Milli(a.time)) / 1000 AS seconds,
            a.has_point AND b.has_point AS pointed,
            if(pointed, geoDistance(a.longitude, a.latitude, b.longitude, b.latitude) / 1000, 0)
                - a.radius_km - b.radius_km AS km
        FROM l AS a
        INNER JOIN l AS b ON a.identity = b.identity
        WHERE a.host_id != b.host_id AND a.session != b.session AND b.time >= a.time
            AND b.time < a.time + INTERVAL 1 DAY AND a.origin != b.origin
            AND (a.time < b.time OR a.session < b.session)
    )
SELECT
    identity, host, then_host, country, then_country,
    replaceRegexpOne(toString(origin), '^::ffff:', '') AS origin,
    replaceRegexpOne(toString(then_origin), '^::ffff:', '') AS then_origin, time, then_time,
    if(pointed, 'distance', 'country') AS by, round(km) AS km, round(seconds) AS seconds,
    session, then_session
FROM pairs
WHERE (pointed AND km > 500 AND km / ((seconds + 600) / 3600) > 1000)
    OR (NOT pointed AND country != then_country AND seconds < 3600)
ORDER BY time, then_time
