"""flotilla backtest against tests/golden/reference.py: every fill, trade and equity value, exactly."""
import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
from decimal import Decimal as D

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reference  # noqa: E402
from golden import check, end, load, rows, same  # noqa: E402

FLOTILLA, DATA = os.path.abspath(sys.argv[1]), sys.argv[2]
HOURLY = os.path.join(DATA, "btcusdt_binance_1h_2020_2021.csv")


def backtest(folder, path, strategy, params, sizing, cash, fee, more=(), **where):
    args = [FLOTILLA, "backtest", "--strategy", strategy, "--data", path, "--fill", "next-open", "--fee", fee,
            "--cash", cash, "--out", folder, "--quiet", *more]
    for key, value in list(params.items()) + [sizing]:
        args += ["--param", "%s=%s" % (key, value)]
    return subprocess.run(args, capture_output=True, text=True, timeout=120, **where)


def compare(folder, path, strategy, params, sizing, cash="100000", fee="0.001", more=()):
    done = backtest(folder, path, strategy, params, sizing, cash, fee, more)
    if done.returncode:
        return "exit %d: %s" % (done.returncode, done.stderr)
    if done.stdout:
        return "--quiet printed " + done.stdout
    truth = reference.run(load(path), strategy, params, sizing, cash, fee)
    fills = [(n, *fill) for n, fill in enumerate(truth.fills)]
    problem = (same(fills, rows(folder, "fills.csv"), "fills")
               or same(truth.trades, rows(folder, "trades.csv"), "trades")
               or same(truth.equity, rows(folder, "equity.csv"), "equity"))
    with open(os.path.join(folder, "summary.json")) as file:
        summary = json.load(file)
    if not problem and (summary["fills"] != len(fills) or D(summary["equity_end"]) != truth.equity[-1][2]):
        problem = "summary: %s" % {key: summary[key] for key in ("fills", "equity_end")}
    return problem


def recorded(folder):
    sets = [("sma_cross", {"fast": 10, "slow": 30}), ("sma_cross", {"fast": 3, "slow": 7}),
            ("sma_cross", {"fast": 1, "slow": 2}), ("sma_cross", {"fast": 50, "slow": 200}),
            ("rsi", {"period": 14, "buy_below": 30, "sell_above": 70}),
            ("rsi", {"period": 5, "buy_below": 45, "sell_above": 55}), ("hold", {}),
            ("grid_lines", {"lower": "15000", "step": "500", "lines": 90}),
            ("grid_lines", {"lower": "30000.005", "step": "37.123", "lines": 300}),
            ("grid_lines", {"lower": "18000", "step": "1000", "lines": 2})]
    for strategy, params in sets:
        for sizing in (("qty", "1"), ("stake_pct", "95"), ("stake_pct", "2.5")):
            name = "%s %s %s=%s" % (strategy, params, *sizing)
            check(name, compare(folder, HOURLY, strategy, params, sizing))
    check("no fee, little cash", compare(folder, HOURLY, "sma_cross", {"fast": 5, "slow": 9}, ("qty", "0.000001"), "1", "0"))
    check("a fee of 18 decimals", compare(folder, HOURLY, "sma_cross", {"fast": 5, "slow": 9}, ("qty", "0.1"), "1000", "0.00075"))
    check("no bar skipped, the same", compare(folder, HOURLY, "grid_lines", {"lower": "15000", "step": "500", "lines": 90},
                                              ("qty", "1"), more=("--every-bar",)))


def write(path, bars):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "wt") as file:
        file.write("ts_ms,open,high,low,close,volume\n")
        for i, bar in enumerate(bars):
            file.write("%d,%s,%s,%s,%s,1\n" % (1600000000000 + i * 60000, *bar))


def flat(closes):
    """Bars whose open is the close before."""
    opens = [closes[0]] + closes[:-1]
    return [(o, max(o, c, key=D), min(o, c, key=D), c) for o, c in zip(opens, closes)]


