"""When a measure is flat: the median of the last quarter of the run is at most 2 % or the slack below
above the median of its second quarter, whichever is more. The first quarter is the warm-up.

What is given away in whole steps (descriptors) has a slack of its own; the store, which is bounded by
Retention.MaxBytes, must stay below that bound. What is lost is not compared but must be nothing.
"""
import statistics

# measure, slack in its own unit
FLAT = [("rss_parent", 64), ("rss_engine", 64), ("rss_forward", 64), ("rss_total", 64), ("anon_total", 64),
        ("fds_parent", 1), ("fds_engine", 1), ("fds_forward", 1), ("processes", 1),
        ("map_kib", 0), ("prog_kib", 0), ("wakeups_s", 5), ("latency_ms", 20)]
NOTHING = ["records_lost_precious", "records_bad", "store_errors", "sink_errors", "sessions_refused",
           "forward_dropped"]
STORE_KIB = 2 * (16 + 16) * 1024  # what CONFIG of soak.py bounds, and as much again of journal


def quarter(rows, name, n):
    size = len(rows) // 4
    values = [r[name] for r in rows[n * size:(n + 1) * size if n < 3 else None] if r[name] != ""]
    return round(statistics.median(values), 1) if values else None


def judge(rows, facts):
    verdicts = []
    for name, slack in FLAT:
        second, last = quarter(rows, name, 1), quarter(rows, name, 3)
        good = None not in (second, last) and last <= second + max(slack, 0.02 * second)
        verdicts.append({"what": name, "second": second, "last": last, "good": bool(good)})
    for name in NOTHING:
        verdicts.append({"what": name, "second": 0, "last": rows[-1][name], "good": rows[-1][name] == 0})
    most = max(r["store_kib"] for r in rows)
    verdicts.append({"what": "store_kib (most)", "second": STORE_KIB, "last": most, "good": most <= STORE_KIB})
    # A load that did not come would be flat, too.
    came = {k: rows[-1][k] for k in ("logins", "guesses", "storms", "delivered", "alerts_fired")}
    verdicts.append({"what": "the load came", "second": "", "last": came, "good": all(came.values()) and
                     rows[-1]["logins_refused"] * 2 <= rows[-1]["logins"]})
    verdicts.append({"what": "outergate verify", "second": "", "last": facts["verify_exit"],
                     "good": facts["verify_exit"] == 0})
    return verdicts


def text_of(rows, facts, verdicts):
    out = ["%d s, %d samples, one each %d s, kernel %s, ended %s" %
           (facts["seconds"], len(rows), facts["every"], facts["kernel"], facts["when"]), ""]
    out.append("%-24s %12s %12s  %s" % ("measure", "2nd quarter", "last quarter", "verdict"))
    for v in verdicts:
        flat = isinstance(v["second"], (int, float)) or v["second"] is None
        out.append("%-24s %12s %12s  %s" % (v["what"], v["second"] if flat else "", v["last"] if flat else "",
                                           ("good" if v["good"] else "NOT GOOD") +
                                           ("" if flat else ": %s" % v["last"])))
    last = rows[-1]
    out.append("")
    out.append("at the end: " + ", ".join("%s %s" % (k, last[k]) for k in last if k not in dict(FLAT)))
    out.append("verify: " + facts["verify"])
    out.append("alerts told %d, bytes that the sink got %d" % (facts["alerts_told"], facts["sink_got"]))
    return "\n".join(out) + "\n"
