"""Every fill model and cost, short positions and several instruments against tests/golden/reference_models.py:
fills, trades, orders and equity, exactly."""
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal as D

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import reference_book  # noqa: E402
import reference_models as ref  # noqa: E402
from golden import check, end, load, read, rows, same  # noqa: E402

FLOTILLA, DATA, DEMO = sys.argv[1], sys.argv[2], sys.argv[3]
HOURLY = os.path.join(DATA, "btcusdt_binance_1h_2020_2021.csv")
TRADES = os.path.join(DEMO, "btcusdt_trades.csv.gz")
QUOTES = os.path.join(DEMO, "btcusdt_bookticker.csv.gz")


def load_trades(path):
    return [(int(r["ts_ms"]), D(r["price"]), D(r["qty"]), r["is_buyer_maker"] == "true") for r in read(path)]


def run(folder, args, params, check_exit=True):
    words = [FLOTILLA, "backtest", "--out", folder, "--quiet"] + list(args)
    for pair in params:
        words += ["--param", "%s=%s" % pair]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    if check_exit and done.returncode:
        raise AssertionError("exit %d: %s" % (done.returncode, done.stderr))
    return done


def compare_books(books, folder):
    return (same([(n, *fill) for n, fill in enumerate(books.fills)], rows(folder, "fills.csv"), "fills")
            or same(books.trades, rows(folder, "trades.csv"), "trades")
            or same([o.row() for o in books.all], rows(folder, "orders.csv"), "orders")
            or same(books.equity, rows(folder, "equity.csv"), "equity"))


def flags_of(costs):
    words = ["--maker-fee", str(costs.maker), "--taker-fee", str(costs.taker)]
    if costs.bps:
        words += ["--slippage", "%sbps" % costs.bps]
    if costs.ticks:
        words += ["--slippage", "%dticks" % costs.ticks]
    if costs.latency:
        words += ["--latency", str(costs.latency)]
    if costs.share is not None:
        words += ["--volume-share", str(costs.share)]
    return words


def compare(folder, path, tick, step, strategy, params, sizing, model, costs, more=()):
    run(folder, ["--strategy", strategy, "--data", "X-Y-PERP=" + path, "--fill", model] + flags_of(costs) + list(more),
        list(params.items()) + [sizing])
    bars = load(path)
    books = ref.Books(bars, step, tick, model, costs, "100000", sizing)
    books.go(ref.strategy_of(strategy, bars, params))
    return len(books.fills), compare_books(books, folder)


COSTS = [("nothing asked", ref.Costs()), ("maker and taker fees", ref.Costs(maker="0.0002", taker="0.00055")),
         ("slippage of 7.5 bps", ref.Costs(bps="7.5")), ("slippage of 3 ticks", ref.Costs(ticks=3)),
         ("latency of two bars", ref.Costs(latency=7200000)), ("latency of a second", ref.Costs(latency=1000)),
         ("a share of the volume", ref.Costs(share="0.01")),
         ("all of them", ref.Costs(maker="0", taker="0.001", bps=2, latency=1, share="0.02"))]


def recorded(folder):
    runs = [("sma_cross", {"fast": 10, "slow": 30}, ("qty", "1")),
            ("sma_cross", {"fast": 3, "slow": 7, "direction": "both"}, ("stake_pct", "95")),
            ("sma_cross", {"fast": 5, "slow": 9, "direction": "short"}, ("qty", "0.3")),
            ("rsi", {"period": 5, "buy_below": 45, "sell_above": 55}, ("stake_pct", "40")),
            ("grid_lines", {"lower": "15000", "step": "250", "lines": 180}, ("qty", "1"))]
    for model in ("next-open", "strict-cross", "path"):
        for name, costs in COSTS:
            if costs.share is not None and model == "next-open":
                continue  # below, over drawn markets
            some = runs[1:2] if costs.share is not None else runs if name == "nothing asked" else runs[1::3]
            for strategy, params, sizing in some:
                fills, problem = compare(folder, HOURLY, "0.000001", 3600000, strategy, params, sizing, model, costs)
                check("%s %s %s, %s: %d fills" % (model, strategy, params.get("direction", ""), name, fills),
                      problem or (None if fills > 20 else "only %d fills" % fills))


