/*
 * wire: records that bpf/ writes and decode/wire.c reads. Fixed width, explicit padding, zeroed
 * before filling; no packed, bitfield, enum, long. Times are CLOCK_BOOTTIME ns. Ports are in host
 * order. Addresses are in network order, v4 in the first four bytes.
 *
 * Every record starts with struct wire_hdr; its size is checked by kind and version; unknown kinds
 * are counted and skipped. Adding a field = new version.
 */
#ifndef OUTERGATE_WIRE_H
#define OUTERGATE_WIRE_H

#ifdef __bpf__
#include <linux/types.h>
#else
#include <assert.h>
#include <stddef.h>
#if __has_include(<linux/types.h>)
#include <linux/types.h>
#else /* recorded ones are read anywhere */
#include <stdint.h>
typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;
typedef int32_t __s32;
#endif
#endif

#define WIRE_VERSION 1

#define WIRE_COMM  16
#define WIRE_PATH  128
#define WIRE_ABOVE 72 /* "kubepods-besteffort-pod<uid>.slice" */
#define WIRE_ARGS  384
#define WIRE_NAME  64

/* WIRE_KIND(id, name, struct, precious) */
#define WIRE_KINDS(X)                                                                              \
	X(1, CONN_OPEN, wire_conn_open, 0)                                                         \
	X(2, CONN_CLOSE, wire_conn_close, 0)                                                       \
	X(3, PAM, wire_pam, 1)                                                                     \
	X(4, FORK, wire_fork, 0)                                                                   \
	X(5, EXEC, wire_exec, 0)                                                                   \
	X(6, EXIT, wire_exit, 0)                                                                   \
	X(7, LISTEN, wire_listen, 1)                                                               \
	X(8, CONNECT, wire_connect, 0)                                                             \
	X(9, CONNECT_CLOSE, wire_connect, 0)                                                       \
	X(10, BYTES, wire_bytes, 0)                                                                \
	X(11, SNAPSHOT, wire_snapshot, 0)                                                          \
	X(12, BIND, wire_bind, 0)                                                                  \
	X(13, MAPPING, wire_mapping, 0)                                                            \
	X(14, LOOPBACK, wire_loopback, 1)                                                          \
	X(15, HANDOFF, wire_handoff, 0)                                                            \
	X(16, SERVER_SHELL, wire_server_shell, 0)                                                  \
	X(17, DATA, wire_data, 0)                                                                  \
	X(18, DATA_LONG, wire_data_long, 0)                                                        \
	X(19, FILE, wire_file, 0)                                                                  \
	X(20, CONTAINER, wire_container, 0)                                                        \
	X(21, AGENT, wire_agent, 0)                                                                \
	X(22, OUTWARD, wire_outward, 0)                                                            \
	X(24, EXPOSURE, wire_exposure, 0)                                                          \
	X(25, WIREGUARD, wire_wireguard, 0)                                                        \
	X(26, LOOK, wire_look, 0)

/* wire_*.flags */
#define WIRE_F_PROVEN	    0x0001 /* the connection has passed authentication */
#define WIRE_F_HELPER	    0x0002 /* started inside a PAM call */
#define WIRE_F_USER_EXEC    0x0004 /* program exec'ed by a session's non-root user */
#define WIRE_F_STDIN_SOCKET 0x0008
#define WIRE_F_STDIN_TTY    0x0010
#define WIRE_F_SELF_EXEC    0x0020 /* same executable as before the exec */
#define WIRE_F_ESTABLISHED  0x0040
#define WIRE_F_TRUNCATED    0x0080
#define WIRE_F_WATCHED	    0x0100
#define WIRE_F_CHILD_CALL   0x0200 /* pam: caller inherited the binding, did not bind itself */
#define WIRE_F_LEADER	    0x0400 /* snapshot: holds the accepted socket */
#define WIRE_F_STDIN_PIPE   0x0800 /* exec: stdin is a pipe or a local socket */
#define WIRE_F_ROOT	    0x1000 /* listen: by root, of its own user namespace if root made that */
#define WIRE_F_REQUEST	    0x2000 /* handoff: a session's process connects to a broker's socket */
#define WIRE_F_LOCAL_PEER   0x4000 /* the connection is that of the client of a local socket */
#define WIRE_F_INIT	    0x8000 /* container: process 1 of a pid namespace below the host's */
#define WIRE_F_MANAGED	    0x8000 /* file: by a package manager, or one's own password */

