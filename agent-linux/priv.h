/*
 * priv: what the unprivileged child may ask of its privileged parent, over a SOCK_SEQPACKET pair.
 *
 * Every message has one fixed size; the parent range-checks every field and never parses text. A
 * wrong message costs the child its connection. Descriptors travel by SCM_RIGHTS.
 */
#ifndef OUTERGATE_PRIV_H
#define OUTERGATE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of PRIV_LOOK's arg. */
#define PRIV_LOOK_END	  1 /* no longer */
#define PRIV_LOOK_OUTWARD 2 /* what programs there say first over UDP, instead */

enum priv_kind {
	/* arg: index into config->files; arg2: 0 the file, 1 "<file>.1"; 2: arg is one into
	   config->geo_databases -> fd */
	PRIV_OPEN_FILE = 1,
	PRIV_SNAPSHOT,	  /* arg: enum priv_snapshot -> fd of an iterator, read to its end */
	PRIV_PROVE,	  /* value[0]: cookie of a connection that user space proved; no reply */
	PRIV_LIBPAM_OPEN, /* arg: candidate index -> fd of a regular file; -ENOENT past the last */
	PRIV_LIBPAM_ATTACH, /* arg: candidate index, value[]: file offsets by enum libpam_symbol */
	PRIV_LIBPAM_DETACH, /* value[0], value[1]: st_dev and st_ino of a file that has probes */
	PRIV_READY,	    /* the child serves: tell the service manager; no reply */
	/*
	 * arg: enum watch_kind, arg2: uid of its home. Marks the directory; reply: name is a struct
	 * priv_handle, value[0] the file system, and the descriptor lists its names.
	 */
	PRIV_DIR_WATCH,
	/*
	 * And name: one of that directory. Reply: value[0..3] is the SHA-256 of its first
	 * PRIV_FILE_MAX bytes (of a link, where it leads to), value[4] its size; with a descriptor
	 * where the table says that its lines are told and its owner may read it.
	 */
	PRIV_FILE_READ,
	PRIV_LET_GO, /* value[0]: id of a hand-off that is no session's; no reply */
	/* arg: WIRE_HANDOFF_*, arg2: uid of the broker, value[0]: until (boot time, ns); no reply
	 */
	PRIV_ARM,
	/* arg: process id. Reply: name is the path of its program, cut at PRIV_NAME_MAX - 1 */
	PRIV_PROGRAM,
	/*
	 * arg: a process in a container, arg2: the one above it when the container or it began; 0:
	 * is to be found. -> fd of config.json in that one's directory; with name: in the directory
	 * of that name, which is one of its arguments (conmon -b); with value[0] = 1: of Docker's
	 * config.v2.json there. Only what root owns; reply: arg2 is the process above.
	 */
	PRIV_CONTAINER,
	PRIV_FIRST,   /* value[0]: a cgroup: read the first bytes of what is accepted there */
	PRIV_LOOK,    /* the same for a while; arg: PRIV_LOOK_* */
	PRIV_FORWARD, /* arg: index into config->forwarders: a new process -> its socket */
	/* Of such a process, on a socket of its own: arg: enum forward_file -> fd */
	PRIV_FORWARD_FILE,
	/* -> fd of a new process that takes lines (forward/receive.h); name: 0 or -errno of each
	 * row (int32_t) */
	PRIV_RECEIVE,
	PRIV_HOOKS, /* reply: arg2 hooks are gone or no longer kept, name is the first of them */
	/* From the parent, unasked: it was told to end. arg: who sent the signal (0: the kernel or
	 * a terminal), arg2: its user, name: what it calls itself; value[0]: nobody ended us, it is
	 * a reload */
	PRIV_END,
	PRIV_ALIVE,   /* the child's loop goes round: tell the service manager; no reply */
	PRIV_SOCKETS, /* -> fd of rows of struct priv_socket (priv_exposure.h), read to their end */
	/*
	 * arg: a process, arg2: enum settings_file, name: as it says; below the root of that
	 * process, only what root owns -> fd; SETTINGS_SSHD_PART without a name is the directory.
	 */
	PRIV_SETTINGS,
	/*
	 * -> fd of rows of struct wg_peer (wg_dump.h), read to their end; reply: arg devices were
	 * asked, of arg2 something is missing. -ENODEV: there is no device.
	 */
	PRIV_WIREGUARD,
	PRIV_KIND_END
};

enum priv_snapshot {
	SNAPSHOT_LISTENERS,
	SNAPSHOT_HOLDERS,
	SNAPSHOT_CHILDREN,
	SNAPSHOT_BYTES,	 /* live byte counts of session sockets */
	SNAPSHOT_LIBPAM, /* mapped libpam files (wire_mapping); from 5.13 */
	SNAPSHOT_COUNT
};

enum libpam_symbol {
	LIBPAM_AUTHENTICATE,
	LIBPAM_ACCT_MGMT,
	LIBPAM_OPEN_SESSION,
	LIBPAM_CLOSE_SESSION,
	LIBPAM_END,
	LIBPAM_SYMBOLS
};

#define PRIV_FILE_MAX (256u * 1024)
#define PRIV_NAME_MAX 256 /* NAME_MAX and its end */

/* The kernel's name of a directory, as fanotify says it. */
struct priv_handle {
	uint32_t bytes;
	int32_t type;
	uint8_t data[128];
};

struct priv_msg {
	uint32_t kind;	/* enum priv_kind; a reply repeats it */
	int32_t result; /* reply: 0 or -errno */
	uint32_t arg, arg2;
	/*
	 * PRIV_LIBPAM_*: arg is a candidate index; or with map_end the mapping of process arg; or
	 * with arg2 the libpam below the root directory of process arg (-EALREADY: the host's).
	 */
	uint64_t map_start, map_end;
	uint64_t value[LIBPAM_SYMBOLS];
	char name[PRIV_NAME_MAX];
};

/* Both return 0 or -errno; -EPIPE when the other side is gone. fd -1: none. */
int priv_send(int sock, const struct priv_msg *m, int fd);
/* *ret_fd is -1 or the caller's to close. A message of another size is -EPROTO. */
int priv_recv(int sock, struct priv_msg *ret, int *ret_fd);
/* Child: asks and waits for the answer; returns its result. ret_fd may be NULL. */
int priv_call(int sock, struct priv_msg *m, int *ret_fd);

/* PRIV_END came while an answer was awaited, which gave -ECANCELED. */
bool priv_ended(struct priv_msg *ret);

#endif
