"""The rules of docs/backtest.md beyond `next-open`, written a second time: the other fill models of bars,
recorded trades, costs, short positions, several instruments on one clock. Plain Python, exact decimals,
nothing shared with Flotilla; the strategies are those of reference.py."""
import math
from decimal import ROUND_DOWN, Decimal as D

import reference
from reference import LOT


class Order:
    def __init__(self, number, side, qty, limit, tag, bar, ts):
        self.number, self.side, self.qty, self.limit, self.tag = number, side, qty, limit, tag
        self.bar, self.ts, self.left, self.status, self.end_bar, self.cancel = bar, ts, qty, "open", "", None
        self.first = False  # in line, by trades beyond its price

    def row(self):
        return (self.number, self.bar, self.ts, self.side, "market" if self.limit is None else "limit",
                "" if self.limit is None else self.limit, self.qty, self.qty - self.left, self.status, self.end_bar,
                self.tag)

    def reaches(self, price):
        """Would it accept that price?"""
        return self.limit is None or (price <= self.limit if self.side == "buy" else price >= self.limit)


class Costs:
    def __init__(self, fee="0.001", maker=None, taker=None, bps=0, ticks=0, latency=0, share=None):
        self.maker, self.taker = D(maker or fee), D(taker or fee)
        self.bps, self.ticks, self.latency, self.share = D(bps), ticks, latency, share

    def most(self, qty):
        """Of that volume, in whole lots."""
        lots = int(qty / LOT)
        return (lots if self.share is None else lots * int(D(self.share) * 10000) // 1000000) * LOT


class Books:
    """One instrument: bars of (ts, open, high, low, close, volume), orders, fills, round trips."""

    def __init__(self, bars, step, tick, model, costs, cash, sizing, tape=()):
        self.bars, self.step, self.tick, self.model, self.costs = bars, step, D(tick), model, costs
        self.cash = self.start = D(cash)
        self.sizing, self.tape, self.at = sizing, tape, 0
        self.account = lambda: self.cash  # what stakes are a part of
        self.position = D(0)
        self.orders, self.all, self.fills, self.trades, self.equity, self.open = [], [], [], [], [], []
        self.bought, self.sold = set(), set()
        self.target, self.retry, self.now = None, 0, 0

    # what strategies use

    def want(self, target):
        """Hold that position, at market: see settle()."""
        self.retry = self.retry if target == self.target else 0
        self.target = target

    def settle(self, i):
        """One order at a time trades the difference of target and position; one under way is left to end by
        itself, unless nothing is to be traded any more. What ended with a rest is sent anew a second later at
        the earliest, at a close."""
        live = next((o for o in self.orders if o.limit is None), None)
        if self.target is None:
            return
        if live:
            if self.target == self.position and live.cancel is None:
                live.cancel = self.now + self.costs.latency
                if not self.costs.latency:
                    self.end(live, "cancelled", i)
            return
        more = self.target - self.position
        if more != 0 and self.now >= self.retry:
            self.place("buy" if more > 0 else "sell", abs(more), None, "position", i)

    def end(self, order, status, i):
        order.status, order.end_bar = status, i
        self.orders.remove(order)

    def size(self, close):
        kind, value = self.sizing
        if kind == "qty":
            return D(value)
        stake = math.floor(float(value) / 100 * float(self.account()) / float(close) * 1e6)
        return stake * LOT if stake > 0 else D(0)

    def place(self, side, qty, limit, tag, i):
        if qty > 0:
            order = Order(len(self.all), side, qty, limit, tag, i, self.now)
            self.all.append(order)
            self.orders.append(order)
        return qty > 0

    # fills

    def slip(self, order, price):
        slip = math.ceil(price * self.costs.bps / 10000 / self.tick) * self.tick + self.costs.ticks * self.tick
        price = price + slip if order.side == "buy" else max(price - slip, self.tick)
        return price if order.reaches(price) else order.limit

    def fill(self, order, qty, price, maker, i, ts):
        fee = (self.costs.maker if maker else self.costs.taker) * qty * price
        sign = 1 if order.side == "buy" else -1
        self.position += sign * qty
        self.cash -= sign * qty * price + fee
        order.left -= qty
        order.status = "partly_filled"
        if order.left == 0:
            order.status, order.end_bar = "filled", i
            self.orders.remove(order)
            (self.bought if sign > 0 else self.sold).add(order.tag)
        self.fills.append((i, ts, order.side, price, qty, fee, self.cash, self.position, order.tag))
        self.pair(order, qty, price, fee, i, ts)
        self.now = ts
        if order.left > 0 and order.limit is None:
            self.end(order, "expired", i)
            self.retry = ts + 1000
        self.settle(i)

    def pair(self, order, qty, price, fee, i, ts):
        """Closes what is open on the other side: of its own tag first, oldest first."""
        while qty > 0 and self.open and self.open[0]["side"] != order.side:
            entry = next((e for e in self.open if e["tag"] == order.tag), self.open[0])
            part = min(entry["qty"], qty)
            paid = take(entry["fee"], part, entry["qty"])
            paid_now = take(fee, part, qty)
            gain = (price - entry["price"]) * (1 if entry["side"] == "buy" else -1)
            fees = paid + paid_now
            self.trades.append((entry["tag"], entry["bar"], entry["ts"], entry["price"], i, ts, price, part, fees,
                                part * gain - fees))
            entry["fee"] -= paid
            entry["qty"] -= part
            fee -= paid_now
            qty -= part
            if entry["qty"] == 0:
                self.open.remove(entry)
        if qty > 0:
            self.open.append({"tag": order.tag, "side": order.side, "bar": i, "ts": ts, "price": price, "qty": qty,
                              "fee": fee})

    # bars

    def bar_price(self, order, bar):
        """(price, how far along the path) or None."""
        _, open_, high, low, close, _ = bar
        if order.limit is None:
            return open_, 0
        buy, limit = order.side == "buy", order.limit
        better = open_ <= limit if buy else open_ >= limit
        if self.model == "strict-cross":
            return (limit, 0) if (low < limit if buy else high > limit) else None
        if not (low <= limit if buy else high >= limit):
            return None
        price = (min if buy else max)(open_, limit)
        if better or self.model == "next-open":
            return price, 0
        first_low = close >= open_  # the path: open, low, high, close, or high before low
        if buy:
            return price, open_ - limit if first_low else (high - open_) + (high - limit)
        return price, (open_ - low) + (limit - low) if first_low else limit - open_

    def match_bar(self, i):
        bar = self.bars[i]
        left = self.costs.most(bar[5]) if self.costs.share is not None else None
        self.now = bar[0]
        for order in [o for o in self.orders if o.cancel is not None and o.cancel <= bar[0]]:
            self.end(order, "cancelled", i)
            self.settle(i)
        able = [o for o in self.orders if o.bar < i and (not self.costs.latency or o.ts + self.costs.latency <= bar[0])]
        found = [(self.bar_price(o, bar), o) for o in able]
        found = [(f, o) for f, o in found if f]
        if self.model == "path":
            found.sort(key=lambda pair: (pair[0][1], pair[1].number))
        for (price, _), order in found:
            qty = order.left if left is None else min(order.left, left)
            if qty <= 0:
                continue
            if left is not None:
                left -= qty
            fresh = i == order.bar + 1 or self.bars[i - 1][0] < order.ts + self.costs.latency * bool(self.costs.latency)
            fresh = fresh if self.costs.latency else i == order.bar + 1
            taker = order.limit is None or (fresh and order.reaches(bar[1]))
            self.fill(order, qty, self.slip(order, price) if taker else price, not taker, i, bar[0])

    # recorded trades: (ts, price, qty, sold)

    def match_tape(self, i):
        end = self.bars[i][0] + self.step
        while self.at < len(self.tape) and self.tape[self.at][0] < end:
            event = self.tape[self.at]
            self.at += 1
            here = [o for o in self.orders if o.ts + self.costs.latency <= event[0]]
            self.on_trade(i, here, *event)

    def on_trade(self, i, here, ts, price, qty, sold):
        for order in [o for o in here if o.limit is None and o.left > 0]:
            part = order.left if self.costs.share is None else min(order.left, self.costs.most(qty))
            if part > 0:
                self.fill(order, part, self.slip(order, price), False, i, ts)
        left = self.costs.most(qty)
        for side in ("buy", "sell"):
            line = [o for o in here if o.limit is not None and o.side == side and o.left > 0]
            for order in sorted(line, key=lambda o: (-o.limit if side == "buy" else o.limit, o.number)):
                through = price < order.limit if side == "buy" else price > order.limit
                part = min(order.left, left)
                order.first |= through
                if through and part > 0:
                    left -= part
                    self.fill(order, part, order.limit, True, i, ts)
        # At the price nobody knows the queue, unless the market has been beyond it: then it is gone.
        for order in [o for o in here if o.limit == price and o.left > 0 and o.first]:
            part = min(order.left, left)
            if order.side == ("buy" if sold else "sell") and part > 0:
                left -= part
                self.fill(order, part, order.limit, True, i, ts)

    # the clock

    def match(self, i):
        self.bought, self.sold = set(), set()
        if self.model == "trades":
            self.match_tape(i)
        else:
            self.match_bar(i)
        self.equity.append((i, self.bars[i][0], self.cash + self.position * self.bars[i][4]))

    def go(self, strategy):
        for i in range(len(self.bars)):
            self.match(i)
            self.decide(i, strategy)
        return self

    def decide(self, i, strategy):
        self.now = self.bars[i][0] + self.step
        if i >= 1:
            strategy(self, i)
            self.settle(i)


def take(fee, part, whole):
    """The part's share of a fee: the last part takes what is left."""
    if part == whole:
        return fee
    return (fee / (whole / LOT)).quantize(D("1e-18"), ROUND_DOWN) * (part / LOT)


def sma_cross(bars, fast, slow, direction="long"):
    """As reference.py's, and on the short side."""
    closes = [bar[4] for bar in bars]

    def mean_order(i):
        a = sum(closes[i - fast + 1:i + 1]) * slow
        b = sum(closes[i - slow + 1:i + 1]) * fast
        return (a > b) - (a < b)

    def close(run, i):
        if i < slow:
            return
        before, now = mean_order(i - 1), mean_order(i)
        if before <= 0 and now > 0 or before >= 0 and now < 0:
            sign = 1 if now > 0 else -1
            if direction == ("long" if sign < 0 else "short"):
                run.want(D(0))
            elif run.position * sign <= 0:
                run.want(sign * run.size(closes[i]))
    return close


def rsi(bars, period, buy_below, sell_above):
    line = reference.rsi_line([bar[4] for bar in bars], period)

    def close(run, i):
        if line[i] is None:
            return
        if run.position == 0 and line[i] < buy_below:
            run.want(run.size(bars[i][4]))
        elif run.position > 0 and line[i] > sell_above:
            run.want(D(0))
    return close


def strategy_of(name, bars, params):
    if name == "grid_lines":
        return reference.grid_lines([bar[:5] for bar in bars], **params)
    return {"sma_cross": sma_cross, "rsi": rsi}[name](bars, **params)


def bars_of_trades(tape, step):
    bars = []
    for ts, price, qty, _ in tape:
        start = ts - ts % step
        qty = int(qty / LOT) * LOT
        if not bars or bars[-1][0] != start:
            bars.append([start, price, price, price, price, qty])
        else:
            bar = bars[-1]
            bar[2], bar[3], bar[4], bar[5] = max(bar[2], price), min(bar[3], price), price, bar[5] + qty
    return [tuple(bar) for bar in bars]


def portfolio(books, strategies, cash, shared):
    """On one clock: all bars that close at an instant are matched, then all strategies decide."""
    cash = D(cash)
    if shared:
        for own in books:
            own.account = lambda: cash + sum(b.cash - b.start for b in books)
    closes = sorted({bar[0] + b.step for b in books for bar in b.bars})
    at = [0] * len(books)
    equity, last = [], [b.start for b in books]
    step = min(b.step for b in books)
    for row, now in enumerate(closes):
        due = [n for n, b in enumerate(books) if at[n] < len(b.bars) and b.bars[at[n]][0] + b.step == now]
        for n in due:
            books[n].match(at[n])
            last[n] = books[n].equity[-1][2]
        equity.append((row, now - step, sum(last)))
        for n in due:
            books[n].decide(at[n], strategies[n])
            at[n] += 1
    return equity
