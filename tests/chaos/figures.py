"""The figures of docs/RELIABILITY.md that one fleet can show: how soon a death, a hang and a cut link are
seen, how long a bot is without an owner, ten minutes without broker and without controller, and a
controller that starts with a million fills.

Usage: figures.py --build DIR [--only detect,failover,outage,million] [--backend mosquitto]
"""
import argparse
import contextlib
import os
import random
import signal
import sqlite3
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import conduct  # noqa: E402
import rig as rigs  # noqa: E402

MILLION = 1000000


def node_state(rig, node):
    rows = rig.ask("node-ls", {})["items"]
    return next(row["state"] for row in rows if row["node"] == node)


def seen_after(rig, node, states, limit):
    begin = time.monotonic()
    while node_state(rig, node) not in states:
        if time.monotonic() - begin > limit:
            raise AssertionError(f"{node} is {node_state(rig, node)} after {limit} s")
    return time.monotonic() - begin


def fleet(options, bots, factor=1.0):
    tools = conduct.tools_of(options.build)
    rig = rigs.Rig(tools if factor != 1.0 else dict(tools, inject=None), 5, factor, options.backend)
    rig.up(bots)
    return rig


def say(what, values, unit="s"):
    print(f"{what}: median {statistics.median(values):.3f} {unit}, worst {max(values):.3f} {unit}, "
          f"{len(values)} times", flush=True)


def detect(options):
    """kill -9, SIGSTOP and a link that is cut, each until the controller says it."""
    rig = fleet(options, conduct.fleet_of(random.Random(3)))
    crash, hang, cut = [], [], []
    try:
        for number in range(5):
            node = rigs.NODES[number % 2]
            process = rig.processes[node]
            process.wanted = False
            process.kill()
            crash.append(seen_after(rig, node, ("lost", "down", "suspect"), 10))
            process.start()
            rig.until("it is back", rig.nodes_down, 30)
            process.freeze(True)
            hang.append(seen_after(rig, node, ("lost", "down", "suspect"), 30))
            process.freeze(False)
            rig.until("it is back", rig.nodes_down, 30)
            rig.links.order("drop", f"{node}-broker")
            cut.append(seen_after(rig, node, ("lost", "down", "suspect"), 30))
            rig.links.order("open", f"{node}-broker")
            rig.until("it is back", rig.nodes_down, 30)
    finally:
        rig.close()
    say("a crash is seen after", crash)
    say("a hang is seen after", hang)
    say("a cut link is seen after", cut)


def failover(options):
    """The time without an owner, and the state before and after."""
    bots = [dict(row, placement={"failover": "auto"}) for row in conduct.fleet_of(random.Random(4))]
    rig, gaps = fleet(options, bots), []
    try:
        for node in rigs.NODES:
            rig.wait(8)
            rows = rig.ask("bot-ls", {"limit": 500})["items"]
            moved = [row["bot"] for row in rows if row["node"] == node]
            process = rig.processes[node]
            process.wanted = False
            process.signal(signal.SIGKILL)
            begin = time.monotonic()
            left = set(moved)
            while left:
                rig.watch()
                for row in rig.ask("bot-ls", {"limit": 500})["items"]:
                    if row["bot"] in left and row["node"] != node and row.get("phase") == "running":
                        left.remove(row["bot"])
                        gaps.append(time.monotonic() - begin)
                if time.monotonic() - begin > 60:
                    raise AssertionError(f"not taken over: {left}")
            process.start()
            rig.until("both nodes are up", rig.nodes_down, 30)
        conduct.settle(rig, 60)
        rig.down()
        wrong = books.Books(rig.dir).check()
        if wrong:
            raise AssertionError(str(wrong[:3]))
    finally:
        rig.close()
    say("an auto bot runs elsewhere after its node's death", gaps)


def outage(options):
    """Sticky bots through ten minutes of the fleet's time without broker, then without controller."""
    bots = [dict(row, placement={"failover": "sticky"}) for row in conduct.fleet_of(random.Random(5))]
    for gone in ("broker", "controller"):
        rig = fleet(options, bots, 10.0)
        try:
            rig.wait(20)
            before = len(books.rows(rig.path("sim", "sim.db"), "SELECT n FROM fills"))
            rig.processes[gone].kill(60.0)
            rig.wait(595)
            during = len(books.rows(rig.path("sim", "sim.db"), "SELECT n FROM fills"))
            if during <= before:
                raise AssertionError(f"nothing was traded without {gone}")
            conduct.settle(rig, 90)
            rig.down()
            wrong = books.Books(rig.dir).check()
            if wrong:
                raise AssertionError(str(wrong[:3]))
            print(f"10 minutes without {gone}: {during - before} fills meanwhile, all booked once", flush=True)
        finally:
            rig.close()


def million(options):
    """A controller that starts on a million fills, kill -9 before."""
    rig = fleet(options, conduct.fleet_of(random.Random(6)))
    try:
        rig.wait(5)
        process = rig.processes["controller"]
        process.wanted = False
        process.kill()
        fill(rig.path("controller", "controller.db"))
        process.start()
        begin = time.monotonic()
        rig.until("the controller answers", lambda: rig.why_not("status"), 60)
        first = time.monotonic() - begin
        starts = []
        for _ in range(5):
            process.wanted = False
            process.kill()
            process.start()
            begin = time.monotonic()
            rig.ask("status", {}, 30, again=0.02)
            starts.append(time.monotonic() - begin)
        fills = rig.ask("status", {})["fills"]
    finally:
        rig.close()
    print(f"the first start after the insert: {first:.2f} s, {fills} fills")
    say("kill -9 until the controller answers again, a million fills in its books", starts)


def fill(path):
    """Copies of a real fill of one bot, and its sums, as if it had traded a million times."""
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.row_factory = sqlite3.Row
        row = dict(db.execute("SELECT * FROM fills LIMIT 1").fetchone())
        row.pop("id")
        have = db.execute("SELECT count(*) FROM fills").fetchone()[0]
        names, sql = list(row), f"INSERT INTO fills ({','.join(row)}) VALUES ({','.join('?' * len(row))})"
        db.executemany(sql, ([{**row, "stream": "0" * 26, "n": n, "trade_id": f"m{n}", "bot": f"old-{n % 50}",
                               "ts_ms": row["ts_ms"] - n}[name] for name in names]
                             for n in range(1, MILLION - have + 1)))
        book = dict(db.execute("SELECT * FROM books LIMIT 1").fetchone())
        for number in range(50):
            book.update(bot=f"old-{number}", fills=(MILLION - have) // 50)
            db.execute(f"INSERT INTO books ({','.join(book)}) VALUES ({','.join('?' * len(book))})",
                       list(book.values()))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--only", default="detect,failover,outage,million")
    parser.add_argument("--backend", default="mosquitto")
    options = parser.parse_args()
    for name in options.only.split(","):
        globals()[name](options)


if __name__ == "__main__":
    main()
