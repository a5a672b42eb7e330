/*
 * engine: the unprivileged half. Takes records and lines, runs the core, writes store and sinks.
 *
 * One thread, one epoll loop. The core is pure; everything that touches a descriptor or a clock
 * on its behalf is here and in source_*.c.
 */
#ifndef OUTERGATE_ENGINE_H
#define OUTERGATE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/geo_files.h"
#include "common/core/core.h"
#include "common/decode/decode.h"
#include "common/out/out.h"
#include "common/store/store.h"
#include "common/decode/first_bytes.h"
#include "common/wire.h"
#include "common/decode/echo.h"
#include "sensor.h"

struct engine;

/* Something in the epoll set. */
struct watcher {
	int fd;
	void (*ready)(struct engine *e, struct watcher *w);
	void *arg;
};

enum source_state {
	SOURCE_OFF,
	SOURCE_ON,
	SOURCE_FAILED
};

/* What `status` says about an input that is no kernel hook. */
struct source_status {
	char name[CONFIG_PATH_MAX + 16];
	enum source_state state;
	char reason[SENSOR_REASON_MAX];
	uint64_t lines;
	uint64_t bad, skipped;		  /* of them: could not be read; nobody wants them */
	uint64_t lost, refused, cut;	  /* receivers: see forward/receive.h */
	char sample[128], sample_why[64]; /* the last of either, and why; not of the journal's */
};

struct ring_buffer;
struct reload_refusal; /* reload.h */
struct ledger_check;   /* common/store/ledger.h */

/* A libpam that was looked at, by inode: host, chroots, containers, replaced packages. */
#define LIBPAM_FILES_MAX 128
struct libpam_file {
	uint64_t dev, ino;   /* st_dev, st_ino */
	uint64_t kernel_dev; /* as in wire_mapping; 0: found by path */
	uint64_t seen_ns;    /* when a process was last found to use it, or it was asked for */
	bool attached, host; /* has probes; is one of this host's own paths */
	bool foreign;	     /* is not root's */
};

/* And the journal, and changes of files. */
#define ENGINE_SOURCES_MAX (CONFIG_FILES_MAX + RECEIVERS_MAX + 2)

/* The next record of a ring, copied out; len 0: none yet. */
struct ring_slot {
	struct ring_buffer *ring;
	size_t len;
	_Alignas(8) char data[sizeof(struct wire_data_long)]; /* the largest record of wire.h */
};

#define KERNEL_RINGS 3 /* precious, bulk, first bytes */

/* What the parent hands over at fork. */
struct engine_setup {
	struct config *config;
	const char *config_name; /* path, or "embedded defaults" */
	const struct sensor_row *rows;
	bool task_storage;
	struct ring_slot *slots;     /* KERNEL_RINGS: mapped after the fork, before the sandbox */
	int ring_maps[KERNEL_RINGS]; /* the parent's descriptors of them */
	const volatile uint64_t *counters;
	int priv;	 /* socket to the parent */
	uint32_t parent; /* its process id */
	const char *user;
	bool json, terminal; /* stdout */
	bool json_asked;     /* json by an option, whatever the configuration says */
	const char *kept;    /* "" when hooks stay on while the agent is dead, else why not */
	char settings[65];   /* SHA-256 of the configuration file, in hex */
	const struct reload_refusal *refusal;
	bool took_over;	  /* hooks of an earlier run were on */
	int died;	  /* the signal that ended the half before this one; 0: none did */
	bool interrupted; /* set by the parent: ended by SIGINT */
	int files;	  /* fanotify descriptor, or -errno and why */
	char files_reason[SENSOR_REASON_MAX];
	uint64_t watchdog_ns; /* within which the service manager wants to hear of us; 0: never */
};

struct journal_source;
struct file_source;
struct fanotify_source;
struct receive_source;
struct proc_table;
struct forwarding;
struct exposures;
struct wireguard;

/* A cgroup whose servers' answers are looked at for a while: see looks.c. */
#define LOOKS_MAX 8
struct look {
	uint64_t cgroup, until_ns; /* until 0: free */
	uint64_t for_ns;
};