/* enum pam_call of event.h */
#define WIRE_PAM_AUTHENTICATE  1
#define WIRE_PAM_ACCT_MGMT     2
#define WIRE_PAM_OPEN_SESSION  3
#define WIRE_PAM_CLOSE_SESSION 4
#define WIRE_PAM_END	       5

struct wire_hdr {
	__u16 kind;
	__u16 version;
	__u32 size; /* whole record */
	__u64 time;
};

/* One TCP socket. laddr/lport are ours. */
struct wire_conn {
	__u64 cookie; /* 0: no connection */
	__u32 netns;
	__u16 family; /* AF_INET 2, AF_INET6 10 */
	__u16 lport, rport;
	__u16 pad;
	__u32 pad2;
	__u8 laddr[16], raddr[16];
};

struct wire_proc {
	__u32 tgid, ppid;
	__u64 start, pstart; /* boottime of leader and of its parent's leader */
	__u32 uid, euid;
	__u32 loginuid, sessionid; /* (u32)-1: unset */
	__u64 cgroup;
	char comm[WIRE_COMM];
};

struct wire_conn_open {
	struct wire_hdr hdr;
	struct wire_conn conn;
	__u32 flags, pad;
};

struct wire_conn_close {
	struct wire_hdr hdr;
	struct wire_conn conn;
	__u64 opened; /* 0 unknown */
	__u64 bytes_in, bytes_out;
	__u32 flags, alive; /* processes still marked */
};

struct wire_pam {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn; /* the connection the caller is bound to */
	__u32 flags;
	__u16 call, pad;
	__s32 ret;
	__u32 pad2;
	__u64 handle; /* pam_handle_t *, tells handles of one process apart */
	char service[32], user[WIRE_NAME], rhost[WIRE_NAME], tty[32];
};

struct wire_fork {
	struct wire_hdr hdr;
	struct wire_proc proc; /* the child */
	__u64 cookie;
	__u32 flags, pad;
};

struct wire_exec {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn; /* the session's connection, for records that come before others */
	__u32 flags, args_len;
	char path[WIRE_PATH];
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};

struct wire_exit {
	struct wire_hdr hdr;
	struct wire_proc proc;
	__u64 cookie;
	__s32 code;
	__u32 alive;
	__u32 flags, pad;
};

struct wire_listen {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn; /* local end only; cookie of the listener */
	__u64 session;	       /* cookie of the session whose process listens; 0: none */
	__u64 cgroup;	       /* of the socket, which what it accepts inherits; 0: unknown */
	__u32 flags, pad;
};

struct wire_connect {
	struct wire_hdr hdr;
	struct wire_proc proc;
	__u64 session;	       /* cookie of the session's connection */
	struct wire_conn conn; /* the outgoing socket */
	__u64 bytes_in, bytes_out;
	__u32 flags, pad;
};

struct wire_bytes {
	struct wire_hdr hdr;
	__u64 session; /* cookie of the session's connection */
	__u64 cookie;  /* the socket; equal to session for the accepted one */
	__u64 bytes_in, bytes_out;
};

struct wire_snapshot {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn;
	__u32 flags, pad;
	__u64 bytes_in, bytes_out;
	char path[WIRE_PATH]; /* "" : not read */
};

/* A process became the one that serves a connection. */
struct wire_bind {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn;
	__u32 flags, pad;
};

/* A libpam that a process has mapped: found by the name of the file, told by what it is. */
struct wire_mapping {
	struct wire_hdr hdr;
	__u64 start, end; /* of the mapping, as in /proc/PID/map_files */
	__u64 ino;
	__u32 tgid, dev; /* dev: the kernel's own encoding */
};

/*
 * A process of this host connected to a watched listener of it, while it holds connections to
 * other hosts. conn: its own end as laddr/lport, the listener as raddr/rport.
 */
#define WIRE_PEERS 4
struct wire_loopback {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn;
	struct wire_conn peers[WIRE_PEERS]; /* the first it holds; raddr is the other host */
	__u32 peers_count, accepted;	    /* accepted: bit per peer; the others it opened */
	__u64 served; /* cookie of the connection that the process is bound to; 0: none */
	__u32 flags, args_len;
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};

/* Who starts programs for others, by what it is; enum handoff_kind of event.h. */
#define WIRE_HANDOFF_SYSTEMD   1
#define WIRE_HANDOFF_DBUS      2
#define WIRE_HANDOFF_CRON      3
#define WIRE_HANDOFF_AT	       4
#define WIRE_HANDOFF_CONTAINER 5
#define WIRE_HANDOFF_TMUX      6
#define WIRE_HANDOFF_SCREEN    7

