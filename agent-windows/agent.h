/*
 * agent: Outergate on Windows. One thread runs the core; the ETW sessions each have a thread that
 * only copies records into the queue. The event log is read by the core's own thread.
 *
 * What the log has is the record: it is read from a bookmark that is stored with what the core made
 * of it. ETW is only faster; what both tell is told once.
 */
#ifndef OUTERGATE_AGENT_H
#define OUTERGATE_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <winsock2.h> /* before windows.h: maxminddb.h has it */
#include <windows.h>

#include "cli/geo_files.h"
#include "common/core/core.h"
#include "common/decode/decode.h"
#include "common/decode/echo.h"
#include "common/decode/windows_etw.h"
#include "common/out/out.h"
#include "common/store/store.h"

#define REASON_MAX   200
#define CHANNELS_MAX 16
#define EVT_BATCH    64
#define WAITING_MAX  16
#define SESSIONS_MAX 2 /* EventLog-Security, and our own */

struct agent;

/* --- queue.c: records that the ETW threads copied */
struct queue;
struct etw_copy { /* what stands in the queue */
	GUID provider, activity;
	uint16_t id, version, flags, size; /* size: of the payload behind it */
	uint8_t opcode;
	uint8_t session; /* which of agent.etw */
	uint32_t pid, tid;
	uint64_t filetime;
};
/* Bytes; NULL: no memory. */
struct queue *queue_new(size_t size, HANDLE wake);
void queue_free(struct queue *q);
/* Any thread. False: it is full, and that is counted. */
bool queue_put(struct queue *q, const struct etw_copy *head, const void *payload);
/* The core's thread: the next, copied out; false: none. payload of at least 64 KiB. */
bool queue_take(struct queue *q, struct etw_copy *head, void *payload);
uint64_t queue_lost(const struct queue *q);

/* --- etw.c: real time */
struct etw_session {
	struct agent *agent;
	unsigned index;
	const wchar_t *name;
	bool own;		  /* started by us; else it is the event log's own */
	uint64_t handle, started; /* of OpenTrace, of StartTrace */
	HANDLE thread;
	volatile LONG ended; /* ProcessTrace has returned */
	DWORD why;
	bool on;
	uint64_t retry_ns, looked_ns;
	uint64_t lost, told_lost; /* events, as the system counts */
	uint64_t records;
	/* Is it true that it hears? What the log had of its time while it told nothing at all. */
	uint64_t opened_ns, heard;
	unsigned unheard;
	char reason[REASON_MAX];
};
void etw_open(struct agent *a);
/* A record from the queue. */
void etw_take(struct agent *a, const struct etw_copy *head, const void *payload);
/* The event log had something of that time from the Security log: had ETW? */
void etw_proof(struct agent *a, uint64_t time_ns);
/* Sessions that ended are begun again, losses told; how long until the next look, ms. */
DWORD etw_look(struct agent *a, uint64_t now_ns);
void etw_close(struct agent *a);

/* --- evt.c: the event log, channel by channel */
struct evt_channel {
	wchar_t *path, *query;
	char name[128]; /* path as text */
	HANDLE signal;
	void *subscription, *bookmark; /* EVT_HANDLE; bookmark NULL: nothing of it was read */
	DWORD batch;
	bool on, dirty, pending; /* pending: more may be there */
	bool from_start;	 /* it was empty when it was opened first: all of it is new */
	uint64_t retry_ns, lines;
	/* What EvtNext gave and is not read yet; the first of them as XML, and its time. */
	void *ahead[EVT_BATCH];
	DWORD ahead_count, ahead_at;
	char *head;
	uint64_t head_ns;
	uint64_t stopped_ns; /* the log's service said that it ends, and no start has come yet */
	char reason[REASON_MAX];
};
void evt_open(struct agent *a);
/* Reads of all channels the oldest first, some hundred events at most; true: there is more. */
bool evt_read(struct agent *a);
/* All channels at once: something was lost elsewhere. */
void evt_catch_up(struct agent *a);
DWORD evt_look(struct agent *a, uint64_t now_ns);
/* Bookmarks into the open transaction of the store. */
void evt_save(struct agent *a);
void evt_close(struct agent *a);

