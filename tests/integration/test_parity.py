#!/usr/bin/env python3
"""One bot of each strategy is recorded while it trades, stops and starts; played through the engine
again, each must ask for exactly the same orders.

Usage: test_parity.py FLOTILLA
"""
import json
import os
import shutil
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import tap
from fleet import CliError, Fleet, wait_for

FLOTILLA = sys.argv[1]
SECONDS = 20
STRATEGIES = ("dca", "grid", "pmm_simple", "rsi", "sma_cross")
# Buys at the close of any bar, but one after a rise without end.
EAGER = {"amount": 50, "period": 14, "buy_below": 98, "sell_above": 99}


class Parity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        with open(os.path.join(cls.fleet.dir, "fleet.json"), encoding="ascii") as file:
            control = f"http://127.0.0.1:{json.load(file)['ports']['sim_control']}"
        urllib.request.urlopen(urllib.request.Request(f"{control}/speed", b'{"speed":20}', method="POST"),
                               timeout=8).close()
        cls.bots = {}
        for bot in cls.fleet.cli("bot", "ls")["items"]:
            cls.bots.setdefault(bot["strategy"], bot["bot"])
        cls.bots["rsi"] = "eager"

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def is_recording(self, bot):
        """Its node says in the bot's log that the recording has begun."""
        return any(line["event"] == "record" for line in self.fleet.cli("bot", "logs", bot)["lines"])

    def deploy_eager(self):
        """Bars close with the minute: it is there, and recorded, shortly before one does."""
        words = [word for key, value in EAGER.items() for word in ("--param", f"{key}={value}")]
        wait_for("the minute's last seconds", lambda: 47 < time.time() % 60 < 51, seconds=65)
        self.fleet.cli("bot", "deploy", "--name", "eager", "--strategy", "rsi", "--account", "demo",
                       "--instrument", "BTC-USDT", *words, "--wait")

    def has_traded(self, bot):
        return any(line["event"] == "fill" for line in self.fleet.cli("bot", "logs", bot)["lines"])

    def test_01_each_strategy_gives_the_same_orders_again(self):
        self.assertEqual(sorted(self.bots), sorted(STRATEGIES))
        results = {}

        def parity(strategy, bot):
            results[strategy] = self.fleet.run("-o", "json", "bot", "parity", bot, "--for",
                                               f"{SECONDS}s", timeout=60)

        threads = [threading.Thread(target=parity, args=row) for row in self.bots.items()]
        self.deploy_eager()
        for thread in threads:
            thread.start()
        for bot in self.bots.values():
            wait_for(f"{bot} is recorded", lambda name=bot: self.is_recording(name))
        wait_for("eager has bought", lambda: self.has_traded("eager"))
        self.fleet.cli("bot", "stop", *self.bots.values(), "--wait")
        self.fleet.cli("bot", "start", *self.bots.values(), "--wait")
        for thread in threads:
            thread.join()
        for strategy, done in results.items():
            self.assertEqual((strategy, done.returncode, done.stderr), (strategy, 0, ""))
            report = json.loads(done.stdout)
            self.assertEqual((strategy, report["differences"], report["shown"]), (strategy, 0, []))
            self.assertEqual((report["strategy"], report["bot"]), (strategy, self.bots[strategy]))
            self.assertGreater(report["inputs"], 20 * SECONDS, strategy)
            if strategy != "sma_cross":  # needs a cross, which a minute need not bring
                self.assertGreater(report["placed"], 0, strategy)
            self.assertGreaterEqual(report["to_ms"] - report["from_ms"], (SECONDS - 2) * 1000)

    def test_02_a_recording_can_be_replayed_later_and_a_damaged_one_says_so(self):
        folder = os.path.join(self.fleet.dir, "node-1", "rec")
        path = os.path.join(folder, sorted(os.listdir(folder))[0])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        done = self.fleet.run("bot", "parity", "--file", path)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "0 differences"))
        with tempfile.TemporaryDirectory() as other:
            copy = shutil.copy(path, other)
            with open(copy, "r+b") as file:
                file.truncate(os.path.getsize(path) - 3)
            error = self.refused("bot", "parity", "--file", copy)
            self.assertIn("cut off", error["message"])
            with open(copy, "wb") as file:
                file.write(b"something else")
            self.assertIn("not a recording", self.refused("bot", "parity", "--file", copy)["message"])
            self.assertEqual(self.refused("bot", "parity", "--file", f"{other}/none")["code"], "not_found")

    def test_03_a_recording_that_cannot_be_had_is_refused_with_the_reason(self):
        self.assertEqual(self.refused("bot", "parity", "nobody")["code"], "not_found")
        self.assertEqual(self.refused("bot", "parity")["field"], "bot")
        self.assertEqual(self.refused("bot", "parity", "x", "--for", "0s")["field"], "for")

    def test_04_a_bot_keeps_its_newest_recordings_only(self):
        bot = self.bots["dca"]
        for _ in range(6):
            self.fleet.run("bot", "parity", bot, "--for", "1s")
        found = [name for node in ("node-1", "node-2")
                 for name in os.listdir(os.path.join(self.fleet.dir, node, "rec"))
                 if name.startswith(f"{bot}-")]
        self.assertEqual(len(found), 4)

    def refused(self, *words):
        with self.assertRaises(CliError) as caught:
            self.fleet.cli(*words)
        return caught.exception.error


if __name__ == "__main__":
    tap.run(Parity)
