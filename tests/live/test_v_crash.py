"""PAM modules that crash in the middle of a call: the agent is none the worse, tells no login that
was none, and sees the next one."""
from cases import case
from harness import Client, brief, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, none_of, one_session, place

# Crashes for the accounts that are meant to; says nothing about anybody else.
MODULE = r"""
#define PAM_SM_AUTH
#define PAM_SM_ACCOUNT
#define PAM_SM_SESSION
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
typedef struct pam_handle pam_handle_t;
extern int pam_get_item(const pam_handle_t *, int, const void **);
static int crash(pam_handle_t *h, const char *stem)
{
	const void *user = NULL;
	if (pam_get_item(h, 2, &user) == 0 && user && !strncmp(user, stem, strlen(stem)))
		kill(getpid(), SIGSEGV), abort();
	return 25; /* PAM_IGNORE */
}
int pam_sm_authenticate(pam_handle_t *h, int f, int n, const char **v) { return crash(h, "cr-auth"); }
int pam_sm_setcred(pam_handle_t *h, int f, int n, const char **v) { return 25; }
int pam_sm_acct_mgmt(pam_handle_t *h, int f, int n, const char **v) { return crash(h, "cr-acct"); }
int pam_sm_open_session(pam_handle_t *h, int f, int n, const char **v) { return crash(h, "cr-sess"); }
int pam_sm_close_session(pam_handle_t *h, int f, int n, const char **v) { return 25; }
"""


def install():
    """At the head of sshd's own stack in the private /etc."""
    module = TMP + "/pam_crash.so"
    run(["gcc", "-shared", "-fPIC", "-o", module, "-x", "c", "-"], input=MODULE.encode())
    with open("/etc/pam.d/sshd") as f:
        old = f.read()
    if module not in old:
        lines = "".join("%s optional %s\n" % (k, module) for k in ("auth", "account", "session"))
        with open("/etc/pam.d/sshd.new", "w") as f:
            f.write(lines + old)
        run(["mv", "/etc/pam.d/sshd.new", "/etc/pam.d/sshd"])


def crashes(w, name, source):
    p = Client(w.net, source).ssh(name, w.server, "id", password=PASSWORD)
    check(p.returncode not in (0, 5), "the daemon's process crashed", repr(p))


@case("journal")
def pam_modules_that_crash(w):
    install()
    source = place(w)
    auth, acct, sess = (w.users.add(x)[0] for x in ("cr-auth", "cr-acct", "cr-sess"))
    for name in (auth, acct, sess) * 2:
        crashes(w, name, source)
    after, _ = w.users.add("crafter")
    Client(w.net, source).ssh(after, w.server, "/bin/echo after-mark", password=PASSWORD,
                              check_rc=0)
    s = one_session(w, after, source, "password", state="closed")
    check([c for c in s["commands"] if "after-mark" in c["text"]], "what ran", s)
    w.settle()
    for name in (auth, acct):
        check(not w.agent.sessions(account=name), "nobody came in", w.agent.sessions(account=name))
        none_of(w, ("access.external", "sensor.mismatch", "auth.valid_password_denied"),
                account=name)
    wait_for("the end of who had passed", lambda: all(
        s["state"] == "closed" for s in w.agent.sessions(account=sess)))
    none_of(w, ("sensor.mismatch", "access.shell_without_auth"), account=sess)
    check(len({a["id"] for a in w.agent.told(detection="sensor.blind")
               if a["time"] > s["open"]}) == 0, brief(w.agent.told(detection="sensor.blind")))
