"""A fleet at load for minutes: nothing grows (memory, descriptors), nobody is called dead who lives, and
in the end the books are the venue's.

Usage: soak.py --build DIR [--bots 2000] [--nodes 4] [--minutes 10] [--backend mosquitto]
"""
import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import conduct  # noqa: E402
import mqtt5  # noqa: E402
import rig as rigs  # noqa: E402

SAMPLE_S = 5
HELD = {"heap/current": "heap bytes", "store/messages/bytes": "of these in messages",
        "store/messages/count": "messages", "retained messages/count": "retained", "subscriptions/count":
        "subscriptions", "publish/messages/dropped": "dropped"}
GROWTH = 0.02  # of the median of the last third over that of the middle one


def bots_of(count, nodes):
    out = []
    for number in range(count):
        node = nodes[number % len(nodes)]
        instrument, price = (("BTC-USDT", 60000), ("ETH-USDT", 1800))[number // len(nodes) % 2]
        name, kind = f"b{number:05d}", ("grid", "dca", "grid", "rsi", "sma_cross")[number // len(nodes) % 5]
        if kind == "grid":
            wide = 0.01 + 0.0002 * (number % 100)
            params = {"lower": round(price * (1 - wide)), "upper": round(price * (1 + wide)), "levels": 4,
                      "budget": 200}
        elif kind == "dca":
            params = {"amount": "20", "interval": "2m", "take_profit_pct": 0.5, "max_orders": 20}
        elif kind == "rsi":
            params = {"amount": "50", "period": 14, "buy_below": 35, "sell_above": 65}
        else:
            params = {"amount": "50", "fast": 3, "slow": 8}
        out.append(conduct.bot(name, kind, instrument, node, **params))
    return out


class Sampler:
    def __init__(self, rig):
        self.rig, self.rows, self.held = rig, {name: [] for name in rig.processes}, []
        self.client = mqtt5.Client(rig.path("broker", "mosquitto.sock"), "dashboard", rig.secret("dashboard"))
        for figure in ("uptime", *HELD):  # the first comes each 10 s: its acknowledgements keep the connection
            self.client.subscribe(f"$SYS/broker/{figure}")

    def take_held(self):
        """The broker's own words, said each 10 s."""
        now = dict(self.held[-1]) if self.held else {}
        while message := self.client.receive(0.01):
            now[message[0].removeprefix("$SYS/broker/")] = message[1].decode()
        self.held.append(now)

    def holds(self):
        """What the broker keeps, in the middle of the time and at the end of it."""
        parts = (self.held[len(self.held) // 3], self.held[-1])
        return ", ".join(f"{name} {' -> '.join(str(part.get(figure, '?')) for part in parts)}"
                         for figure, name in HELD.items())

    def take(self):
        self.take_held()
        for name, process in self.rig.processes.items():
            pid = process.child.pid
            with open(f"/proc/{pid}/statm", encoding="ascii") as file:
                rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                ticks = sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
            self.rows[name].append((rss, len(os.listdir(f"/proc/{pid}/fd")), ticks))

    def verdict(self, strict):
        """[(text, grew)] a process."""
        out = []
        for name, rows in self.rows.items():
            third = max(1, len(rows) // 3)
            middle, last = rows[third:2 * third] or rows, rows[-third:]
            rss = [statistics.median(row[0] for row in part) for part in (middle, last)]
            fds = [statistics.median(row[1] for row in part) for part in (middle, last)]
            cpu = (rows[-1][2] - rows[0][2]) / os.sysconf("SC_CLK_TCK") / max(1, (len(rows) - 1) * SAMPLE_S)
            grew = strict and (rss[1] > rss[0] * (1 + GROWTH) or fds[1] > fds[0])
            out.append((f"{name}: RSS {rss[0] / 1e6:.2f} -> {rss[1] / 1e6:.2f} MB "
                        f"({100 * (rss[1] / rss[0] - 1):+.2f} %), descriptors {fds[0]:.0f} -> {fds[1]:.0f}, "
                        f"{100 * cpu:.1f} % of a core", grew))
        return out


def run(rig, options):
    nodes = [f"node-{number + 1}" for number in range(options.nodes)]
    rig.begin()
    rig.until("all nodes are up", rig.nodes_down, 30)
    rig.until("instruments are loaded", lambda: rig.why_not("instrument-ls", "binance"), 20)
    bots = bots_of(options.bots, nodes)
    for at in range(0, len(bots), 100):
        rig.ask("apply", {"bots": bots[at:at + 100], "start": True}, 60)
    rig.until("all bots run", lambda: rig.running(len(bots)), 300)
    sampler, end = Sampler(rig), time.monotonic() + options.minutes * 60
    begin_fills = rig.ask("status", {}, 30)["fills"]
    while time.monotonic() < end:
        rig.wait(SAMPLE_S)
        sampler.take()
    status = rig.ask("status", {}, 30)
    print(f"# {options.bots} bots on {options.nodes} nodes, {options.minutes} minutes, {options.backend}, "
          f"{status['fills'] - begin_fills} fills, {status['running']} running at the end")
    grew = []
    for text, bad in sampler.verdict(options.minutes >= 5):
        print(f"# {text}")
        grew += [text] if bad and not text.startswith("sim:") else []  # it keeps all orders, as the truth
    print(f"# broker holds: {sampler.holds()}")
    with open(rig.path("log", "controller.log"), encoding="utf-8") as log:
        dead = [line.strip() for line in log if "code=node_lost" in line or "ev=node_gone" in line]
    conduct.settle(rig, 120)
    ended = rig.down()
    wrong = books.Books(rig.dir).check()
    return grew + dead[:3] + [f"{name} ended with {code}" for name, code in ended.items()] + \
        [f"{kind}: {text}" for kind, text in wrong[:10]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--bots", type=int, default=2000)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--backend", default="mosquitto")
    options = parser.parse_args()
    names = tuple(f"node-{number + 1}" for number in range(options.nodes))
    rig = rigs.Rig(dict(conduct.tools_of(options.build), inject=None), 11, 1.0, options.backend, nodes=names)
    bad = []
    try:
        rig.configure()
        bad = run(rig, options)
    except (AssertionError, TimeoutError, OSError) as error:
        bad = [str(error)]
    finally:
        rig.close()
    print(f"{'not ok' if bad else 'ok'} 1 - nothing grows, nobody is called dead, the books are right")
    for line in bad:
        print(f"# {line}")
    print("1..1")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
