#!/usr/bin/env python3
"""Starts the demo fleet and runs live.mjs against its page: real node, controller, simulator, broker.

Usage: live.py FLOTILLA [FOLDER_FOR_SCREENSHOTS]
"""
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
FLOTILLA = sys.argv[1]


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def main():
    base = tempfile.mkdtemp(prefix="fltlive-")
    fleet = os.path.join(base, "fleet")
    try:
        up = subprocess.run([FLOTILLA, "up", "--demo", "--detach", "--dir", fleet, "--port",
                             str(free_port())], capture_output=True, text=True, timeout=180,
                            check=False)
        ready = re.search(r"^ready (\S+) user=(\S+) password=(\S+)$", up.stdout, re.M)
        if not ready:
            print(f"Bail out! no fleet: {up.stdout} {up.stderr}")
            return 1
        return subprocess.run([sys.executable, os.path.join(HERE, "run.py"), "live.mjs",
                               *ready.groups(), *sys.argv[2:3]], check=False).returncode
    finally:
        subprocess.run([FLOTILLA, "--dir", fleet, "down"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=180, check=False)
        shutil.rmtree(base, ignore_errors=True)


sys.exit(main())
