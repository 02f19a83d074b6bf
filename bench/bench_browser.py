#!/usr/bin/env python3
"""The dashboard in headless Chromium: first paint, first row, cost and frames with 1,000 and 10,000 live
bots, and how old a number is. tests/browser/speed.mjs and age.mjs measure. Usage: bench_browser.py BUILD_DIR"""
import os
import subprocess
import sys

import rig

BUILD = os.path.abspath(sys.argv[1])
BROWSER = os.path.join(rig.ROOT, "tests/browser")


def run(*command):
    """Prints the rows of one program; it has its own fleet and ends it, also when it takes too long."""
    try:
        done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=False,
                              timeout=400)
    except subprocess.TimeoutExpired:
        return f"{os.path.basename(command[0])} did not end"
    print("\n".join(line for line in done.stdout.splitlines() if "\t" in line), flush=True)
    return f"{command[1]} ended with {done.returncode}" if done.returncode else None


def main():
    wrong = [run(os.path.join(BROWSER, "run.py"), "speed.mjs", f"{BUILD}/dashboard/flotilla-dashboard", "--rows"),
             run(os.path.join(BROWSER, "fleet.py"), f"{BUILD}/controller/cli/flotilla", "age.mjs", "--rows")]
    if any(wrong):
        sys.exit("; ".join(filter(None, wrong)))


if __name__ == "__main__":
    main()
