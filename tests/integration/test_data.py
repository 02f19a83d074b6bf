#!/usr/bin/env python3
"""`flotilla data`: files in and out, refusals that change nothing, repairs, aggregation against an
independent one, and downloads from the exchange simulator that are stopped and go on; prints TAP.

Usage: test_data.py FLOTILLA FLOTILLA_SIM DEMO_DIR
"""
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from decimal import Decimal

import tap

FLOTILLA, SIM, DEMO = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
HEAD = "ts_ms,open,high,low,close,volume\n"
T0 = 1700000040000
MINUTE = 60000


def candle(i, volume="1.25"):
    return f"{T0 + i * MINUTE},{100 + i}.5,{102 + i},{99 + i}.25,{101 + i},{volume}\n"


class Rig(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="flt-data-")
        self.addCleanup(shutil.rmtree, self.dir)

    def run_cli(self, *args):
        return subprocess.run([FLOTILLA, "--dir", f"{self.dir}/fleet", *args], capture_output=True, text=True,
                              check=False, timeout=120)

    def ask(self, *args):
        done = self.run_cli("-o", "json", "data", *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return json.loads(done.stdout)

    def refuse(self, *args):
        done = self.run_cli("-o", "json", "data", *args)
        self.assertNotEqual(done.returncode, 0, args)
        self.assertEqual(done.stdout, "", args)
        return json.loads(done.stderr)["error"]

    def file(self, text, name="x.csv"):
        path = f"{self.dir}/{name}"
        data = text if isinstance(text, bytes) else text.encode()
        with open(path, "wb") as out:
            out.write(data)
        return path

    def export(self, store):
        done = self.run_cli("data", "export", store)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout


class Files(Rig):
    def test_what_goes_in_comes_out_plain_and_packed(self):
        text = HEAD + "".join(candle(i) for i in range(300) if i % 7 != 3)
        for path in (self.file(text), self.file(gzip.compress(text.encode()), "y.csv.gz")):
            done = self.ask("import", path, "demo/A-B")
            self.assertEqual(done["stored"]["store"], "demo/A-B/1m")
            self.assertEqual(self.export("demo/A-B/1m"), text)
        self.assertEqual(done["already_there"], 300 - 43)
        self.ask("export", "demo/A-B/1m", f"{self.dir}/z.csv.gz", "--from", str(T0 + MINUTE), "--to", str(T0 + 9 * MINUTE))
        with gzip.open(f"{self.dir}/z.csv.gz", "rt") as file:
            self.assertEqual(file.read(), HEAD + "".join(candle(i) for i in range(1, 9) if i != 3))

    def test_a_bad_file_is_refused_with_line_and_reason_and_changes_nothing(self):
        good = [candle(i) for i in range(5)]
        t = T0 + 5 * MINUTE
        cases = {
            "unsorted": (good + [candle(3)], 7, "goes back"),
            "duplicate": (good + [candle(4)], 7, "repeats"),
            "nan": (good + [f"{t},1,NaN,1,1,1\n"], 7, "not a number"),
            "infinite": (good + [f"{t},1,1,1,1,inf\n"], 7, "not a number"),
            "negative price": (good + [f"{t},1,1,-1,1,1\n"], 7, "negative"),
            "negative volume": (good + [f"{t},1,1,1,1,-1\n"], 7, "negative"),
            "zero": (good + [f"{t},1,1,0,1,1\n"], 7, "zero"),
            "low above": (good + [f"{t},5,6,5.5,5.6,1\n"], 7, "low is above"),
            "high below": (good + [f"{t},5,5.5,4,5.6,1\n"], 7, "high is below"),
            "cut row": (good + [f"{t},5,6\n"], 7, "3 fields instead of 6"),
            "cut row and no end": (good + [f"{t},5,6"], 7, "has no end"),
            "too many": (good + [f"{t},5,6,5,5,1,9\n"], 7, "7 fields instead of 6"),
            "off the grid": (good + [f"{t + 1},5,6,5,5,1\n"], 7, "no opening time"),
            "microseconds": (good + [f"{t}000,5,6,5,5,1\n"], 7, "ts_ms is not"),
            "far away": (good + [f"{t * 10},5,6,5,5,1\n"], 7, "hole"),
            "text": (good + ["yesterday,5,6,5,5,1\n"], 7, "ts_ms is not"),
            "huge": (good + [f"{t},1e300,6,5,5,1\n"], 7, "needs more than 18 digits"),
            "NUL": (good + [f"{t},5,6,5,5,1\0\n"], 7, "holds a NUL byte"),
        }
        self.ask("import", self.file(HEAD + "".join(good)), "demo/A-B/1m")
        before = self.ask("show", "demo/A-B/1m")
        for name, (rows, line, why) in cases.items():
            with self.subTest(name):
                path = self.file(HEAD + "".join(rows))
                error = self.refuse("import", path, "demo/A-B/1m")
                self.assertIn(f"x.csv:{line}: ", error["message"])
                self.assertIn(why, error["message"])
                self.assertEqual(self.ask("show", "demo/A-B/1m"), before)
                self.assertEqual(len(self.refuse("import", path, "demo/NEW/1m")["message"]), len(error["message"]))
        self.assertEqual([item["store"] for item in self.ask("ls")["items"]], ["demo/A-B/1m"])

    def test_wrong_columns_cut_gzip_and_nothing_at_all_are_refused(self):
        whole = gzip.compress((HEAD + "".join(candle(i) for i in range(3000))).encode())
        cases = [("ts_ms,open,high,low,close\n1,2,3,4,5\n", "no column volume"), ("", "empty"), (HEAD, "no row"),
                 ("time,open,high,low,close,volume\n", "no column ts_ms"), (whole[:-400], "cut short"),
                 ("ts_ms,price,qty\n1,2,3\n", "no column is_buyer_maker"), ((HEAD + candle(0)).encode("utf-16"), "UTF-16"),
                 ("\0ts_ms,open\n", "no usable name")]
        for text, why in cases:
            error = self.refuse("import", self.file(text), "demo/A-B/1m")
            self.assertIn(why, error["message"])
            self.assertEqual("--repair" in error["hint"], text == whole[:-400], "columns cannot be repaired")
        self.assertIn("trades", self.refuse("import", self.file("ts_ms,price,qty,is_buyer_maker\n1,2,3,true\n"),
                                            "demo/A-B/1m")["message"])
        self.assertEqual(self.ask("ls")["items"], [])

    def test_repair_writes_a_corrected_copy_and_lists_each_change(self):
        rows = [candle(0), candle(2), candle(1), "rubbish\n", candle(3, "NaN"), candle(4, "7"), candle(4, "8"),
                f"{T0 + 5 * MINUTE},5,4,6,5,1\n", candle(6), f"{T0 + 7 * MINUTE},5"]
        path = self.file(HEAD + "".join(rows))
        done = self.ask("import", path, "demo/A-B/1m", "--repair")
        self.assertEqual(sorted((c["line"], c["reason"].split(":")[0]) for c in done["changes"]),
                         [(4, "ts_ms goes back"), (5, "wrong number of fields"), (6, "a value is not a number"),
                          (7, "ts_ms stands again further down"), (9, "low is above open or close"),
                          (11, "wrong number of fields")])
        expected = HEAD + candle(0) + candle(1) + candle(2) + candle(4, "8") + candle(6)
        with open(f"{self.dir}/x.repaired.csv", encoding="utf-8") as copy:
            self.assertEqual(copy.read(), expected)
        self.assertEqual(self.export("demo/A-B/1m"), expected)
        with open(path, encoding="utf-8") as file:
            self.assertEqual(file.read(), HEAD + "".join(rows))

    def test_forms_of_the_same_numbers_are_taken_and_others_refused(self):
        """The first two rows are plain; the third is written in the case's form, and is the same candle."""
        plain = HEAD + candle(0) + candle(1) + candle(2)
        row = candle(2).strip()
        taken = {"CR LF": plain.replace("\n", "\r\n"), "BOM": "\ufeff" + plain, "no end": plain.rstrip("\n"),
                 "empty lines at the end": plain + "\n\n", "CR LF and no end": plain.replace("\n", "\r\n").rstrip(),
                 "exponents": plain.replace(row, f"{T0 + 2 * MINUTE},1.025e2,1.04E+2,10125e-2,103,125e-2"),
                 "a plus sign": plain.replace("102.5,", "+102.5,"),
                 "zeros": plain.replace("102.5,", "0102.500,")}
        for n, (name, text) in enumerate(taken.items()):
            with self.subTest(name):
                self.ask("import", self.file(text), f"demo/T{n}/1m")
                self.assertEqual(self.export(f"demo/T{n}/1m"), plain)
        refused = {"cut within the last number": (plain.rstrip("\n")[:-1], 4, "cut short"),
                   "spaces": (plain.replace("102.5,", " 102.5,"), 4, "not a number"),
                   "quotation marks": (plain.replace("102.5,", '"102.5",'), 4, "not a number"),
                   "semicolons": (HEAD + row.replace(",", ";") + "\n", 2, "fields instead of 6"),
                   "hexadecimal": (plain.replace("102.5,", "0x66,"), 4, "not a number"),
                   "two points": (plain.replace("102.5,", "1.02.5,"), 4, "not a number"),
                   "an empty line within": (plain.replace(row, "\n" + row), 5, "empty line"),
                   "a column more": (plain.replace("volume", "volume,x").replace("1.25\n", "1.25,1\n"), 1, "column x")}
        for name, (text, line, why) in refused.items():
            with self.subTest(name):
                message = self.refuse("import", self.file(text), "demo/R/1m")["message"]
                self.assertIn(f"x.csv:{line}: ", message)
                self.assertIn(why, message)

    def test_repair_leaves_out_a_row_cut_within_its_last_number(self):
        """It was kept: a volume of 1.2 where the file had said 1.25 before the cut."""
        text = "\ufeff" + HEAD + "".join(candle(i) for i in range(4))
        done = self.ask("import", self.file(text[:-2]), "demo/A-B/1m", "--repair")
        self.assertEqual([(c["line"], c["reason"]) for c in done["changes"]],
                         [(5, "the last line has no end and its last number is cut short")])
        self.assertEqual(self.export("demo/A-B/1m"), HEAD + "".join(candle(i) for i in range(3)))
        done = self.ask("import", self.file(text[:-1]), "demo/A-B/1m", "--repair")
        self.assertEqual([(c["line"], c["reason"]) for c in done["changes"]], [(5, "the last line has no end: it gets one")])
        self.assertEqual(self.export("demo/A-B/1m"), text[1:])

    def test_repair_keeps_what_a_cut_gzip_file_still_has(self):
        whole = gzip.compress((HEAD + "".join(candle(i) for i in range(3000))).encode())
        done = self.ask("import", self.file(whole[:-400], "c.csv.gz"), "demo/A-B/1m", "--repair")
        self.assertTrue(100 < done["stored"]["rows"] < 3000)
        kept = self.export("demo/A-B/1m")
        self.assertEqual(kept, HEAD + "".join(candle(i) for i in range(done["stored"]["rows"])))

    def test_older_rows_and_finer_prices_are_merged_and_differences_refused(self):
        self.ask("import", self.file(HEAD + "".join(candle(i) for i in range(10, 20))), "demo/A-B/1m", "--gaps", "venue_down")
        self.ask("import", self.file(HEAD + "".join(candle(i) for i in range(0, 12) if i != 5)), "demo/A-B/1m", "--gaps",
                 "no_trades")
        fine = HEAD + f"{T0 + 25 * MINUTE},1.000001,1.000002,1.000001,1.000001,0.00000001\n"
        done = self.ask("import", self.file(fine), "demo/A-B/1m", "--gaps", "venue_down")
        self.assertEqual(done["stored"]["price_decimals"], 6)
        self.assertEqual(self.export("demo/A-B/1m"),
                         HEAD + "".join(candle(i) for i in range(20) if i != 5) + fine.splitlines(True)[1])
        self.assertEqual([(gap["candles"], gap["reason"]) for gap in self.ask("show", "demo/A-B/1m")["gap_list"]],
                         [(1, "no_trades"), (5, "venue_down")])
        other = self.file(HEAD + candle(3, "99"))
        error = self.refuse("import", other, "demo/A-B/1m")
        self.assertIn("x.csv:2: ", error["message"])
        self.assertIn("--replace", error["hint"])
        self.assertEqual(self.ask("import", other, "demo/A-B/1m", "--replace")["replaced"], 1)
        self.assertIn(candle(3, "99"), self.export("demo/A-B/1m"))

    def test_a_changed_byte_is_found_and_named(self):
        self.ask("import", self.file(HEAD + "".join(candle(i) for i in range(100))), "demo/A-B/1m")
        self.assertEqual(self.ask("verify")["items"][0]["state"], "ok")
        with open(f"{self.dir}/fleet/data/demo/A-B/1m/close", "r+b") as file:
            file.seek(80)
            file.write(b"\xff")
        done = self.run_cli("-o", "json", "data", "verify")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/close: the checksum of block 0 is wrong", json.loads(done.stdout)["items"][0]["why"])
        self.assertIn("checksum", self.refuse("export", "demo/A-B/1m", f"{self.dir}/no.csv")["message"])
        self.assertFalse(os.path.exists(f"{self.dir}/no.csv"))

    def test_a_timeframe_that_the_rows_do_not_tell_is_asked_for(self):
        seconds = HEAD + "".join(f"{T0 // 1000 + i * 60},1,2,1,1,1\n" for i in range(5))
        for text, why in ((HEAD + candle(0), "it takes two rows"), (HEAD, "it takes two rows"), (seconds, "in seconds?")):
            error = self.refuse("import", self.file(text), "demo/A-B")
            self.assertIn(why, error["message"])
            self.assertIn("name it", error["hint"])

    def test_times_that_are_the_wrong_way_round_are_refused(self):
        self.ask("import", self.file(HEAD + candle(0)), "demo/A-B/1m")
        self.assertEqual(self.refuse("export", "demo/A-B/1m", f"{self.dir}/no.csv", "--from", "2", "--to", "1")["field"], "to")
        self.assertFalse(os.path.exists(f"{self.dir}/no.csv"))
        words = ("download", "binance/BTC-USDT/1m", "--url", "http://127.0.0.1:1", "--since")
        self.assertEqual(self.refuse(*words, "2024-01-02", "--until", "2024-01-01")["field"], "until")
        self.assertEqual(self.refuse(*words, "2999-01-01")["field"], "since")

    def test_a_damaged_head_is_said_with_what_helps(self):
        path = self.file(HEAD + candle(0))
        self.ask("import", path, "demo/A-B/1m")
        folder = f"{self.dir}/fleet/data/demo/A-B/1m"
        with open(f"{folder}/head", "wb") as file:
            file.write(b"x" * 4096)
        for words in (("show", "demo/A-B/1m"), ("import", path, "demo/A-B/1m")):
            error = self.refuse(*words)
            self.assertIn("1m/head: the head is damaged", error["message"])
            self.assertIn("remove that folder", error["hint"])
        shutil.rmtree(folder)
        self.assertEqual(self.ask("import", path, "demo/A-B/1m")["added"], 1)

    def test_names_that_are_none_come_with_a_hint(self):
        self.assertIn("data ls", self.refuse("show", "demo/A-B/1m")["hint"])
        self.assertIn("VENUE/INSTRUMENT", self.refuse("show", "demo")["message"])
        self.assertIn("timeframe", self.refuse("show", "demo/A-B/7m")["message"])
        self.assertIn("no instrument", self.refuse("import", "x.csv", "demo/../1m")["message"])
        self.assertIn("cannot read", self.refuse("import", "/nowhere/x.csv", "demo/A-B/1m")["message"])
        help_text = self.run_cli("data", "import", "--help").stdout
        self.assertIn("ts_ms,price,qty,is_buyer_maker", help_text)


class Backtests(Rig):
    def test_a_store_gives_the_same_backtest_as_its_file(self):
        for hole in (-1, 70):  # mapped in place, and copied without its empty slots
            rows = [f"{T0 + i * MINUTE},{price},{price + 3},{price - 3},{price + 1},1\n" for i in range(400)
                    for price in [1000 + (i * 37) % 101] if i != hole]
            path = self.file(HEAD + "".join(rows))
            self.ask("import", path, f"demo/H{hole + 1}/1m")
            results = []
            for data in (path, f"demo/H{hole + 1}/1m"):
                done = self.run_cli("backtest", "--strategy", "sma_cross", "--param", "fast=3", "--param", "slow=8", "--param",
                                    "qty=1", "--data", data, "--fill", "next-open", "--fee", "0.001", "--cash", "100000",
                                    "--out", f"{self.dir}/out", "--quiet")
                self.assertEqual(done.returncode, 0, done.stderr)
                results.append([])
                for name in ("fills", "trades", "equity"):
                    with open(f"{self.dir}/out/{name}.csv", encoding="utf-8") as file:
                        results[-1].append(file.read())
            self.assertEqual(results[0], results[1])
            self.assertGreater(results[0][0].count("\n"), 10)


class Aggregation(Rig):
    def aggregate(self, trades, step):
        out = {}
        for ts, price, qty in trades:
            bar = out.setdefault(ts - ts % step, [price, price, price, price, Decimal(0)])
            bar[1], bar[2], bar[3] = max(bar[1], price), min(bar[2], price), price
            bar[4] += qty
        plain = [[format(value.normalize(), "f") for value in bar] for bar in out.values()]
        return HEAD + "".join(f"{ts},{','.join(bar)}\n" for ts, bar in zip(out, plain))

    def test_recorded_trades_make_the_candles_that_decimals_make(self):
        with gzip.open(f"{DEMO}/btcusdt_trades.csv.gz", "rt") as file:
            rows = [line.split(",") for line in file.read().splitlines()[1:]]
        trades = [(int(row[0]), Decimal(row[1]), Decimal(row[2])) for row in rows]
        self.ask("import", f"{DEMO}/btcusdt_trades.csv.gz", "binance/BTC-USDT")
        for name, step in (("1s", 1000), ("1m", MINUTE), ("5m", 5 * MINUTE)):
            self.ask("resample", "binance/BTC-USDT/trades", "--to", name, "--partial")
            self.assertEqual(self.export(f"binance/BTC-USDT/{name}"), self.aggregate(trades, step))
        direct = self.export("binance/BTC-USDT/1m")
        self.ask("resample", "binance/BTC-USDT/1s", "--to", "1m", "--partial")
        self.assertEqual(self.export("binance/BTC-USDT/1m"), direct)

    def test_a_candle_that_has_not_closed_is_left_out(self):
        self.ask("import", self.file(HEAD + "".join(candle(i) for i in range(0, 13))), "demo/A-B/1m")
        done = self.ask("resample", "demo/A-B/1m", "--to", "5m")  # T0 is 14:14 o'clock: 14:10 is half there
        self.assertEqual((done["rows"], done["left_out"]), (2, 2))
        self.assertEqual(self.export("demo/A-B/5m").splitlines()[1],
                         f"{T0 + MINUTE},101.5,107,100.25,106,6.25")
        self.assertIn("cannot be made", self.refuse("resample", "demo/A-B/5m", "--to", "3m")["message"])


class Killed(Rig):
    """SIGKILL at moments that differ; what was committed before is whole, and the same command completes it."""
    ROWS = 200000

    def rows(self, first, count):
        return "".join(f"{T0 + i * MINUTE},{100 + i % 50}.5,{102 + i % 50},{99 + i % 50}.25,{101 + i % 50},1.25\n"
                       for i in range(first, first + count))

    def import_killed(self, path, after_bytes):
        """Ends it once its column has grown beyond so many bytes; whether it was in time."""
        folder = f"{self.dir}/fleet/data/demo/BIG"
        child = subprocess.Popen([FLOTILLA, "--dir", f"{self.dir}/fleet", "data", "import", path, "demo/BIG/1m"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while child.poll() is None and time.monotonic() < end:
            if any(os.path.exists(f"{folder}/{name}/open") and os.path.getsize(f"{folder}/{name}/open") > after_bytes
                   for name in ("1m", ".1m.new")):
                break
        child.kill()
        return child.wait(60) == -signal.SIGKILL

    def check(self, text, least):
        """What is there verifies, is a beginning of the text and not shorter than what was committed."""
        items = self.ask("ls")["items"]
        if items:
            self.assertEqual([item["state"] for item in self.ask("verify")["items"]], ["ok"])
            kept = self.export("demo/BIG/1m")
            self.assertTrue(text.startswith(kept))
            self.assertGreaterEqual(kept.count("\n") - 1, least)
        else:
            self.assertEqual(least, 0)

    def test_an_import_and_an_append_that_are_killed_are_completed_by_the_same_command(self):
        half = self.ROWS // 2
        first = self.file(HEAD + self.rows(0, half), "first.csv")
        whole = HEAD + self.rows(0, self.ROWS)
        both = self.file(whole, "both.csv")
        rest = self.file(HEAD + self.rows(half, half), "rest.csv")
        in_time = 0
        for after in (0, 8 * half // 3, 8 * half - 1):
            in_time += self.import_killed(first, after)
            self.check(whole, 0)
        self.ask("import", first, "demo/BIG/1m")
        hash_before = self.ask("show", "demo/BIG/1m")["hash"]
        for after in (8 * half, 8 * half + 8 * half // 3, 8 * self.ROWS - 1):
            in_time += self.import_killed(rest, after)
            self.check(whole, half)
        self.assertGreater(in_time, 0)
        self.ask("import", rest, "demo/BIG/1m")
        done = self.ask("show", "demo/BIG/1m")
        self.assertEqual((done["rows"], done["missing"]), (self.ROWS, 0))
        self.assertNotEqual(done["hash"], hash_before)
        shutil.rmtree(f"{self.dir}/fleet/data/demo")
        self.ask("import", both, "demo/BIG/1m")
        self.assertEqual(self.ask("show", "demo/BIG/1m")["hash"], done["hash"])


class Download(Rig):
    @classmethod
    def setUpClass(cls):
        cls.sim = subprocess.Popen(
            [SIM, "--market", "BTC-USDT=random:price=60000,seed=7,rate=0.2", "--history", "900", "--api-key", "k",
             "--secret", "s", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
        line = cls.sim.stdout.readline()
        cls.rest, cls.control = re.match(r"ready rest=(\S+) stream=\S+ control=(\S+)", line).groups()

    @classmethod
    def tearDownClass(cls):
        cls.sim.terminate()
        assert cls.sim.wait(60) == 0
        cls.sim.stdout.close()

    def tearDown(self):
        self.control_ask("/fault", method="DELETE")

    def control_ask(self, path, body=None, method=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.control + path, data, method=method)
        with urllib.request.urlopen(request, timeout=120) as reply:
            reply.read()

    def klines(self, until):
        with urllib.request.urlopen(f"{self.rest}/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1000", timeout=120) as reply:
            rows = [row for row in json.load(reply) if row[0] < until]
        plain = [[format(Decimal(text).normalize(), "f") for text in row[1:6]] for row in rows]
        return rows[0][0], HEAD + "".join(f"{row[0]},{','.join(texts)}\n" for row, texts in zip(rows, plain))

    def until(self):
        return int(time.time() * 1000) // MINUTE * MINUTE - 2 * MINUTE

    def download(self, *more):
        return ("download", "binance/BTC-USDT/1m", "--url", self.rest, *more)

    def test_all_pages_are_what_the_venue_says(self):
        until = self.until()
        first, text = self.klines(until)
        done = self.ask(*self.download("--since", str(first), "--until", str(until), "--page", "97"))
        self.assertEqual(self.export("binance/BTC-USDT/1m"), text)
        self.assertGreaterEqual(done["requests"], 9)
        self.assertFalse(done["resumed"])
        again = self.ask(*self.download("--until", str(until)))
        self.assertEqual((again["added"], again["resumed"]), (0, True))
        self.assertEqual(self.ask("verify")["items"][0]["state"], "ok")

    def test_a_candle_under_way_is_not_taken_and_the_time_before_the_listing_is_named(self):
        first, _ = self.klines(self.until())
        self.ask(*self.download("--since", str(first - 100 * MINUTE)))
        shown = self.ask("show", "binance/BTC-USDT/1m")
        self.assertLessEqual(shown["last_ms"] + MINUTE, int(time.time() * 1000) + 1000)
        self.assertEqual(shown["gap_list"][0], {"from_ms": first - 100 * MINUTE, "to_ms": first, "candles": 100,
                                                "reason": "not_listed"})

    def test_refusals_of_the_venue_are_waited_out(self):
        self.control_ask("/fault", {"kind": "http_status", "params": {"status": 503, "code": -1000, "msg": "busy"}, "count": 2,
                                    "match": {"path": "/api/v3/klines"}})
        self.control_ask("/fault", {"kind": "http_status", "params": {"status": 429, "code": -1003, "msg": "slow", "ms": 1000},
                                    "count": 1, "match": {"path": "/api/v3/klines"}})
        until = self.until()
        first, text = None, None
        self.assertIn("since", self.refuse(*self.download())["field"])
        self.ask(*self.download("--since", str(until - 50 * MINUTE), "--until", str(until)))
        first, text = self.klines(until)
        self.assertEqual(self.export("binance/BTC-USDT/1m").splitlines()[1:], text.splitlines()[-50:])

    def stall_in_the_middle(self):
        """40 of some 90 pages come, in more time than there is between two commits; then none comes."""
        for ms, count in ((60, 40), (600000, -1)):
            self.control_ask("/fault", {"kind": "latency", "params": {"ms": ms}, "count": count,
                                        "match": {"path": "/api/v3/klines"}})

    def test_ctrl_c_keeps_what_came_and_the_same_command_goes_on(self):
        until = self.until()
        first, text = self.klines(until)
        words = self.download("--since", str(first), "--until", str(until), "--page", "10")
        self.stall_in_the_middle()
        child = subprocess.Popen([FLOTILLA, "--dir", f"{self.dir}/fleet", "-o", "json", "data", *words],
                                 stdout=subprocess.PIPE, text=True)
        column = f"{self.dir}/fleet/data/binance/BTC-USDT/1m/head"
        end = time.monotonic() + 90
        while not (os.path.exists(column) and os.path.getsize(column)) and time.monotonic() < end:
            time.sleep(0.02)  # its first commit
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=120)
        self.assertEqual(child.returncode, 130)
        part = json.loads(out)
        self.assertTrue(part["interrupted"])
        self.assertTrue(0 < part["rows"] < 890, part)
        self.assertEqual(self.export("binance/BTC-USDT/1m").splitlines(), text.splitlines()[:part["rows"] + 1])
        self.control_ask("/fault", method="DELETE")
        rest = self.ask(*words[:-1], "500")
        self.assertTrue(rest["resumed"])
        self.assertEqual(rest["added"] + part["rows"], len(text.splitlines()) - 1)
        self.assertEqual(self.export("binance/BTC-USDT/1m"), text)

    def test_a_killed_download_goes_on_after_its_last_commit(self):
        until = self.until()
        first, text = self.klines(until)
        words = self.download("--since", str(first), "--until", str(until), "--page", "10")
        self.stall_in_the_middle()
        child = subprocess.Popen([FLOTILLA, "--dir", f"{self.dir}/fleet", "data", *words],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        head = f"{self.dir}/fleet/data/binance/BTC-USDT/1m/head"
        end = time.monotonic() + 90
        while not (os.path.exists(head) and os.path.getsize(head)) and time.monotonic() < end:
            time.sleep(0.02)  # its first commit
        child.kill()
        self.assertEqual(child.wait(60), -signal.SIGKILL)
        self.assertEqual([item["state"] for item in self.ask("verify")["items"]], ["ok"])
        kept = self.export("binance/BTC-USDT/1m")
        self.assertTrue(text.startswith(kept))
        self.assertTrue(0 < kept.count("\n") - 1 < text.count("\n") - 1)
        self.control_ask("/fault", method="DELETE")
        rest = self.ask(*words[:-1], "500")
        self.assertEqual((rest["resumed"], rest["added"]), (True, text.count("\n") - kept.count("\n")))
        self.assertEqual(self.export("binance/BTC-USDT/1m"), text)

    def test_a_misspelt_instrument_and_a_dead_venue_are_told(self):
        error = self.refuse("download", "binance/BTC-USD/1m", "--url", self.rest, "--since", "2026-01-01")
        self.assertIn("BTC-USDT", error["hint"])
        self.assertIn("venue", self.refuse("download", "nowhere/BTC-USDT/1m", "--since", "2026-01-01")["field"])
        self.assertEqual(self.ask("ls")["items"], [])


tap.run(Files, Backtests, Aggregation, Killed, Download)
