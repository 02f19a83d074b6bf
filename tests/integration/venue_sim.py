#!/usr/bin/env python3
"""The venue `binance` against the exchange simulator over its real wire protocol; prints TAP.

Usage: venue_sim.py VENUE_TOOL FLOTILLA_SIM
"""
import json
import re
import subprocess
import sys
import urllib.request

from venue_transport import Client as ScriptedClient

TOOL, SIM = sys.argv[1:3]


class Sim:
    def __init__(self):
        self.process = subprocess.Popen(
            [SIM, "--market", "BTC-USDT=random:price=60000,seed=7,rate=20", "--api-key", "key", "--secret", "secret",
             "--balance", "USDT=100000,BTC=1", "--log-level", "error"], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.rest, self.stream, self.control = re.match(r"ready rest=(\S+) stream=(\S+) control=(\S+)", line).groups()

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(self.control + path, data), timeout=120) as reply:
            return json.load(reply)

    def close(self):
        self.process.terminate()
        assert self.process.wait(60) == 0


class Client(ScriptedClient):
    def command(self, fake):
        return [TOOL, "binance", fake.rest, fake.stream, fake.stream + "/ws-api/v3", "key", "secret"]


def ready(sim):
    client = Client(sim)
    client.do("account")
    client.want("account_link", up=True)
    client.do("subscribe", instrument="BTC-USDT")
    quote = client.want("quote")
    assert float(quote["bid"]) < float(quote["ask"])
    return client, float(quote["bid"])


def market_data_and_history(sim):
    client, _ = ready(sim)
    assert client.want("trade")["instrument"] == "BTC-USDT"
    client.do("bars", instrument="BTC-USDT")
    bars = client.want("bars")
    assert bars["failure"]["class"] == "OK" and bars["count"] > 50, bars
    client.close()


def orders_rest_fill_and_end(sim):
    client, bid = ready(sim)
    low = f"{bid * 0.8:.2f}"
    client.do("place", instrument="BTC-USDT", id="rest-1", side="buy", type="limit", qty="0.01", price=low)
    rested = client.want("placed", id="rest-1")
    assert rested["failure"]["class"] == "OK" and rested["order"]["status"] == "open", rested
    client.do("query", instrument="BTC-USDT", id="rest-1")
    asked = client.want("query")
    assert asked["failure"]["class"] == "OK" and float(asked["order"]["price"]) == float(low), asked
    client.do("open", instrument="BTC-USDT")
    assert [o["client_order_id"] for o in client.want("open")["orders"]] == ["rest-1"]
    client.do("cancel", instrument="BTC-USDT", id="rest-1")
    assert client.want("cancelled", id="rest-1")["failure"]["class"] == "OK"
    client.do("cancel", instrument="BTC-USDT", id="rest-1")
    assert client.want("cancelled", id="rest-1")["failure"]["class"] == "ORDER_NOT_FOUND"
    client.do("place", instrument="BTC-USDT", id="take-1", side="buy", type="market", qty="0.01")
    taken = client.want("placed", id="take-1")
    assert taken["failure"]["class"] == "OK" and taken["order"]["status"] == "filled", taken
    client.do("place", instrument="BTC-USDT", id="post-1", side="buy", type="limit", qty="0.01", post_only=True,
              price=f"{bid * 1.05:.2f}")
    assert client.want("placed", id="post-1")["failure"]["class"] == "POST_ONLY_WOULD_TAKE"
    client.do("place", instrument="BTC-USDT", id="poor-1", side="sell", type="limit", qty="50", price=f"{bid * 1.2:.2f}")
    assert client.want("placed", id="poor-1")["failure"]["class"] == "INSUFFICIENT_FUNDS"
    client.do("fills", instrument="BTC-USDT")
    ours = client.want("fills")["fills"]
    theirs = sim.ask("/ledger/fills")
    theirs = theirs["items"] if isinstance(theirs, dict) else theirs
    assert len(ours) == len(theirs) > 0, (ours, theirs)
    assert abs(sum(float(f["qty"]) for f in ours) - 0.01) < 1e-12
    client.close()


def an_order_accepted_without_an_answer_is_found_by_its_id(sim):
    client, bid = ready(sim)
    sim.ask("/fault", {"kind": "accept_then_timeout", "count": 1, "match": {"path": "/api/v3/order", "method": "POST"}})
    client.do("place", instrument="BTC-USDT", id="lost-1", side="buy", type="limit", qty="0.01", price=f"{bid * 0.8:.2f}")
    assert client.want("placed", id="lost-1")["failure"]["class"] == "UNKNOWN_OUTCOME"
    client.do("query", instrument="BTC-USDT", id="lost-1")
    assert client.want("query")["order"]["status"] == "open"
    client.do("cancel", instrument="BTC-USDT", id="lost-1")
    assert client.want("cancelled")["failure"]["class"] == "OK"
    client.close()


def streams_that_are_cut_come_back(sim):
    client, _ = ready(sim)
    sim.ask("/fault", {"kind": "disconnect_streams", "params": {"streams": "all"}, "count": 1})
    client.want("market_link", up=False)
    client.want("market_link", up=True)
    client.want("trade")
    client.close()


CASES = [market_data_and_history, orders_rest_fill_and_end, an_order_accepted_without_an_answer_is_found_by_its_id,
         streams_that_are_cut_come_back]


def main():
    print(f"1..{len(CASES)}")
    bad = 0
    for index, check in enumerate(CASES, 1):
        name = check.__name__.replace("_", " ")
        sim = Sim()
        try:
            check(sim)
            print(f"ok {index} - {name}", flush=True)
        except Exception as error:  # noqa: BLE001 a failed case is a line, whatever it is
            bad += 1
            print(f"not ok {index} - {name}\n# {type(error).__name__}: {error}", flush=True)
        finally:
            sim.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
