#!/usr/bin/env python3
"""flotilla-sim: orders a second over REST on keep-alive connections, each signed, matched, written to
its ledger and answered. Usage: bench_sim.py BUILD_DIR"""
import subprocess
import sys

import rig

CONNECTIONS, SECONDS = 16, 4


def drive(fleet, sim, how):
    port = fleet.urls["rest"].rsplit(":", 1)[1]
    cpu = rig.cpu_seconds(sim.pid)
    done = subprocess.run([fleet.program("bench/sim_driver"), port, "key", "secret",
                           str(CONNECTIONS), str(SECONDS), how], capture_output=True, text=True,
                          check=False, timeout=60)
    if done.returncode:
        raise SystemExit(f"sim_driver: {done.stderr}")
    orders, requests = map(float, done.stdout.split())
    return orders, requests, (rig.cpu_seconds(sim.pid) - cpu) / SECONDS


def main():
    with rig.Rig(sys.argv[1]) as fleet:
        sim = fleet.sim("--market", "BTC-USDT=random:price=60000,rate=2", "--api-key", "key",
                        "--secret", "secret", "--balance", "USDT=1000000000,BTC=100000",
                        "--limit-orders-10s", "100000000", "--limit-orders-1d", "1000000000",
                        "--limit-weight", "1000000000", "--history", "5", "--log-level", "warn")
        for how, what in (("trade", "orders that trade"), ("rest", "orders that rest, and are "
                                                          "cancelled")):
            orders, requests, cpu = drive(fleet, sim, how)
            aim = "aim: over 10,000; " if how == "trade" else f"{requests:.0f} requests/s; "
            rig.row(f"sim: {what}", orders, "/s", f"{aim}{100 * cpu:.0f} % of a core, "
                    f"{orders / cpu:.0f} a second of CPU")


if __name__ == "__main__":
    main()