EDGES = [
    ("averages that tie exactly", flat([10, 20, 30, 20, 20, 20, 25, 20, 15, 20, 20, 20, 21, 19, 20, 20]),
     "sma_cross", {"fast": 2, "slow": 4}),
    ("decimal prices that tie", flat(["0.1", "0.3", "0.2", "0.2", "0.2", "0.7", "0.2", "0.2", "0.1", "0.2", "0.3", "0.2"]),
     "sma_cross", {"fast": 1, "slow": 3}),
    ("a signal at the last bar never fills", flat([5, 4, 3, 2, 9]), "sma_cross", {"fast": 1, "slow": 3}),
    ("one bar", flat([5]), "hold", {}),
    ("two bars", flat([5, 6]), "hold", {}),
    ("three bars", flat([5, 6, 7]), "hold", {}),
    ("a gap through a buy and a sell", [(100, 101, 99, 100), (100, 101, 99, 100), (80, 85, 79, 84), (120, 125, 119, 121),
                                        (121, 122, 84, 86), (86, 90, 85, 89)], "grid_lines", {"lower": "85", "step": "5", "lines": 4}),
    ("limits that are just touched", [(100, 101, 99, 100), (100, 101, 99, 100), (99, 99, 90, 95), (95, 100, 95, 100),
                                      (100, 100, 90, 92), (92, 95, 92, 95)], "grid_lines", {"lower": "90", "step": "5", "lines": 3}),
    ("a close at the line does not place", [(10, 10, 10, 10), (10, 10, 10, 10), (10, 10, 9, 10), (10, 11, 10, 11), (11, 11, 9, 10)],
     "grid_lines", {"lower": "10", "step": "1", "lines": 3}),
    ("bought and sold again and again in one slot", flat([10, 12, 9, 12, 9, 12, 9, 12, 9, 12]), "grid_lines",
     {"lower": "10", "step": "1", "lines": 2}),
    ("the index of a fall is 0 and of a rise 100", flat([10, 9, 8, 7, 6, 7, 8, 9, 10, 11, 12]), "rsi",
     {"period": 2, "buy_below": 30, "sell_above": 70}),
    ("the index of a market that never moved is 0, as in TA-Lib", flat([7, 7, 7, 7, 7, 8, 8, 9]), "rsi",
     {"period": 3, "buy_below": 30, "sell_above": 70}),
    ("thousands of millions of a cheap coin", flat(["0.0000112", "0.0000113", "0.0000111", "0.0000115", "0.0000109"] * 3),
     "sma_cross", {"fast": 1, "slow": 2}),
    ("prices of a million", flat(["1000000", "1000001.5", "999999", "1000300", "999000"] * 3), "sma_cross", {"fast": 1, "slow": 2}),
]


def edges(folder):
    path = os.path.join(folder, "edge.csv")
    for name, bars, strategy, params in EDGES:
        write(path, bars)
        for sizing in (("qty", "1"), ("stake_pct", "95")):
            check("%s, %s" % (name, sizing[0]), compare(folder, path, strategy, params, sizing))
    write(path, flat(["0.3"] * 4))  # 3 * 0.1 is more than 0.3, and 60000 / that less than 200000
    check("a stake that is a whole number of lots", compare(folder, path, "hold", {}, ("stake_pct", "60")))


