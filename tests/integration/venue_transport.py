#!/usr/bin/env python3
"""The shared transport against a venue that misbehaves on demand; prints TAP.

Usage: venue_transport.py VENUE_TOOL
"""
import json
import os
import queue
import subprocess
import sys
import threading
import time

from fake_binance import Fake

TOOL = sys.argv[1]
CASES = []


def case(function):
    CASES.append(function)
    return function


class Client:
    def __init__(self, fake, secret="secret", ready=True, **env):
        self.secret = secret
        self.process = subprocess.Popen(
            self.command(fake), env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.log = []
        threading.Thread(target=self.read, daemon=True).start()
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        if ready:
            self.want("instruments")

    def command(self, fake):
        url = f"127.0.0.1:{fake.port}"
        return [TOOL, "binance", f"http://{url}", f"ws://{url}", f"ws://{url}/ws-api/v3", "key", self.secret]

    def read(self):
        for line in self.process.stdout:
            self.events.put(json.loads(line))

    def do(self, what, **args):
        self.do_all([{"do": what, **args}])

    def do_all(self, commands):
        """They are there at once, however slow this process is."""
        self.process.stdin.write("".join(json.dumps(command) + "\n" for command in commands))
        self.process.stdin.flush()

    def want(self, name, seconds=60, **fields):
        """The next event of that name with these fields; others are passed over."""
        end = time.monotonic() + seconds
        seen = []
        while True:
            try:
                event = self.events.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name} {fields}; saw {seen}; log {self.log[-5:]}") from None
            seen.append(event)
            if event["event"] == name and all(event.get(k) == v for k, v in fields.items()):
                return event

    def next(self, name, seconds):
        """The next event of that name within that time, or None."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left)
            except queue.Empty:
                break
            if event["event"] == name:
                return event
        return None

    def none(self, name, seconds):
        event = self.next(name, seconds)
        assert event is None, event

    def close(self):
        if self.process.poll() is None:
            self.do("quit")
        assert self.process.wait(60) == 0, self.log


def order_reply(params, **more):
    return {"symbol": params["symbol"], "orderId": 7, "orderListId": -1, "clientOrderId": params.get("newClientOrderId", "x"),
            "transactTime": 1700000000012, "price": params.get("price", "0"), "origQty": params.get("quantity", "0"),
            "executedQty": "0", "cummulativeQuoteQty": "0", "status": "NEW", "timeInForce": "GTC", "type": "LIMIT",
            "side": params.get("side", "BUY"), "fills": [], **more}


def place(client, order_id, **more):
    client.do("place", instrument="BTC-USDT", id=order_id, side="buy", type="limit", qty="0.002", price="60000", **more)


@case
def an_order_is_signed_sent_and_answered_with_its_fills():
    fill = {"price": "60000.00", "qty": "0.002", "commission": "0.000002", "commissionAsset": "BTC", "tradeId": 56}
    fake = Fake(lambda m, p, a: (200, {}, order_reply(a, status="FILLED", executedQty="0.002",
                                                      cummulativeQuoteQty="120", fills=[fill])))
    client = Client(fake)
    client.do("account")
    client.want("account_link", up=True)
    place(client, "a1")
    assert client.want("fill")["fill"]["trade_id"] == "56"
    done = client.want("placed")
    assert (done["id"], done["failure"]["class"], done["order"]["status"]) == ("a1", "OK", "filled"), done
    assert done["order"]["average_price"] == "60000"
    client.close()


@case
def a_lost_answer_is_an_unknown_outcome_and_the_order_is_not_sent_again():
    fake = Fake(lambda m, p, a: None if m == "POST" else (200, {}, order_reply(a, origClientOrderId="b1")))
    client = Client(fake)
    client.do("account")
    place(client, "b1")
    assert client.want("placed")["failure"]["class"] == "UNKNOWN_OUTCOME"
    client.do("query", instrument="BTC-USDT", id="b1")
    assert client.want("query")["order"]["client_order_id"] == "b1"
    assert fake.count("/api/v3/order", "POST") == 1
    client.close()


@case
def a_question_without_an_answer_is_asked_again():
    tries = []

    def script(method, path, params):
        tries.append(path)
        return None if len(tries) < 3 else (200, {}, [])

    client = Client(Fake(script))
    client.do("account")
    client.do("open", instrument="BTC-USDT")
    assert client.want("open")["failure"]["class"] == "OK" and len(tries) == 3
    client.close()


@case
def a_refused_timestamp_resyncs_the_clock_but_no_order_id_goes_twice():
    """Chaos seed 3 (clock step of -4 s): the same client order id left the node twice, 3.9 s apart,
    the second time without a look at the lease. A refused order is the engine's to ask for anew."""
    fake = Fake(lambda m, p, a: (200, {}, order_reply(a)), clock_skew_ms=0)
    client = Client(fake)
    client.do("account")
    client.want("account_link", up=True)
    fake.skew_ms = 60000  # the venue's clock jumps
    place(client, "c1")
    assert client.want("placed")["failure"]["class"] == "TIMESTAMP"
    place(client, "c2")
    assert client.want("placed")["failure"]["class"] == "OK", "by now the clock was looked at"
    assert fake.count("/api/v3/order", "POST") == 2
    client.close()


