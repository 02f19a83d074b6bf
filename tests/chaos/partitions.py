"""Partitions by the hundred, on real processes: one fleet of bots that fail over by themselves, whose nodes
lose their link to the broker at random moments for random times, one way or both, while the venue stays in
reach of each. Afterwards the venue's ledger says who traded when: no order of an owner after the first one of
the next, and the books are the venue's.

Usage: partitions.py --build DIR [--count 1000] [--minutes 15] [--nodes 6] [--bots 12] [--seed S]
                     [--factor 10] [--backend mosquitto|paho]
"""
import argparse
import os
import random
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import conduct  # noqa: E402
import rig as rigs  # noqa: E402

LEASE = 18  # fleet seconds, about: from then on another node owns the bots of one that is cut off
LONG = 36
GAP = 20


def bots_of(count, nodes):
    """Market makers that send orders every few seconds, so that one sent too late would be seen."""
    out = []
    for number in range(count):
        instrument = ("BTC-USDT", "ETH-USDT")[number % 2]
        row = conduct.bot(f"maker-{number}", "pmm_simple", instrument, nodes[number % len(nodes)],
                          amount="100", bid_spreads_bps=[12], ask_spreads_bps=[12], refresh="2s",
                          budget="4000")
        row["placement"] = {"failover": "auto"}
        out.append(row)
    return out


class Cuts:
    """Each link lives for a while and is cut for a while, by dice of its own."""

    def __init__(self, rig, links, seed):
        self.rig, self.made, self.long = rig, 0, 0
        self.dice = {link: random.Random(f"{seed} {link}") for link in links}
        self.next = {link: self.dice[link].uniform(0, GAP) for link in links}
        self.is_cut = dict.fromkeys(links, False)

    def turn(self, now):
        for link, at in self.next.items():
            if now < at:
                continue
            dice = self.dice[link]
            if self.is_cut[link]:
                self.rig.links.order("open", link)
                self.next[link] = now + dice.uniform(2, GAP)
            else:
                way = dice.choice(("", "", "up", "down"))
                length = dice.choice((dice.uniform(0.5, LEASE), dice.uniform(LEASE, LONG)))
                self.rig.links.order("drop", link, *([way] if way else []))
                self.next[link] = now + length
                self.made, self.long = self.made + 1, self.long + (length > LEASE)
            self.is_cut[link] = not self.is_cut[link]


def owners_apart(found):
    """(overlaps, [ms between the last order of an owner and the first one of the next]) by the venue's
    clock, of all bots and epochs."""
    spans = {}
    for row in found.orders:
        ours = books.coid(row["client_order_id"])
        if ours:
            first, last = spans.get(ours[:2], (row["time_ms"], row["time_ms"]))
            spans[ours[:2]] = (min(first, row["time_ms"]), max(last, row["time_ms"]))
    gaps = []
    for owner in found.owners:
        mine = [spans[key] for key in sorted(spans) if key[0] == owner]
        gaps += [later[0] - earlier[1] for earlier, later in zip(mine, mine[1:])]
    return sum(gap < 0 for gap in gaps), gaps


def run(rig, options, nodes):
    rig.configure()
    rig.begin()
    rig.until("all nodes are up", rig.nodes_down, 30)
    rig.until("instruments are loaded", lambda: rig.why_not("instrument-ls", "binance"), 20)
    rig.ask("apply", {"bots": bots_of(options.bots, nodes), "start": True})
    rig.until("all bots run", lambda: rig.bots_not(("running",)), 60)
    links = [f"{node}-broker" for node in nodes]
    cuts, begin = Cuts(rig, links, options.seed), time.monotonic()
    while cuts.made < options.count and time.monotonic() - begin < options.minutes * 60:
        cuts.turn((time.monotonic() - begin) * options.factor)
        rig.wait(0.2)
    lasted = time.monotonic() - begin
    rig.links.heal()
    conduct.settle(rig, 120)
    ended = rig.down()
    found = books.Books(rig.dir)
    overlaps, gaps = owners_apart(found)
    print(f"# seed {options.seed}, {options.backend}: {cuts.made} partitions ({cuts.long} longer than a lease) of "
          f"{options.nodes} nodes in {lasted:.0f} s, {sum(row['epoch'] - 1 for row in found.bots)} takeovers of "
          f"{options.bots} bots, {len(found.orders)} orders, {len(found.fills)} fills")
    print(f"# owners that overlap: {overlaps} of {len(gaps)}" + (
        f"; between the last order of one and the first of the next: median {statistics.median(gaps) / 1000:.1f} s,"
        f" least {min(gaps) / 1000:.2f} s of the fleet's time" if gaps else ""))
    bad = [f"{overlaps} owners overlap"] if overlaps else []
    bad += [] if gaps else ["no bot changed its owner: nothing was tried"]
    return bad + [f"{name} ended with {code}" for name, code in ended.items()] + \
        [f"{kind}: {text}" for kind, text in found.check()[:20]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=15, help="at most")
    parser.add_argument("--nodes", type=int, default=6)
    parser.add_argument("--bots", type=int, default=12)
    parser.add_argument("--seed", type=int, default=int(time.time()) % 1000000)
    parser.add_argument("--factor", type=float, default=10, help="how much faster the fleet's time runs")
    parser.add_argument("--backend", default="mosquitto")
    parser.add_argument("--keep", action="store_true", help="the files of a failed run")
    options = parser.parse_args()
    nodes = tuple(f"node-{number + 1}" for number in range(options.nodes))
    rig = rigs.Rig(conduct.tools_of(options.build), options.seed, options.factor, options.backend, nodes=nodes)
    bad = ["it did not come to an end"]
    try:
        bad = run(rig, options, nodes)
    except (AssertionError, TimeoutError, OSError) as error:
        bad = [str(error)]
    finally:
        rig.close(keep=bool(bad) and options.keep)
    print(f"{'not ok' if bad else 'ok'} 1 - two owners of a bot never overlap")
    for line in bad:
        print(f"# {line}")
    if bad and options.keep:
        print(f"# kept in {rig.dir}")
    print("1..1")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
