#!/usr/bin/env python3
"""The pages of the manual, made of what the program says of itself, so that they cannot drift.

    man.py OUTERGATE DIRECTORY DATE      outergate.8 and outergate.yaml.5; DATE as 2026-11-29
"""
import json
import os
import re
import subprocess
import sys

PROGRAM, TO, DATE = sys.argv[1:4]
SHIPPED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../deploy/outergate.yaml")


def said(*args):
    return subprocess.run([PROGRAM, *args], check=True, capture_output=True, text=True).stdout


def roff(text):
    """Text that stands for itself."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^\.", r"\\&.", text, flags=re.M)


def block(text):
    return ".nf\n%s\n.fi\n" % roff(text.rstrip("\n"))


def page(name, section, about, body):
    version = said("--version").split()[1]
    with open(os.path.join(TO, "%s.%d" % (name, section)), "w", encoding="utf-8") as f:
        f.write('.TH %s %d %s "outergate %s" "Outergate"\n.SH NAME\n%s \\- %s\n%s' % (
            name.upper(), section, DATE, version, name, roff(about), body))


def command(name):
    """One --help: usage, a sentence, options."""
    usage, _, rest = said(name, "--help").partition("\n")
    about, _, options = rest.strip("\n").partition("\n")
    return ".SS %s\n.B %s\n.PP\n%s.\n.PP\n%s" % (
        roff(name), roff(usage.replace("usage: ", "")), roff(about[:1].upper() + about[1:]),
        block(options.strip("\n")) if options.strip() else "")


def program():
    names = re.findall(r"^  ([a-z]+) ", said("--help"), re.M)
    body = ".SH SYNOPSIS\n.B outergate\n.I COMMAND\n[\\fIOPTION\\fR...]\n.SH DESCRIPTION\n" + roff(
        "Outergate sees every external remote service session (MITRE ATT&CK T1133) on the host where it "
        "happens, follows it from the first packet to what the intruder does next, and tells a person one "
        "story about it. It joins the kernel's socket, the authentication result, the identity, the process "
        "tree and the outgoing connections into one session.\n")
    body += ".PP\n" + roff(
        "The service outergate.service runs it; alerts go to the journal (journalctl -t outergate, with an "
        "explanation by -x) and into the local store, which the commands below read.\n")
    body += ".SH COMMANDS\n" + "".join(command(n) for n in names)
    body += ".SH EXIT STATUS\n0 fine, 1 input or configuration bad, 2 usage, 3 not permitted.\n"
    body += ".SH FILES\n" + "".join(".TP\n.I %s\n%s\n" % (roff(f), roff(what)) for f, what in (
        ("/etc/outergate/outergate.yaml", "the configuration, see outergate.yaml(5)"),
        ("/var/lib/outergate/outergate.db", "the store"),
        ("/var/lib/outergate/geo/country.mmdb", "the database of countries (package outergate-geo)"),
        ("/run/outergate", "the socket that status asks, and the lock"),
        ("/sys/fs/bpf/outergate", "hooks that stay on while the agent is not there"),
        ("/usr/share/outergate/recipes", "five whole configurations")))
    body += ".SH SEE ALSO\n.BR outergate.yaml (5),\n.BR journalctl (1),\n.BR systemd.service (5)\n"
    page("outergate", 8, "sees every external remote service session on this host", body)


def detections():
    out = ""
    for line in said("detections", "--config", SHIPPED, "--format", "json").splitlines():
        d = json.loads(line)
        out += ".TP\n.B %s\n%s\n" % (roff(d["id"]), roff(d["title"] + "."))
    return out


def configuration():
    body = ".SH DESCRIPTION\n" + roff(
        "A YAML file. What follows is the file that is shipped: every value in it is the default, and a key "
        "left out has it, too. `outergate check FILE` names file, line and reason of any mistake. A change is "
        "in use after the service was restarted.\n")
    body += ".SH KEYS\n" + block(said("check", "--defaults"))
    body += ".SH DETECTIONS\nThe ids below " + roff("Detections:") + "\n" + detections()
    body += ".SH SEE ALSO\n.BR outergate (8)\n"
    page("outergate.yaml", 5, "the configuration of outergate", body)


program()
configuration()