struct engine {
	struct engine_setup setup;
	const struct config *config;
	struct own *own; /* decode/own.h; NULL: the configuration describes none */
	struct core *core;
	struct core_out out;
	struct core_identity identity;
	struct store *store;
	struct out_policy policy;
	char host_name[256];
	struct decode_stream kernel_stream;
	int epoll;
	struct watcher priv, rings[KERNEL_RINGS], bulk_timer, tick_timer, alive, signals, control,
		journal;
	struct journal_source *journal_source;
	struct file_source *files[CONFIG_FILES_MAX];
	struct fanotify_source *fanotify;
	struct receive_source *receive; /* NULL: there are no Receivers */
	struct proc_table *procs;	/* of sessions */
	struct source_status sources[ENGINE_SOURCES_MAX];
	unsigned sources_count;
	uint64_t kernel_lost[KERNEL_RINGS]; /* as told to the core */
	bool reads_first;		    /* first bytes, of some watched listener at least */
	char first_reason[SENSOR_REASON_MAX];
	struct look looks[LOOKS_MAX], outward_looks[LOOKS_MAX];
	uint64_t started_ns, saved_ns, pruned_ns, bytes_ns;
	size_t memory_bytes; /* of the core, when it was last put */
	struct libpam_file libpam[LIBPAM_FILES_MAX];
	unsigned libpam_count;	  /* known files */
	unsigned libpam_foreign;  /* of them not root's */
	unsigned libpam_attached; /* with probes on */
	uint64_t libpam_hint_ns;
	uint64_t libpam_scan_ns; /* when to look again; 0: now */
	char libpam_reason[SENSOR_REASON_MAX];
	bool in_transaction, alert_put, dirty, stop;
	bool any_live; /* a session may be open: its bytes are worth reading */
	bool store_failing;
	bool store_missed; /* something was not stored: see engine_catch_up() */
	uint64_t catch_up_ns;
	bool said;	   /* why we cannot start */
	uint32_t ended_by; /* who sent SIGTERM */
	struct {
		uint64_t next_ns;
		int64_t offset_ns; /* of the wall clock from CLOCK_BOOTTIME */
		uint32_t hooks_gone;
		bool ended;		    /* in order */
		struct ledger_check *check; /* of the store's alerts; NULL: it is done */
		uint64_t check_ns;	    /* when it goes on */
		char finding[320];	    /* the first */
	} guard;
	struct echo echo;
	struct geo_files geo;
	struct forwarding *forwarding; /* NULL: to nobody */
	struct exposures *exposures;   /* what listens */
	struct wireguard *wireguard;
	char scratch[OUT_ALERT_MAX];
};

/* A row of status: is it on, and if not, why. */
bool engine_row_on(const struct engine *e, unsigned part);
const char *engine_row_reason(const struct engine *e, unsigned part);

uint64_t clock_wall_ns(void);
uint64_t clock_boot_ns(void);

/* One decoded event through the core and out to store and sinks. */
void engine_event(struct engine *e, const struct event *ev);
/* A line that a source read; index into e->sources. */
/* neighbours.c: the network card of an inside origin, into buf, where a session may open. */
#define NEIGHBOUR_TEXT 20
void neighbour_name(const struct engine *e, struct event *ev, char buf[NEIGHBOUR_TEXT]);
void engine_frame(struct engine *e, unsigned source, struct decode_stream *s,
		  const struct frame *f);
void engine_line(struct engine *e, unsigned source, struct decode_stream *s, struct span line);
/* One that somebody sent; peer: its address as text, "" of a program here. */
void engine_line_sent(struct engine *e, unsigned source, struct decode_stream *s, struct span line,
		      struct span peer);
/* A sensor changed state: becomes EVENT_SENSOR ("probe-missing: ..."). */
void engine_sensor(struct engine *e, const char *text);
/* Counted, said once, and made up for when the store works again (engine_catch_up). */
void engine_store_failed(struct engine *e, const char *what);
/* What was kept under this name (the caller frees it). What is there and cannot be read is counted.
 */
bool engine_kept(struct engine *e, const char *name, void **ret, size_t *ret_len);
/* Opens the transaction that engine_flush() ends, unless one is open. */
void engine_transaction(struct engine *e);
void engine_unwatch(struct engine *e, struct watcher *w);
/* Wakes also when its descriptor can be written to. */
void engine_watch_out(struct engine *e, struct watcher *w, bool on);
int engine_watch(struct engine *e, struct watcher *w, int fd,
		 void (*ready)(struct engine *, struct watcher *), void *arg);