/*
 * A session's process reached such a broker (WIRE_F_REQUEST), or a program began in what a broker
 * had started meanwhile. Of the latter the cookie is an id of its own, bit 63 set, which later
 * records of those processes carry in place of a connection's.
 */
#define WIRE_HANDOFF_ID (1ull << 63)
struct wire_handoff {
	struct wire_hdr hdr;
	struct wire_proc proc;
	__u64 cookie; /* request: 0: of nobody in a session */
	__u64 held;   /* cookie of the session whose process is connected to the broker; 0: none */
	__u32 held_by, others; /* that process, and how many clients of others are there, too */
	__u64 broker_start;
	__u32 broker, broker_uid;
	__u32 kind, flags;
	__u32 args_len, pad;
	char comm[WIRE_COMM]; /* the broker's */
	char path[WIRE_PATH]; /* request: the socket; else the file that is standard input */
	char exe[WIRE_PATH];
	char unit[WIRE_PATH];	/* the last name of its cgroup */
	char above[WIRE_ABOVE]; /* the name of the cgroup around that */
	char args[WIRE_ARGS];	/* NUL-separated, args_len bytes */
};

/* A web, mail or database server has a shell run something. */
struct wire_server_shell {
	struct wire_hdr hdr;
	struct wire_proc proc; /* the shell */
	struct wire_conn conn; /* the one accepted connection that its server holds; cookie 0: none
				*/
	__u32 flags, args_len;
	char server[WIRE_COMM];
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};

/*
 * Some of the first bytes of a connection; or of HTTP, of a later request or answer. off: place in
 * the stream of its direction, modulo 2^32.
 */
#define WIRE_DATA_MAX	   512
#define WIRE_DATA_LONG_MAX 4096
#define WIRE_DATA_ANSWER   0x0001 /* from the server */
#define WIRE_DATA_REQUEST  0x0002 /* an HTTP request (or status line) begins here */
#define WIRE_DATA_LOOK	   0x0004 /* of a listener that nobody watches */
struct wire_data_head {
	struct wire_hdr hdr;
	struct wire_conn conn;
	__u32 off, flags;
	__u32 len, pad;
};
struct wire_data {
	struct wire_data_head head;
	__u8 data[WIRE_DATA_MAX]; /* behind len: anything */
};
struct wire_data_long {
	struct wire_data_head head;
	__u8 data[WIRE_DATA_LONG_MAX];
};

/*
 * Somebody outside was accepted by a listener that nobody watches and nobody has looked at lately:
 * what its server answers is told for WIRE_LOOK_NS, if the programs that see it are attached.
 */
#define WIRE_LOOK_NS 3000000000ull
/* Or, without a connection: a program there may begin a VPN's session over UDP. */
#define WIRE_LOOK_OUT_NS 60000000000ull
struct wire_look {
	struct wire_hdr hdr;
	struct wire_conn conn;
	__u64 cgroup; /* of the socket, or of the program */
};

/*
 * A watched file that changed. No program of bpf/ writes it: the agent makes it of what fanotify
 * told and what it read, so that every change takes one way, recorded ones too.
 */
#define WIRE_SUBJECT   32
#define WIRE_FILE_PATH 400
#define WIRE_KEY       80
#define WIRE_DIGEST    72
#define WIRE_TEXT      1024
struct wire_file {
	struct wire_hdr hdr;
	struct wire_proc proc; /* who wrote; euid: whose jobs it holds */
	__u64 cookie;	       /* of its session; 0: none */
	__u32 flags, pad;
	char subject[WIRE_SUBJECT]; /* "authorized-keys", "account" ... */
	char program[WIRE_PATH];
	char path[WIRE_FILE_PATH];
	char key[WIRE_KEY]; /* the first that was added */
	char before[WIRE_DIGEST], after[WIRE_DIGEST];
	char text[WIRE_TEXT];
};

/*
 * A program began in another mount namespace than that of the process above it: the first of a
 * container, or one that was put into a container.
 */
#define WIRE_SHARES_NET 0x1 /* namespaces that it has in common with the process above it */
#define WIRE_SHARES_PID 0x2
#define WIRE_SHARES_IPC 0x4
struct wire_container {
	struct wire_hdr hdr;
	struct wire_proc proc;
	__u64 caps; /* what it may ever have (the bounding set); 0 in a user namespace of its own */
	__u32 shares, puid; /* puid: user of the process above it */
	__u32 flags, args_len;
	char above_comm[WIRE_COMM];
	char unit[WIRE_PATH], above[WIRE_PATH]; /* the last two names of its cgroup */
	char exe[WIRE_PATH];
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};