@case
def the_clock_of_the_venue_is_used_from_the_start():
    fake = Fake(lambda m, p, a: (200, {}, order_reply(a)), clock_skew_ms=-3600000)
    client = Client(fake)
    client.do("account")
    place(client, "d1")
    assert client.want("placed")["failure"]["class"] == "OK"
    assert fake.count("/api/v3/order", "POST") == 1
    client.close()


def limited_client(seconds):
    """(venue, client, when) of a venue that just refused a request for so long."""
    limited = []

    def script(method, path, params):
        if not limited:
            limited.append(time.monotonic())
            return 429, {"Retry-After": str(seconds)}, {"code": -1003, "msg": "Too much request weight used"}
        return 200, {}, []

    fake = Fake(script)
    client = Client(fake)
    client.do("account")
    client.do("open", instrument="BTC-USDT")
    assert client.want("open")["failure"]["class"] == "RATE_LIMIT"
    return fake, client, limited[0]


@case
def an_entry_is_refused_while_retry_after_is_obeyed():
    fake, client, _ = limited_client(600)
    place(client, "e1")
    assert client.want("outcome")["outcome"] == 1, "EXCHANGE_BUSY"
    assert fake.count("/api/v3/order", "POST") == 0
    client.close()


@case
def a_cancel_waits_until_retry_after_is_over():
    fake, client, limited = limited_client(2)
    client.do("cancel", instrument="BTC-USDT", id="e0")
    client.want("cancelled")
    sent = [t for m, p, _, t in fake.requests if m == "DELETE"]
    assert sent[0] - limited >= 1.9, sent[0] - limited
    client.close()


@case
def what_the_venue_refuses_comes_with_its_class():
    fake = Fake(lambda m, p, a: (400, {}, {"code": -2010, "msg": "Account has insufficient balance for requested action."}))
    client = Client(fake)
    client.do("account")
    place(client, "f1")
    assert client.want("placed")["failure"]["class"] == "INSUFFICIENT_FUNDS"
    client.do("place", instrument="BTC-USDT", id="f2", qty="0.000015", price="60000")
    refused = client.want("placed")["failure"]
    assert refused["class"] == "INVALID_ORDER" and "grid" in refused["message"], refused
    assert fake.count("/api/v3/order", "POST") == 1
    client.close()


def trade(number, price="60000.00"):
    return {"e": "trade", "E": 1, "s": "BTCUSDT", "t": number, "p": price, "q": "0.002", "T": 1700000000001, "m": True, "M": True}


