"""Runs of the chaos harness: from a seed a plan of what breaks when, a fleet that lives through it, and
the checker's verdict.

Usage: conduct.py --build DIR [--seed S] [--runs N] [--seconds 60] [--factor 10] [--backend B] [--jobs J]
"""
import argparse
import os
import random
import shutil
import subprocess
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "integration"))

import books  # noqa: E402
import person  # noqa: E402
import plan as plans  # noqa: E402
import rig as rigs  # noqa: E402


def with_runtime(inject):
    """A sanitizer's runtime wants to be loaded first: before the library that is loaded before all others."""
    told = subprocess.run(["ldd", inject.replace("chaos_inject.so", "chaos_link")], capture_output=True, text=True,
                          check=False).stdout
    first = [line.split()[2] for line in told.splitlines() if "libasan.so" in line or "libtsan.so" in line]
    return ":".join([*first, inject])


def tools_of(build):
    at = lambda *names: os.path.join(os.path.abspath(build), *names)
    return {"flotilla": at("controller", "cli", "flotilla"), "sim": at("exchanges", "sim", "flotilla-sim"),
            "node": at("botnode", "flotilla-node"), "controller": at("controller", "flotilla-controller"),
            "dashboard": at("dashboard", "flotilla-dashboard"),
            "inject": with_runtime(at("tests", "chaos", "chaos_inject.so")), "link": at("tests", "chaos", "chaos_link"),
            "swarm": at("tests", "chaos", "chaos_swarm")}


def bot(name, strategy, instrument, node, **params):
    return {"name": name, "strategy": strategy, "account": "demo", "instrument": instrument,
            "mode": "live", "params": params, "placement": {"node": node}}


def placements(dice, node):
    """Half may move to another node when theirs is lost; what they do without a lease differs."""
    return dice.choice(({"failover": "sticky", "node": node}, {"failover": "sticky"}, {"failover": "auto"},
                        {"failover": "auto", "on_orphan": "flatten"}))


