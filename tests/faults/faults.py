"""Runs the fault tests of run.sh; see there."""
import shutil
import sys

import agent
import commands
import injected


def main(argv):
    whole = "--all" in argv
    words = [a for a in argv if not a.startswith("--")]
    report = injected.Report()
    injected.build_shim()
    try:
        commands.run(200 if whole else 2, words, report)
        if whole:
            agent.run(words, report)
    finally:
        shutil.rmtree(injected.TMP, ignore_errors=True)
    if report.failed:
        print("failed: %d" % len(report.failed))
    print("%d passed, %d failed" % (report.passed, len(report.failed)))
    return 1 if report.failed or not report.passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
