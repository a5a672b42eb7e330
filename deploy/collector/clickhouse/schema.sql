-- Outergate's records in ClickHouse, 24.8 or newer: what agents send by `kind: clickhouse` with
-- `target: outergate.records`, or a relay on their behalf, and what queries/ read of it.
--
-- records takes what comes and is the only table that anybody writes to. The others are filled from
-- it by views at the insert. A record that comes twice (its id is the same) is one row again at the
-- next merge, and already at the read by what ends in _v below (FINAL): read those. A record that is
-- no JSON stays in records; it makes no row elsewhere, and fails no insert.
--
-- Parts are by the month of the arrival (`ingested`), not by the time that a record claims: else one
-- host with a wild clock makes a part for each month that it names, and the hundredth fails
-- everybody's insert.
-- Retention: INTERVAL 400 DAY below, once for each table.
CREATE DATABASE IF NOT EXISTS outergate;

CREATE TABLE IF NOT EXISTS outergate.records
(
    id         String,                  -- the same when it is sent again
    kind       LowCardinality(String),  -- alert, session, event
    name       LowCardinality(String),  -- of an alert its detection; else session, event
    time       String,                  -- the host's clock, seconds since 1970 and nine digits: as text, since
                                        -- a clock that was never set would fail the insert of a date
    severity   LowCardinality(String),
    host_id    String,                  -- as the record claims
    host_name  LowCardinality(String),
    record     String CODEC(ZSTD(3)),   -- the product's JSON (schema: outergate)
    relay_host LowCardinality(String),  -- the name in the client certificate; only a relay may write it
    at         DateTime64(3, 'UTC') MATERIALIZED
        if(match(time, '^[0-9]{1,10}([.][0-9]*)?$'), fromUnixTimestamp64Milli(toInt64(toFloat64OrZero(time) * 1000), 'UTC'),
           parseDateTime64BestEffortOrZero(time, 3, 'UTC')),
    written_by LowCardinality(String) MATERIALIZED currentUser(),
    ingested   DateTime64(3, 'UTC') MATERIALIZED now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ingested)
-- With relay_host in it nobody's record replaces another's by its id.
ORDER BY (kind, host_id, id, relay_host)
TTL toDateTime(ingested) + INTERVAL 400 DAY
-- One partition a month and whole parts dropped: the end of retention costs no rewriting.
SETTINGS ttl_only_drop_parts = 1, non_replicated_deduplication_window = 1000;

-- A host's name and its certificate's: the same, or the certificate's has a domain after it.
CREATE FUNCTION IF NOT EXISTS outergate_same_host AS (claimed, relay) ->
    lower(relay) = lower(claimed) OR (position(claimed, '.') = 0 AND claimed != ''
                                      AND startsWith(lower(relay), concat(lower(claimed), '.')));

