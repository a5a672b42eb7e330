"""What else watches a host: each is switched on and off again, as its documentation says."""
import os
import subprocess

from harness import Agent, check
from sandbox import TMP, run, wait_for

# Accepted connections, programs and PAM's verdicts, as our own sensors see them.
BPFTRACE = """
tracepoint:syscalls:sys_exit_accept4 { printf("accept %d %s %d\\n", pid, comm, args->ret); }
tracepoint:syscalls:sys_exit_accept { printf("accept %d %s %d\\n", pid, comm, args->ret); }
tracepoint:sock:inet_sock_set_state { printf("state %d %d %d %s\\n", args->oldstate, args->newstate,
    args->dport, ntop(args->daddr)); }
tracepoint:syscalls:sys_enter_execve { printf("exec %d %s ", pid, comm); join(args->argv); }
uretprobe:LIBPAM:pam_authenticate { printf("pam %d %d\\n", pid, retval); }
"""
LIBPAM = "/lib/x86_64-linux-gnu/libpam.so.0"
AUDIT = """local_events = yes
write_logs = yes
log_file = %s/audit.log
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 200
num_logs = 2
max_log_file_action = ROTATE
space_left = 20
space_left_action = IGNORE
admin_space_left = 10
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
"""


class Off:
    name = "nothing"

    def start(self):
        pass

    def stop(self):
        pass


class Outergate(Off):
    name = "outergate"

    def __init__(self, stem, config=""):
        self.agent = Agent("bench-" + stem, config, journal=True)

    def start(self):
        self.agent.start()

    def stop(self):
        self.agent.stop()


class Auditd(Off):
    """accept, accept4 and execve: what an audit policy for remote access has."""
    name = "auditd"

    def start(self):
        self.dir = TMP + "/audit"
        os.makedirs(self.dir, mode=0o700, exist_ok=True)
        with open(self.dir + "/auditd.conf", "w") as f:
            f.write(AUDIT % self.dir)
        self.proc = subprocess.Popen(["auditd", "-n", "-s", "enable", "-c", self.dir],
                                     stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        wait_for("auditd", lambda: os.path.exists(self.dir + "/audit.log"), 10)
        run(["auditctl", "-b", "65536"])
        run(["auditctl", "-a", "always,exit", "-F", "arch=b64", "-S", "accept,accept4", "-k", "in"])
        run(["auditctl", "-a", "always,exit", "-F", "arch=b64", "-S", "execve", "-k", "run"])

    def stop(self):
        run(["auditctl", "-D"], check=False)
        run(["auditctl", "-e", "0"], check=False)
        self.proc.terminate()
        self.proc.wait(20)
        check(os.path.getsize(self.dir + "/audit.log") > 0, "auditd wrote nothing")
        run(["sh", "-c", "rm -f %s/audit.log*" % self.dir])


class Tools(Off):
    """Programs that print what they see into a file."""

    def start(self):
        self.procs = []
        for i, argv in enumerate(self.commands):
            path = "%s/%s-%d" % (TMP, self.name, i)
            with open(path, "wb") as out, open(path + ".err", "wb") as err:
                self.procs.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=out,
                                                   stderr=err))
            wait_for("%s: %s" % (self.name, open(path + ".err").read()[-300:]),
                     lambda: self.ready(path), 30)

    @staticmethod
    def ready(path):
        run(["/bin/true"])
        return os.path.getsize(path) > 0

    def stop(self):
        for p in self.procs:
            p.terminate()
            p.wait(20)


class Bpftrace(Tools):
    name = "bpftrace"
    commands = [["bpftrace", "-e", BPFTRACE.replace("LIBPAM", os.path.realpath(LIBPAM))]]


class LibbpfTools(Tools):
    name = "libbpf-tools"
    # Those that need no kprobe: programs, and states of TCP connections.
    commands = [["stdbuf", "-oL", "/usr/sbin/execsnoop"], ["stdbuf", "-oL", "/usr/sbin/tcpstates"]]
