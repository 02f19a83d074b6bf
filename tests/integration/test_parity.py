#!/usr/bin/env python3
"""One bot of each strategy is recorded while it trades, stops and starts; played through the engine
again, each must ask for exactly the same orders. The manifest of those bots also backtests, unchanged.

Usage: test_parity.py FLOTILLA
"""
import glob
import json
import math
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
BEFORE_S = 20  # until the end of the minute at least: all have to be recorded by then
AFTER_S = 30  # recorded after the end of the minute: time for a fill; the market of the demo comes round each 17 s
STRATEGIES = ("dca", "grid", "grid_lines", "hold", "pmm_simple", "rsi", "sma_cross")
# Bots that the demo does not have; each acts at the close of the minute in its recording. Their manifest
# is also backtested. The index is below 98 but after a rise without end.
MANIFEST = """bots:
- name: eager
  strategy: rsi
  account: demo
  mode: live
  instrument: BTC-USDT
  params: {amount: "50", period: 14, buy_below: 98, sell_above: 99}
- name: holder
  strategy: hold
  account: demo
  mode: live
  instrument: BTC-USDT
  params: {amount: "50"}
- name: lines
  strategy: grid_lines
  account: demo
  mode: live
  instrument: BTC-USDT
  params: {lower: "61100", step: "15", lines: 81, qty: "0.0005"}
"""
BARS = ("eager", "holder", "lines")


def changed(data, old, new):
    """A tape in which each `old` is `new`, of the same length, and the checks of the frames that have it
    (FNV-1a over number and bytes) are right again."""
    out, at, number = bytearray(data.replace(old, new)), 8, 0
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at:at + 4], "little")
        if data[at:end] != out[at:end]:
            check = 2166136261
            for byte in number.to_bytes(8, "little") + out[at + 8:end]:
                check = (check ^ byte) * 16777619 & 0xffffffff
            out[at + 4:at + 8] = check.to_bytes(4, "little")
        at, number = end, number + 1
    return out


