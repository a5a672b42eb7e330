"""Runs the live cases. A case is a function with @case(WORLD) in a test_*.py file of this folder;
it gets a World and returns, or raises. Cases of one world run side by side unless alone=True."""
import concurrent.futures
import glob
import importlib
import os
import shutil
import sys
import threading
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases as registry  # noqa: E402
import sandbox  # noqa: E402
from harness import end_clients  # noqa: E402
from sandbox import Failure, Skip  # noqa: E402

WORKERS = 8
print_lock = threading.Lock()


def run_case(c, world, results):
    """Adds the result; a case that was skipped has none."""
    start = time.monotonic()
    try:
        c.run(world)
        error = None
    except Skip as e:
        with print_lock:
            print("SKIP %s: %s" % (c.name, e), flush=True)
        return
    except Failure as e:
        error = str(e)
    except BaseException:
        error = traceback.format_exc()
    end_clients()
    if error and getattr(world, "agent_per_case", False) and world.agent.proc and \
            world.agent.proc.poll() is None:
        world.agent.proc.kill()
        world.agent.proc.wait()
    seconds = time.monotonic() - start
    with print_lock:
        results.append((c.name, error))
        if error is None:
            print("PASS %s (%.1f s)" % (c.name, seconds), flush=True)
            return
        print("FAIL %s (%.1f s)" % (c.name, seconds))
        print("      " + error.replace("\n", "\n      "))
        agent = getattr(world, "agent", None)
        if agent is not None and agent.starts and os.path.exists(agent.err):
            print("      agent's stderr: " + agent.stderr()[-1200:].replace("\n", "\n      | "))
        sys.stdout.flush()


def run_world(name, cases, net, users, results):
    try:
        world = registry.worlds[name](net, users)
    except BaseException as e:
        text = str(e) if isinstance(e, (Failure, Skip)) else traceback.format_exc()
        kind = Skip if isinstance(e, Skip) else Failure

        def broken(_world):
            raise kind("the world '%s' did not start: %s" % (name, text))
        for c in cases:
            run_case(registry.Case(c.name, name, broken, True), None, results)
        return
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for c in cases:
            if not c.alone:
                pool.submit(run_case, c, world, results)
    for c in cases:
        if c.alone:
            run_case(c, world, results)
    end = getattr(world, "end", None)
    if end:
        run_case(registry.Case(name + "_world_ends_well", name, lambda w: end(), True), world,
                 results)


def load():
    """LIVE_CASES: another folder's cases, in the same worlds within the machine."""
    here = os.environ.get("LIVE_CASES") or os.path.dirname(os.path.abspath(__file__))
    if os.path.abspath(here) not in sys.path:
        sys.path.insert(0, os.path.abspath(here))
    for path in sorted(glob.glob(here + "/test_*.py")):
        importlib.import_module(os.path.basename(path)[:-3])
    return registry.cases


def keep_logs():
    to = os.path.join(os.environ.get("BUILD", "build"), "live")
    shutil.rmtree(to, ignore_errors=True)
    os.makedirs(to, exist_ok=True)
    for path in glob.glob(sandbox.TMP + "/agent-*") + glob.glob(sandbox.TMP + "/cluster/log"):
        sandbox.run(["cp", "-r", path, to], check=False)
    sandbox.run(["sh", "-c", "journalctl -q --no-pager -o short-precise > %s/journal.txt" % to],
                check=False)


def main(argv):
    keep = "--keep" in argv
    words = [a for a in argv if not a.startswith("--")]
    cases = [c for c in load() if not words or any(w in c.name for w in words)]
    if "--list" in argv:
        for c in cases:
            print("%-10s %s" % (c.world, c.name))
        return 0
    results = []
    start = time.monotonic()
    sandbox.become_reaper()
    try:
        sandbox.private_mounts()
        from harness import Users
        net, users = sandbox.Net(), Users()
        for name in registry.worlds:
            chosen = [c for c in cases if c.world == name]
            if chosen:
                run_world(name, chosen, net, users, results)
        if keep:
            keep_logs()
    finally:
        sandbox.destroy()
    failed = [n for n, e in results if e is not None]
    print("live tests took %.0f s" % (time.monotonic() - start))
    if failed:
        print("failed: " + " ".join(failed))
    skipped = len(cases) - len([c for c in cases if c.name in {n for n, _ in results}])
    print("%d passed, %d failed%s" % (len(results) - len(failed), len(failed),
                                      ", %d skipped" % skipped if skipped else ""))
    return 1 if failed or not results else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
