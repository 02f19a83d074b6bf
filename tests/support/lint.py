#!/usr/bin/env python3
"""House rules a machine can check. Usage: lint.py BUILD_DIR [--tidy]

Include arrows, file lengths, networked libraries in one module each, the form of the code
(clang-format); with --tidy also clang-tidy, which takes minutes.
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# folder -> folders it may include; the longest prefix wins.
ARROWS = {
    "lib": {"lib"},
    "strategies": {"lib", "strategies"},
    "exchanges": {"lib", "exchanges"},
    "engine": {"lib", "engine", "strategies/strategy.h", "strategies/params.h",
               "strategies/indicators", "exchanges/exchange.h"},
    "botnode": {"lib", "botnode", "engine", "strategies", "exchanges", "schemas"},
    "controller": {"lib", "controller", "strategies", "exchanges", "schemas"},
    "controller/cli": {"lib", "controller/cli", "broker", "exchanges", "schemas", "strategies",
                       "backtest"},
    "broker": {"lib", "broker"},
    "dashboard": {"lib", "dashboard", "schemas"},
    "backtest": {"lib", "backtest", "engine", "strategies", "exchanges"},
}
# library header -> the modules that may include it
OWNERS = {
    r"MQTTAsync\.h": r"lib/mqtt_paho\.c|bench/.*",
    r"mosquitto\.h": r"lib/mqtt_mosquitto\.c|bench/.*",
    r"curl/": r"lib/http\.c",
    r"libwebsockets\.h": r"lib/(ws|server|lws)[a-z_]*\.[ch]",
    r"openssl/": r"lib/crypto[a-z_]*\.c",
    r"yaml\.h": r"lib/config\.c",
}


def owner_of(path):
    best = ""
    for folder in ARROWS:
        if path.startswith(folder + "/") and len(folder) > len(best):
            best = folder
    return best


def check_file(path, problems):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.read().splitlines()
    limit = 300 if path.endswith(".h") else 1200
    if len(lines) > limit:
        problems.append(f"{path}: {len(lines)} lines, over {limit}")
    folder = owner_of(path)
    for number, line in enumerate(lines, 1):
        own = re.match(r'\s*#include "([^"]+)"', line)
        if own and folder and "/" in own[1]:
            target = own[1]
            if not any(target == ok or target.startswith(ok + "/") for ok in ARROWS[folder]):
                problems.append(f"{path}:{number}: {folder} may not include {target}")
        foreign = re.match(r"\s*#include <([^>]+)>", line)
        if foreign and not path.startswith("tests/"):
            for header, owners in OWNERS.items():
                if re.match(header, foreign[1]) and not re.fullmatch(owners, path):
                    problems.append(f"{path}:{number}: <{foreign[1]}> belongs to {owners}")
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            problems.append(f"{path}:{number}: unfinished: {line.strip()}")


def main():
    files = subprocess.check_output(["git", "ls-files", "*.c", "*.h"], cwd=ROOT,
                                    text=True).split()
    problems = []
    for path in files:
        check_file(path, problems)
    form = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT, capture_output=True,
                          text=True, check=False)
    untidy = sorted({line.split(":")[0] for line in form.stderr.splitlines() if "warning" in line})
    problems += [f"{path}: not in the form of .clang-format" for path in untidy]
    if "--tidy" in sys.argv:
        build = os.path.join(ROOT, sys.argv[1])
        for path in [f for f in files if f.endswith(".c") and not f.startswith("tests/")]:
            done = subprocess.run(["clang-tidy", "-p", build, "--quiet", path], cwd=ROOT,
                                  capture_output=True, text=True, check=False)
            problems += [row for row in done.stdout.splitlines() if " warning: " in row]
    for row in problems:
        print(row)
    print(f"{len(files)} files, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