class Parity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.fleet = Fleet(FLOTILLA).up()
        with open(os.path.join(cls.fleet.dir, "fleet.json"), encoding="ascii") as file:
            control = f"http://127.0.0.1:{json.load(file)['ports']['sim_control']}"
        urllib.request.urlopen(urllib.request.Request(f"{control}/speed", b'{"speed":20}', method="POST"),
                               timeout=120).close()
        cls.bots = {}
        for bot in cls.fleet.cli("bot", "ls")["items"]:
            cls.bots.setdefault(bot["strategy"], bot["bot"])
        cls.bots.update(rsi="eager", hold="holder", grid_lines="lines")
        cls.manifest = os.path.join(cls.fleet.dir, "bots.yml")

    @classmethod
    def tearDownClass(cls):
        cls.fleet.close()

    def is_recording(self, bot):
        """Its file is there (the line in the bot's log is soon behind 48 others)."""
        return any(os.path.basename(path).startswith(f"{bot}-") for path in
                   glob.glob(os.path.join(glob.escape(self.fleet.dir), "node-*", "rec", "*")))

    def apply_manifest(self):
        """Bars close with the minute: its bots are there, and recorded, well before one does."""
        with open(self.manifest, "w", encoding="ascii") as file:
            file.write(MANIFEST)
        wait_for("the middle of a minute", lambda: 25 < time.time() % 60 < 35)
        self.fleet.cli("apply", "-f", self.manifest, "--yes", "--wait")

    def has_traded(self, bot):
        return any(line["event"] == "fill" for line in self.fleet.cli("bot", "logs", bot)["lines"])

    def test_01_each_strategy_gives_the_same_orders_again(self):
        self.assertEqual(sorted(self.bots), sorted(STRATEGIES))
        self.apply_manifest()
        results, now = {}, time.time()
        close = (now + BEFORE_S) // 60 * 60 + 60
        seconds = int(close - now) + AFTER_S

        def parity(strategy, bot):
            results[strategy] = self.fleet.run("-o", "json", "bot", "parity", bot, "--for", f"{seconds}s")

        threads = [threading.Thread(target=parity, args=row) for row in self.bots.items()]
        for thread in threads:
            thread.start()
        for bot in self.bots.values():
            wait_for(f"{bot} is recorded", lambda name=bot: self.is_recording(name))
        self.assertLess(time.time(), close, "the minute was over before all were recorded")
        for bot in BARS:
            wait_for(f"{bot} has bought", lambda name=bot: self.has_traded(name))
        self.fleet.cli("bot", "stop", *self.bots.values(), "--wait")
        self.fleet.cli("bot", "start", *self.bots.values(), "--wait")
        for thread in threads:
            thread.join()
        for strategy, done in results.items():
            self.assertEqual((strategy, done.returncode, done.stderr), (strategy, 0, ""))
            report = json.loads(done.stdout)
            self.assertEqual((strategy, report["differences"], report["shown"]), (strategy, 0, []))
            self.assertEqual((report["strategy"], report["bot"]), (strategy, self.bots[strategy]))
            self.assertGreater(report["inputs"], 20 * seconds, strategy)
            if strategy != "sma_cross":  # needs a cross, which a minute need not bring
                self.assertGreater(report["placed"], 0, strategy)
            if self.bots[strategy] in BARS:
                self.assertGreater(report["fills"], 0, strategy)
            self.assertGreaterEqual(report["to_ms"] - report["from_ms"], (seconds - 2) * 1000)

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

    def test_03_each_difference_is_told_in_words(self):
        """A recording whose header is made to say another size: what was asked for then is not asked for now."""
        folder = next(path for path in (os.path.join(self.fleet.dir, f"node-{n}", "rec") for n in (1, 2))
                      if any(name.startswith("holder-") for name in os.listdir(path)))
        name = next(name for name in sorted(os.listdir(folder)) if name.startswith("holder-"))
        with open(os.path.join(folder, name), "rb") as file:
            data = file.read()
        self.assertIn(b'"amount":"50"', data)
        path = os.path.join(self.fleet.dir, "changed.tape")
        with open(path, "wb") as file:
            file.write(changed(data, b'"amount":"50"', b'"amount":"60"'))
        done = self.fleet.run("bot", "parity", "--file", path)
        self.assertEqual((done.returncode, done.stderr), (4, ""))
        lines = done.stdout.splitlines()
        self.assertRegex(done.stdout, r"(?m)^\d{4}-\S+Z  changed, input \d+ \(bar\)\n"
                                      r"  recorded  place buy market ioc \S+ BTC-USDT id=\w+\n"
                                      r"  replayed  place buy market ioc \S+ BTC-USDT id=\w+\n")
        self.assertRegex(done.stdout, r"(?m)^  recorded  record fill buy \S+ at \S+, trade \d+, order then filled id=")
        self.assertRegex(lines[-1], r"^[1-9]\d* differences?$")
        report = json.loads(self.fleet.run("-o", "json", "bot", "parity", "--file", path).stdout)
        self.assertEqual(report["differences"], int(lines[-1].split()[0]))
        for row in report["shown"]:
            self.assertNotEqual(row["expected"], row["got"])
            self.assertTrue(row["expected"] or row["got"])

    def test_04_the_manifest_that_was_deployed_backtests_unchanged(self):
        """Candles that fall and rise by a sine over the bots' prices; the same file, not a byte of it changed."""
        data = os.path.join(self.fleet.dir, "candles.csv")
        closes = [round(61700 + 400 * math.sin(i / 20), 2) for i in range(400)]
        with open(data, "w", encoding="ascii") as file:
            file.write("ts_ms,open,high,low,close,volume\n")
            for i, close in enumerate(closes):
                last = closes[max(i - 1, 0)]
                file.write(f"{1700000040000 + i * 60000},{last:.2f},{max(last, close) + 1:.2f},"
                           f"{min(last, close) - 1:.2f},{close:.2f},2\n")
        for bot in BARS:
            out = os.path.join(self.fleet.dir, f"out-{bot}")
            done = self.fleet.run("backtest", "-f", self.manifest, "--bot", bot, "--data", data, "--out", out, "--quiet")
            self.assertEqual((bot, done.returncode, done.stderr), (bot, 0, ""))
            with open(os.path.join(out, "fills.csv"), encoding="ascii") as file:
                fills = file.read().splitlines()[1:]
            live = next(row for row in self.fleet.cli("bot", "ls")["items"] if row["bot"] == bot)
            with open(os.path.join(out, "summary.json"), encoding="ascii") as file:
                self.assertEqual(json.load(file)["config"]["strategy"], live["strategy"])
            self.assertEqual(len(fills) == 1, bot == "holder", bot)
            self.assertGreater(len(fills), 0, bot)

    def test_05_a_recording_that_cannot_be_had_is_refused_with_the_reason(self):
        self.assertEqual(self.refused("bot", "parity", "nobody")["code"], "not_found")
        self.assertEqual(self.refused("bot", "parity")["field"], "bot")
        self.assertEqual(self.refused("bot", "parity", "x", "--for", "0s")["field"], "for")

    def test_06_a_bot_keeps_its_newest_recordings_only(self):
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
