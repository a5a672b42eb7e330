/*
 * windows: one Windows event, whatever carried it: EVTX, exported JSON of several shapes, event
 * XML. Internal to decode/, but for who reads EVTX files.
 *
 * The carriers only say who logged what (struct windows_event); what it means is told once, in
 * windows.c, windows_logon.c and windows_rdp.c.
 */
#ifndef OUTERGATE_DECODE_WINDOWS_H
#define OUTERGATE_DECODE_WINDOWS_H

#include "../windows_words.h"
#include "decode.h"

struct json;
struct json_tree;

#define WINDOWS_FIELDS_MAX 96 /* the longest that we read has 27 */

struct windows_field {
	struct span name, value; /* positional ones have no name */
};

struct windows_event {
	struct span provider, channel, computer, user_sid, activity;
	struct span message; /* rendered text, where the exporter dropped the fields */
	uint32_t id, version, pid;
	uint64_t record, time_ns;
	bool time_approximate;
	struct windows_field fields[WINDOWS_FIELDS_MAX];
	unsigned count;
};

/* The value of a field, by its name in any case; "-" and what is missing are empty. */
struct span windows_field(const struct windows_event *w, const char *name);
/* "0x3e7" or "999"; otherwise when it is neither. */
uint64_t windows_number(const struct windows_event *w, const char *name, uint64_t otherwise);
void windows_add(struct windows_event *w, struct span name, struct span value);

/* The meaning. The event's common fields are filled; *reason says why not. */
enum decode_result windows_decode(struct decode_stream *s, const struct windows_event *w,
				  enum decoder_index source, struct event *ret,
				  const char **reason);

/* windows_json.c: false: this tree is no Windows event. *reason when it is one and is malformed. */
bool windows_from_json(const struct decode_stream *s, const struct json_tree *t, struct json *j,
		       struct windows_event *ret, const char **reason);

/* windows_xml.c: "<Event ...>...</Event>", one event. The unescaped text goes to out..out_end. */
bool windows_from_xml(const struct decode_stream *s, struct span xml, struct json *scratch,
		      struct windows_event *ret, const char **reason);

/*
 * One row a provider and id. The reader gets the event with its common fields filled; false: it
 * tells of nothing that concerns a remote session, and *reason says so.
 */
struct windows_row {
	uint32_t id;
	bool (*read)(const struct windows_event *w, struct event *e, const char **reason);
};
struct windows_provider {
	/* Either is enough; a channel matches by its beginning. NULL: others write there, too. */
	const char *name, *channel;
	const struct windows_row *rows;
};
extern const struct windows_provider windows_providers[];
extern const unsigned windows_providers_count;
extern const struct windows_row windows_security_rows[], windows_rdp_rows[], windows_session_rows[],
	windows_connection_rows[], windows_openssh_rows[], windows_winrm_rows[],
	windows_sysmon_rows[], windows_gateway_rows[], windows_rras_rows[], windows_smb_rows[],
	windows_log_rows[], windows_service_rows[], windows_firewall_rows[], windows_script_rows[],
	windows_linux_sysmon_rows[];

/*
 * The values of a rendered text, one a line, in their order: what stands after the first colon
 * and space. Returns how many.
 */
#define WINDOWS_LINES_MAX 4
unsigned windows_message(struct span text, struct span ret[WINDOWS_LINES_MAX]);

/* Account, without its domain; addresses in all their forms. Shared by the readers. */
void windows_account(struct span name, struct event *e);
void windows_origin(struct span address, struct span port, struct event *e);
/* What a failed or successful logon's NTSTATUS says of it. */
void windows_ntstatus(struct event *e, uint64_t status);
/* A RADIUS reason code, as of 6273. */
void windows_radius_reason(struct event *e, uint64_t code);
/* An id as a number that tells it from others; 0: none. */
uint64_t windows_activity(struct span guid);
int windows_hex(char c); /* -1: no digit */
/* "0x3e7" or "999"; otherwise when it is neither. */
uint64_t windows_value(struct span text, uint64_t otherwise);
uint64_t windows_sid(struct span sid); /* as a number; 0: none, or of the system itself */
/* Is the last part of that path this name, in any case? */
bool windows_is_program(struct span path, const char *name);
bool windows_is_loopback(const struct addr *a);
/* windows_after.c, of the Security log. */
bool windows_read_process(const struct windows_event *w, struct event *e, const char **reason);
bool windows_read_change(const struct windows_event *w, struct event *e, const char **reason);
bool windows_read_policy(const struct windows_event *w, struct event *e, const char **reason);
bool windows_read_filtered(const struct windows_event *w, struct event *e, const char **reason);
/* 6272 to 6279, of the Security log. */
bool windows_read_granted(const struct windows_event *w, struct event *e, const char **reason);

#endif
