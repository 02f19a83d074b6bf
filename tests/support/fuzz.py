#!/usr/bin/env python3
"""Runs every libFuzzer program for a while. Usage: fuzz.py BUILD_DIR SECONDS_EACH

New inputs go to BUILD_DIR/corpus/NAME; the committed corpus is only read. A crash leaves its input
in BUILD_DIR and ends the run with 1.
"""
import glob
import os
import subprocess
import sys


def main():
    build, seconds = os.path.abspath(sys.argv[1]), int(sys.argv[2])
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    passed, failed = 0, []
    for program in sorted(glob.glob(os.path.join(build, "tests/fuzz/fuzz_*"))):
        if not os.access(program, os.X_OK) or os.path.isdir(program):
            continue
        name = os.path.basename(program)[len("fuzz_"):]
        found = os.path.join(build, "corpus", name)
        os.makedirs(found, exist_ok=True)
        seeds = os.path.join(root, "tests/fuzz/corpus", name)
        print(f"fuzz {name}: {seconds} s", flush=True)
        code = subprocess.call(
            [program, f"-max_total_time={seconds}", "-print_final_stats=1", "-rss_limit_mb=2048",
             f"-artifact_prefix={build}/crash-{name}-", found, seeds], stderr=subprocess.DEVNULL)
        if code:
            failed.append(name)
            print(f"fuzz {name}: FAILED, see {build}/crash-{name}-*")
        else:
            passed += 1
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
