"""What goes wrong before the agent runs ends in one clear sentence and the right exit code; what
needs no agent works without one."""
import os
import re

from cases import case, world
from harness import AGENT, check, the_journal
from sandbox import TMP, run

INPUT, USAGE, PERMISSION = 1, 2, 3


class Cli:
    def __init__(self):
        self.dir = TMP + "/cli"
        os.makedirs(self.dir)

    def config(self, name, text):
        path = "%s/%s.yaml" % (self.dir, name)
        with open(path, "w") as f:
            f.write(text + "\nStore: %s/%s/state.db\nRuntime: %s/%s/run\n" %
                    (self.dir, name, self.dir, name))
        return path


@world("cli")
def cli(net, users):
    the_journal()
    return Cli()


def one_sentence(argv, code, *words, prefix=()):
    """argv ends with code and one line on stderr that has all the words."""
    p = run([*prefix, AGENT, *argv], check=False, timeout=20)
    text = p.stderr.decode("utf-8", "replace")
    told = "outergate %s: exit %d, stderr %r" % (" ".join(argv), p.returncode, text)
    check(p.returncode == code, "wanted exit %d; %s" % (code, told))
    lines = text.splitlines()
    check(len(lines) == 1, "wanted one sentence; " + told)
    check(lines[0].startswith("outergate: ") and 20 < len(lines[0]) < 400,
          "no clear sentence; " + told)
    for word in words:
        check(re.search(word, text, re.I), "the sentence does not say %r; %s" % (word, told))


@case("cli")
def cli_unknown_key_names_line_and_nearest(w):
    path = w.config("typo", "TimeWindow: 10m\nFailedLogonTreshold: 5")
    for command in (["run", "--config", path], ["check", path]):
        one_sentence(command, INPUT, r"typo\.yaml:2\b", "FailedLogonTreshold",
                     r"FailedLogonThreshold")


@case("cli")
def cli_wrong_type_names_line_and_reason(w):
    one_sentence(["run", "--config", w.config("type", "FailedLogonThreshold: many")], INPUT,
                 r"type\.yaml:1\b", "FailedLogonThreshold", "many")
    one_sentence(["run", "--config", w.config("cidr", "KnownRemoteIPs:\n  - cidr: 10.0.0.1/8")],
                 INPUT, r"cidr\.yaml:2\b", r"10\.0\.0\.1/8")
    one_sentence(["run", "--config", w.config("yaml", "TimeWindow: [1")], INPUT, r"yaml\.yaml:\d")


@case("cli")
def cli_missing_files_are_named(w):
    one_sentence(["run", "--config", "/nonexistent/og.yaml"], INPUT, "/nonexistent/og.yaml",
                 "no such file")
    one_sentence(["replay", "/nonexistent/auth.log"], INPUT, "/nonexistent/auth.log",
                 "no such file")
    one_sentence(["alerts", "--store", w.dir + "/none.db"], INPUT, r"none\.db")


@case("cli")
def cli_store_that_is_none_is_refused(w):
    path = w.config("nostore", "")
    os.makedirs(w.dir + "/nostore")
    with open(w.dir + "/nostore/state.db", "w") as f:
        f.write("this is a diary and no database, " * 400)
    one_sentence(["run", "--config", path], INPUT, r"state\.db")
    check(open(w.dir + "/nostore/state.db").read().startswith("this is a diary"),
          "the file was overwritten")


@case("cli")
def cli_unprivileged_run_is_refused(w):
    one_sentence(["run", "--config", w.config("nobody", "")], PERMISSION, r"root|CAP_",
                 prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])


@case("cli")
def cli_missing_capability_is_named(w):
    for caps, word in ((("bpf", "sys_admin"), "CAP_BPF|CAP_SYS_ADMIN"),
                       (("perfmon", "sys_admin"), "CAP_PERFMON|CAP_SYS_ADMIN"),
                       (("net_admin", "sys_admin"), "CAP_NET_ADMIN|CAP_SYS_ADMIN")):
        drop = ",".join("-" + c for c in caps)
        one_sentence(["run", "--config", w.config("cap-" + caps[0], "")], PERMISSION, word,
                     prefix=["setpriv", "--bounding-set=" + drop, "--inh-caps=" + drop])


@case("cli")
def cli_kernel_without_btf_is_named(w):
    one_sentence(["run", "--config", w.config("btf", "")], INPUT, "BTF",
                 prefix=["unshare", "-m", "sh", "-c",
                         'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh"])


@case("cli")
def cli_unknown_command_and_option_are_usage(w):
    one_sentence(["watch"], USAGE, "watch", "--help")
    one_sentence(["alerts", "--colour-of-money"], USAGE, "colour-of-money", "--help")


@case("cli")
def cli_probe_works_before_anything_is_attached(w):
    p = run([AGENT, "probe"], check=False)
    text = p.stdout.decode()
    check(p.returncode == 0, "exit %d" % p.returncode, repr(p.stderr))
    for word in ("BTF", "PAM", "cgroup", "ring", "tp_btf"):
        check(re.search(word, text, re.I), "probe does not speak of %s" % word, text)


@case("cli")
def cli_status_without_agent_says_so(w):
    one_sentence(["status", "--config", w.config("dead", "")], INPUT, "not run|no agent")


@case("cli")
def cli_help_and_registries_need_no_agent(w):
    for argv in (["--help"], ["run", "--help"], ["detections"], ["sources"], ["check"],
                 ["decode", "Accepted password for x from 203.0.113.1 port 1 ssh2"]):
        p = run([AGENT, *argv], check=False)
        check(p.returncode == 0 and p.stdout, "outergate %s: exit %d" % (argv, p.returncode),
              repr(p.stderr))
    check(b"chain.t1133" in run([AGENT, "detections"]).stdout, "detections lack the chain")
