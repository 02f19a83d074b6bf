#!/usr/bin/env python3
"""One node with 1,000 grid bots on 20 symbols at 2,000 market events a second: memory, CPU, loop lag,
and how long the node takes from its start to its first heartbeat. Usage: bench_node.py BUILD_DIR"""
import json
import sys
import time

import rig

BOTS, SYMBOLS, ACCOUNTS, LEVELS = 1000, 20, 10, 10
EVENTS_A_SECOND = 2100  # a little more, for what a busy machine drops
SECONDS = 15


def markets():
    rate = EVENTS_A_SECOND / SYMBOLS
    for i in range(SYMBOLS):
        yield f"C{chr(65 + i)}X-USDT=random:price={50 + 10 * i},seed={i + 1},rate={rate:.1f},vol=0.5"


def bots():
    for i in range(BOTS):
        symbol = i % SYMBOLS
        price = 50 + 10 * symbol
        yield {"name": f"grid-{i}", "strategy": "grid", "account": f"acc-{i % ACCOUNTS}",
               "instrument": f"C{chr(65 + symbol)}X-USDT", "mode": "live",
               "params": {"lower": f"{price * 0.98:.2f}", "upper": f"{price * 1.02:.2f}",
                          "levels": LEVELS, "budget": "1000", "initial_buy": False}}


def sim_arguments(path):
    money = {"USDT": "100000000"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump([{"key": f"key{i}", "secret": f"secret{i}", "balances": money}
                   for i in range(ACCOUNTS)], file)
    out = ["--accounts", path, "--history", "5", "--limit-orders-10s", "1000000",
           "--limit-orders-1d", "100000000", "--limit-weight", "10000000", "--log-level", "warn"]
    for market in markets():
        out += ["--market", market]
    return out


def heartbeat(client):
    got = client.receive(10)
    if not got:
        raise SystemExit("no heartbeat of the node")
    return json.loads(got[1])


def deploy(fleet, path):
    for i in range(ACCOUNTS):
        fleet.account(f"acc-{i}", f"key{i}", f"secret{i}")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"bots": list(bots())}, file)
    fleet.cli("bot", "apply", "-f", path)


def measure(pid, beats):
    """CPU share and the worst and median loop lag over SECONDS."""
    cpu, began, lags = rig.cpu_seconds(pid), time.monotonic(), []
    while time.monotonic() - began < SECONDS:
        lags.append(heartbeat(beats)["loop_lag_us"])
    share = (rig.cpu_seconds(pid) - cpu) / (time.monotonic() - began)
    return share, sorted(lags)


def main():
    with rig.Rig(sys.argv[1]) as fleet:
        fleet.sim(*sim_arguments(f"{fleet.dir}/accounts.json"))
        fleet.broker()
        fleet.controller()
        node, empty_ms, _ = fleet.node()
        rig.row("node: start to first heartbeat, no bots", empty_ms, "ms", "aim: under 200")
        began = time.monotonic()
        deploy(fleet, f"{fleet.dir}/bots.json")
        beats = fleet.client()
        beats.subscribe(rig.TENANT + "n/node-1/hb", 0)
        rig.until(f"{BOTS} bots run", lambda: heartbeat(beats)["running"] == BOTS, 60)
        rig.row(f"node: {BOTS} bots deployed and running", time.monotonic() - began, "s")
        time.sleep(5)  # the first orders go out
        events = rig.count_frames(fleet.urls["stream"], [
            f"c{chr(97 + i)}xusdt@bookTicker" for i in range(SYMBOLS)], 3)
        while beats.messages:
            beats.messages.pop()
        fills = fleet.sim_state()["fills"]
        share, lags = measure(node.pid, beats)
        rig.row("node: market events it gets", events, "/s", f"{SYMBOLS} symbols")
        fills = (fleet.sim_state()["fills"] - fills) / SECONDS
        rig.row("node: fills meanwhile", fills, "/s")
        rig.row(f"node: RSS with {BOTS} grid bots", rig.rss_mb(node.pid), "MB", "aim: under 150")
        rig.row(f"node: CPU with {BOTS} grid bots", 100 * share, "% of a core", "aim: under 50")
        rig.row("node: loop lag, median of its heartbeats", lags[len(lags) // 2] / 1000, "ms")
        rig.row("node: loop lag, worst of its heartbeats", lags[-1] / 1000, "ms")
        starts = []
        for _ in range(3):
            fleet.end(node)
            node, *taken = fleet.node()
            starts.append(taken)
        rig.row(f"node: start to first heartbeat, {BOTS} bots, median of 3", sorted(starts)[1][0],
                "ms", f"aim: under 200; {sorted(starts)[1][1]:.0f} ms of CPU")


if __name__ == "__main__":
    main()
