#!/usr/bin/env python3
"""What flotilla backtest shows and where it leaves it: a summary as wide as the terminal, JSON, nothing
with --quiet; without --out a folder of the fleet, numbered; each metric explained in the page of them.

Usage: test_results.py FLOTILLA DOCS_METRICS
"""
import fcntl
import json
import os
import pty
import random
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import unittest

import tap

FLOTILLA, DOCS = sys.argv.pop(1), sys.argv.pop(1)
RUN = ("--strategy", "sma_cross", "--param", "fast=5", "--param", "slow=20", "--param", "qty=1")
FLEET = {"tenant": "main", "fleet": "01HZZZZZZZZZZZZZZZZZZZZZZZ", "created_ms": 1,
         "ports": {"dashboard": 8088, "mqtt": 1883}, "nodes": ["node-1"]}


def write_candles(path):
    rng, price = random.Random(3), 20000
    with open(path, "w", encoding="ascii") as file:
        file.write("ts_ms,open,high,low,close,volume\n")
        for i in range(600):
            old, price = price, price + rng.randint(-90, 100)
            file.write(f"{1600000000000 + i * 3600000},{old},{max(old, price) + 5},{min(old, price) - 5},{price},1\n")


class Results(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.dir = self.folder.name
        self.data = f"{self.dir}/candles.csv"
        write_candles(self.data)
        self.env = {**os.environ, "TERM": "xterm"}
        self.env.pop("NO_COLOR", None)
        self.env.pop("COLUMNS", None)

    def tearDown(self):
        self.folder.cleanup()

    def run_it(self, *words):
        return subprocess.run([FLOTILLA, "--dir", self.dir, "backtest", "--data", self.data, *RUN, *words],
                              capture_output=True, text=True, timeout=120, env=self.env, check=False)

    def test_nothing_of_an_earlier_run_stays_in_a_folder(self):
        out = f"{self.dir}/out"
        self.assertEqual(self.run_it("--out", out, "--quiet").returncode, 0)
        self.assertTrue(os.path.exists(f"{out}/price.csv"))
        self.assertEqual(self.run_it("--out", out, "--quiet", "--no-report").returncode, 0)
        self.assertEqual(sorted(os.listdir(out)), ["equity.csv", "fills.csv", "orders.csv", "summary.json", "trades.csv"])

    def on_terminal(self, columns, **env):
        """What a terminal that wide gets to see."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        seen = []

        def drain():
            try:
                while piece := os.read(master, 4096):
                    seen.append(piece)
            except OSError:  # the other end is closed
                pass

        with subprocess.Popen([FLOTILLA, "backtest", "--data", self.data, *RUN, "--out", f"{self.dir}/o"],
                              stdout=slave, stderr=slave, stdin=slave, env={**self.env, **env}) as process:
            os.close(slave)
            reader = threading.Thread(target=drain)
            reader.start()
            self.assertEqual(process.wait(60), 0)
            reader.join(10)
        os.close(master)
        return b"".join(seen).decode().replace("\r", "")

    def test_the_summary_has_a_line_of_the_equity_and_no_colour_in_a_pipe(self):
        done = self.run_it("--out", f"{self.dir}/o")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("sma_cross on candles.csv", done.stdout)
        self.assertRegex(done.stdout, r"equity +[\u2581-\u2588]{40,}\n")
        self.assertIn(f"{self.dir}/o/report.html", done.stdout)
        self.assertNotIn("\033", done.stdout)

    def test_a_terminal_gets_colour_unless_no_color_is_set(self):
        self.assertIn("\033[", self.on_terminal(100))
        self.assertNotIn("\033[", self.on_terminal(100, NO_COLOR="1"))

    def test_no_line_is_longer_than_a_narrow_terminal(self):
        for columns in (120, 80, 60, 40):
            rows = self.on_terminal(columns, NO_COLOR="1").splitlines()
            figures = [row for row in rows if not row.lstrip().startswith("report") and " on " not in row]
            self.assertGreater(len(figures), 5)
            self.assertLessEqual(max(map(len, figures)), columns)

    def test_quiet_is_silent_and_json_is_the_summary(self):
        done = self.run_it("--out", f"{self.dir}/o", "--quiet")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        done = self.run_it("--out", f"{self.dir}/o", "-o", "json")
        with open(f"{self.dir}/o/summary.json", encoding="utf-8") as file:
            self.assertEqual(json.loads(done.stdout), json.load(file))

    def test_without_out_a_fleets_results_are_numbered_in_its_folder(self):
        refused = self.run_it()
        self.assertEqual(refused.returncode, 2)
        self.assertIn("needs --out DIR", refused.stderr)
        with open(f"{self.dir}/fleet.json", "w", encoding="ascii") as file:
            json.dump(FLEET, file)
        for n in (1, 2):
            done = self.run_it()
            self.assertIn(f"{self.dir}/backtests/sma_cross-{n}/report.html", done.stdout)
            self.assertTrue(os.path.exists(f"{self.dir}/backtests/sma_cross-{n}/summary.json"))
        failed = self.run_it("--param", "fast=0")
        self.assertNotEqual(failed.returncode, 0)
        self.assertEqual(sorted(os.listdir(f"{self.dir}/backtests")), ["sma_cross-1", "sma_cross-2"])

    def test_what_would_be_ignored_is_refused(self):
        for words, said in ((("--queue", "5"), "--queue means nothing to --fill next-open"),
                            (("--bot", "x"), "--bot names one of a manifest"),
                            (("--slippage", "10000bps"), "all of the price")):
            done = self.run_it("--out", f"{self.dir}/never", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)
            self.assertIn(said, done.stderr)
        folder = subprocess.run([FLOTILLA, "backtest", "--data", self.dir, *RUN, "--out", f"{self.dir}/never"],
                                capture_output=True, text=True, timeout=120, check=False)
        self.assertIn("VENUE/INSTRUMENT/TIMEFRAME", folder.stderr)
        self.assertFalse(os.path.exists(f"{self.dir}/never"))

    def test_each_metric_has_its_formula_in_the_docs_and_the_same_one_in_the_report(self):
        self.assertEqual(self.run_it("--out", f"{self.dir}/m", "--quiet").returncode, 0)
        with open(f"{self.dir}/m/summary.json", encoding="ascii") as file:
            names = set(json.load(file)["metrics"])
        with open(DOCS, encoding="utf-8") as file:
            rows = re.findall(r"(?m)^\| `(\w+)` \| (.*?) \| `(.*)` \|$", file.read())
        self.assertEqual(len(rows), len({row[0] for row in rows}))
        self.assertEqual({row[0] for row in rows}, names)
        with open(f"{self.dir}/m/report.html", encoding="utf-8") as file:
            page = json.loads(re.search(r'id="data">(.*?)</script>', file.read(), re.DOTALL)[1])["metrics"]
        shown = {metric["name"]: (metric["label"], metric["formula"]) for metric in page}
        for name, label, formula in rows:
            if name in shown:  # what is not defined is not in the page
                self.assertEqual((name, shown[name]), (name, (label, formula)))
        self.assertGreater(len(shown), 50)


if __name__ == "__main__":
    tap.run(Results)
