#!/usr/bin/env python3
"""1,000 new bots on one node at the venue's real rate limits (6,000 of weight a minute): how long from
the first request until all of them run, and what that costs of the venue's budget.
Usage: bench_fresh.py BUILD_DIR"""
import sys
import threading
import time
import urllib.request

import bench_node
import rig

WAIT_S = 100


class Weight:
    """What the venue has counted for this address, over the ends of its minutes."""

    def __init__(self, rest_url):
        self.url, self.total, self.last, self.asked = rest_url + "/api/v3/ping", 0, 0, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def look(self):
        with urllib.request.urlopen(self.url, timeout=5) as reply:
            used = int(reply.headers["X-MBX-USED-WEIGHT-1M"])
        self.asked += 1
        self.total += used - self.last if used >= self.last else used
        self.last = used

    def watch(self):
        while not self.ended.wait(0.5):
            self.look()

    def end(self):
        self.ended.set()
        self.thread.join()
        self.look()
        return self.total - self.asked


def sim_arguments(fleet):
    """As in bench_node, with the limits of a venue; orders do not wait for theirs."""
    out = bench_node.sim_arguments(f"{fleet.dir}/accounts.json")
    del out[out.index("--limit-weight"):out.index("--limit-weight") + 2]
    return out


def main():
    with rig.Rig(sys.argv[1]) as fleet:
        fleet.sim(*sim_arguments(fleet))
        fleet.broker()
        fleet.controller()
        fleet.node()
        beats = fleet.client()
        beats.subscribe(rig.TENANT + "n/node-1/hb", 0)
        weight, began = Weight(fleet.urls["rest"]), time.monotonic()
        bench_node.deploy(fleet, f"{fleet.dir}/bots.json")
        rig.row("fresh: request that deploys 1000 bots, answered", time.monotonic() - began, "s")
        running, taken, half = 0, 0, 0
        while running < bench_node.BOTS and taken < WAIT_S:
            beats.subscribe(rig.TENANT + "n/node-1/hb", 0)  # the broker hears that we are there
            running = bench_node.heartbeat(beats)["running"]
            taken = time.monotonic() - began
            half = half or taken * (running >= bench_node.BOTS / 2)
        rig.row("fresh: half of 1000 bots run", half, "s")
        rig.row("fresh: all of 1000 bots run", taken, "s",
                "20 pairs of account and instrument, 6000 of weight a minute"
                if running == bench_node.BOTS else f"GIVEN UP, {running} run")
        rig.row("fresh: weight used until then", weight.end(), "", "with the orders they placed")


if __name__ == "__main__":
    main()
