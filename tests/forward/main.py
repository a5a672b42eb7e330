"""Forwarders end to end; see run.sh."""
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import cases
import world
from registry import CASES

AT_ONCE = 3  # most of a case is waiting


def run(f):
    """None, or why it failed."""
    start = time.monotonic()
    try:
        f()
        print("ok   %s (%.1f s)" % (f.__name__, time.monotonic() - start), flush=True)
        return None
    except Exception as e:
        shown = str(e) if isinstance(e, world.Failure) else traceback.format_exc()
        print("FAIL %s: %s" % (f.__name__, shown), flush=True)
        return f.__name__
    finally:
        cases.end_all()


def main():
    words = sys.argv[1:]
    chosen = [f for f in CASES if not words or any(w in f.__name__ for w in words)]
    world.certificates()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        failed = [r for r in pool.map(run, chosen) if r]
    if failed:  # a busy machine: once more, alone
        print("== again, alone: " + " ".join(failed), flush=True)
        failed = [r for r in map(run, [f for f in chosen if f.__name__ in failed]) if r]
    world.clean()
    if failed:
        print("failed: " + " ".join(failed))
    print("%d passed, %d failed" % (len(chosen) - len(failed), len(failed)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