/* --- tail.c: text logs of servers */
#define TAILS_MAX 16
struct tail;
struct tail_status {
	const char *name, *reason;
	uint64_t lines;
	bool on;
};
void tails_open(struct agent *a);
void tails_look(struct agent *a, uint64_t now_ns);
/* How far they were read, into the open transaction of the store. */
void tails_save(struct agent *a);
/* False: there are no more. */
bool tails_status(const struct agent *a, unsigned i, struct tail_status *ret);
void tails_close(struct agent *a);

/* --- audit.c: what audit policy keeps from happening */
struct audit_policy {
	uint64_t looked_ns;
	uint32_t told;
	char off[400];		 /* what is off, for `status`; "" = nothing */
	char reason[REASON_MAX]; /* why it cannot be asked; "" = it can */
};
/* Asks when it is time. */
void audit_look(struct agent *a, uint64_t now_ns);

/* --- sink.c */
void sinks_open(struct agent *a);
void sinks_alert(struct agent *a, const struct alert *alert);
void sinks_test(struct agent *a, const char *detection, const char *id, char *ret, size_t cap);
void sinks_close(struct agent *a);
/* A sentence of the agent about itself: stderr, and the Event Log when it is a service. */
void agent_say(struct agent *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- control.c: `status` asks here */
int control_open(struct agent *a);
void control_answer(struct agent *a); /* a client has connected */
void control_close(struct agent *a);

struct agent {
	const struct config *config;
	const char *config_name;
	struct own *own; /* decode/own.h; NULL: the configuration describes none */
	struct core *core;
	struct core_out out;
	struct core_identity identity;
	struct store *store;
	struct out_policy policy;
	struct geo_files geo;
	struct decode_stream stream;
	struct echo echo;
	struct queue *queue;
	struct audit_policy audit;
	struct etw_session etw[SESSIONS_MAX];
	struct evt_channel channels[CHANNELS_MAX];
	unsigned channels_count;
	struct tail *tails[TAILS_MAX];
	unsigned tails_count;
	uint64_t tails_looked_ns;
	HANDLE stop, wake, pipe, pipe_event, log;
	OVERLAPPED pipe_wait;
	/* The log is read up to now, and until then it is not now: no tick, no record of ETW. */
	bool behind;
	char waiting[WAITING_MAX][REASON_MAX]; /* sensors' states that are told then */
	unsigned waiting_count;
	bool json, service, in_transaction, alert_put, dirty, store_failing, is_system;
	uint64_t started_ns, saved_ns, pruned_ns, queue_lost_told;
	size_t memory_bytes; /* of the core, when it was last put */
	char host_id[64], boot_id[64];
	char scratch[OUT_ALERT_MAX];
};

uint64_t clock_wall_ns(void);
/* A decoded event through the core; source: tells repeats of the same one apart. */
void agent_event(struct agent *a, unsigned source, const struct event *e);
/* The state of a sensor: becomes EVENT_SENSOR ("etw-lost: ..."), now, or when it was so. */
void agent_sensor(struct agent *a, const char *text);
void agent_sensor_at(struct agent *a, const char *text, uint64_t time_ns);
/* The log is read: what waited for it is told. */
void agent_caught_up(struct agent *a);
void agent_loss(struct agent *a, const char *what, uint64_t count);
/* Runs until a->stop is set. The exit code. */
int agent_run(struct agent *a);

/* --- text.c: UTF-16 and what a system error says; the caller frees. */
wchar_t *wide(const char *utf8);
char *narrow(const wchar_t *text);
const char *system_error(DWORD code, char buf[REASON_MAX]);

/* --- installed.c: beside the program's own path. EXIT_FINE, or said and another. */
int installed_put(const wchar_t *exe);
int installed_remove(bool purge);

/* --- service.c */
/* Is this process one that the service manager started? Then runs it so; false: it is not. */
bool service_run(int (*work)(HANDLE stop), int *ret_code);

#endif
