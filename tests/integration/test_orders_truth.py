"""What is true at the venue is what the fleet says: after a power loss, of a stop, of an account.

Usage: test_orders_truth.py FLOTILLA
"""
import contextlib
import json
import os
import shutil
import sqlite3
import sys
import unittest
from decimal import Decimal

import tap
from fleet import CliError, Fleet, wait_for
from venue import OPEN, Venue

FLOTILLA = sys.argv[1]


class Truth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        cls.venue = Venue(cls.fleet)
        cls.venue.speed(20)

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def bots(self):
        return self.fleet.cli("bot", "ls")["items"]

    def bot(self, name):
        return next(bot for bot in self.bots() if bot["bot"] == name)

    def logged(self, process, text):
        with open(os.path.join(self.fleet.dir, "log", f"{process}.log"), encoding="utf-8") as file:
            return [row for row in file if text in row]

    # --- the power goes

    def copy_journal(self, node, out):
        """The journal as it is on disk now: what was committed, and nothing of the ring."""
        path = os.path.join(self.fleet.dir, node, "journal.db")
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=120)) as db, \
                contextlib.closing(sqlite3.connect(out)) as copy:
            db.backup(copy)

    def test_1_a_power_loss_takes_seconds_of_the_journal_and_no_fill_is_lost(self):
        wait_for("fills", lambda: len(self.venue.ledger("fills")) > 20)
        node, copy = "node-1", os.path.join(self.fleet.dir, "older.db")
        self.copy_journal(node, copy)
        before = len(self.venue.booked())
        wait_for("more fills", lambda: len(self.venue.booked()) > before + 30, 40)
        with self.fleet.killed(node):
            folder = os.path.join(self.fleet.dir, node)
            for name in ("journal.db", "journal.db-wal", "journal.db-shm", "intents.ring"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(folder, name))
            shutil.move(copy, os.path.join(folder, "journal.db"))
            os.chmod(os.path.join(folder, "journal.db"), 0o600)
            at_venue = len(self.venue.ledger("fills"))
            wait_for("trades while it is down", lambda: len(self.venue.ledger("fills")) > at_venue + 5)
        wait_for("its bots run", lambda: all(bot.get("phase") == "running" for bot in self.bots()
                                             if bot["node"] == node), 40)
        wait_for("the sweep's line", lambda: self.logged(node, "ev=swept"), 10)
        self.venue.eventually("fills are the same", self.venue.fills_differ)
        self.assertTrue(any("missed=0" not in row for row in self.logged(node, "ev=swept")),
                        "trades were found that nothing else told of")
        wait_for("equal books", self.fleet.reconciled)

    # --- stopped

    def test_2_stopped_is_said_when_the_venue_shows_no_order(self):
        name = next(bot["bot"] for bot in self.bots() if bot["strategy"] == "grid" and
                    bot["mode"] == "live")
        self.fleet.cli("bot", "stop", name, "--wait")
        shown = self.fleet.cli("bot", "show", name)
        self.assertEqual(shown["state"]["phase"], "stopped")
        self.assertEqual(shown["state"]["orders_open"], 0)
        self.assertGreaterEqual(shown["state"]["checked_ms"], shown["state"]["since_ms"] - 60000)
        self.assertEqual([row for row in self.venue.of(name, "orders") if row["status"] in OPEN], [])

    # --- accounts

    def deposit(self, asset, amount):
        with open(os.path.join(self.fleet.dir, "secrets", "demo.key.json"), encoding="ascii") as file:
            key = json.load(file)["key"]
        self.venue.ask("POST", "/deposit", {"key": key, "asset": asset, "amount": str(amount)})

    def check(self):
        found = {}
        for item in self.fleet.cli("account", "check")["items"]:
            for row in item["assets"]:
                found[item["node"], row["asset"]] = (item["state"], row)
        return found

    def test_3_a_surplus_is_reported_and_nothing_else_happens(self):
        self.venue.ask("POST", "/pause")
        self.addCleanup(self.venue.ask, "POST", "/resume")
        self.deposit("BTC", Decimal("1.5"))
        wait_for("the surplus is seen", lambda: all(
            state == "ok" and Decimal(row["surplus"]) >= Decimal("1.5")
            for (_, asset), (state, row) in self.check().items() if asset == "BTC"), 15)
        self.deposit("BTC", Decimal("-1.5"))
        self.assertFalse([bot for bot in self.bots() if bot.get("phase") == "paused"])

    def test_4_what_is_missing_pauses_the_accounts_bots_until_it_is_booked(self):
        self.venue.ask("POST", "/pause")  # nothing trades: the two can be compared
        self.addCleanup(self.venue.ask, "POST", "/resume")
        name = max((bot for bot in self.bots() if bot["mode"] == "live" and
                    bot["instrument"] == "BTC-USDT"), key=lambda bot: Decimal(bot["position"]))["bot"]
        self.fleet.cli("bot", "stop", name, "--wait")  # its coins are free
        held = Decimal(self.bot(name)["position"])
        missing = held / 2
        self.assertGreater(missing, 0)
        total = next(Decimal(row["venue_total"]) for (_, asset), (_, row) in self.check().items()
                     if asset == "BTC")
        claims = sum(max(Decimal(bot["position"]), 0) for bot in self.bots()
                     if bot["mode"] == "live" and bot["instrument"] == "BTC-USDT")
        self.deposit("BTC", -(total - claims + missing))  # of the surplus nothing is left either
        wait_for("its bots pause", lambda: self.bot_paused(), 60)
        row = next(bot for bot in self.bots() if bot.get("phase") == "paused")
        self.assertEqual(row["reason"]["code"], "drift")
        self.assertRegex(row["reason"]["message"], r"holds [0-9.]+ BTC, its bots' books [0-9.]+: [0-9.]+ is missing")
        shown = self.fleet.cli("bot", "reconcile", name, timeout=120)
        shown = shown["items"][0] if "items" in shown else shown
        self.assertFalse(shown["in_step"])
        short = Decimal(shown["legs"][0]["short"])
        self.assertGreater(short, 0)
        with self.assertRaises(CliError) as caught:
            self.fleet.cli("bot", "reconcile", name, "--accept-venue")
        self.assertIn("reason", caught.exception.error["message"] + caught.exception.error["field"])
        done = self.fleet.cli("bot", "reconcile", name, "--accept-venue", "--reason",
                              "taken out by hand", timeout=120)
        done = done["items"][0] if "items" in done else done
        self.assertEqual(Decimal(done["adjusted"][0]["qty"]), -short)
        wait_for("the books follow", lambda: Decimal(self.bot(name)["position"]) == held - short, 10)
        wait_for("its bots go on", lambda: not self.bot_paused(), 60)
        history = self.fleet.cli("bot", "show", name)["history"]
        self.assertTrue(any(row["kind"] == "adjustment" and "taken out by hand" in row["text"]
                            for row in history))

    def bot_paused(self):
        return [bot["bot"] for bot in self.bots() if bot.get("phase") == "paused"]


if __name__ == "__main__":
    sys.argv = sys.argv[:1]
    tap.run(Truth)
