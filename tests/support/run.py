#!/usr/bin/env python3
"""Runs meson's tests, shows what each failed one said, and closes with one line, whatever happens:
"N passed, N failed, N skipped".

Counts single cases of tap tests, whole programs otherwise. Usage: run.py BUILD_DIR [meson test args]
"""
import json
import os
import signal
import subprocess
import sys

SHOWN = 60  # lines of a failed test


def environment(build):
    env, here = dict(os.environ), os.path.dirname(os.path.abspath(__file__))
    if "asan" in build:
        env.setdefault("LSAN_OPTIONS", f"suppressions={os.path.join(here, 'lsan.supp')}:print_suppressions=0")
        env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    if "tsan" in build:
        env.setdefault("TSAN_OPTIONS", f"suppressions={os.path.join(here, 'tsan.supp')}")
    return env


def run(build, words):
    """meson's exit status; a signal to us ends meson first, so that it ends the tests it runs."""
    slow = ["-t", "5"] if "san" in build else []  # sanitizers cost time, and prove nothing about it
    meson = subprocess.Popen(["meson", "test", "-C", build, "--no-rebuild", *slow, *words],
                             env=environment(build))

    def end(_signum, _frame):
        meson.terminate()

    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, end)
    return meson.wait()


def results(log):
    """Each finished test; a line that was cut off when meson ended is left out."""
    if not os.path.exists(log):
        return
    with open(log, encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                print(f"a line of {log} cannot be read: {line[:80]!r}")


def count(test):
    """(passed, failed, skipped) of one program."""
    cases = [row for row in (test.get("stdout") or "").splitlines() if row.startswith(("ok ", "not ok "))]
    bad = sum(row.startswith("not ok ") for row in cases)
    skip = sum(row.startswith("ok ") and "# SKIP" in row.replace("skip", "SKIP") for row in cases)
    good = len(cases) - bad - skip
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return max(good, 0 if skip else 1), 0, skip
    if test["result"] == "SKIP":
        return 0, 0, max(skip, 1)
    return good, max(bad, 1), skip


def last_words(test):
    """The cases that failed, with the comments below them; else the last that was said."""
    said = (test.get("stdout") or "").splitlines()
    found, inside = [], False
    for row in said:
        inside = row.startswith("not ok ") or (inside and row.startswith(("#", " ")))
        if inside:
            found.append(row)
    if len(found) > SHOWN:
        found = found[:SHOWN // 2] + [f"... {len(found) - SHOWN} lines ..."] + found[-SHOWN // 2:]
    if not found or test["result"] == "TIMEOUT" or test.get("returncode", 0) < 0:  # where was it?
        found += said[-SHOWN:]
    return found + (test.get("stderr") or "").splitlines()[-SHOWN // 2:]


def show(tests):
    for test in tests:
        print(f"\n--- {test['name']}: {test['result']} after {test.get('duration', 0):.0f} s, "
              f"exit status {test.get('returncode')}")
        for row in last_words(test):
            print("    " + row[:1000])
    if tests:
        print("\nfailed: " + ", ".join(test["name"].split(" / ")[-1] for test in tests))


def main():
    build = sys.argv[1]
    log = os.path.join(build, "meson-logs", "testlog.json")
    total, code = [0, 0, 0], 1
    try:
        if os.path.exists(log):
            os.unlink(log)
        code = run(build, sys.argv[2:])
        failed = []
        for test in results(log):
            counts = count(test)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                failed.append(test)
        show(failed)
    finally:
        if code and not total[1]:
            total[1] = 1  # meson itself failed
        print("{} passed, {} failed, {} skipped".format(*total), flush=True)
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
