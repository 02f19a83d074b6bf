#!/usr/bin/env python3
"""Starts a demo fleet, with its own broker, controller, nodes and venue, and runs a test of this folder on it.

Usage: fleet.py FLOTILLA TEST.mjs [arguments]; the test gets URL, USER, PASSWORD, the arguments, and --dir
with the fleet's folder, in which run/*.pid are its processes. With KEEP set the fleet's folder stays.
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def main():
    flotilla, test, *arguments = sys.argv[1:]
    base = tempfile.mkdtemp(prefix="fltview-")
    fleet = os.path.join(base, "fleet")
    try:
        up = subprocess.run([flotilla, "up", "--demo", "--detach", "--dir", fleet, "--port",
                             str(free_port())], capture_output=True, text=True, timeout=180,
                            check=False)
        ready = re.search(r"^ready (\S+) user=(\S+) password=(\S+)$", up.stdout, re.M)
        if not ready:
            print(f"Bail out! no fleet: {up.stdout} {up.stderr}")
            return 1
        return subprocess.run([sys.executable, os.path.join(HERE, "run.py"), test, *ready.groups(),
                               *arguments, "--dir", fleet, "--flotilla", os.path.abspath(flotilla)],
                              check=False).returncode
    finally:
        subprocess.run([flotilla, "--dir", fleet, "down"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=180, check=False)
        if not os.environ.get("KEEP"):
            shutil.rmtree(base, ignore_errors=True)


sys.exit(main())
