/* cloud: records of cloud services, one JSON object a line. Internal to decode/. */
#ifndef OUTERGATE_DECODE_CLOUD_H
#define OUTERGATE_DECODE_CLOUD_H

#include "json_pick.h"

/*
 * Is the line a record of a cloud service that is known? Then *ret_result says what became of it.
 * A record belongs to the source whose members it has, never to one whose name is in a value.
 * words: json_words().
 */
bool cloud_read(struct decode_stream *s, struct span line, uint32_t words, struct event *ret,
		enum decode_result *ret_result, const char **reason);

/* One source. read: false when the record is another's after all. */
struct cloud_record {
	struct decode_stream *s;
	struct span line;
	struct json j;
	struct event *e;
	enum decode_result result;
	const char *reason;
};
bool entra_read(struct cloud_record *r);
bool mde_read(struct cloud_record *r);
bool okta_read(struct cloud_record *r);
bool duo_read(struct cloud_record *r);
bool cloudtrail_read(struct cloud_record *r);
bool aws_vpn_read(struct cloud_record *r);
bool bastion_read(struct cloud_record *r);
bool gcp_read(struct cloud_record *r);
bool yandex_read(struct cloud_record *r);
bool teleport_read(struct cloud_record *r);
bool suricata_read(struct cloud_record *r);

/* Fills what every record has and says that it is an event; the time is UTC unless it names a zone.
 */
void cloud_event(struct cloud_record *r, struct span host, struct span time);
bool cloud_skip(struct cloud_record *r, const char *reason);
bool cloud_bad(struct cloud_record *r, const char *reason);
void cloud_origin(struct cloud_record *r, struct span address);

/*
 * Which service an application is by its name: one of the eleven that give remote access. Of any
 * other (SERVICE_OTHER) nobody gets a session, unless RemoteApplications names it.
 */
enum service cloud_application(struct span name);

#endif
