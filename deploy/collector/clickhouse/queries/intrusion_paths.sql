-- One intruder over many hosts: each path of sessions, from the host where it came in to the last one
-- that it reached, with who it was on each hop. `edges` says how each hop is known (see edges_v):
-- exact, or probable (through NAT); what could be two things is no hop.
-- Reads a week; a path is at most 16 hosts long, and never twice through one session. A host without
-- an agent ends a path: what comes of it begins another one. With millions of hops a week let
-- ClickHouse keep edges_v as a table (cluster.sql) and name that here.
WITH RECURSIVE
    -- As one value, which is computed once: a common table would be again for every hop.
    (
        SELECT groupArray((edge, from_host_id, from_session, to_host_id, to_session, round(skew_s, 1)))
        FROM outergate.edges_v
        WHERE time >= now() - INTERVAL 7 DAY
    ) AS all_edges,
    e AS
    (
        SELECT x.1 AS edge, x.2 AS from_host_id, x.3 AS from_session, x.4 AS to_host_id, x.5 AS to_session, x.6 AS skew_s
        FROM (SELECT arrayJoin(all_edges) AS x)
    ),
    s AS
    (
        SELECT
            host_id, session, host_name, origin, origin_scope, open, severity, chain,
            concat(host_name, ' (', account,
                   if(effective_account IN ('', account), '', concat(' as ', effective_account)), ', ', method,
                   if(key = '', '', concat(' ', key)), ')') AS hop,
            account
        FROM outergate.sessions_v
        WHERE open >= now() - INTERVAL 8 DAY
    ),
    walk AS
    (
        SELECT
            s.host_id AS host_id, s.session AS session, toUInt8(1) AS hops,
            s.open AS began, replaceRegexpOne(toString(s.origin), '^::ffff:', '') AS came_from, s.origin_scope AS scope,
            [s.host_name] AS hosts, [s.account] AS accounts, [s.session] AS sessions,
            CAST([], 'Array(String)') AS edges, CAST([], 'Array(Float64)') AS skews,
            [s.severity] AS severities, [s.chain] AS chains,
            concat(came_from, ' -> ', s.hop) AS path
        FROM s
        WHERE (s.host_id, s.session) IN (SELECT from_host_id, from_session FROM e)
            AND (s.host_id, s.session) NOT IN (SELECT to_host_id, to_session FROM e)
        UNION ALL
        SELECT
            e.to_host_id, e.to_session, toUInt8(w.hops + 1),
            w.began, w.came_from, w.scope,
            arrayPushBack(w.hosts, s.host_name), arrayPushBack(w.accounts, s.account),
            arrayPushBack(w.sessions, s.session),
            arrayPushBack(w.edges, e.edge), arrayPushBack(w.skews, toFloat64(e.skew_s)),
            arrayPushBack(w.severities, s.severity), arrayPushBack(w.chains, s.chain),
            concat(w.path, if(e.edge = 'exact', ' -> ', ' ~> '), s.hop)
        FROM walk AS w
        INNER JOIN e ON e.from_host_id = w.host_id AND e.from_session = w.session
        INNER JOIN s ON s.host_id = e.to_host_id AND s.session = e.to_session
        WHERE w.hops < 16 AND NOT has(w.sessions, e.to_session)
    )
SELECT
    began, came_from, scope AS origin_scope, hops, path, hosts, accounts, edges, skews, sessions,
    arrayFilter(c -> c != '', chains) AS alerts
FROM walk
WHERE hops > 1 AND ((host_id, session) NOT IN (SELECT from_host_id, from_session FROM e) OR hops = 16)
ORDER BY began, path
