"""How fast a backlog leaves, per protocol: records a second from the agent's store to a collector.

The collectors are those of tests/forward: rsyslog and librdkafka's cluster are themselves, HTTP is
received by Python, which is the slower side. Compression is on, TLS where tests/forward has it.
"""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "forward"))

import cases  # noqa: E402
import world  # noqa: E402
from collectors import ClickHouse, Elastic, Hec, Kafka, Otlp, Rsyslog, Sentinel  # noqa: E402

N = int(os.environ.get("RECORDS", "20000"))


def measure(make):
    c = make()
    if c.kind == "kafka":
        c.start()
    a = cases.agent_for(c.forwarder(send=["events"]))
    cases.mine().append(c)
    if c.kind == "kafka":
        c.kill()
    a.tell(N)
    world.wait_for(lambda: a.forwarder(c.kind)["waiting"] >= N, "the backlog", 120)
    a.stop()
    c.start()
    a.start()
    start = time.monotonic()
    first = a.forwarder(c.kind)["delivered"]
    world.wait_for(lambda: a.forwarder(c.kind)["waiting"] == 0, "all of it is there", 300, 0.1)
    seconds = time.monotonic() - start
    sent = a.forwarder(c.kind)["delivered"] - first
    print("%-11s %8d records %7.1f s %9.0f records/s" % (c.kind, sent, seconds, sent / seconds),
          flush=True)
    cases.end_all()


def main():
    world.certificates()
    print("a backlog of %d events, one destination" % N)
    for make in (Otlp, Elastic, ClickHouse, Sentinel, Hec, lambda: Rsyslog(True), lambda: Rsyslog(False),
                 Kafka):
        measure(make)
    world.clean()


if __name__ == "__main__":
    main()
