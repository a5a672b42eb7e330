/* protocols: one row a word of the configuration. */
#include "forward.h"

extern const struct protocol protocol_otlp, protocol_kafka, protocol_syslog, protocol_relp,
	protocol_hec, protocol_elastic, protocol_sentinel, protocol_clickhouse, protocol_prometheus;

const struct protocol *const protocols[FORWARD_KINDS] = {
	[FORWARD_OTLP] = &protocol_otlp,
	[FORWARD_KAFKA] = &protocol_kafka,
	[FORWARD_SYSLOG] = &protocol_syslog,
	[FORWARD_RELP] = &protocol_relp,
	[FORWARD_HEC] = &protocol_hec,
	[FORWARD_ELASTIC] = &protocol_elastic,
	[FORWARD_SENTINEL] = &protocol_sentinel,
	[FORWARD_CLICKHOUSE] = &protocol_clickhouse,
	[FORWARD_PROMETHEUS] = &protocol_prometheus,
};