-- A session in its last state.
CREATE TABLE IF NOT EXISTS outergate.sessions
(
    host_id String, host_name LowCardinality(String), relay_host LowCardinality(String),
    session String, version UInt64, state LowCardinality(String), service LowCardinality(String),
    origin IPv6, origin_port UInt16, origin_scope LowCardinality(String),
    country LowCardinality(String), asn UInt32, as_org LowCardinality(String),
    has_point Bool, latitude Float64, longitude Float64, radius_km UInt32,
    local IPv6, local_port UInt16,
    account String, effective_account String, method LowCardinality(String), key String, client String,
    connected DateTime64(3, 'UTC'),     -- its connection came in; 1970: only a log told of it
    open DateTime64(3, 'UTC'), close DateTime64(3, 'UTC'), last_time DateTime64(3, 'UTC'),
    bytes_known Bool, bytes_in UInt64, bytes_out UInt64,
    commands_total UInt32, commands Array(String), destinations_total UInt32, failures_before UInt32,
    alerts UInt32, severity LowCardinality(String), chain String,
    ingested DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(ingested)
ORDER BY (host_id, session, relay_host)
TTL toDateTime(ingested) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.sessions_in TO outergate.sessions AS
WITH
    JSONExtractRaw(record, 'origin') AS o,
    JSONExtractRaw(record, 'local') AS l,
    JSONExtractString(record, 'state') AS st
SELECT
    host_id, host_name, relay_host,
    JSONExtractString(record, 'id') AS session,
    -- The later state of two that were written in the same millisecond.
    toUInt64(greatest(toUnixTimestamp64Milli(at), 0)) * 4
        + multiIf(st = 'closed', 2, st = 'lingering', 1, 0) AS version,
    st AS state,
    JSONExtractString(record, 'service') AS service,
    toIPv6OrDefault(JSONExtractString(o, 'address')) AS origin,
    JSONExtract(o, 'port', 'UInt16') AS origin_port,
    JSONExtractString(o, 'scope') AS origin_scope,
    JSONExtractString(o, 'country') AS country,
    JSONExtract(o, 'asn', 'UInt32') AS asn,
    JSONExtractString(o, 'as_org') AS as_org,
    JSONHas(o, 'latitude') AS has_point,
    JSONExtractFloat(o, 'latitude') AS latitude,
    JSONExtractFloat(o, 'longitude') AS longitude,
    JSONExtract(o, 'radius_km', 'UInt32') AS radius_km,
    toIPv6OrDefault(JSONExtractString(l, 'address')) AS local,
    JSONExtract(l, 'port', 'UInt16') AS local_port,
    JSONExtractString(record, 'account') AS account,
    JSONExtractString(record, 'effective_account') AS effective_account,
    JSONExtractString(record, 'method') AS method,
    JSONExtractString(record, 'key') AS key,
    JSONExtractString(record, 'client') AS client,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'connected'), 3, 'UTC') AS connected,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'open'), 3, 'UTC') AS open,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'close'), 3, 'UTC') AS close,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'last_time'), 3, 'UTC') AS last_time,
    JSONHas(record, 'bytes_in') AS bytes_known,
    JSONExtract(record, 'bytes_in', 'UInt64') AS bytes_in,
    JSONExtract(record, 'bytes_out', 'UInt64') AS bytes_out,
    JSONExtract(record, 'commands_total', 'UInt32') AS commands_total,
    arrayMap(c -> JSONExtractString(c, 'text'), JSONExtractArrayRaw(record, 'commands')) AS commands,
    JSONExtract(record, 'destinations_total', 'UInt32') AS destinations_total,
    JSONExtract(record, 'failures_before', 'UInt32') AS failures_before,
    JSONExtract(record, 'alerts', 'UInt32') AS alerts,
    JSONExtractString(record, 'severity') AS severity,
    JSONExtractString(record, 'chain') AS chain
FROM outergate.records
WHERE kind = 'session' AND JSONExtractString(record, 'id') != '';