def draw_bars(rng, n):
    price, bars = rng.randint(80, 120) * 10, []
    for i in range(n):
        open_ = max(10, price + rng.choice([0, 0, 0, -30, 30, 7]))
        close = max(10, open_ + rng.randint(-40, 40) // rng.choice([1, 1, 10, 20]))
        high, low = max(open_, close) + rng.randint(0, 20), max(5, min(open_, close) - rng.randint(0, 20))
        bars.append("%d,%s,%.3f" % (1600000000000 + i * 60000,
                                    ",".join("%.1f" % (x / 10) for x in (open_, high, low, close)),
                                    rng.choice([0, 0.5, 3, 40.125])))
        price = close
    return bars


def write(path, lines):
    with open(path, "w") as file:
        file.write("ts_ms,open,high,low,close,volume\n" + "\n".join(lines) + "\n")


def drawn(folder):
    """Short random markets with thin volume: orders fill in parts, wait, and come late."""
    rng, path, problem, fills = random.Random(7), os.path.join(folder, "drawn.csv"), None, 0
    for seed in range(45):
        write(path, draw_bars(rng, rng.choice([5, 30, 120])))
        fast = rng.randint(1, 4)
        strategy, params = rng.choice([
            ("sma_cross", {"fast": fast, "slow": fast + rng.randint(1, 5)}),
            ("rsi", {"period": rng.randint(2, 6), "buy_below": 40, "sell_above": 60}),
            ("grid_lines", {"lower": rng.choice(["70", "85.5"]), "step": rng.choice(["2", "0.7", "5.5"]),
                            "lines": rng.randint(2, 12)})])
        share = rng.choice(["0.5", "10", "100"]) if strategy == "grid_lines" else None
        costs = ref.Costs(maker="0.0001", taker="0.0007", bps=rng.choice([0, 3]), share=share,
                          latency=rng.choice([0, 0, 10, 60000, 150000]))
        sizing = rng.choice([("qty", "1"), ("qty", "0.3"), ("stake_pct", "20")])
        model = rng.choice(["next-open", "strict-cross", "path"])
        more = rng.choice([(), ("--every-bar",)])
        made, problem = compare(folder, path, "0.1", 60000, strategy, params, sizing, model, costs, more)
        fills += made
        if problem:
            problem = "market %d, %s %s %s %s %s: %s" % (seed, model, strategy, params, sizing, flags_of(costs), problem)
            break
    check("%d drawn markets, %d fills" % (seed + 1, fills), problem)


def trades(folder):
    tape = load_trades(TRADES)
    sets = [("sma_cross", {"fast": 2, "slow": 5}, ("qty", "0.5")),
            ("sma_cross", {"fast": 3, "slow": 8, "direction": "both"}, ("stake_pct", "30")),
            ("grid_lines", {"lower": "61600", "step": "7", "lines": 60}, ("qty", "0.2")),
            ("grid_lines", {"lower": "61650.5", "step": "11.5", "lines": 20}, ("stake_pct", "5"))]
    for step, word in ((1000, "1s"), (60000, "1m")):
        bars = ref.bars_of_trades(tape, step)
        for name, costs in (("nothing asked", ref.Costs()), ("50 ms late", ref.Costs(latency=50)),
                            ("a tenth of each trade", ref.Costs(share="10", maker="0", taker="0.0005", bps=1))):
            for strategy, params, sizing in sets if step == 1000 else sets[1:3]:
                if costs.share and strategy == "sma_cross":
                    sizing = ("qty", "0.001")
                run(folder, ["--strategy", strategy, "--data", "BTC-USDT-PERP=" + TRADES, "--fill", "trades",
                             "--timeframe", word] + flags_of(costs), list(params.items()) + [sizing])
                books = ref.Books(bars, step, "0.01", "trades", costs, "100000", sizing, tape)
                books.go(ref.strategy_of(strategy, bars, params))
                check("trades %s %s, %s, %s: %d fills of %d orders" % (
                    strategy, params.get("direction", ""), word, name, len(books.fills), len(books.all)),
                    compare_books(books, folder))


def load_quotes(path):
    return [(int(r["ts_ms"]),) + tuple(D(r[k]) for k in ("bid", "bid_qty", "ask", "ask_qty")) for r in read(path)]


BOOK = [("sma_cross", {"fast": 2, "slow": 5}, ("qty", "0.5")),
        ("sma_cross", {"fast": 3, "slow": 8, "direction": "both"}, ("stake_pct", "95")),
        ("rsi", {"period": 4, "buy_below": 40, "sell_above": 60}, ("qty", "4")),
        ("grid_lines", {"lower": "61600", "step": "7", "lines": 60}, ("qty", "0.7")),
        ("grid_lines", {"lower": "61650.5", "step": "11.5", "lines": 20}, ("stake_pct", "5"))]
BOOK_COSTS = [("nothing asked", ref.Costs(), None), ("50 ms late, a queue of 2", ref.Costs(latency=50), "2"),
              ("a tenth of each, slippage", ref.Costs(share="10", maker="0", taker="0.0005", bps=1), "0")]


def book(folder):
    """Recorded quotes, alone and with trades; and trades whose queues the quotes show."""
    tape, quotes = load_trades(TRADES), load_quotes(QUOTES)
    for data, model in (("quotes", "book"), ("both", "book"), ("both", "trades")):
        own = reference_book.bars_of_quotes(quotes, 1000, "0.01") if data == "quotes" else ref.bars_of_trades(tape, 1000)
        words = ["X-Y-PERP=" + QUOTES] if data == "quotes" else ["X-Y-PERP=" + TRADES, "--quotes", "X-Y-PERP=" + QUOTES]
        for n, (name, costs, queue) in enumerate(BOOK_COSTS):
            for strategy, params, sizing in BOOK if n == 0 and model == "book" else BOOK[n::2]:
                more = ["--queue", queue] if queue else []
                run(folder, ["--strategy", strategy, "--fill", model, "--timeframe", "1s", "--data"] + words +
                    flags_of(costs) + more, list(params.items()) + [sizing])
                books = reference_book.Tape(own, 1000, "0.01", model, costs, "100000", sizing,
                                            () if data == "quotes" else tape, quotes, queue)
                books.go(ref.strategy_of(strategy, own, params))
                check("%s over %s, %s %s, %s: %d fills of %d orders" % (
                    model, data, strategy, params.get("direction", ""), name, len(books.fills), len(books.all)),
                    compare_books(books, folder))


def several(folder):
    """Three drawn markets of two lengths with holes, one account and split ones."""
    rng = random.Random(11)
    for shared in (True, False):
        problem = None
        for _ in range(4):
            books, strategies, words, cash = [], [], [], D("100000")
            for n in range(3):
                path, step = os.path.join(folder, "m%d.csv" % n), 60000 * rng.choice([1, 1, 5])
                lines = [line.split(",", 1)[1] for line in draw_bars(rng, 120)]
                lines = ["%d,%s" % (1600000200000 + i * step, line) for i, line in enumerate(lines) if i < 3 or rng.random() < 0.9]
                write(path, lines)
                words += ["--data", "M%d=%s" % (n, path)]
                part = (cash / 3).quantize(D("1e-8"), ref.ROUND_DOWN)
                own = ref.Books(load(path), step, "0.1", "next-open", ref.Costs(), cash - 2 * part if n == 0 else part,
                                ("stake_pct", "30"))
                books.append(own)
                strategies.append(ref.strategy_of("sma_cross", own.bars, {"fast": 2, "slow": 4}))
            equity = ref.portfolio(books, strategies, cash, shared)
            run(folder, ["--strategy", "sma_cross"] + words + ([] if shared else ["--split-cash"]),
                [("fast", 2), ("slow", 4), ("stake_pct", 30)])
            problem = problem or same(equity, rows(folder, "equity.csv"), "portfolio")
            for n, own in enumerate(books):
                problem = problem or compare_books(own, os.path.join(folder, "M%d" % n))
            with open(os.path.join(folder, "summary.json")) as file:
                summary = json.load(file)
            if not problem and (D(summary["equity_end"]) != equity[-1][2] or len(summary["instruments"]) != 3
                                or summary["fills"] != sum(len(b.fills) for b in books)):
                problem = "summary %s" % summary["equity_end"]
            merged = rows(folder, "fills.csv")
            if not problem and [row[1] for row in merged] != sorted((row[1] for row in merged), key=int):
                problem = "fills of the portfolio are not in the order of time"
        check("three instruments, %s" % ("one account" if shared else "split cash"), problem)


def order_of_instruments(folder):
    """The result does not depend on it."""
    results = []
    for names in (("M0", "M1", "M2"), ("M2", "M0", "M1")):
        out = os.path.join(folder, "order")
        run(out, ["--strategy", "rsi", "--cash", "300000"] + [w for n in names for w in ("--data", "%s=%s/%s.csv" % (
            n, folder, n.lower()))], [("period", 3), ("buy_below", 45), ("sell_above", 55), ("stake_pct", 30)])
        results.append([rows(out, n, f) for n in ("M0", "M1", "M2") for f in ("fills.csv", "equity.csv")]
                       + [rows(out, "equity.csv")])
    for more in ([], ["--split-cash"]):
        done = run(out, ["--strategy", "rsi", "--check-lookahead", "-o", "json"] + more + [
            w for n in ("M0", "M1", "M2") for w in ("--data", "%s=%s/%s.csv" % (n, folder, n.lower()))],
            [("period", 3), ("buy_below", 45), ("sell_above", 55), ("stake_pct", 30)], False)
        check("no look-ahead over three instruments %s" % more, None if done.returncode == 0 else done.stderr)
    check("the order of --data changes nothing", None if results[0] == results[1] and results[0][0] else "they differ")


def longer_bars(folder):
    """--timeframe on the fly is the file of longer bars, but that orders meet the shorter rows."""
    path, long = os.path.join(folder, "short.csv"), os.path.join(folder, "long.csv")
    rng = random.Random(3)
    lines = [line.split(",", 1)[1] for line in draw_bars(rng, 3000)]
    bars = [(1600000200000 + i * 60000, *map(D, line.split(","))) for i, line in enumerate(lines)]
    write(path, [",".join(map(str, bar)) for bar in bars])
    hours = [bars[i:i + 5] for i in range(0, len(bars), 5)]
    write(long, ["%d,%s,%s,%s,%s,%s" % (h[0][0], h[0][1], max(b[2] for b in h), min(b[3] for b in h), h[-1][4],
                                        sum(b[5] for b in h)) for h in hours])
    params = [("fast", 3), ("slow", 8), ("qty", "1")]
    fills = []
    for args in (["--data", long], ["--data", path, "--timeframe", "5m"]):
        run(folder, ["--strategy", "sma_cross"] + args, params)
        fills.append([row[2:] for row in rows(folder, "fills.csv")])
    check("longer bars made on the fly trade as those of a file: %d fills" % len(fills[0]),
          None if fills[0] == fills[1] and len(fills[0]) > 50 else same(fills[0], fills[1], "fills"))
    run(folder, ["--strategy", "sma_cross", "--data", path], params + [("timeframe", "5m")])
    check("the parameter timeframe does the same",
          None if [row[2:] for row in rows(folder, "fills.csv")] == fills[0] else "other fills")


SKIPPED = [("sma_cross", [("fast", 3), ("slow", 9), ("stake_pct", 50)]), ("rsi", [("period", 5), ("qty", 1)]),
           ("hold", [("qty", 1)]), ("grid_lines", [("lower", 61600), ("step", 10), ("lines", 40), ("qty", "0.1")]),
           ("grid", [("lower", 61500), ("upper", 62000), ("levels", 20), ("budget", 10000)]),
           ("dca", [("amount", 500), ("interval", "1m"), ("take_profit_pct", 1)]), ("pmm_simple", [("amount", 500)])]


def skipping_and_future(folder):
    """Over recorded trades and quotes, for each strategy and model: no bar skipped gives the same bytes, and
    no past decision depends on the future."""
    for model in ("next-open", "strict-cross", "path", "trades", "book"):
        problem = None
        for strategy, params in SKIPPED:
            args = ["--strategy", strategy, "--fill", model, "--data", TRADES, "--quotes", QUOTES, "--timeframe", "1s",
                    "--latency", "30", "--no-report", "--fee", "0"]
            written = []
            for more in ([], ["--every-bar"]):
                run(folder, args + more, params)
                written.append([open(os.path.join(folder, f), "rb").read() for f in (
                    "fills.csv", "orders.csv", "equity.csv", "trades.csv")])
            if written[0] != written[1]:
                problem = problem or strategy + ": skipping changes the result"
            done = run(folder, args + ["--check-lookahead"], params, False)
            if done.returncode:
                problem = problem or done.stderr
        check("%s: skipping, and the future, change nothing" % model, problem)


def catches(pid, number):
    """Whether the process has a handler for that signal, as the kernel says."""
    try:
        with open("/proc/%d/status" % pid) as file:
            masks = [line.split()[1] for line in file if line.startswith("SigCgt")]
    except FileNotFoundError:
        return True
    return bool(masks and int(masks[0], 16) >> (number - 1) & 1)


def cpu_s(pid):
    """Seconds that the process has computed; a busy machine gives it few."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def interrupted(folder):
    """A real SIGINT during a run of 20 s: what was simulated is written, and is what the beginning alone gives."""
    path, bars, compared = os.path.join(folder, "long.csv"), 200000, 8000
    candles = ["%d,%d,%d,%d,%d,1\n" % (1600000000000 + i * 60000, 1000 + i * 7 % 37, 1050, 990,
                                       1000 + (i + 1) * 7 % 37) for i in range(bars)]
    begin = os.path.join(folder, "begin.csv")
    for name, count in ((path, bars), (begin, compared)):
        with open(name, "w") as file:
            file.write("ts_ms,open,high,low,close,volume\n" + "".join(candles[:count]))
    args = ["--strategy", "grid_lines", "--every-bar", "--no-report"]
    params = [("lower", 600), ("step", 1), ("lines", 500), ("qty", "0.01")]
    words = [FLOTILLA, "backtest", "--out", os.path.join(folder, "part"), "--quiet", "--data", path] + args
    words += [w for pair in params for w in ("--param", "%s=%s" % pair)]
    process = subprocess.Popen(words)
    deadline = time.monotonic() + 120
    while not catches(process.pid, signal.SIGINT) and time.monotonic() < deadline:
        time.sleep(0.005)
    middle = cpu_s(process.pid) + 0.1  # any point will do
    while cpu_s(process.pid) < middle and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    code = process.wait(60)
    with open(os.path.join(folder, "part", "summary.json")) as file:
        summary = json.load(file)
    equity, fills = rows(folder, "part", "equity.csv"), rows(folder, "part", "fills.csv")
    problem = None
    if code != 130 or summary["complete"] is not False or not 0 < summary["bars"] < bars:
        problem = "exit %d, complete %s, %d bars" % (code, summary["complete"], summary["bars"])
    run(os.path.join(folder, "whole"), ["--data", begin, "--strategy", "grid_lines", "--no-report"], params)
    whole, end = rows(folder, "whole", "equity.csv"), min(len(equity), compared)
    until = lambda found, bar: [row for row in found if int(row[bar]) < end]
    if not problem and (len(equity) != summary["bars"] or until(equity, 0) != until(whole, 0)
                        or until(fills, 1) != until(rows(folder, "whole", "fills.csv"), 1)):
        problem = "what was written is not the beginning of the whole run"
    if not problem and not any("partial" in note for note in summary["notes"]):
        problem = "notes %s" % summary["notes"]
    check("SIGINT leaves the first %d of %d bars, exit 130" % (summary["bars"], bars), problem)


def main():
    with tempfile.TemporaryDirectory() as folder:
        recorded(folder)
        drawn(folder)
        trades(folder)
        book(folder)
        several(folder)
        order_of_instruments(folder)
        longer_bars(folder)
        skipping_and_future(folder)
        interrupted(folder)
    return end()


sys.exit(main())
