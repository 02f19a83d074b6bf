#!/usr/bin/env python3
"""Runs meson's tests and closes with one line: "N passed, N failed[, N skipped]".

Counts single cases of tap tests, whole programs otherwise. Usage: run.py BUILD_DIR [meson test args]
"""
import json
import os
import subprocess
import sys


def main():
    build = sys.argv[1]
    log = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    env = dict(os.environ)
    if "asan" in build:
        env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    if "tsan" in build:
        supp = os.path.join(os.path.dirname(os.path.abspath(__file__)), "tsan.supp")
        env.setdefault("TSAN_OPTIONS", f"suppressions={supp}")
    slow = ["-t", "5"] if "san" in build else []  # sanitizers cost time, and prove nothing about it
    code = subprocess.call(
        ["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *slow, *sys.argv[2:]], env=env)
    passed = failed = skipped = 0
    if os.path.exists(log):
        with open(log, encoding="utf-8") as file:
            for line in file:
                test = json.loads(line)
                cases = [row for row in test.get("stdout", "").splitlines()
                         if row.startswith(("ok ", "not ok "))]
                ok = sum(row.startswith("ok ") and "# SKIP" not in row for row in cases)
                bad = sum(row.startswith("not ok ") for row in cases)
                skip = sum(row.startswith("ok ") and "# SKIP" in row for row in cases)
                if test["result"] in ("OK", "EXPECTEDFAIL"):
                    passed += max(ok, 0 if skip else 1)
                    skipped += skip
                elif test["result"] == "SKIP":
                    skipped += 1
                else:
                    passed += ok
                    failed += max(bad, 1)
    if code and not failed:
        failed = 1  # meson itself failed
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