-- Connections that sessions opened, a row for each port of this host that is known: of several
-- connections to one place the first and the last, which began somewhere in from_time .. to_time.
CREATE TABLE IF NOT EXISTS outergate.outgoing
(
    host_id String, host_name LowCardinality(String), relay_host LowCardinality(String),
    session String, version UInt64,
    source IPv6, source_port UInt16, is_last Bool,
    dest IPv6, dest_port UInt16, service LowCardinality(String), program LowCardinality(String),
    from_time DateTime64(3, 'UTC'), to_time DateTime64(3, 'UTC'),
    connections UInt32, bytes_in UInt64, bytes_out UInt64,
    ingested DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(ingested)
ORDER BY (host_id, session, dest, dest_port, is_last, relay_host)
TTL toDateTime(ingested) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.outgoing_in TO outergate.outgoing AS
SELECT
    host_id, host_name, relay_host, session, version,
    toIPv6OrDefault(JSONExtractString(d, 'source_address')) AS source,
    port.2 AS source_port,
    port.1 > 1 AS is_last,
    toIPv6OrDefault(JSONExtractString(d, 'address')) AS dest,
    JSONExtract(d, 'port', 'UInt16') AS dest_port,
    JSONExtractString(d, 'service') AS service,
    JSONExtractString(d, 'program') AS program,
    parseDateTime64BestEffortOrZero(JSONExtractString(d, 'time'), 3, 'UTC') AS from_time,
    if(port.1 > 1, parseDateTime64BestEffortOrZero(JSONExtractString(d, 'last_time'), 3, 'UTC'), from_time) AS to_time,
    JSONExtract(d, 'count', 'UInt32') AS connections,
    JSONExtract(d, 'bytes_in', 'UInt64') AS bytes_in,
    JSONExtract(d, 'bytes_out', 'UInt64') AS bytes_out
FROM
(
    SELECT
        host_id, host_name, relay_host,
        JSONExtractString(record, 'id') AS session,
        toUInt64(greatest(toUnixTimestamp64Milli(at), 0)) * 4
            + multiIf(JSONExtractString(record, 'state') = 'closed', 2,
                      JSONExtractString(record, 'state') = 'lingering', 1, 0) AS version,
        arrayJoin(JSONExtractArrayRaw(record, 'destinations')) AS d,
        JSONExtract(d, 'source_ports', 'Array(UInt16)') AS ports,
        arrayJoin(arrayZip(range(1, greatest(length(ports), 1) + 1), if(empty(ports), [toUInt16(0)], ports))) AS port
    FROM outergate.records
    WHERE kind = 'session' AND JSONExtractString(record, 'id') != ''
);

-- An alert in its last revision.
CREATE TABLE IF NOT EXISTS outergate.alerts
(
    host_id String, host_name LowCardinality(String), relay_host LowCardinality(String),
    alert String, revision UInt32, state LowCardinality(String), detection LowCardinality(String),
    severity LowCardinality(String), reason LowCardinality(String), part_of String,
    time DateTime64(3, 'UTC'), last_time DateTime64(3, 'UTC'), count UInt64, session String,
    service LowCardinality(String), account String, identity String,
    origin IPv6, origin_port UInt16, country LowCardinality(String), asn UInt32,
    stage LowCardinality(String), attack Array(LowCardinality(String)), sentence String, numbers String,
    ingested DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(revision)
PARTITION BY toYYYYMM(ingested)
ORDER BY (host_id, alert, relay_host)
TTL toDateTime(ingested) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.alerts_in TO outergate.alerts AS
WITH JSONExtractRaw(record, 'origin') AS o
SELECT
    host_id, host_name, relay_host,
    JSONExtractString(record, 'id') AS alert,
    JSONExtract(record, 'revision', 'UInt32') AS revision,
    JSONExtractString(record, 'state') AS state,
    JSONExtractString(record, 'detection') AS detection,
    JSONExtractString(record, 'severity') AS severity,
    JSONExtractString(record, 'reason') AS reason,
    JSONExtractString(record, 'part_of') AS part_of,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'time'), 3, 'UTC') AS time,
    parseDateTime64BestEffortOrZero(JSONExtractString(record, 'last_time'), 3, 'UTC') AS last_time,
    JSONExtract(record, 'count', 'UInt64') AS count,
    JSONExtractString(record, 'session') AS session,
    JSONExtractString(record, 'service') AS service,
    JSONExtractString(record, 'account') AS account,
    JSONExtractString(record, 'identity') AS identity,
    toIPv6OrDefault(JSONExtractString(o, 'address')) AS origin,
    JSONExtract(o, 'port', 'UInt16') AS origin_port,
    JSONExtractString(o, 'country') AS country,
    JSONExtract(o, 'asn', 'UInt32') AS asn,
    JSONExtractString(record, 'stage') AS stage,
    JSONExtract(record, 'attack', 'Array(String)') AS attack,
    JSONExtractString(record, 'sentence') AS sentence,
    JSONExtractString(record, 'numbers') AS numbers
FROM outergate.records
WHERE kind = 'alert' AND JSONExtractString(record, 'id') != '';

