"""What the golden tests share: TAP lines, recorded data read as exact decimals, and rows compared."""
import csv
import gzip
import itertools
import os
from decimal import Decimal as D

count = failed = 0


def check(name, problem):
    """A line of TAP; `problem` says what is wrong, None: nothing."""
    global count, failed
    count += 1
    failed += problem is not None
    print("%s %d - %s" % ("not ok" if problem else "ok", count, name), flush=True)
    if problem:
        print("# " + str(problem)[:400].replace("\n", "\n# "), flush=True)


def end():
    """The plan; the exit status."""
    print("1..%d" % count)
    return 1 if failed else 0


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt") as file:
        return list(csv.DictReader(file))


def load(path):
    """(ts_ms, open, high, low, close, volume) of each candle."""
    return [(int(r["ts_ms"]),) + tuple(D(r[k]) for k in ("open", "high", "low", "close", "volume")) for r in read(path)]


def rows(*path):
    """A result file's rows as text, without its head."""
    with open(os.path.join(*path)) as file:
        return list(csv.reader(file))[1:]


def number(text):
    try:
        return D(text)
    except ArithmeticError:
        return text


def same(mine, theirs, what):
    """The first difference between the reference's rows and the file's; None: equal. Numbers are
    compared as exact decimals."""
    for n, (a, b) in enumerate(itertools.zip_longest(mine, theirs)):
        if a is None or b is None or len(a) != len(b) or any(
                (str(x) != y if isinstance(x, str) else D(x) != number(y)) for x, y in zip(a, b)):
            return "%s: row %d: expected %s, got %s" % (what, n, a and [str(v) for v in a], b)
    return None
