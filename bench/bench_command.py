#!/usr/bin/env python3
"""A command's round trip against a bare MQTT request and response, alternating, through the same broker
in the same run. The command is `bot-orders`: user, broker, controller, broker, node and back, four
messages; the bare one goes user, broker, peer and back, two. Usage: bench_command.py BUILD_DIR"""
import json
import sys
import threading
import time

import rig

ROUNDS = 1500
BARE = rig.TENANT + "u/admin/sig/bench"


def echo(client):
    """The peer of the bare request: answers each with the same bytes."""
    try:
        while True:
            got = client.receive(60)
            if not got:
                return
            client.publish(rig.TENANT + "u/admin/res/bench", got[1])
    except (OSError, ValueError, IndexError):
        return  # closed at the end


def bare(client, payload):
    client.publish(BARE, payload)
    while not client.receive(10)[0].endswith("/res/bench"):
        pass


def command(fleet, client):
    mine = fleet.request(client, "bot-orders", bot="grid-1")
    while not client.receive(10)[0].endswith(mine):
        pass


def timed(what, *args, **named):
    began = time.perf_counter()
    what(*args, **named)
    return 1e6 * (time.perf_counter() - began)


def rows(name, times, base=None):
    times.sort()
    for share in (50, 99):
        value = times[len(times) * share // 100]
        against = base and base[len(base) * share // 100]
        rig.row(f"command: {name}, p{share}", value, "us",
                f"{value / against:.2f}x bare round trip ({against:.0f})" + (
                    "; aim: within 3x" if share == 99 else "") if against else "")


def main():
    with rig.Rig(sys.argv[1]) as fleet:
        fleet.sim("--market", "BTC-USDT=random:price=60000,rate=20", "--api-key", "key", "--secret",
                  "secret", "--balance", "USDT=1000000")
        fleet.broker()
        controller = fleet.controller()
        node = fleet.node()[0]
        fleet.account("main", "key", "secret")
        fleet.cli("bot", "deploy", "--name", "grid-1", "--strategy", "grid", "--account", "main",
                  "--instrument", "BTC-USDT", "-P", "lower=55000", "-P", "upper=65000", "-P",
                  "levels=10", "-P", "budget=1000", "-P", "initial_buy=false")
        user, peer = fleet.client(), fleet.client("controller")
        user.subscribe(rig.TENANT + "u/admin/res/#")
        rig.until("the bot rests its orders",
                  lambda: len(fleet.ask(user, "bot-orders", bot="grid-1").get("orders", [])) > 2)
        peer.subscribe(BARE)
        threading.Thread(target=echo, args=(peer,), daemon=True).start()
        sample = json.dumps(fleet.ask(user, "bot-orders", bot="grid-1"))
        payload = "." * (len(sample) // 2 + 70)  # both ways together as many bytes as the command
        commands, bares = [], []
        cpu = [rig.cpu_seconds(process.pid) for process in (controller, node)]
        for i in range(ROUNDS + 50):
            pair = (timed(bare, user, payload), timed(command, fleet, user))
            if i >= 50:  # warm
                bares.append(pair[0])
                commands.append(pair[1])
        rows("bare MQTT request and response", bares)
        rows("bot-orders, answered by the node", commands, bares)
        for name, process, before in zip(("controller", "node"), (controller, node), cpu):
            rig.row(f"command: CPU of the {name} a command",
                    1e6 * (rig.cpu_seconds(process.pid) - before) / (ROUNDS + 50), "us",
                    "all it does meanwhile in it")
        peer.close()


if __name__ == "__main__":
    main()
