"""The demo fleet while its venue misbehaves in every way the simulator knows; then its books are right.

Each case turns faults on, lets the fleet trade, turns them off, waits until no order is in doubt, and
compares three independent accounts of what happened: the simulator's ledger, the bots' own lists of
orders and positions, and the controller's database.

Usage: test_faults.py FLOTILLA [SEED]
"""
import contextlib
import os
import random
import signal
import sys
import time
import unittest
from decimal import Decimal

import tap
from fleet import CliError, Fleet, alive, wait_for
from venue import OPEN, Venue

FLOTILLA = sys.argv[1]
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 20260301
ORDER = "/api/v3/order"


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"# seed {SEED}", flush=True)
        cls.dice = random.Random(SEED)
        cls.fleet = Fleet(FLOTILLA).up()
        cls.venue = Venue(cls.fleet)
        # Twenty times the market's speed: more trades in the same time.
        cls.venue.speed(20)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    # --- what the fleet says

    def bots(self):
        return self.fleet.cli("bot", "ls")["items"]

    def orders(self):
        return [dict(order, bot=bot["bot"]) for bot in self.bots()
                for order in self.fleet.cli("bot", "orders", bot["bot"])["orders"]]

    # --- waiting

    def why_not(self):
        """What is not as it should be, or None."""
        try:
            bad = [f"{bot['bot']} {bot.get('phase')} {bot.get('reason', '')}" for bot in self.bots()
                   if bot.get("phase") != ("running" if bot["run"] == "running" else "flat")]
            bad += [f"{order['bot']} {order['client_order_id']} unknown" for order in self.orders()
                    if order.get("unknown")]
        except CliError as error:
            return str(error)
        return "; ".join(bad[:6]) or None

    def settle(self):
        self.venue.eventually("settled", self.why_not)

    def same_orders(self):
        """"" when the venue's open orders are those that the bots list, else the difference. Both
        change meanwhile, so only what both of two looks at the venue have must be listed."""
        look = lambda: {row["client_order_id"] for row in self.venue.ledger("orders")
                        if row["status"] in OPEN}
        before = look()
        listed = {order["client_order_id"] for order in self.orders()
                  if order["status"] in ("open", "partly_filled")}
        after = look()
        lost, ghosts = (before & after) - listed, listed - before - after
        return f"not listed {sorted(lost)}, not at the venue {sorted(ghosts)}" if lost or ghosts else ""

    def check_books(self):
        self.assertEqual(self.venue.ids_twice(), [], "ids that the venue accepted twice")
        self.venue.eventually("open orders are the same", self.same_orders)
        self.venue.eventually("fills are the same", self.venue.fills_differ)
        self.venue.positions_equal()
        wait_for("equal books", self.fleet.reconciled)

    @contextlib.contextmanager
    def trouble(self, seconds):
        """Faults are on inside; after it they are off, and all has to be right."""
        before, begin = len(self.venue.ledger("orders")), time.monotonic()
        try:
            yield
            time.sleep(seconds)
        finally:
            self.venue.calm()
        orders, fills = self.venue.ledger("orders"), self.venue.ledger("fills")
        calm = time.monotonic()
        self.settle()
        settled = time.monotonic()
        self.check_books()
        print(f"# {len(orders) - before} orders, {len(fills)} fills in all, on {calm - begin:.1f} s, "
              f"settled {settled - calm:.1f} s, checked {time.monotonic() - settled:.1f} s", flush=True)

    # --- one after the other

    def test_01_answers_to_orders_and_cancels_are_cut(self):
        with self.trouble(4):
            self.venue.fault("accept_then_timeout", "POST", ORDER)
            self.venue.fault("accept_then_timeout", "DELETE", ORDER)

    def test_02_the_venue_says_that_it_does_not_know(self):
        with self.trouble(4):
            self.venue.fault("accept_then_timeout", path=ORDER, status=504)

    def test_03_answers_never_come_and_the_connection_stays_open(self):
        with self.trouble(6):  # a request is given up after 5 s
            self.venue.fault("accept_then_timeout", "POST", ORDER, count=8, hang=True)
            self.venue.fault("drop_events", streams="user")

    def test_04_5xx_on_place_and_cancel(self):
        with self.trouble(4):
            self.venue.fault("http_status", "POST", ORDER, status=503, code=-1008)
            self.venue.fault("http_status", "DELETE", ORDER, status=502, code=-1000)

    def test_05_429_with_retry_after(self):
        with self.trouble(2):
            self.venue.fault("http_status", status=429, ms=2000, count=3)

    def test_06_418_with_retry_after(self):
        with self.trouble(2):
            self.venue.fault("http_status", status=418, ms=3000, count=2)

    def test_07_answers_take_one_to_three_seconds(self):
        with self.trouble(6):
            for _ in range(60):
                self.venue.fault("latency", count=1, ms=self.dice.randrange(1000, 3000))

    def test_08_events_of_the_account_are_lost(self):
        with self.trouble(4):
            self.venue.fault("drop_events", streams="user")

    def test_09_events_of_the_account_come_twice(self):
        with self.trouble(4):
            self.venue.fault("repeat_events", streams="user")

    def test_10_streams_are_cut(self):
        with self.trouble(2):
            for _ in range(3):
                self.venue.fault("disconnect_streams", streams="all")
                time.sleep(0.7)

    def test_11_the_clocks_differ_by_three_seconds(self):
        for skew in (3000, -3000):
            with self.subTest(skew=skew), self.trouble(3):
                self.venue.fault("skew_clock", ms=skew)

    def test_12_orders_are_refused(self):
        with self.trouble(3):
            self.venue.fault("reject", "POST", ORDER, code=-2010,
                             msg="Account has insufficient balance for requested action.")

    def test_13_a_node_is_killed_while_answers_are_cut(self):
        for node in ("node-1", "node-2"):
            with self.subTest(node=node), self.trouble(2):
                self.venue.fault("accept_then_timeout", path=ORDER)
                time.sleep(1.5)
                pid = self.fleet.pids()[node]
                os.kill(pid, signal.SIGKILL)
                wait_for(f"{node} is started again", lambda n=node, p=pid:
                         self.fleet.pids().get(n, p) != p and alive(self.fleet.pids()[n]))

    def test_14_a_paper_bot_still_has_its_holdings_after_its_node_was_killed(self):
        params = {"amount": 200, "interval": "1s", "take_profit_pct": 5, "max_orders": 5}
        words = [word for key, value in params.items() for word in ("--param", f"{key}={value}")]
        self.fleet.cli("bot", "deploy", "--name", "paper-1", "--strategy", "dca", "--mode", "paper",
                       "--venue", "binance", "--instrument", "ETH-USDT", *words, "--wait")
        wait_for("paper purchases", lambda: self.paper_bot()["fills"] >= 3)
        node = self.paper_bot()["node"]
        pid = self.fleet.pids()[node]
        os.kill(pid, signal.SIGKILL)
        wait_for(f"{node} is started again", lambda: self.fleet.pids().get(node, pid) != pid)
        self.settle()
        held = Decimal(self.paper_bot()["position"])
        self.assertGreater(held, 0)
        self.fleet.cli("bot", "stop", "paper-1", "--flatten", "--yes", "--wait")
        left = Decimal(self.paper_bot()["position"])
        self.assertLess(left, held / 100, "the paper account sells what the bot holds")
        self.check_books()  # of live bots: paper fills never were at the venue

    def paper_bot(self):
        return next(bot for bot in self.bots() if bot["bot"] == "paper-1")

    # --- all of it

    def mix(self):
        dice, venue = self.dice, self.venue
        wild = (
            lambda: venue.fault("accept_then_timeout", path=ORDER, count=dice.randrange(1, 6)),
            lambda: venue.fault("accept_then_timeout", path=ORDER, count=dice.randrange(1, 6),
                                status=504),
            lambda: venue.fault("accept_then_timeout", path=ORDER, count=1, hang=True),
            lambda: venue.fault("http_status", path=ORDER, count=dice.randrange(1, 6), status=503,
                                code=-1008),
            lambda: venue.fault("http_status", count=1, status=429, ms=1000),
            lambda: venue.fault("latency", count=dice.randrange(1, 5), ms=dice.randrange(200, 2000)),
            lambda: venue.fault("drop_events", count=dice.randrange(1, 8), streams="user"),
            lambda: venue.fault("repeat_events", count=dice.randrange(1, 8), streams="all"),
            lambda: venue.fault("disconnect_streams", streams=dice.choice(("user", "market", "all"))),
            lambda: venue.fault("reject", "POST", ORDER, count=dice.randrange(1, 4), code=-2010),
        )
        dice.choice(wild)()

    def test_15_everything_at_once(self):
        with self.trouble(1):
            for _ in range(24):
                self.mix()
                time.sleep(self.dice.uniform(0.05, 0.5))


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Faults)
