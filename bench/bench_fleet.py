#!/usr/bin/env python3
"""The controller and the broker with 10,000 bots on 10 nodes (chaos_swarm: heartbeats, states and fills
over real connections): processor time at rest and with 1,000 fills a second, and what the digest
for people adds to it. Usage: bench_fleet.py BUILD_DIR"""
import os
import sys
import time

import rig as bench

del sys.modules["rig"]  # the harness has one of its own
sys.path.insert(0, os.path.join(bench.ROOT, "tests/chaos"))
import storm as storms  # noqa: E402

NODES, BOTS_EACH, FILLS, SECONDS = 10, 1000, 1000, 20


class Options:
    """What storm.py's command line would have said."""
    nodes, bots, rounds, fills, backend = NODES, BOTS_EACH, 0, 0, "mosquitto"

    def __init__(self, build):
        self.build = build


class Reader:
    """Bytes of the digest in SECONDS, as every open page of the dashboard gets them."""

    def __init__(self, fleet):
        self.client = storms.mqtt5.Client(fleet.path("broker", "mosquitto.sock"), "admin",
                                          fleet.secret("admin"))
        self.client.subscribe(bench.TENANT + "ui/digest/+", 0)
        self.pages, self.bytes = set(), 0

    def read(self, end):
        while time.monotonic() < end:
            got = self.client.receive(0.2)
            if got:
                self.pages.add(got[0])
                self.bytes += len(got[1])


def measure(fleet, what):
    pids = {name: fleet.processes[name].child.pid for name in ("controller", "broker")}
    reader = Reader(fleet)
    reader.read(time.monotonic() + 2)  # what is retained
    before, reader.bytes, began = {n: bench.cpu_seconds(p) for n, p in pids.items()}, 0, time.monotonic()
    reader.read(began + SECONDS)
    seconds = time.monotonic() - began
    for name, pid in pids.items():
        bench.row(f"fleet: {name} with 10,000 bots on {NODES} nodes, {what}",
                100 * (bench.cpu_seconds(pid) - before[name]) / seconds, "% of a core",
                f"{bench.rss_mb(pid):.0f} MB resident")
    bench.row(f"fleet: digest of 10,000 bots, {what}", reader.bytes / seconds / 1024, "KiB/s",
            f"{len(reader.pages)} pages, to each reader")
    reader.client.close()


def main():
    storm = storms.Storm(Options(sys.argv[1]))
    sys.stdout = sys.stderr  # the rig's own words
    try:
        storm.up()
        sys.stdout = sys.__stdout__
        time.sleep(10)  # the last states of a deployment
        measure(storm.rig, "at rest")
        storm.swarm.say(f"fills {FILLS}")
        measure(storm.rig, f"{FILLS} fills a second")
    finally:
        storm.close()


if __name__ == "__main__":
    main()
