#!/usr/bin/env python3
"""Runs one test of this folder under Node, after `npm ci` when the lock file is new.

Usage: run.py TEST.mjs [arguments]
"""
import fcntl
import hashlib
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def install():
    with open(os.path.join(HERE, "package-lock.json"), "rb") as file:
        want = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(HERE, "node_modules", ".flotilla-lock")
    with open(os.path.join(HERE, ".gitignore"), "rb") as lock:  # tests run beside each other
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(stamp):
            with open(stamp, encoding="utf-8") as file:
                if file.read() == want:
                    return
        result = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--prefer-offline"],
                                cwd=HERE, capture_output=True, text=True, check=False)
        if result.returncode:
            sys.exit(f"Bail out! npm ci failed: {result.stderr}")
        with open(stamp, "w", encoding="utf-8") as file:
            file.write(want)


install()
os.execvp("node", ["node", os.path.join(HERE, sys.argv[1]), *sys.argv[2:]])
