/* ocsf_parts: objects of the Open Cybersecurity Schema Framework that the records share. */
#ifndef OUTERGATE_OCSF_PARTS_H
#define OUTERGATE_OCSF_PARTS_H

#include "schema_parts.h"

enum ocsf_class {
	OCSF_BASE = 0,
	OCSF_FILE = 1001,
	OCSF_PROCESS = 1007,
	OCSF_COMPLIANCE = 2003,
	OCSF_DETECTION = 2004,
	OCSF_AUTHENTICATION = 3002,
	OCSF_NETWORK = 4001,
	OCSF_RDP = 4005,
	OCSF_SMB = 4006,
	OCSF_SSH = 4007,
	OCSF_TUNNEL = 4014,
	OCSF_API = 6003,
};

#define OCSF_OTHER 99

/* What happened: the class, the activity and its name in the schema (of OTHER: in our words). */
struct ocsf_what {
	enum ocsf_class class;
	unsigned activity;
	const char *name;
};

/* Of whom and when: what every record begins with. */
struct ocsf_head {
	struct ocsf_what what;
	enum severity severity;
	uint64_t time_ns;
	const char *uid;	/* the same whenever the record is sent again */
	const char *session;	/* NULL or "": none; correlation_uid */
	const char *code;	/* of the detection, or the kind of event */
	uint64_t sequence;	/* 0: none */
	bool device, container; /* profiles that the record has members of */
};
void ocsf_put_head(struct writer *w, const struct ocsf_head *h);

/* An id and its caption, the two members that the schema wants together. */
void ocsf_put_pair(struct writer *w, const char *id_key, const char *key, uint64_t id,
		   const char *caption);

bool ocsf_has_device(const struct out_policy *p, struct span logged);
void ocsf_put_device(struct writer *w, const struct out_policy *p, struct span logged);
/* name NULL: the address alone. */
void ocsf_put_endpoint(struct writer *w, const char *key, const struct endpoint *e,
		       const struct geo *g, const char *service);
void ocsf_put_user(struct writer *w, const char *key, struct span name);
void ocsf_put_connection(struct writer *w, enum service s, const struct addr *a, bool out,
			 bool local, uint64_t conn);
void ocsf_put_traffic(struct writer *w, uint64_t in, uint64_t out);
void ocsf_put_container(struct writer *w, struct span id, struct span name, struct span image,
			struct span pod);

/* What an analyst searches for: addresses and users, with where they stand. */
struct ocsf_observable {
	const char *path;
	struct span user;
	const struct addr *addr; /* one of the two */
};
void ocsf_put_observables(struct writer *w, const struct ocsf_observable *o, size_t n);

/* The event of schema_ocsf; ocsf_event.c. */
int ocsf_event(const struct event *e, const struct out_policy *p, char *buf, size_t cap);

#endif