/*
 * A shell has begun for somebody to whom this host went out. proc: the process that holds the
 * connection; args: its command line, empty where it is not the shell itself.
 */
struct wire_agent {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn; /* raddr is the other host */
	__u32 shell, pad;      /* the shell's process; its own record follows */
	__u32 flags, args_len;
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};

/*
 * A remote service that listens, as the agent found it; or, with no service, that all which listen
 * have been told. No program of bpf/ writes it: see wire_file.
 */
#define WIRE_SERVICE	    16
#define WIRE_EXPOSURE_PATH  256
#define WIRE_EXPOSURE_WORDS 224
struct wire_exposure {
	struct wire_hdr hdr;
	struct wire_proc proc;
	struct wire_conn conn; /* our end alone */
	__u64 session;	       /* cookie of the session that opened it; 0: none */
	__u64 key;	       /* the same after a restart */
	__u32 reach, auth;     /* enum exposure_reach, exposure_auth */
	__u32 flags, pad;
	char service[WIRE_SERVICE];
	char account[WIRE_NAME];
	char package[80], container[96];
	char path[WIRE_EXPOSURE_PATH];
	char words[WIRE_EXPOSURE_WORDS];
	char text[768];
};

/*
 * A process of this host is connected to a remote service elsewhere, or is a tool of remote access.
 * conn: its own end as laddr/lport, the other as raddr/rport.
 */
struct wire_outward {
	struct wire_hdr hdr;
	struct wire_proc proc;
	__u64 session; /* cookie of the session's connection; 0: of none */
	struct wire_conn conn;
	__u32 flags, args_len;
	__u32 spoken, pad;    /* WIRE_SPOKEN_*: over UDP, and what its first bytes are */
	char args[WIRE_ARGS]; /* NUL-separated, args_len bytes */
};
#define WIRE_SPOKEN_TCP	      0
#define WIRE_SPOKEN_UDP	      1 /* nothing in particular: by the program's name */
#define WIRE_SPOKEN_WIREGUARD 2
#define WIRE_SPOKEN_OPENVPN   3
#define WIRE_SPOKEN_IKE	      4

/*
 * A peer of a WireGuard device of this host: it has shaken hands anew, or speaks from elsewhere; or
 * its keys have outlived their time. No program of bpf/ writes it: see wire_file.
 */
#define WIRE_WG_ENDED	 0x1
#define WIRE_WG_EXISTING 0x2 /* since before the agent */
struct wire_wireguard {
	struct wire_hdr hdr;
	struct wire_proc proc;	   /* whose device it is; tgid 0: the kernel's own */
	struct wire_conn conn;	   /* lport: where the device listens; the peer's end */
	__u64 bytes_in, bytes_out; /* since the session began */
	__u32 flags, pad;
	char device[16];
	char account[16]; /* "wg:" and how its key begins */
	char key[64];	  /* "WireGuard SmtL..." */
	char inner[192];  /* the networks that it may send from: "10.8.0.2/32 10.9.0.0/24" */
};

#define WIRE_ID_ENUM(id, name, type, precious) WIRE_ID_##name = (id),
enum {
	WIRE_KINDS(WIRE_ID_ENUM)
};

#define WIRE_STATIC_ASSERT(id, name, type, precious)                                               \
	_Static_assert(sizeof(struct type) % 8 == 0, #name " has a hidden pad at its end");
WIRE_KINDS(WIRE_STATIC_ASSERT)
_Static_assert(sizeof(struct wire_hdr) == 16, "wire_hdr");
_Static_assert(sizeof(struct wire_conn) == 56, "wire_conn");
_Static_assert(sizeof(struct wire_proc) == 64, "wire_proc");

/* Map values and keys shared with the loader. */
struct wire_listener_key {
	__u32 netns;
	__u16 port, pad;
};

#define WIRE_WATCHED 1 /* report its connections */

/* Counters of the kernel side, one u64 each per CPU, summed by the loader: WIRE_STAT(name). */
#define WIRE_STATS(X)                                                                              \
	X(lost_precious)                                                                           \
	X(lost_bulk)                                                                               \
	X(lost_data)                                                                               \
	X(over_share)                                                                              \
	X(pam_untrusted)                                                                           \
	X(map_full_conns)                                                                          \
	X(map_full_sessions)                                                                       \
	X(map_full_outs)                                                                           \
	X(mark_failed)                                                                             \
	X(read_failed)                                                                             \
	X(records)

#define WIRE_STAT_ENUM(name) WIRE_STAT_##name,
enum {
	WIRE_STATS(WIRE_STAT_ENUM) WIRE_STAT_COUNT
};

#endif