@case
def streams_come_back_after_a_loss_and_repeat_nothing():
    fake = Fake()
    client = Client(fake)
    client.do("subscribe", instrument="BTC-USDT")
    client.want("market_link", up=True)
    fake.wait(lambda: len(fake.subscribed) == 3)
    for number in (1, 2, 2, 1, 3):
        fake.push("btcusdt@trade", trade(number))
    assert [client.want("trade")["trade_id"] for _ in range(3)] == [1, 2, 3]
    fake.push("btcusdt@bookTicker", {"u": 5, "s": "BTCUSDT", "b": "60000.00", "B": "1", "a": "60000.01", "A": "1"})
    assert client.want("quote")["ask"] == "60000.01"
    fake.drop_streams()
    client.want("market_link", up=False)
    client.want("market_link", up=True)
    fake.wait(lambda: len(fake.subscribed) == 3)
    fake.push("btcusdt@trade", trade(4))
    assert client.want("trade")["trade_id"] == 4
    client.close()


def heard_after_pushes(fake, client, number):
    """Pushed again until it is heard: what is pushed to a stream that the client just left is lost."""
    end = time.monotonic() + 60
    while True:
        fake.push("btcusdt@trade", trade(number))
        event = client.next("trade", 0.2)
        if event and event["trade_id"] >= number:
            assert event["trade_id"] == number, event
            return
        assert time.monotonic() < end, f"trade {number} was never heard; log {client.log[-5:]}"


@case
def a_stream_that_lives_and_says_nothing_is_made_anew():
    fake = Fake()
    client = Client(fake, STREAM_SILENCE_MS="400")
    client.do("subscribe", instrument="BTC-USDT")
    client.want("market_link", up=True)
    fake.wait(lambda: len(fake.subscribed) == 3)
    first = fake.subscribed[0][1]
    client.want("market_link", up=False)  # pings are answered all the time
    client.want("market_link", up=True)
    fake.wait(lambda: len([name for name, peer in fake.subscribed if peer is not first]) == 3)
    for number in range(1, 8):  # what is heard from is kept; a client that stopped for long makes it anew again
        heard_after_pushes(fake, client, number)
    client.close()


@case
def subscriptions_are_counted_and_sent_in_few_messages():
    fake = Fake()
    client = Client(fake)
    client.do_all([{"do": "subscribe", "instrument": name + "-USDT"}
                   for name in ("BTC", "ETH", "LTC", "ADA", "XRP", "DOGE", "SOL") for _ in range(20)])
    fake.wait(lambda: len(fake.subscribed) == 21)
    # At most 5 a second are sent. When they are read here says little of that; how few there are, all of it.
    assert len(fake.messages) <= 3, fake.messages
    for _ in range(19):
        client.do("unsubscribe", instrument="BTC-USDT")
    fake.push("btcusdt@trade", trade(1))
    assert client.want("trade")["trade_id"] == 1
    client.do("unsubscribe", instrument="BTC-USDT")
    fake.wait(lambda: len(fake.subscribed) == 18)
    client.close()


@case
def a_shutdown_notice_opens_the_next_connection_before_the_old_one_ends():
    fake = Fake()
    client = Client(fake)
    client.do("subscribe", instrument="BTC-USDT", feeds=2)
    fake.wait(lambda: len(fake.subscribed) == 1)
    client.want("market_link", up=True)
    fake.push("btcusdt@trade", trade(1))
    fake.push("btcusdt@trade", {"e": "serverShutdown", "E": 1})
    fake.wait(lambda: len(fake.subscribed) == 2)
    client.want("trade")
    fake.push("btcusdt@trade", trade(2))  # by both, or by the one that is left
    assert client.want("trade")["trade_id"] == 2
    client.none("market_link", 0.3)
    client.close()


REPORT = {"e": "executionReport", "E": 1, "s": "BTCUSDT", "c": "g1", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.002",
          "p": "60000.00", "C": "", "x": "TRADE", "X": "FILLED", "r": "NONE", "i": 28457, "l": "0.002", "z": "0.002",
          "L": "60000.00", "n": "0.12", "N": "USDT", "T": 1700000000029, "t": 57, "m": True, "Z": "120"}


@case
def the_account_stream_brings_fills_before_the_order_and_logs_in_again():
    fake = Fake()
    client = Client(fake)
    client.do("account")
    client.want("account_link", up=True)
    fake.push_user(REPORT)
    assert client.want("fill")["fill"]["trade_id"] == "57"
    assert client.want("order")["order"]["status"] == "filled"
    fake.push_user({"e": "eventStreamTerminated", "E": 1})
    client.want("account_link", up=False)
    client.want("account_link", up=True)
    assert len(fake.users) == 2
    client.close()


