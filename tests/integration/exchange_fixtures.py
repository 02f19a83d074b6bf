#!/usr/bin/env python3
"""Runs every case of tests/fixtures/<venue> through `exchange request|parse|stream`; prints TAP.

Usage: exchange_fixtures.py EXCHANGE_TOOL FIXTURES_DIR VENUE
"""
import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
from decimal import Decimal

TOOL, DIR, VENUE = sys.argv[1:4]
CASES = []  # (name, function) or (name, reason to skip)

# Requests that only ccxt makes out of such arguments; with ours there is nothing to compare.
SKIP = {
    "binance-rq-1": "ccxt turns quantity and price of a market order into a quote amount; we send the quantity",
}
SKIP_TAGS = {"conditional": "trigger orders are refused: no such arguments", "exotic": "exotic", "ccxt_quirk": "ccxt only"}


def load(name):
    with open(os.path.join(DIR, name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def run(*args, text=None, fails=False):
    done = subprocess.run([TOOL, *args], input=text, capture_output=True, text=True, timeout=20)
    if fails:
        assert done.returncode != 0 and not done.stdout, f"must be refused: {done.stdout}"
        return json.loads(done.stderr)["error"]
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done.stdout


def case(name):
    def keep(function):
        CASES.append((name, function))
    return keep


def number(value):
    """Decimal of a number or text of one, else None."""
    try:
        return None if value is None or isinstance(value, bool) else Decimal(str(value))
    except ArithmeticError:
        return None


def same(ours, theirs, what):
    a, b = number(ours), number(theirs)
    if a is not None and b is not None:
        assert abs(a - b) <= abs(b) * Decimal("1e-12"), f"{what}: {ours} is not {theirs}"
    else:
        assert ours == theirs, f"{what}: {ours!r} is not {theirs!r}"


def canonical(symbol):
    return symbol.replace("/", "-")


INSTRUMENTS = os.path.join(tempfile.mkdtemp(prefix="flt-fixtures-"), "instruments.json")
KEYS = os.path.join(os.path.dirname(INSTRUMENTS), "key.json")
listing = load("instruments")
with open(INSTRUMENTS, "w", encoding="utf-8") as file:
    json.dump(next(iter(listing["raw"].values())), file)
requests = load("requests")
with open(KEYS, "w", encoding="utf-8") as file:
    json.dump({"key": requests["credentials"]["apiKey"], "secret": requests["credentials"]["secret"]}, file)


# --- requests ---------------------------------------------------------------------------------------

def pick(values, index):
    return values[index] if len(values) > index else None


def order_args(values):
    args = {"instrument": canonical(values[0]), "type": values[1], "side": values[2], "qty": values[3],
            "price": pick(values, 4)}
    extra = pick(values, 5) or {}
    names = {"clientOrderId": "client_order_id", "postOnly": "post_only", "quoteOrderQty": "quote_qty",
             "icebergAmount": "iceberg_qty", "selfTradePrevention": "self_trade_prevention"}
    for key, value in extra.items():
        if key == "timeInForce":
            args["tif"] = value.lower()
        else:
            args[names[key]] = value
    return args


def arguments(fixture):
    """Ours, of a ccxt call."""
    method, values = fixture["method"], fixture["input"]
    extra = values[-1] if values and isinstance(values[-1], dict) else {}
    symbol = canonical(values[0]) if values and isinstance(values[0], str) else None
    if method == "createOrder":
        return order_args(values)
    if method == "createMarketOrderWithCost":
        return {"instrument": symbol, "type": "market", "side": values[1], "quote_qty": str(values[2])}
    if method in ("createMarketBuyOrderWithCost", "createMarketSellOrderWithCost"):
        return {"instrument": symbol, "type": "market", "quote_qty": str(values[1]),
                "side": "buy" if "Buy" in method else "sell"}
    if method == "editOrder":
        return {"order_id": values[0], "instrument": canonical(values[1]), "type": values[2], "side": values[3],
                "qty": values[4], "price": values[5]}
    if method in ("cancelOrder", "fetchOrder", "fetchOrderTrades"):
        return {"order_id": values[0], "instrument": canonical(values[1]),
                "client_order_id": extra.get("clientOrderId")}
    if method == "fetchOHLCV":
        return {"instrument": symbol, "interval": pick(values, 1), "since_ms": pick(values, 2), "limit": pick(values, 3)}
    if method == "fetchOrderBook":
        return {"instrument": symbol, "limit": pick(values, 1)}
    if method in ("fetchTickers", "fetchBidsAsks", "fetchLastPrices"):
        args = {"instruments": [canonical(s) for s in values[0]] if values else None}
        if extra.get("rolling"):
            args["rolling"] = True
        return args
    if method in ("fetchTime", "fetchBalance"):
        return {}
    return {"instrument": symbol, "since_ms": pick(values, 1), "limit": pick(values, 2)}


def pairs(text, ignore):
    found = dict(urllib.parse.parse_qsl(text or "", keep_blank_values=True, strict_parsing=bool(text)))
    return {key: value for key, value in found.items() if key not in ignore}


def check_signature(request, secret):
    """The string that was signed is the string that is sent."""
    sent = request["body"] or request["url"].partition("?")[2]
    message, _, signature = sent.rpartition("&signature=")
    assert hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest() == signature, "signature"


def check_request(fixture, header):
    made = json.loads(run("request", "--venue", VENUE, "--op", fixture["op"], "--args",
                          json.dumps(arguments(fixture)), "--instruments", INSTRUMENTS, "--key-file", KEYS,
                          "--now-ms", str(header["clock_ms"])))
    expected, ignore = fixture["expected"], set(header["ignore"])
    url = urllib.parse.urlsplit(made["url"])
    same(made["http_method"], expected["http_method"], "method")
    same(url.path, expected["path"], "path")
    wanted = {key: value for key, value in expected["query"].items() if key not in ignore}
    compare_pairs(pairs(url.query, ignore), wanted, "query")
    compare_pairs(pairs(made["body"], ignore), pairs(expected["body"], ignore), "body")
    private = "X-MBX-APIKEY" in expected["headers"]
    assert ("X-MBX-APIKEY" in made["headers"]) >= private, "key header"
    if private:
        same(made["headers"]["X-MBX-APIKEY"], expected["headers"]["X-MBX-APIKEY"], "key")
        check_signature(made, header["credentials"]["secret"])
        sent = pairs(made["body"] or url.query, ())
        same(sent["timestamp"], str(header["clock_ms"]), "timestamp")
        assert int(sent["recvWindow"]) <= 2000, "receive window"


def compare_pairs(ours, theirs, what):
    assert set(ours) == set(theirs), f"{what}: {sorted(ours)} is not {sorted(theirs)}"
    for key, value in theirs.items():
        same(ours[key], value, f"{what}.{key}")


for fixture in requests["cases"]:
    label = f"{fixture['id']} {fixture['op']} {fixture.get('description', '')}".strip()
    reason = SKIP.get(fixture["id"]) or next((SKIP_TAGS[t] for t in fixture["tags"] if t in SKIP_TAGS), None)
    CASES.append((label, reason or (lambda f=fixture: check_request(f, requests))))


# --- replies ----------------------------------------------------------------------------------------

STATUS = {"open": ("open", "partly_filled"), "closed": ("filled",), "canceled": ("cancelled",),
          "expired": ("expired",), "rejected": ("rejected",)}


def check_order(ours, theirs, cancel=False):
    same(ours["order_id"], theirs["id"], "order_id")
    if not cancel:  # ccxt gives the id of the cancel; ours is the order's
        same(ours["client_order_id"], theirs["clientOrderId"], "client_order_id")
    same(ours["instrument"], canonical(theirs["symbol"]), "instrument")
    for mine, other in (("side", "side"), ("type", "type"), ("post_only", "postOnly"), ("qty", "amount"),
                        ("filled_qty", "filled"), ("ts_ms", "lastUpdateTimestamp")):
        if theirs.get(other) is not None:
            same(ours[mine], theirs[other], mine)
    same(ours["tif"].upper(), theirs["timeInForce"], "tif")
    if theirs["type"] == "limit":
        same(ours["price"], theirs["price"], "price")
    if theirs.get("average"):
        same(ours["average_price"], theirs["average"], "average_price")
    else:
        same(ours["average_price"], "0", "average_price")
    assert ours["status"] in STATUS[theirs["status"]], f"status {ours['status']} for {theirs['status']}"
    assert (ours["status"] == "partly_filled") == (theirs["status"] == "open" and theirs["filled"] > 0)


def check_fill(ours, theirs):
    for mine, other in (("trade_id", "id"), ("order_id", "order"), ("side", "side"), ("price", "price"),
                        ("qty", "amount"), ("ts_ms", "timestamp"), ("liquidity", "takerOrMaker")):
        same(ours[mine], theirs[other], mine)
    same(ours["instrument"], canonical(theirs["symbol"]), "instrument")
    same(ours["fee"], theirs["fee"]["cost"], "fee")
    same(ours["fee_asset"], theirs["fee"]["currency"], "fee_asset")


def check_ticker(ours, theirs):
    same(ours["instrument"], canonical(theirs["symbol"]), "instrument")
    for mine, other in (("bid", "bid"), ("bid_qty", "bidVolume"), ("ask", "ask"), ("ask_qty", "askVolume"),
                        ("last", "last"), ("ts_ms", "timestamp")):
        same(ours[mine], theirs.get(other), mine)


def check_candle(ours, theirs):
    for index, key in enumerate(("ts_ms", "open", "high", "low", "close", "volume")):
        same(ours[key], theirs[index], key)


def check_balances(ours, theirs):
    assert {b["asset"] for b in ours} == set(theirs["free"]), "assets"
    for balance in ours:
        for mine, other in (("free", "free"), ("locked", "used"), ("total", "total")):
            same(balance[mine], theirs[balance["asset"]][other], balance["asset"] + "." + mine)


def check_book(ours, theirs):
    same(ours["sequence"], theirs["nonce"], "sequence")
    same(ours["instrument"], canonical(theirs["symbol"]), "instrument")
    for side in ("bids", "asks"):
        assert len(ours[side]) == len(theirs[side])
        for mine, other in zip(ours[side], theirs[side]):
            same(mine[0], other[0], side)
            same(mine[1], other[1], side)


def check_trade(ours, theirs):
    for mine, other in (("trade_id", "id"), ("price", "price"), ("qty", "amount"), ("aggressor", "side"),
                        ("ts_ms", "timestamp")):
        same(ours[mine], theirs[other], mine)
    same(ours["instrument"], canonical(theirs["symbol"]), "instrument")


def check_each(check, ours, theirs, **options):
    if isinstance(theirs, dict) and "symbol" not in theirs:
        theirs = [theirs[key] for key in theirs]
    if isinstance(theirs, dict):
        check(ours, theirs, **options)
        return
    assert isinstance(ours, list) and len(ours) == len(theirs), f"{len(ours)} of {len(theirs)}"
    for mine, other in zip(ours, theirs):
        check(mine, other, **options)


def check_reply(fixture):
    args = {}
    first = pick(fixture["input"], 0)
    if fixture["op"] in ("depth", "public_trades"):
        args = {"instrument": canonical(first)}  # the reply does not say it
    out = json.loads(run("parse", "--venue", VENUE, "--op", fixture["op"], "--instruments", INSTRUMENTS, "--args",
                         json.dumps(args), "--http-status", "200", text=json.dumps(fixture["httpResponse"])))
    op, theirs = fixture["op"], fixture["parsedResponse"]
    if op == "server_time":
        same(out["ts_ms"], theirs, "ts_ms")
    elif op == "balances":
        check_balances(out, theirs)
    elif op == "depth":
        check_book(out, theirs)
    elif op == "klines":
        assert len(out) == len(theirs)
        for mine, other in zip(out, theirs):
            check_candle(mine, other)
    elif op in ("ticker", "tickers", "book_ticker", "last_prices"):
        check_each(check_ticker, out, theirs)
    elif op == "public_trades":
        check_each(check_trade, out, theirs)
    elif op == "my_trades":
        check_each(check_fill, out, theirs)
    else:
        check_each(check_order, out, theirs, cancel=op in ("cancel", "cancel_all"))


for fixture in load("responses")["cases"]:
    CASES.append((f"{fixture['id']} {fixture['op']}", lambda f=fixture: check_reply(f)))


def check_error(fixture):
    body = fixture["body"] if isinstance(fixture["body"], str) else json.dumps(fixture["body"])
    out = json.loads(run("parse", "--venue", VENUE, "--op", fixture["op"], "--http-status", str(fixture["http_status"]),
                         text=body))
    same(out["error"]["class"], fixture["normalized"], "class")


for fixture in load("errors")["cases"]:
    CASES.append((f"{fixture['id']} {fixture['normalized']}", lambda f=fixture: check_error(f)))


# --- streams ----------------------------------------------------------------------------------------

def check_stream_order(events, theirs):
    order = next(e for e in events if e["event"] == "order")
    if order["post_only"]:  # ccxt overlooks LIMIT_MAKER in streams
        theirs = dict(theirs, postOnly=True)
    check_order(order, theirs)
    fills = [e for e in events if e["event"] == "fill"]
    assert len(fills) <= 1
    if fills:
        check_fill(fills[0], theirs["trades"][-1])
    return len(fills)


def check_stream(fixture):
    out = run("stream", "--venue", VENUE, "--instruments", INSTRUMENTS, text=json.dumps(fixture["frame"]) + "\n")
    events = [json.loads(line) for line in out.splitlines()]
    op, theirs = fixture["op"], fixture["parsed"]
    if op == "trades":
        assert events[0]["event"] == "trade"
        check_trade(events[0], theirs)
    elif op in ("book_ticker", "ticker"):
        assert events[0]["event"] == ("quote" if op == "book_ticker" else "ticker")
        check_ticker(events[0], theirs["BTC/USDT"] if op == "ticker" else dict(theirs["BTC/USDT"], last=None))
    elif op == "kline":
        assert events[0]["event"] == "candle" and events[0]["closed"] == fixture["frame"]["k"]["x"]
        same([events[0]["instrument"], events[0]["interval"]], [canonical(theirs[0]), theirs[1]], "candle")
        check_candle(events[0], theirs[2][-1])
    elif op == "order_update":
        fills = check_stream_order(events, theirs)
        assert fills == (fixture["frame"]["event"]["x"] == "TRADE")
    elif op == "balance_update":
        assert all(e["event"] == "balance" for e in events)
        check_balances(events, theirs)
    else:
        raise AssertionError(f"no comparison for {op}")


streams = load("ws")
for fixture in streams["cases"]:
    CASES.append((f"{fixture['id']} {fixture['op']} {fixture.get('note', '')}", lambda f=fixture: check_stream(f)))


@case("frames of the protocol: acks and shutdown")
def _():
    frames = [p["frame"] for p in streams["protocol"] if p["dir"] == "recv"]
    out = run("stream", "--venue", VENUE, text="".join(json.dumps(f) + "\n" for f in frames))
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["ack", "ack", "shutdown"]


# --- instruments, signatures, refusals ----------------------------------------------------------------

@case("instruments: tick, lot and limits")
def _():
    with open(INSTRUMENTS, encoding="utf-8") as file:
        out = json.loads(run("parse", "--venue", VENUE, "--op", "instruments", text=file.read()))
    assert len(out) == len(listing["normalized"])
    for ours, theirs in zip(out, listing["normalized"]):
        for mine, other in (("name", "canonical"), ("venue_symbol", "id"), ("kind", "type"), ("base", "base"),
                            ("quote", "quote"), ("tick", "tick"), ("lot", "lot"), ("qty_min", "min_amount"),
                            ("qty_max", "max_amount"), ("price_min", "min_price"), ("price_max", "max_price"),
                            ("notional_min", "min_cost"), ("fee_maker", "maker"), ("fee_taker", "taker")):
            same(ours[mine], theirs[other], f"{theirs['id']}.{mine}")
        same(ours["status"], "trading", "status")


@case("a symbol that is not ASCII is percent-encoded before it is signed")
def _():
    with open(INSTRUMENTS, encoding="utf-8") as file:
        reply = json.load(file)
    odd = dict(reply["symbols"][0], symbol="１２３４５６", baseAsset="１２３", quoteAsset="４")
    path = INSTRUMENTS + ".odd"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(reply, symbols=[odd]), file)
    made = json.loads(run("request", "--venue", VENUE, "--op", "query_order", "--instruments", path, "--key-file", KEYS,
                          "--now-ms", "1700000000000", "--args", '{"instrument":"１２３-４","order_id":"1"}'))
    assert "symbol=%EF%BC%91%EF%BC%92%EF%BC%93%EF%BC%94%EF%BC%95%EF%BC%96&" in made["url"], made["url"]
    check_signature(made, requests["credentials"]["secret"])


def refused(field, op="place_order", keys=True, **args):
    base = {"instrument": "BTC-USDT", "side": "buy", "type": "limit", "qty": "0.002", "price": "60000"}
    error = run("request", "--venue", VENUE, "--op", op, "--instruments", INSTRUMENTS, *(["--key-file", KEYS] if keys else []),
                "--args", json.dumps({**(base if op == "place_order" else {}), **args}), fails=True)
    assert error["field"] == field and error["message"], error


@case("what is off the grid, unknown or contradictory is refused with its field")
def _():
    refused("price", price="60000.001")
    refused("qty", qty="0.000015")
    refused("qty", qty="0.000001")
    refused("qty", qty="0")
    refused("qty", qty="x")
    refused("price", price=None)
    refused("side", side="hold")
    refused("type", type="stop")
    refused("tif", tif="day")
    refused("stop_price", stop_price="1")
    refused("instrument", instrument="BTC-EUR")
    refused("post_only", post_only=True, tif="ioc")
    refused("post_only", post_only=True, type="market")
    refused("reduce_only", reduce_only=True)
    refused("client_order_id", client_order_id="no spaces")
    refused("client_order_id", client_order_id="x" * 37)
    refused("key", keys=False)
    refused("order_id", op="cancel", instrument="BTC-USDT")
    refused("--op", op="set_leverage")
    refused("interval", op="klines", instrument="BTC-USDT", interval="7m")


@case("numbers never have exponents, however they come")
def _():
    made = json.loads(run("request", "--venue", VENUE, "--op", "place_order", "--instruments", INSTRUMENTS, "--key-file",
                          KEYS, "--args", '{"instrument":"BTC-USDT","side":"buy","type":"limit","qty":1e-5,"price":6e4}'))
    sent = pairs(made["body"], ())
    assert (sent["quantity"], sent["price"]) == ("0.00001", "60000"), sent


@case("a half reply is an unknown outcome, never an order")
def _():
    for text in ("", "{}", "[]", "null", '{"orderId":', '{"symbol":"BTCUSDT"}', '{"orderId":1,"fills":[{}]}'):
        out = json.loads(run("parse", "--venue", VENUE, "--op", "place_order", "--instruments", INSTRUMENTS, text=text))
        assert text == "[]" and out == [] or out["error"]["class"] == "UNKNOWN_OUTCOME", (text, out)


def main():
    print(f"1..{len(CASES)}")
    bad = 0
    for index, (name, check) in enumerate(CASES, 1):
        if isinstance(check, str):
            print(f"ok {index} - {name} # SKIP {check}")
            continue
        try:
            check()
            print(f"ok {index} - {name}")
        except Exception as error:  # noqa: BLE001 a failed case is a line, whatever it is
            bad += 1
            print(f"not ok {index} - {name}\n# {type(error).__name__}: {error}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