def random_bars(rng, n):
    tick, price, bars = rng.choice([1, 2]), rng.randint(80, 120) * 10, []
    for _ in range(n):
        open_ = max(10, price + rng.choice([0, 0, 0, -30, 30, 7]))
        close = max(10, open_ + rng.randint(-40, 40) // rng.choice([1, 1, 10, 20]))
        high, low = max(open_, close) + rng.randint(0, 20), max(5, min(open_, close) - rng.randint(0, 20))
        bars.append(tuple("%.*f" % (tick, x / 10) for x in (open_, high, low, close)))
        price = close
    return bars


def drawn(folder):
    """Many short random markets with gaps and ties: what nobody thought of."""
    rng = random.Random(20261121)
    path, problem, runs = os.path.join(folder, "drawn.csv.gz"), None, 0
    for seed in range(60):
        write(path, random_bars(rng, rng.choice([3, 20, 120])))
        fast = rng.randint(1, 4)
        strategy, params = rng.choice([
            ("sma_cross", {"fast": fast, "slow": fast + rng.randint(1, 5)}),
            ("rsi", {"period": rng.randint(2, 6), "buy_below": 40, "sell_above": 60}),
            ("grid_lines", {"lower": rng.choice(["70", "85.5"]), "step": rng.choice(["2", "0.7", "5.5"]), "lines": rng.randint(2, 12)})])
        sizing = rng.choice([("qty", "1"), ("qty", "0.3"), ("stake_pct", "95"), ("stake_pct", "20")])
        problem = problem or compare(folder, path, strategy, params, sizing, more=rng.choice([(), ("--every-bar",)]))
        runs += 1
        if problem:
            problem = "market %d, %s %s %s: %s" % (seed, strategy, params, sizing, problem)
            break
    check("%d drawn markets" % runs, problem)


HEAD = "ts_ms,open,high,low,close,volume\n"
REFUSED = [
    ("times that go back", HEAD + "2000,1,1,1,1,1\n1000,1,1,1,1,1\n", "bad.csv:3: ts_ms goes back"),
    ("a time twice", HEAD + "1000,1,1,1,1,1\n1000,1,1,1,1,1\n", "bad.csv:3: ts_ms repeats"),
    ("no number", HEAD + "1000,1,nan,1,1,1\n", "bad.csv:2: high is not a number"),
    ("a negative price", HEAD + "1000,1,1,-1,1,1\n", "bad.csv:2: low is negative"),
    ("a cut row", HEAD + "1000,1,1,1,1,1\n2000,1,1\n", "bad.csv:3:"),
    ("a high below the close", HEAD + "1000,1,1,1,2,1\n", "bad.csv:2: high is below"),
    ("a missing column", "ts_ms,open,high,low,close\n1000,1,1,1,1\n", "no column volume"),
    ("no rows", HEAD, "has no candles"),
    ("an empty file", "", "bad.csv:1: the file is empty"),
    ("no line of names", "1000,2,3,1,2.5,7\n", "bad.csv:1: there is no column ts_ms"),
    ("a column too many", "ts_ms,open,high,low,close,volume,x\n1000,1,1,1,1,1,1\n", "column x is not one of"),
    ("no volume above zero", HEAD + "1000,1,1,1,1,-1\n", "bad.csv:2: volume is negative"),
    ("an infinite price", HEAD + "1000,1,inf,1,1,1\n", "bad.csv:2: high is not a number"),
    ("an end within a row", HEAD + "1000,1,1,1,1,1.25\n2000,1,1,1,1,1.25\n3000,1,1,1", "bad.csv:4:"),
    ("an end within the last number", HEAD + "1000,1,1,1,1,1.25\n2000,1,1,1,1,1.25\n3000,1,1,1,1,1.2",
     "bad.csv:4: the last line has no end and its last number is cut short"),
]


def refused(folder):
    path = os.path.join(folder, "bad.csv")
    for name, text, sentence in REFUSED:
        with open(path, "w") as file:
            file.write(text)
        out = os.path.join(folder, "none")
        done = backtest(out, path, "hold", {}, ("qty", "1"), "100", "0")
        wrong = done.returncode != 2 or sentence not in done.stderr or os.path.exists(out)
        wrong = wrong or ("goes back" in sentence and "--repair" not in done.stderr)
        check("refused: " + name, "exit %d: %s" % (done.returncode, done.stderr) if wrong else None)
    for name, params, sizing, sentence in (
            ("a strategy without a size", {"fast": 2, "slow": 4}, ("qty", "0"), "amount"),
            ("two sizes", {"fast": 2, "slow": 4, "qty": "1"}, ("stake_pct", "5"), "one of"),
            ("an unknown parameter", {"fast": 2, "slow": 4, "quick": "1"}, ("qty", "1"), "quick"),
            ("another timeframe than the data's", {"timeframe": "5m"}, ("qty", "1"), "timeframe is 5m")):
        done = backtest(os.path.join(folder, "none"), HOURLY, "sma_cross", params, sizing, "100", "0")
        check("refused: " + name, None if done.returncode == 2 and sentence in done.stderr else done.stderr or "accepted")


def taken(folder):
    """Other shapes of the same rows: the same fills."""
    with open(HOURLY) as file:
        lines = file.read().split("\n")[:200]
    cells = [line.split(",") for line in lines]
    short = "\n".join(lines) + "\n"
    turned = "\n".join(",".join(reversed(row)) for row in cells) + "\n"
    powers = "\n".join([lines[0]] + [",".join([row[0]] + [powered(value) for value in row[1:]]) for row in cells[1:]]) + "\n"
    results = []
    for name, data in (("as it is", short), ("lines that end in CR LF", short.replace("\n", "\r\n")),
                       ("a byte order mark", "\ufeff" + short), ("no end of the last line", short[:-1]),
                       ("columns in another order", turned), ("numbers with exponents", powers)):
        path, out = os.path.join(folder, "shape.csv"), os.path.join(folder, "shape")
        with open(path, "w", newline="", encoding="utf-8") as file:
            file.write(data)
        done = backtest(out, path, "sma_cross", {"fast": 2, "slow": 5}, ("qty", "1"), "100000", "0.001", ("--tick", "0.000001"))
        results.append(rows(os.path.join(out, "fills.csv")) if done.returncode == 0 else done.stderr)
        check("taken: " + name, None if results[-1] == results[0] and len(results[0]) > 10 else str(results[-1])[:200])
    args = [FLOTILLA, "--dir", folder, "data", "import", HOURLY, "binance/BTC-USDT/1h"]
    done = subprocess.run(args, capture_output=True, text=True, timeout=120)
    fills = []
    for data in (HOURLY, "binance/BTC-USDT/1h"):
        subprocess.run([FLOTILLA, "--dir", folder, "backtest", "--strategy", "rsi", "--param", "qty=1", "--data", data,
                        "--out", os.path.join(folder, "store"), "--quiet"], check=not done.returncode, timeout=120)
        fills.append(rows(os.path.join(folder, "store", "fills.csv")))
    check("taken: a store", None if fills[0] == fills[1] and fills[0] else done.stderr or "other fills")


def powered(value):
    return format(D(value).scaleb(3), "f") + "e-3"


def said(folder):
    """Results that are worth a word."""
    path = os.path.join(folder, "few.csv")
    write(path, flat([5]))
    done = backtest(folder, path, "hold", {}, ("qty", "1"), "100", "0")
    with open(os.path.join(folder, "summary.json")) as file:
        metrics = json.load(file)["metrics"]
    right = metrics["equity_first"] == metrics["equity_last"] == 100 and metrics["n_points"] == 1
    nothing = [metrics[name] for name in ("sharpe_ann_rf0", "cagr_clock", "var_95_hist_linear", "mean_return")]
    check("of one bar nothing is made up", None if right and nothing == [None] * 4 else done.stderr or metrics)
    write(path, flat([5, 5, 4, 2]))
    backtest(folder, path, "hold", {}, ("qty", "40"), "100", "0")
    with open(os.path.join(folder, "summary.json")) as file:
        notes = json.load(file)["notes"]
    check("it says: the equity fell below zero", None if "fell to zero or below" in str(notes) else notes)
    with open(path, "w") as file:
        file.write(HEAD + "1600000000,1,1,1,1,1\n1600000060,1,1,1,1,1\n")
    backtest(folder, path, "hold", {}, ("qty", "1"), "100", "0")
    with open(os.path.join(folder, "summary.json")) as file:
        notes = json.load(file)["notes"]
    check("it says: seconds", None if "in seconds?" in str(notes) else notes)
    for name, params, sentence in (("too little data", {"fast": 10, "slow": 5000}, "too little data"),
                                   ("never trades", {"fast": 1, "slow": 4307}, "never traded")):
        args = [FLOTILLA, "backtest", "--strategy", "sma_cross", "--param", "qty=1", "--data", HOURLY, "--out", folder]
        for pair in params.items():
            args += ["--param", "%s=%s" % pair]
        done = subprocess.run(args, capture_output=True, text=True, timeout=120)
        check("it says: " + sentence, None if done.returncode == 0 and sentence in done.stderr else done.stderr or "nothing")


def manifest(folder):
    """The manifest that deploys also backtests, its risk included; --param stands over it."""
    path, out = os.path.join(folder, "fleet.yml"), os.path.join(folder, "bot")
    with open(path, "w") as file:
        file.write("bots:\n- {name: a, strategy: hold, mode: paper, venue: sim, instrument: BTC-USDT, params: {qty: '2'},"
                   " risk: {max_position: '1'}}\n- {name: b, strategy: hold, mode: paper, venue: sim, instrument: BTC-USDT,"
                   " params: {qty: '2'}}\n")
    fills = {}
    for bot, more in (("a", ()), ("b", ()), ("b", ("--param", "qty=3"))):
        subprocess.run([FLOTILLA, "backtest", "-f", path, "--bot", bot, "--data", HOURLY, "--out", out, "--quiet", *more],
                       check=True, timeout=120)
        fills[bot + "".join(more)] = [row[5] for row in rows(os.path.join(out, "fills.csv"))]
    check("a manifest's bot", None if fills == {"a": [], "b": ["2"], "b--paramqty=3": ["3"]} else fills)


def bytes_of(folder):
    return {name: open(os.path.join(folder, name), "rb").read() for name in sorted(os.listdir(folder))}


FILES = ("fills.csv", "trades.csv", "orders.csv", "equity.csv", "summary.json", "price.csv", "monthly.csv", "report.html")


def repeatable(folder):
    args = ("sma_cross", {"fast": 10, "slow": 30}, ("stake_pct", "95"), "100000", "0.001")
    results = []
    for name in ("first", "second"):
        out = os.path.join(folder, name)
        where = {"first": None, "second": folder}[name]
        env = dict(os.environ, **({"TZ": "Pacific/Auckland", "LC_ALL": "de_DE.UTF-8", "HOME": folder} if where else {}))
        backtest(out, os.path.abspath(HOURLY), *args, cwd=where, env=env)
        results.append(bytes_of(out))
    check("equal inputs give equal bytes, whatever the folder, the time zone and the locale", None if results[0] == results[1] and len(results[0]) == len(FILES) else "they differ")


def main():
    with tempfile.TemporaryDirectory() as folder:
        recorded(folder)
        edges(folder)
        drawn(folder)
        repeatable(folder)
        refused(folder)
        taken(folder)
        said(folder)
        manifest(folder)
    return end()


sys.exit(main())
