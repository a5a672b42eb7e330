-- The same on a cluster (here: `fleet`, with the macros shard and replica): tables replicated and sharded by
-- host, so that what comes twice meets its like; fed by Kafka. Parsed by the engine of the tests, never
-- executed: there is no cluster.
--
-- 1. The tables and what fills them, on each shard in a database of their own:
--      sed -e '/^-- What people and queries read/,$d' \
--          -e 's/outergate\./outergate_shard./g' -e 's/DATABASE IF NOT EXISTS outergate;/DATABASE IF NOT EXISTS outergate_shard;/' \
--          -e "s/= ReplacingMergeTree(\(.*\))/= ReplicatedReplacingMergeTree('\/clickhouse\/{shard}\/{database}\/{table}', '{replica}', \1)/" \
--          -e "s/= ReplacingMergeTree$/= ReplicatedReplacingMergeTree('\/clickhouse\/{shard}\/{database}\/{table}', '{replica}')/" \
--          -e 's/, non_replicated_deduplication_window = 1000//' schema.sql
-- 2. The tables by which all shards are read and written as one:
CREATE DATABASE IF NOT EXISTS outergate ON CLUSTER fleet;
CREATE TABLE IF NOT EXISTS outergate.records ON CLUSTER fleet AS outergate_shard.records
    ENGINE = Distributed(fleet, outergate_shard, records, cityHash64(host_id));
CREATE TABLE IF NOT EXISTS outergate.sessions ON CLUSTER fleet AS outergate_shard.sessions
    ENGINE = Distributed(fleet, outergate_shard, sessions, cityHash64(host_id));
CREATE TABLE IF NOT EXISTS outergate.outgoing ON CLUSTER fleet AS outergate_shard.outgoing
    ENGINE = Distributed(fleet, outergate_shard, outgoing, cityHash64(host_id));
CREATE TABLE IF NOT EXISTS outergate.alerts ON CLUSTER fleet AS outergate_shard.alerts
    ENGINE = Distributed(fleet, outergate_shard, alerts, cityHash64(host_id));
CREATE TABLE IF NOT EXISTS outergate.attempts ON CLUSTER fleet AS outergate_shard.attempts
    ENGINE = Distributed(fleet, outergate_shard, attempts, cityHash64(host_id));
-- 3. schema.sql from `What people and queries read` on: the views are the same. Their joins are between hosts, so
--    between shards: let readers have the setting distributed_product_mode = 'global'.
-- 4. Edges as a table, made anew each minute, for queries/intrusion_paths.sql. Up to 24.9 it wants
--    allow_experimental_refreshable_materialized_view = 1.
CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.edges REFRESH EVERY 1 MINUTE
    ENGINE = MergeTree ORDER BY (from_host_id, from_session)
    AS SELECT * FROM outergate.edges_v WHERE time >= now() - INTERVAL 8 DAY;
-- 5. Rows from Kafka, as relay/syslog-ng.conf writes them. What is no row goes to records_bad and stops nobody.
CREATE TABLE IF NOT EXISTS outergate.records_queue ON CLUSTER fleet
(
    id String, kind String, name String, time String, severity String, host_id String, host_name String,
    record String, relay_host String
)
ENGINE = Kafka
SETTINGS kafka_broker_list = 'kafka-1:9093,kafka-2:9093,kafka-3:9093', kafka_topic_list = 'outergate',
    kafka_group_name = 'clickhouse', kafka_format = 'JSONEachRow', kafka_num_consumers = 2,
    kafka_handle_error_mode = 'stream';
CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.records_from_kafka ON CLUSTER fleet TO outergate.records AS
    SELECT id, kind, name, time, severity, host_id, host_name, record, relay_host
    FROM outergate.records_queue WHERE length(_error) = 0;
CREATE TABLE IF NOT EXISTS outergate.records_bad ON CLUSTER fleet
(
    ingested DateTime DEFAULT now(), raw String, error String
)
ENGINE = MergeTree ORDER BY ingested TTL ingested + INTERVAL 30 DAY;
CREATE MATERIALIZED VIEW IF NOT EXISTS outergate.records_bad_from_kafka ON CLUSTER fleet TO outergate.records_bad AS
    SELECT _raw_message AS raw, _error AS error FROM outergate.records_queue WHERE length(_error) > 0;