-- Tries to log in, one a row: of agents that send events (`send: [alerts, sessions, events]`).
CREATE TABLE IF NOT EXISTS outergate.attempts
(
    host_id String, host_name LowCardinality(String), relay_host LowCardinality(String),
    id String, time DateTime64(3, 'UTC'), outcome LowCardinality(String), service LowCardinality(String),
    origin IPv6, account String, method LowCardinality(String), count UInt32,
    ingested DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ingested)
ORDER BY (host_id, id, relay_host)
TTL toDateTime(ingested) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.attempts_in TO outergate.attempts AS
SELECT
    host_id, host_name, relay_host, id,
    at AS time,
    JSONExtractString(record, 'outcome') AS outcome,
    JSONExtractString(record, 'service') AS service,
    toIPv6OrDefault(JSONExtractString(record, 'origin', 'address')) AS origin,
    JSONExtractString(record, 'account') AS account,
    JSONExtractString(record, 'method') AS method,
    greatest(JSONExtract(record, 'count', 'UInt32'), 1) AS count
FROM outergate.records
WHERE kind = 'event' AND JSONExtractString(record, 'kind') = 'attempt';

-- What people and queries read: one row a thing, whatever was sent twice.
CREATE VIEW IF NOT EXISTS outergate.records_v AS
SELECT *, at, written_by, ingested, relay_host != '' AND NOT outergate_same_host(host_name, relay_host) AS flagged
FROM outergate.records FINAL;

-- Records that claim another host than the relay's certificate says, and hosts' ids that came from
-- two. What queries join (below) leaves the first out: who owns one host shall not paint others'.
CREATE VIEW IF NOT EXISTS outergate.flagged_v AS
SELECT * FROM outergate.records_v WHERE flagged;

CREATE VIEW IF NOT EXISTS outergate.sessions_v AS
SELECT * FROM outergate.sessions FINAL
WHERE relay_host = '' OR outergate_same_host(host_name, relay_host);

CREATE VIEW IF NOT EXISTS outergate.outgoing_v AS
SELECT * FROM outergate.outgoing FINAL
WHERE relay_host = '' OR outergate_same_host(host_name, relay_host);

CREATE VIEW IF NOT EXISTS outergate.alerts_v AS
SELECT * FROM outergate.alerts FINAL
WHERE relay_host = '' OR outergate_same_host(host_name, relay_host);

CREATE VIEW IF NOT EXISTS outergate.attempts_v AS
SELECT * FROM outergate.attempts FINAL
WHERE relay_host = '' OR outergate_same_host(host_name, relay_host);

-- Who got in: `identity` is the key where there is one, since a key is the same person on every host
-- and `root` is not.
CREATE VIEW IF NOT EXISTS outergate.logins_v AS
SELECT
    host_id, host_name, session, open AS time, service, account, effective_account, method, key,
    if(key != '', key, account) AS identity, client,
    origin, origin_port, origin_scope, country, asn, as_org, has_point, latitude, longitude, radius_km,
    severity, alerts, chain
FROM outergate.sessions_v
WHERE account != '' OR key != '';

