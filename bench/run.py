#!/usr/bin/env python3
"""Runs every bench program and prints one table. Usage: run.py BUILD_DIR [name ...]

A program prints rows `name<TAB>value<TAB>unit<TAB>baseline` (baseline: what the value is compared
with in the same run, e.g. "2.1x bare round trip"; may be empty). Nothing here is a test.
"""
import glob
import os
import subprocess
import sys


def main():
    build, wanted = sys.argv[1], sys.argv[2:]
    programs = [p for p in sorted(glob.glob(os.path.join(build, "bench/bench_*")))
                if os.path.isfile(p) and os.access(p, os.X_OK)]
    programs += sorted(glob.glob("bench/bench_*.py"))
    rows, code = [("what", "value", "unit", "compared with")], 0
    for program in programs:
        name = os.path.basename(program)[len("bench_"):].removesuffix(".py")
        if wanted and name not in wanted:
            continue
        print(f"bench {name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, program, build] if program.endswith(".py") else [program]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            code = 1
            print(f"bench {name} failed: {done.stderr.strip()[-400:]}", file=sys.stderr)
        for line in done.stdout.splitlines():
            cells = line.split("\t")
            if len(cells) >= 3:
                rows.append(tuple((cells + [""])[:4]))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        print(f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:<{widths[2]}}  {row[3]}".rstrip())
    return code


if __name__ == "__main__":
    sys.exit(main())