/* Ends the open transaction, so that readers see what was told. */
void engine_flush(struct engine *e);
/* catch_up.c: puts what the store missed while it failed; false: it still does. */
bool engine_catch_up(struct engine *e);
/* Saves core memory and cursors when something changed. */
void engine_save(struct engine *e);

/* The child's whole life; returns its exit code. */
int engine_run(const struct engine_setup *setup);

/* source_kernel.c */
/* Maps the rings: in the child, who alone reads them, before its sandbox (needs bpf(2)).
 * 0 or -errno. */
int kernel_rings_open(struct ring_slot slots[KERNEL_RINGS], const int maps[KERNEL_RINGS]);
int kernel_source_open(struct engine *e);
/* Takes what is in the rings now, so that what is told next comes after it. */
void kernel_source_drain(struct engine *e);
void kernel_source_snapshot(struct engine *e);
/* Whole records of one iterator, each given to take; returns how many, or -errno. */
int snapshot_read(struct engine *e, enum priv_snapshot which,
		  void (*take)(struct engine *e, const void *record, size_t len));
void kernel_source_losses(struct engine *e);
/* Live byte counts, when due; and when they are due next (UINT64_MAX: nobody is here). */
void kernel_source_bytes(struct engine *e, uint64_t now);
uint64_t kernel_source_bytes_next(const struct engine *e);

/* libpam.c: which libpam files are in use, and the probes on them */
void libpam_open(struct engine *e);
/* Looks for files that were mapped since: after a listener appeared, and every LIBPAM_EVERY. */
void libpam_scan(struct engine *e);
void libpam_listener(struct engine *e, uint32_t pid);

/* source_journal.c: follows the journal from a saved cursor */
int journal_source_open(struct engine *e, unsigned status);
void journal_source_save(struct engine *e);
void journal_source_close(struct engine *e);

/* source_file.c: follows a file through rotation, truncation and absence */
int file_source_open(struct engine *e, unsigned index, unsigned status);
void file_source_save(struct engine *e, struct file_source *f);
void file_source_poll(struct engine *e, struct file_source *f);
/* Its directory cannot be watched: look every 2 s. */
bool file_source_needs_poll(const struct file_source *f);
void file_source_close(struct file_source *f);

/* source_receive.c: lines that other hosts and programs send */
void receive_source_open(struct engine *e, unsigned status);
void receive_source_poll(struct engine *e, uint64_t now);
void looks_hint(struct engine *e, const struct event *ev);
uint64_t looks_next(const struct engine *e); /* UINT64_MAX: none is on */
void looks_tick(struct engine *e, uint64_t now);
uint64_t receive_source_next(const struct engine *e); /* UINT64_MAX: it runs, or is not wanted */
void receive_source_close(struct engine *e);

/* source_fanotify.c: changes of files by which somebody can come back */
void fanotify_source_open(struct engine *e, unsigned status);
/*
 * What was written before the record that is being delivered. What the processes of that hand-off
 * (its id) have written themselves waits until they are known: fanotify_source_later().
 */
void fanotify_source_take(struct engine *e, uint64_t awaited);
void fanotify_source_later(struct engine *e);
/* Files that were asked about too often to look at once, and homes that are not there yet. */
void fanotify_source_poll(struct engine *e, uint64_t now);
uint64_t fanotify_source_next(const struct engine *e); /* UINT64_MAX: nothing waits */
void fanotify_source_close(struct engine *e);

/* source_geo.c: databases of places and networks, exchanged underfoot */
void geo_source_open(struct engine *e);
void geo_source_poll(struct engine *e, uint64_t now);
uint64_t geo_source_next(const struct engine *e); /* UINT64_MAX: none are wanted */

/* control.c: `status` asks here */
int control_open(struct engine *e);
/* control.c: does what somebody asked for by way of the store. */
void engine_requests(struct engine *e);

/* expiries.c: what of the configuration ends soon, told once before and once when it has ended */
void expiries_tell(struct engine *e, uint64_t now_ns);

/* watchdog.c */
int watchdog_open(struct engine *e);

/* sink.c */
void sinks_alert(struct engine *e, const struct alert *a);
/* A test alert to each; ret: "NAME sent;NAME reason", or "failed: why" when there is none. */
void sinks_test(struct engine *e, const char *detection, const char *id, char *ret, size_t cap);
void sinks_session(struct engine *e, const struct session *s);

#endif