-- Which connection of one host's session is another host's session. `exact`: both ends saw the same
-- addresses and ports, and the times agree. `probable`: through NAT, by the same port at the end and
-- the same bytes both ways (the kernels' counts differ by a SYN and a FIN: two at most). What could be two things is no edge. What a gateway translated is nowhere
-- told (its conntrack is not read), so through NAT nothing is more than probable.
--
-- The clocks of two hosts differ by up to eleven minutes (`skew_limit`: five each, and some). By how much is estimated for
-- each pair of hosts and day from connections that cannot be two (the median), else from the
-- difference that most of them agree on; the times must agree within five seconds (`slack`).
CREATE VIEW IF NOT EXISTS outergate.edges_v AS
WITH
    660 AS skew_limit,
    5 AS slack,
    -- What only a log told has no time of its connection: it came in before the login, within sshd's
    -- LoginGraceTime.
    ins AS
    (
        SELECT
            host_id AS to_host_id, host_name AS to_host, session AS to_session,
            origin, origin_port, local, local_port, bytes_in AS got, bytes_out AS gave,
            bytes_known AND state = 'closed' AND got > 0 AND gave > 0 AS counted,
            toUnixTimestamp64Milli(connected) > 0 AS known,
            toUnixTimestamp64Milli(if(known, connected, open)) / 1000 AS in_to,
            if(known, in_to, in_to - 120) AS in_from
        FROM outergate.sessions_v
    ),
    outs AS
    (
        SELECT
            host_id AS from_host_id, host_name AS from_host, session AS from_session,
            source, source_port, dest, dest_port, is_last, connections, bytes_in AS back, bytes_out AS sent,
            toDate(from_time) AS day, from_time,
            toUnixTimestamp64Milli(from_time) / 1000 AS out_from,
            toUnixTimestamp64Milli(to_time) / 1000 AS out_to,
            cityHash64(from_host_id, from_session, dest, dest_port, is_last) AS o
        FROM outergate.outgoing_v
    ),
    same AS
    (
        SELECT
            *,
            in_from - out_to AS least,
            in_to - out_from AS most,
            known AND NOT is_last AS point,
            count() OVER (PARTITION BY o) = 1 AND count() OVER (PARTITION BY to_host_id, to_session) = 1 AS sure
        FROM outs
        INNER JOIN ins ON source = origin AND source_port = origin_port AND dest = local AND dest_port = local_port
        WHERE source_port != 0 AND from_host_id != to_host_id AND least <= skew_limit AND most >= -skew_limit
    ),
    skews AS
    (
        SELECT
            from_host_id, to_host_id, day, true AS measured,
            if(countIf(point AND sure) > 0, quantileExactIf(0.5)(most, point AND sure),
               topKIf(1)(round(most), point)[1]) AS skew
        FROM same
        GROUP BY from_host_id, to_host_id, day
        HAVING countIf(point) > 0
    ),
    fitting AS
    (
        SELECT
            same.*, skews.skew AS skew, skews.measured AS measured,
            count() OVER (PARTITION BY o) AS of_out,
            count() OVER (PARTITION BY to_host_id, to_session) AS of_in
        FROM same
        LEFT JOIN skews USING (from_host_id, to_host_id, day)
        WHERE NOT measured OR (skew >= least - slack AND skew <= most + slack)
    ),
    alike AS
    (
        SELECT *, in_from - out_to AS least, in_to - out_from AS most
        FROM (SELECT *, toInt64(sent) + arrayJoin([-2, -1, 0, 1, 2]) AS near FROM outs WHERE connections = 1) AS out
        INNER JOIN ins ON dest_port = local_port AND near = toInt64(got)
        WHERE counted AND abs(toInt64(back) - toInt64(gave)) <= 2 AND from_host_id != to_host_id
            AND least <= skew_limit AND most >= -skew_limit
            AND o NOT IN (SELECT o FROM same)
            AND (to_host_id, to_session) NOT IN (SELECT to_host_id, to_session FROM same)
    ),
    through_nat AS
    (
        SELECT
            alike.*, skews.skew AS skew,
            count() OVER (PARTITION BY o) AS of_out,
            count() OVER (PARTITION BY to_host_id, to_session) AS of_in
        FROM alike
        LEFT JOIN skews USING (from_host_id, to_host_id, day)
        WHERE NOT skews.measured OR (skew >= least - slack AND skew <= most + slack)
    )
SELECT
    'exact' AS edge, from_host_id, from_host, from_session, to_host_id, to_host, to_session,
    from_time AS time, dest, dest_port, skew AS skew_s
FROM fitting
WHERE of_out = 1 AND of_in = 1
UNION ALL
SELECT
    'probable', from_host_id, from_host, from_session, to_host_id, to_host, to_session,
    from_time, dest, dest_port, skew
FROM through_nat
WHERE of_out = 1 AND of_in = 1;
