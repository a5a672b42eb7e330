/*
 * What runs in the kernel: one object, one file a subject. Loaded by agent-linux/sensor.c.
 */
#include "kernel.h"
#include "emit.h"
#include "session.h"
#include "watch.h"
#include "peer.bpf.c"
#include "handoff.bpf.c"
#include "local.bpf.c"
#include "manager.bpf.c"
#include "container.bpf.c"
#include "loopback.bpf.c"
#include "outward.bpf.c"
#include "process.bpf.c"
#include "connect.bpf.c"
#include "pam.bpf.c"
#include "first.bpf.c"
#include "outward_udp.bpf.c"
#include "snapshot.bpf.c"
#include "libpam.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
