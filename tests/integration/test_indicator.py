"""flotilla indicator: the table, values over a file, and what it refuses."""
import csv
import gzip
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import unittest

import tap

FLOTILLA, VECTORS, DOCS, CHECKS = sys.argv[1:5]
INPUT = os.path.join(VECTORS, "input.csv.gz")


def run(*words):
    return subprocess.run([FLOTILLA, "indicator", *words], capture_output=True, text=True, timeout=120)


class Indicator(unittest.TestCase):
    def test_values_are_the_vectors_and_cells_empty_where_undefined(self):
        done = run("adx", "--data", INPUT, "--opt", "period=14")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = list(csv.DictReader(done.stdout.splitlines()))
        with gzip.open(os.path.join(VECTORS, "talib_volatility_volume.csv.gz"), "rt") as file:
            expected = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["ts_ms", "adx", "plus_di", "minus_di", "dx", "adxr"])
        self.assertEqual(len(rows), len(expected))
        for row, right in zip(rows, expected):
            self.assertEqual(row["ts_ms"], right["ts_ms"])
            for name in ("adx", "plus_di"):
                self.assertEqual(row[name] == "", right[f"{name}_14"] == "")
                if row[name]:
                    self.assertAlmostEqual(float(row[name]), float(right[f"{name}_14"]), places=7)

    def test_every_column_of_the_vectors_comes_out_of_the_command(self):
        """The pairs of column and indicator are those of the unit test (its first table); here as a stranger gets them."""
        with open(CHECKS, encoding="ascii") as file:
            text = file.read()
        text = text[text.index("checks[] = {"):text.index("early[] = {")]
        pairs = re.findall(r'\{ "([^"]+)", "([^"]+)", "([^"]+)", "([^"]+)",\s*"([^"]*)" \}', text)
        self.assertEqual(len(pairs), text.count("{ \""))
        vectors, ours, named = {}, {}, set()
        for name, column, indicator, output, options in pairs:
            if name not in vectors:
                with gzip.open(os.path.join(VECTORS, f"{name}.csv.gz"), "rt") as file:
                    vectors[name] = list(csv.DictReader(file))
            if (indicator, options) not in ours:
                done = run(indicator, "--data", INPUT, *(w for o in options.split() for w in ("--opt", o)))
                self.assertEqual((indicator, options, done.returncode, done.stderr), (indicator, options, 0, ""))
                ours[indicator, options] = list(csv.DictReader(done.stdout.splitlines()))
            named.add(indicator)
            rows = ours[indicator, options]
            self.assertEqual(len(rows), len(vectors[name]))
            expected = [row[column] for row in vectors[name]]
            size = max(abs(float(text)) for text in expected if text)
            for i, (row, right) in enumerate(zip(rows, expected)):
                got = row[output]
                where = f"{name}.{column} row {i}: {got!r} instead of {right!r}"
                self.assertEqual(got == "", right == "", where)
                self.assertTrue(got == "" or math.isclose(float(got), float(right), rel_tol=1e-9, abs_tol=1e-9 * size), where)
        # kalman_trend and log_range have values of their own in the unit tests
        every = {item["name"] for item in json.loads(run("-o", "json").stdout)["items"]}
        self.assertEqual(every - named, {"kalman_trend", "log_range"})

    def test_json_has_the_same_numbers(self):
        table = run("sma", "--data", INPUT, "--opt", "length=3").stdout.splitlines()
        document = json.loads(run("sma", "--data", INPUT, "--opt", "length=3", "-o", "json").stdout)
        self.assertEqual(document["columns"], ["ts_ms", "sma"])
        self.assertEqual(document["options"], {"period": "3"})
        self.assertEqual(document["rows"][1][1], None)
        self.assertEqual(document["rows"][9][1], float(table[10].split(",")[1]))

    def test_the_table_lists_each_with_options_and_outputs(self):
        items = json.loads(run("-o", "json").stdout)["items"]
        names = [item["name"] for item in items]
        for name in ("sma", "macd", "supertrend", "kalman_trend", "log_range"):
            self.assertIn(name, names)
        macd = items[names.index("macd")]
        self.assertEqual([o["name"] for o in macd["options"]], ["fast", "slow", "signal", "seed"])
        self.assertIn("NAME", run().stdout)
        self.assertIn("formula", run("macd").stdout)

    def test_the_page_is_the_table(self):
        with open(DOCS) as file:
            page = file.read()
        self.assertEqual(run("--markdown").stdout, page,
                         "write it anew: flotilla indicator --markdown > docs/indicators.md")

    def refuses(self, code, words, *said):
        done = run(*words)
        self.assertEqual(done.returncode, code, done.stdout[:200] + done.stderr)
        self.assertEqual(done.stdout, "")
        for text in said:
            self.assertIn(text, done.stderr)

    def test_wrong_words_are_refused_with_a_hint(self):
        self.refuses(3, ["bolinger"], "no indicator bolinger", "did you mean bollinger?")
        self.refuses(2, ["sma", "--data", INPUT, "--opt", "fast=3"], "no option fast", "period")
        self.refuses(2, ["sma", "--data", INPUT, "--opt", "period=0.5"], "from 1 to 5000")
        self.refuses(2, ["rsi", "--data", INPUT, "--opt", "seed=none"], "talib|pandas")
        self.refuses(3, ["sma", "--data", "/nonexistent.csv"], "No such file")
        self.refuses(2, ["--data", INPUT], "which indicator?")

    def test_wrong_data_is_refused_with_file_line_and_reason(self):
        head = "ts_ms,open,high,low,close,volume\n"
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "bad.csv")
            for text, reason in ((head + "2,1,1,1,1,1\n1,1,1,1,1,1\n", "bad.csv:3: ts_ms goes back"),
                                 (head + "2,1,1,1,NaN,1\n", "bad.csv:2: close is not a number: NaN"),
                                 ("ts_ms,open\n", "bad.csv:1: there is no column high"),
                                 (head, "there is no row in it")):
                with open(path, "w") as file:
                    file.write(text)
                self.refuses(2, ["sma", "--data", path], reason)

    def test_digits_beyond_a_double_are_rounded_not_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "noise.csv")
            with open(path, "w") as file:
                file.write("ts_ms,open,high,low,close,volume\n"
                           "1,16683.630000000001,16683.630000000001,16683.63,16683.63,1\n")
            done = run("donchian", "--data", path, "--opt", "period=1")
            self.assertEqual(done.returncode, 0, done.stderr)
            value = float(done.stdout.splitlines()[1].split(",")[1])
            self.assertAlmostEqual(value / 16683.63, 1, places=14)


if __name__ == "__main__":
    tap.run(Indicator)