@case
def a_wrong_secret_is_said_and_does_not_hammer():
    fake = Fake(secret="other")
    client = Client(fake)
    client.do("account")
    assert "Signature" in client.want("account_link", up=False)["reason"]
    client.do("balances")
    assert client.want("balances")["failure"]["class"] == "AUTH"
    time.sleep(1.0)  # the time in which it must not hammer
    assert len(fake.messages) <= 4, len(fake.messages)
    client.close()


@case
def a_venue_that_is_away_at_the_start_is_found_later():
    fake = Fake(away=True)
    client = Client(fake, ready=False)
    client.none("instruments", 0.5)
    fake.come()
    client.want("instruments")
    client.close()
    fake.close()


@case
def bars_are_closed_and_oldest_first():
    now = int(time.time() * 1000) // 60000 * 60000
    # The newest is of an hour ahead, so that it is under way however long this takes.
    rows = [[now + 60000 * k, "1.00", "2.00", "1.00", "1.50", "3", 0, "0", 1, "0", "0", "0"] for k in (-3, -2, -1, 60)]
    client = Client(Fake(lambda m, p, a: (200, {}, rows)))
    client.do("bars", instrument="BTC-USDT")
    assert client.want("bars")["count"] == 3
    client.close()


@case
def paper_fills_at_the_market_and_keeps_its_books():
    fake = Fake()
    client = Client(fake)
    client.do("paper")
    client.want("account_link", up=True)
    client.do("subscribe", instrument="BTC-USDT", feeds=1)
    place(client, "p1")  # rests: no price yet
    assert client.want("placed")["order"]["status"] == "open"
    fake.wait(lambda: any(name == "btcusdt@bookTicker" for name, _ in fake.subscribed))
    fake.push("btcusdt@bookTicker", {"u": 5, "s": "BTCUSDT", "b": "59990.00", "B": "1", "a": "59995.00", "A": "1"})
    fill = client.want("fill")["fill"]
    assert (fill["client_order_id"], fill["qty"], fill["liquidity"], fill["fee_asset"]) == ("p1", "0.002", "maker", "BTC"), fill
    assert client.want("order")["order"]["status"] == "filled"
    place(client, "p2", tif="ioc")
    taken = client.want("fill")["fill"]
    assert (taken["price"], taken["liquidity"], taken["fee"]) == ("59995", "taker", "0.000002"), taken
    client.want("placed", id="p2")
    place(client, "p3", post_only=True)
    assert client.want("placed", id="p3")["failure"]["class"] == "POST_ONLY_WOULD_TAKE"
    client.do("place", instrument="BTC-USDT", id="p4", side="sell", type="limit", qty="1", price="70000")
    assert client.want("placed", id="p4")["failure"]["class"] == "INSUFFICIENT_FUNDS"
    client.do("place", instrument="BTC-USDT", id="p5", side="sell", type="limit", qty="0.003", price="70000")
    assert client.want("placed", id="p5")["order"]["status"] == "open"
    client.do("cancel", instrument="BTC-USDT", id="p5")
    assert client.want("cancelled")["failure"]["class"] == "OK"
    client.do("fills", instrument="BTC-USDT")
    assert [f["client_order_id"] for f in client.want("fills")["fills"]] == ["p1", "p2"]
    client.do("balances")
    held = {b["asset"]: b for b in client.want("balances")["balances"]}
    spent = 0.002 * 60000 + 0.002 * 59995
    assert float(held["USDT"]["free"]) == 100000 - spent and held["USDT"]["locked"] == "0", held
    assert held["BTC"]["total"] == "0.003996", held
    client.close()


def main():
    print(f"1..{len(CASES)}")
    bad = 0
    for index, check in enumerate(CASES, 1):
        name = check.__name__.replace("_", " ")
        try:
            check()
            print(f"ok {index} - {name}", flush=True)
        except Exception as error:  # noqa: BLE001 a failed case is a line, whatever it is
            bad += 1
            print(f"not ok {index} - {name}\n# {type(error).__name__}: {error}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
