#!/usr/bin/env python3
"""Starts a demo fleet, with its own broker, controller, nodes and venue, and runs a test of this folder on it.

Usage: fleet.py FLOTILLA TEST.mjs [arguments]; the test gets URL, USER, PASSWORD, the arguments, and --dir
with the fleet's folder, in which run/*.pid are its processes. With KEEP set the fleet's folder stays.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
from fleet import free_port  # noqa: E402


def start(flotilla, fleet):
    """`flotilla up`, in our process group so that whoever ends the group ends the fleet; and its ready line."""
    up = subprocess.Popen([flotilla, "up", "--demo", "--dir", fleet, "--port", str(free_port())],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    timer = threading.Timer(240, up.kill)
    timer.start()
    line = up.stdout.readline()
    timer.cancel()
    ready = re.match(r"ready (\S+) user=(\S+) password=(\S+)$", line)
    if not ready:
        up.kill()
        print(f"Bail out! no fleet: {line} {up.stderr.read()}")
        return up, None
    for pipe in (up.stdout, up.stderr):  # what it says later must not fill them
        threading.Thread(target=pipe.read, daemon=True).start()
    return up, ready.groups()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # `finally` below
    flotilla, test, *arguments = sys.argv[1:]
    base = tempfile.mkdtemp(prefix="fltview-")
    fleet, up = os.path.join(base, "fleet"), None
    try:
        up, ready = start(flotilla, fleet)
        if not ready:
            return 1
        return subprocess.run([sys.executable, os.path.join(HERE, "run.py"), test, *ready,
                               *arguments, "--dir", fleet, "--flotilla", os.path.abspath(flotilla)],
                              check=False).returncode
    finally:
        if up and up.poll() is None:
            up.send_signal(signal.SIGCONT)  # the test may have ended while it was held
            up.terminate()
            try:
                up.wait(180)
            except subprocess.TimeoutExpired:
                up.kill()
        if not os.environ.get("KEEP"):
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