def fleet_of(dice):
    """Eight bots that trade often, on two nodes."""
    out = []
    for number, node in enumerate(rigs.NODES * 4):
        instrument, price = (("BTC-USDT", 60000), ("ETH-USDT", 1800))[number // 2 % 2]
        kind = ("grid", "pmm_simple", "grid", "dca")[number // 2]
        name = f"{kind.split('_')[0]}-{number}"
        if kind == "grid":
            wide = dice.choice((0.02, 0.04))
            out.append(bot(name, kind, instrument, node, lower=round(price * (1 - wide)),
                           upper=round(price * (1 + wide)), levels=dice.choice((10, 16)), budget=8000))
        elif kind == "pmm_simple":
            out.append(bot(name, kind, instrument, node, amount="300", bid_spreads_bps=[12, 25],
                           ask_spreads_bps=[12, 25], refresh="5s", budget="6000"))
        else:
            out.append(bot(name, kind, instrument, node, amount="100", interval="5s",
                           take_profit_pct=0.3, max_orders=30))
        out[-1]["placement"] = placements(dice, node)
    return out


def fills_differ(rig, still=True):
    """Online: the venue's ledger against the controller's, until both say the same. While bots trade (not
    `still`) the books must have at least what the venue had when it was asked, a moment before."""
    try:
        theirs, after = 0, 0
        while after is not None:
            page = rig.venue("GET", f"/ledger/fills?after={after}&limit=5000")
            theirs, after = theirs + len(page["items"]), page.get("next")
    except OSError as error:
        return str(error)
    status = rig.try_ask("status", {})
    if status is None:
        return "no answer"
    same = status["fills"] == theirs if still else status["fills"] >= theirs
    return None if same else f"{status['fills']} booked, {theirs} at the venue"


def settle(rig, seconds):
    """Everything is healed: the fleet has to find back to order by itself, then stop in order."""
    rig.until("all bots run again", lambda: rig.bots_not(("running",)), seconds)
    rig.until("all fills are booked", lambda: fills_differ(rig, still=False), seconds)
    rig.ask("halt", {"scope": "fleet", "how": "cancel", "reason": "the run is over"}, seconds)
    rig.until("all bots are paused", lambda: rig.bots_not(("paused",)), seconds)
    rig.until("all orders end", lambda: open_orders(rig), seconds)
    rig.until("the last fills are booked", lambda: fills_differ(rig), seconds)
    rig.until("all commands end", lambda: commands_open(rig), seconds)
    rig.wait(3)  # what is on its way to the books arrives


def commands_open(rig):
    rest = [f"{row['op']} to {row['node']} is {row['state']}" for row in
            books.rows(rig.path("controller", "controller.db"), "SELECT op, node, state FROM commands")
            if row["state"] not in books.ENDED]
    return "; ".join(rest[:3]) or None


def open_orders(rig):
    try:
        rest, after = [], 0
        while after is not None:
            page = rig.venue("GET", f"/ledger/orders?after={after}&limit=5000")
            rest += [row["client_order_id"] for row in page["items"]
                     if row["status"] in ("NEW", "PARTIALLY_FILLED")]
            after = page.get("next")
    except OSError as error:
        return str(error)
    return f"open at the venue: {rest[:3]}" if rest else None


def run_one(options, seed):
    """(seed, violations, line) of one run."""
    dice, begin = random.Random(seed), time.monotonic()
    rig = rigs.Rig(tools_of(options.build), seed, options.factor, options.backend)
    bad, note = [], ""
    try:
        bots = fleet_of(dice)
        rig.up(bots)
        asker = person.Person(rig, seed, [row["name"] for row in bots])
        steps = plans.make(dice, options.seconds, options.only)
        with open(rig.path("chaos", "plan.log"), "w", encoding="ascii") as log:
            asker.start()
            plans.play(rig, steps, options.seconds, log)
        bad += rig.while_it_runs(asker.finish)
        settle(rig, options.patience)
        for name, code in rig.down().items():
            bad.append(("exit", f"{name} ended with {code}"))
        found = books.Books(rig.dir)
        bad += found.check()
        counts = {key: sum(p.control[key] for p in rig.processes.values())
                  for key in ("net_failed", "net_short", "sync_failed", "connect_failed", "full",
                              "sectors_lost", "power_lost")}
        moves = sum(row["epoch"] - 1 for row in found.bots)
        note = (f"{len(steps)} faults, {len(asker.asked)} requests, {moves} moves, {len(found.orders)} orders, {len(found.fills)} fills, " +
                ", ".join(f"{key} {value}" for key, value in counts.items() if value))
    except Exception as error:  # a run that cannot be judged is a failed run  # pylint: disable=broad-except
        bad.append(("unsettled", "".join(traceback.format_exception(error))
                    if options.verbose else str(error)))
    finally:
        keep = bool(bad) and bool(options.keep)
        rig.close(keep=keep)
        if keep:
            target = os.path.join(options.keep, f"seed-{seed}-{options.backend}")
            os.makedirs(options.keep, exist_ok=True)
            shutil.rmtree(target, ignore_errors=True)
            shutil.move(rig.dir, target)
            note += f" kept in {target}"
    return seed, bad, f"{time.monotonic() - begin:.1f} s, {note}"


def parse(words):
    parser = argparse.ArgumentParser(prog="./dev chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True)
    parser.add_argument("--seed", type=int, help="the first run's seed (default: from the clock)")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60, help="of trouble, in the fleet's time")
    parser.add_argument("--factor", type=float, default=10, help="how much faster the fleet's time runs")
    parser.add_argument("--backend", choices=("mosquitto", "paho", "both"), default="both")
    parser.add_argument("--jobs", type=int, default=0, help="runs at once (default: one a core)")
    parser.add_argument("--only", default="", help="kinds of trouble, by comma (see plan.py)")
    parser.add_argument("--patience", type=float, default=40, help="real seconds to settle in")
    parser.add_argument("--keep", default="", help="folder for the files of failed runs")
    parser.add_argument("--tap", action="store_true", help="a test's output")
    parser.add_argument("--verbose", action="store_true")
    return parser.parse_args(words)


def jobs_of(options):
    first = options.seed if options.seed is not None else int(time.time()) % 10000000
    out = []
    for number in range(options.runs):
        one = argparse.Namespace(**vars(options))
        if options.backend == "both":
            one.backend = ("mosquitto", "paho")[(first + number) % 2]
        out.append((one, first + number))
    return out


def main():
    options, failed = parse(sys.argv[1:]), []
    jobs = jobs_of(options)
    begin = time.monotonic()
    with ProcessPoolExecutor(options.jobs or os.cpu_count() or 1) as pool:
        futures = [(one, pool.submit(run_one, one, seed)) for one, seed in jobs]
        for number, (one, future) in enumerate(futures, 1):
            seed, bad, line = future.result()
            if options.tap:
                print(f"{'not ok' if bad else 'ok'} {number} - seed {seed} {one.backend}")
                print(f"# {line}")
            else:
                print(f"seed {seed} {one.backend}: {'FAILED' if bad else 'ok'}, {line}")
            for kind, text in bad[:12]:
                print(("# " if options.tap else "    ") + f"{kind}: {text}")
            sys.stdout.flush()
            if bad:
                failed.append(seed)
    if options.tap:
        print(f"1..{len(jobs)}")
    else:
        print(f"{len(jobs)} runs, {len(failed)} failed{' ' + str(failed) if failed else ''}, "
              f"{time.monotonic() - begin:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
