/*
 * exposure: one remote service that listens on this host: who can reach it, and what it asks for.
 *
 * Pure. What is read (command lines, settings, /proc's tables) comes as bounded text from whoever
 * may open it; all of it may be crafted. What cannot be judged is "not known", never "fine".
 */
#ifndef OUTERGATE_EXPOSURE_H
#define OUTERGATE_EXPOSURE_H

#include "../scope.h"
#include "../session.h"

#define EXPOSURE_MAX	    256 /* services of one host that are looked at */
#define EXPOSURE_PATH	    256
#define EXPOSURE_PACKAGE    80
#define EXPOSURE_CONTAINER  96
#define EXPOSURE_WORDS	    224
#define EXPOSURE_TEXT_MAX   768
#define EXPOSURE_MITIGATION 3 /* at most, of one service */

enum exposure_reach {
	REACH_UNKNOWN,
	REACH_LOOPBACK, /* this host alone */
	REACH_PRIVATE,	/* addresses that do not count as external */
	REACH_ANYONE	/* any address, or one that counts as external */
};

enum exposure_auth {
	EXPOSED_UNKNOWN,
	EXPOSED_STRONG, /* keys or certificates */
	EXPOSED_WEAK,	/* passwords, root by password, or no encryption */
	EXPOSED_NONE	/* nobody is asked who they are */
};

struct exposure {
	enum service service;
	bool udp;
	bool any_v4, any_v6; /* the wildcards that it is bound to */
	struct endpoint at;
	uint32_t netns;
	bool host_net;			    /* the host's network namespace */
	char container[EXPOSURE_CONTAINER]; /* its name, else its id; "" the host */
	char image[EXPOSURE_CONTAINER];
	uint32_t pid; /* 0: the kernel itself */
	uint64_t start_ns;
	char name[16];
	char path[EXPOSURE_PATH];	/* "" not known */
	char package[EXPOSURE_PACKAGE]; /* "" not known */
	char account[ACCOUNT_MAX];	/* whose session opened it; "" nobody's */
	uint64_t conn;			/* cookie of that session's connection; 0 not known */
	enum exposure_reach reach;
	enum exposure_auth auth;
	char words[EXPOSURE_WORDS]; /* what it asks for */
};

struct mitigation {
	const char *id, *name, *advice;
};

/* Settings that a daemon has beside its command line. */
enum settings_file {
	SETTINGS_SSHD,	    /* /etc/ssh/sshd_config */
	SETTINGS_SSHD_PART, /* name, below /etc/ssh/sshd_config.d */
	SETTINGS_DOCKER,    /* /etc/docker/daemon.json */
	SETTINGS_KUBELET,   /* /var/lib/kubelet/config.yaml */
	SETTINGS_NAMED,	    /* name is a path on the daemon's command line */
	SETTINGS_FILES
};

/* How settings are come by; one a platform. */
struct exposure_reader {
	void *arg;
	/* A whole text, to be freed; 0 or -errno, -ENOENT where there is none. */
	int (*read)(void *arg, enum settings_file which, const char *name, char **ret,
		    size_t *ret_len);
	/* The i-th name below sshd_config.d, sorted; false behind the last. */
	bool (*part)(void *arg, unsigned i, char name[EXPOSURE_PATH]);
};

/* SERVICE_NONE: no remote service. path may be empty; " (deleted)" at its end is none of it. */
enum service exposure_service(struct span path, struct span name, uint16_t port, bool udp);

/*
 * Who reaches a wildcard or that address. has_external: an address of its network namespace counts
 * as external; the host's own is taken to be reached from anywhere, since what stands before it is
 * not seen here.
 */
enum exposure_reach exposure_reach(const struct exposure *x, bool has_external,
				   const struct scope_rules *rules);

/* Fills auth and words. args: NUL-separated, as in /proc/PID/cmdline; may be cut anywhere. */
void exposure_judge(struct exposure *x, struct span args, const struct exposure_reader *r);

/* Rows that differ in the wildcard's family alone become one; how many are left. */
unsigned exposure_merge(struct exposure *rows, unsigned n);

/* The same service after a restart, an upgrade, or in a container made anew of its image. */
uint64_t exposure_key(const struct exposure *x, uint64_t seed);

/* Which of ATT&CK's mitigations apply, and what to do, the most urgent first; how many. */
unsigned exposure_mitigations(const struct exposure *x, struct mitigation ret[EXPOSURE_MITIGATION]);

/* "*:22", "127.0.0.1:5901/udp". */
#define EXPOSURE_ADDRESS (ADDR_TEXT_MAX + 16)
void exposure_address(const struct exposure *x, char ret[EXPOSURE_ADDRESS]);
/* One line of evidence: address, process, package, what it asks for, mitigations. */
void exposure_text(const struct exposure *x, char ret[EXPOSURE_TEXT_MAX]);

const char *exposure_reach_name(enum exposure_reach r);
const char *exposure_auth_name(enum exposure_auth a);

#endif
