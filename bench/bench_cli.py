#!/usr/bin/env python3
"""The command line with 1,000 bots: lists, help, completion, and what `flotilla top` costs. Each row is the
median of whole runs of the program. Usage: bench_cli.py BUILD_DIR"""
import fcntl
import json
import os
import pty
import select
import statistics
import struct
import subprocess
import sys
import termios
import time

import rig

BOTS, ACCOUNTS, SYMBOLS, TOP_SECONDS = 1000, 10, 20, 8


def bots():
    for i in range(BOTS):
        price = 50 + 10 * (i % SYMBOLS)
        yield {"name": f"grid-{i}", "strategy": "grid", "account": f"acc-{i % ACCOUNTS}",
               "instrument": f"C{chr(65 + i % SYMBOLS)}X-USDT", "mode": "live",
               "params": {"lower": f"{price * 0.98:.2f}", "upper": f"{price * 1.02:.2f}", "levels": 10,
                          "budget": "1000", "initial_buy": False}}


def timed(command, rounds=15):
    """Milliseconds from start to end, the median and the quickest; of processor time; bytes printed."""
    taken, cpu, size = [], [], 0
    for _ in range(rounds):
        before, began = os.times(), time.perf_counter()
        size = len(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        taken.append(1000 * (time.perf_counter() - began))
        after = os.times()
        cpu.append(1000 * (after[2] + after[3] - before[2] - before[3]))
    return statistics.median(taken), min(taken), statistics.mean(cpu), size


def top_cost(command):
    """CPU share and bytes a second of `flotilla top` on a 160x50 terminal, after its first picture."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))

    def drain(seconds):
        end, count = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            if select.select([fd], [], [], end - time.monotonic())[0]:
                try:
                    count += len(os.read(fd, 65536))
                except OSError:
                    break  # it ended
        return count

    drain(2)
    cpu = rig.cpu_seconds(pid)
    count = drain(TOP_SECONDS)
    share = (rig.cpu_seconds(pid) - cpu) / TOP_SECONDS
    memory = rig.rss_mb(pid)
    os.write(fd, b"q")
    drain(0.3)
    os.waitpid(pid, 0)
    os.close(fd)
    return share, count / TOP_SECONDS, memory


def main():
    with rig.Rig(sys.argv[1]) as fleet:
        accounts = [{"key": f"key{i}", "secret": f"secret{i}",
                     "balances": {"USDT": "100000000"}} for i in range(ACCOUNTS)]
        with open(f"{fleet.dir}/accounts.json", "w", encoding="utf-8") as file:
            json.dump(accounts, file)
        markets = []
        for i in range(SYMBOLS):
            markets += ["--market", f"C{chr(65 + i)}X-USDT=random:price={50 + 10 * i},seed={i + 1},rate=2,vol=0.5"]
        fleet.sim("--accounts", f"{fleet.dir}/accounts.json", *markets)
        fleet.broker()
        fleet.controller()
        fleet.node()
        for i in range(ACCOUNTS):
            fleet.account(f"acc-{i}", f"key{i}", f"secret{i}")
        with open(f"{fleet.dir}/bots.json", "w", encoding="utf-8") as file:
            json.dump({"bots": list(bots())}, file)
        fleet.cli("apply", "-f", f"{fleet.dir}/bots.json")
        rig.until("each bot has said what it is", lambda: all(
            "phase" in row for row in fleet.cli("bot", "ls")["items"]), 60)
        time.sleep(3)
        flotilla = [fleet.program("controller/cli/flotilla"), "--dir", fleet.dir]
        base = timed(["/bin/true"])[0]
        for name, words, aim in (
                ("help", ["help"], "aim: under 10"), ("bot --help", ["bot", "--help"], "aim: under 10"),
                (f"bot ls, {BOTS} bots", ["bot", "ls"], "aim: under 100"),
                (f"bot ls -o json, {BOTS} bots", ["-o", "json", "bot", "ls"], "aim: under 100"),
                (f"bot ls -l FILTER, {BOTS} bots", ["bot", "ls", "-l", "grid-9 !state=error orders>=0"], "aim: under 100"),
                ("status", ["status"], ""), ("completion of a bot's name", ["__complete", "--", "--dir", fleet.dir,
                                                                            "bot", "show", "grid-99"], "")):
            taken, best, cpu, size = timed([*flotilla, *words])
            rig.row(f"cli: {name}", taken, "ms", f"{aim}{'; ' if aim else ''}quickest {best:.1f}, {cpu:.1f} of CPU, "
                                                 f"{size} bytes; /bin/true {base:.1f}")
        user = fleet.client()
        user.subscribe(rig.TENANT + "u/admin/res/#")
        began = time.perf_counter()
        for _ in range(10):
            fleet.ask(user, "bot-ls", limit=500)
            fleet.ask(user, "bot-ls", limit=500, after="grid-548")
        rig.row(f"cli: the same over an open connection, bot-ls twice {BOTS // 2}", 100 * (time.perf_counter() - began), "ms")
        share, rate, memory = top_cost([*flotilla, "top"])
        rig.row(f"cli: top, {BOTS} bots, 160x50: CPU", 100 * share, "% of a core", "4 frames a second at most")
        rig.row("cli: top: to the terminal", rate / 1024, "KiB/s", f"{memory:.0f} MB resident")


if __name__ == "__main__":
    main()
