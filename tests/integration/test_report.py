#!/usr/bin/env python3
"""report.html of a backtest: well-formed, closed to the outside, deaf to markup in names, with the
numbers of the files as they are, small and quick however long the run was."""
import hashlib
import html.parser
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import tap

TOOL = sys.argv.pop(1)
VOID = {"meta", "link", "br", "img", "input", "hr"}
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'\u2028"
METRICS = {"total_return": 0.12345678901234568, "max_drawdown": -0.061727158175425421,
           "sharpe_ann_rf0": 1.0528125099451959, "n_trades_closed": 3, "profit_factor": None,
           "own_figure": 42.5}


class Page(html.parser.HTMLParser):
    """Every tag closed where it should be; scripts and styles with their text."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.errors, self.tags, self.blocks = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "style"):
            self.blocks.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.errors.append((tag, self.getpos()))

    def handle_data(self, data):
        if self.open and self.open[-1] in ("script", "style"):
            self.blocks[-1][2] += data


def write(folder, name, header, rows):
    with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
        file.write(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))


def make_run(folder, bars, every, name="sma_cross", step_ms=3600000, tag="t<b>"):
    """A folder as the runner leaves one, and its candles; prices have two decimals."""
    rng = random.Random(7)
    price, cash, position = 10000, 100000.0, 0
    candles, equity, fills, trades = [], [], [], []
    for bar in range(bars):
        ts_ms = 1577836800000 + bar * step_ms
        start, price = price, max(100, price + rng.randrange(-30, 31))
        candles.append((ts_ms, start / 100, (max(start, price) + 5) / 100, (min(start, price) - 5) / 100,
                        price / 100, 1))
        if every and bar and bar % every == 0:
            side = "sell" if position else "buy"
            cash += (start / 100 if position else -start / 100) - 0.1
            position = 1 - position
            fills.append((len(fills), bar, ts_ms, side, start / 100, "1.000000", "0.1", f"{cash:.8f}", position, tag))
            if side == "sell":
                entry = fills[-2]
                trades.append((tag, entry[1], entry[2], entry[4], bar, ts_ms, start / 100, "1.000000", "0.2",
                               f"{start / 100 - entry[4] - 0.2:.8f}"))
        equity.append((bar, ts_ms, f"{cash + position * price / 100:.8f}"))
    os.makedirs(folder, exist_ok=True)
    write(folder, "candles.csv", "ts_ms,open,high,low,close,volume", candles)
    write(folder, "equity.csv", "bar,ts_ms,equity", equity)
    write(folder, "fills.csv", "fill,bar,ts_ms,side,price,qty,fee,cash_after,position_after,tag", fills)
    write(folder, "trades.csv", "tag,entry_bar,entry_ts_ms,entry_price,exit_bar,exit_ts_ms,exit_price,qty,fees,pnl_net",
          trades)
    with open(os.path.join(folder, "summary.json"), "w", encoding="utf-8") as file:
        json.dump({"v": 1, "data": {"name": "walk.csv", "sha256": "ab" * 32}, "notes": [EVIL],
                   "config": {"strategy": name, "fill": "next-open", "fee": "0.001", "cash": "100000"},
                   "metrics": METRICS}, file)
    return equity, fills, trades


def run(folder, *args, check=True, color=False):
    env = dict(os.environ, REPORT_COLOR="1") if color else {k: v for k, v in os.environ.items() if k != "REPORT_COLOR"}
    return subprocess.run([TOOL, folder, *args], capture_output=True, text=True, check=check, env=env)


def parse(folder):
    with open(os.path.join(folder, "report.html"), encoding="utf-8") as file:
        text = file.read()
    page = Page()
    page.feed(text)
    page.close()
    data = [body for tag, attrs, body in page.blocks if attrs.get("type") == "application/json"]
    return text, page, json.loads(data[0], parse_float=str)


class Report(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="flt-report-")
        self.addCleanup(shutil.rmtree, self.dir)

    def make(self, bars=900, every=37, **more):
        made = make_run(self.dir, bars, every, **more)
        run(self.dir, f"{self.dir}/candles.csv")
        return made

    def test_the_page_is_well_formed_and_has_one_of_each(self):
        self.make()
        _, page, _ = parse(self.dir)
        self.assertEqual(page.errors, [])
        self.assertEqual(page.open, [])
        ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
        self.assertEqual(len(ids), len(set(ids)))
        self.assertEqual([tag for tag, _ in page.tags].count("h1"), 1)

    def test_nothing_comes_from_outside_and_the_policy_names_the_page_s_own_script(self):
        import base64
        self.make()
        text, page, _ = parse(self.dir)
        self.assertNotRegex(text, r"https?://")
        self.assertFalse([tag for tag, attrs in page.tags if "src" in attrs or "href" in attrs])
        policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        for tag, attrs, body in page.blocks:
            if "type" not in attrs:
                digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
                self.assertIn(f"{tag}-src 'sha256-{digest}'", policy)

    def test_a_name_that_looks_like_markup_stays_a_name(self):
        self.make(name=EVIL)
        text, page, data = parse(self.dir)
        self.assertEqual(page.errors, [])
        self.assertEqual(data["summary"]["config"]["strategy"], EVIL)
        self.assertEqual(data["summary"]["notes"], [EVIL])
        self.assertEqual(data["fills"][0][7], "t<b>")
        self.assertEqual(len([tag for tag, _ in page.tags if tag == "script"]), 2)
        self.assertNotIn("<img", text)
        script = [body for tag, attrs, body in page.blocks if tag == "script" and "type" not in attrs][0]
        self.assertNotRegex(script, r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function")

    def test_numbers_are_those_of_the_files_digit_for_digit(self):
        equity, fills, trades = self.make()
        _, _, data = parse(self.dir)
        with open(f"{self.dir}/summary.json", encoding="utf-8") as file:
            wanted = json.load(file, parse_float=str)["metrics"]
        self.assertEqual(data["summary"]["metrics"], wanted)
        shown = {metric["name"]: metric["value"] for metric in data["metrics"]}
        self.assertEqual(shown, {name: str(wanted[name]) for name in
                                 ("total_return", "max_drawdown", "sharpe_ann_rf0", "n_trades_closed")})
        self.assertTrue(all(metric["formula"] for metric in data["metrics"]))
        self.assertEqual(data["series"]["equity"], [row[2] for row in equity])
        self.assertEqual(data["fills"], [[str(row[i]) for i in (1, 2, 3, 4, 5, 6, 8, 9)] for row in fills])
        self.assertEqual(data["trades"], [[str(cell) for cell in row] for row in trades])

    def test_months_meet_without_a_gap_and_multiply_to_the_whole(self):
        equity, fills, trades = self.make(bars=3000)
        _, _, data = parse(self.dir)
        months, product = data["months"], 1.0
        with open(f"{self.dir}/monthly.csv", encoding="utf-8") as file:
            rows = [line.split(",") for line in file.read().split()]
        self.assertEqual(rows[0], "month,equity_first,equity_last,return,fills,trades".split(","))
        self.assertEqual([row[0] for row in rows[1:]], ["2020-01", "2020-02", "2020-03", "2020-04", "2020-05"])
        for row, month in zip(rows[1:], months):
            self.assertEqual(row[1:4], [month["first"], month["last"], month["return"]])
            product *= 1 + float(row[3])
        for before, after in zip(months, months[1:]):
            self.assertEqual(before["last"], after["first"])
        self.assertAlmostEqual(product, float(equity[-1][2]) / float(equity[0][2]), 12)
        self.assertEqual(sum(int(row[4]) for row in rows[1:]), len(fills))
        self.assertEqual(sum(int(row[5]) for row in rows[1:]), len(trades))

    def test_drawing_keeps_every_extreme_of_the_bars_it_gathers(self):
        equity, fills, _ = self.make(bars=30000, every=5)
        _, _, data = parse(self.dir)
        series = {key: [None if v is None else float(v) for v in line] for key, line in data["series"].items()}
        values, peak, deepest = [float(row[2]) for row in equity], 0.0, 0.0
        for value in values:
            peak = max(peak, value)
            deepest = min(deepest, value / peak - 1)
        self.assertEqual(len(series["bar"]), 4000)
        self.assertAlmostEqual(max(series["equityMax"]), max(values), 4)
        self.assertAlmostEqual(min(series["equityMin"]), min(values), 4)
        self.assertAlmostEqual(min(series["drawdown"]), deepest, 9)
        self.assertEqual(series["equity"][-1], values[-1])
        with open(f"{self.dir}/candles.csv", encoding="utf-8") as file:
            rows = [[float(cell) for cell in line.split(",")] for line in file.read().split()[1:]]
        self.assertEqual(max(series["high"]), max(row[2] for row in rows))
        self.assertEqual(min(series["low"]), min(row[3] for row in rows))
        self.assertEqual((series["open"][0], series["close"][-1]), (rows[0][1], rows[-1][4]))
        self.assertEqual(sum(int(mark[2]) for mark in data["marks"]), len(fills))
        self.assertEqual((data["fillCount"], len(data["fills"])), (len(fills), 2000))
        self.assertEqual((max(series["positionMax"]), min(series["positionMin"])), (1, 0))

    def test_a_report_made_again_from_its_folder_alone_is_the_same(self):
        self.make(bars=9000)
        with open(f"{self.dir}/report.html", "rb") as file:
            first = file.read()
        os.remove(f"{self.dir}/candles.csv")
        run(self.dir)
        with open(f"{self.dir}/report.html", "rb") as file:
            self.assertEqual(file.read(), first)
        os.remove(f"{self.dir}/price.csv")
        run(self.dir)
        _, page, data = parse(self.dir)
        self.assertEqual(page.errors, [])
        self.assertFalse(data["priced"])

    def test_the_terminal_has_a_sparkline_and_no_colour_unless_asked(self):
        make_run(self.dir, 900, 37, name="x\x1b[2Jy")
        plain = run(self.dir, f"{self.dir}/candles.csv").stdout
        self.assertNotIn("\x1b", plain)
        self.assertIn("x?[2Jy", plain)
        line = next(line for line in plain.splitlines() if line.strip().startswith("equity ") and "\u2581" in line)
        self.assertRegex(line, r"^  equity +[\u2581-\u2588]{64}$")
        self.assertIn("\u2588", line)
        self.assertRegex(plain, r"return +\+12\.35 %")
        self.assertRegex(plain, r"gain/loss +-\n")
        self.assertTrue(all(len(line) <= 80 for line in plain.splitlines() if self.dir not in line and "note:" not in line))
        self.assertIn("\x1b[31m", run(self.dir, color=True).stdout)

    def test_half_a_million_bars_make_a_small_page(self):
        make_run(self.dir, 500000, 100, step_ms=60000)
        started = time.monotonic()
        run(self.dir)
        print(f"# half a million bars: {time.monotonic() - started:.2f} s")  # 0.3 s on a quiet machine
        self.assertLess(os.path.getsize(f"{self.dir}/report.html"), 3000000)

    def test_what_is_no_result_is_refused_with_file_and_line(self):
        answer = run(self.dir, check=False)
        self.assertEqual(answer.returncode, 1)
        self.assertIn("has no equity.csv", answer.stderr)
        for name, old, new, said in (
                ("equity.csv", r"^1,(\d+),[^\n]*", r"1,\1,nan", "equity.csv:3: equity is not a number: nan"),
                ("equity.csv", "bar,ts_ms,equity", "bar,ts_ms,money", "no column equity"),
                ("fills.csv", ",buy,", ",hold,", "fills.csv:2: the side"),
                ("fills.csv", r"^0,37,", "0,999999,", "fills.csv:2: the bar"),
                ("summary.json", r"^\{", "[", "summary.json"),
                ("price.csv", r"^1,1,", "2,1,", "price.csv:3: it is not of this run"),
                ("trades.csv", r",0\.2,", ",x,", "trades.csv:2: fees is not a number")):
            make_run(self.dir, 300, 37)
            run(self.dir, f"{self.dir}/candles.csv")
            with open(f"{self.dir}/{name}", encoding="utf-8") as file:
                text = file.read()
            broken = re.sub(old, new, text, count=1, flags=re.M)
            self.assertNotEqual(broken, text, name)
            with open(f"{self.dir}/{name}", "w", encoding="utf-8") as file:
                file.write(broken)
            answer = run(self.dir, check=False)
            self.assertEqual(answer.returncode, 1, name)
            self.assertIn(said, answer.stderr)

    def test_one_bar_and_a_run_that_never_traded_have_a_page(self):
        for bars in (1, 2, 50):
            make_run(self.dir, bars, 0)
            run(self.dir, f"{self.dir}/candles.csv")
            _, page, data = parse(self.dir)
            self.assertEqual((page.errors, data["bars"], data["fills"], data["trades"]), ([], bars, [], []))


if __name__ == "__main__":
    tap.run(Report)
