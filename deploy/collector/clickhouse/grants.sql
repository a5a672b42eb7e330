-- Who may what. An agent that sends by itself may not say whose certificate it has, a relay may; nobody
-- but ClickHouse writes at, written_by and ingested. Give each a certificate or a password of its own.
CREATE ROLE IF NOT EXISTS outergate_agent;
GRANT INSERT(id, kind, name, time, severity, host_id, host_name, record) ON outergate.records TO outergate_agent;

CREATE ROLE IF NOT EXISTS outergate_relay;
GRANT INSERT(id, kind, name, time, severity, host_id, host_name, record, relay_host) ON outergate.records TO outergate_relay;

CREATE ROLE IF NOT EXISTS outergate_reader;
GRANT SELECT ON outergate.* TO outergate_reader;
