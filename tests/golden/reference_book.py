"""The rules of docs/backtest.md for recorded trades and quotes, `trades` and `book`, written a second time: one
event after the other, in plain Python and exact decimals. The accounts are those of reference_models.py."""
from decimal import Decimal as D

import reference_models as ref
from reference import LOT

FAR = 1 << 62


def whole(qty):
    return int(qty / LOT) * LOT


class Side:
    """The best price of one side as last shown, and what we took of it while its price stood."""

    def __init__(self):
        self.price, self.size, self.taken = None, D(0), D(0)

    def show(self, price, size):
        if price != self.price:
            self.taken = D(0)
        self.price, self.size = price, whole(size)


class Tape(ref.Books):
    """trades: (ts, price, qty, sold); quotes: (ts, bid, bid_qty, ask, ask_qty); queue: ahead of a limit order
    where no quote says it, None: not known."""

    def __init__(self, bars, step, tick, model, costs, cash, sizing, trades=(), quotes=(), queue=None):
        super().__init__(bars, step, tick, "trades", costs, cash, sizing)
        self.by_quotes, self.trade_rows, self.quote_rows = model == "book", trades, quotes
        self.queue = None if queue is None else D(queue)
        self.next_trade = self.next_quote = 0
        self.bid, self.ask = Side(), Side()

    # the order of events

    def due(self, order):
        """When it arrives, or when its cancel does."""
        if not getattr(order, "works", False):
            return order.ts + self.costs.latency
        return FAR if order.cancel is None else order.cancel

    def match_tape(self, i):
        end = self.bars[i][0] + self.step
        while True:
            first = min(self.orders, key=self.due, default=None)
            due = self.due(first) if first else FAR
            trade = self.trade_rows[self.next_trade][0] if self.next_trade < len(self.trade_rows) else FAR
            quote = self.quote_rows[self.next_quote][0] if self.next_quote < len(self.quote_rows) else FAR
            if min(due, trade, quote) >= end:
                return
            if due <= trade and due <= quote:
                self.now = due
                self.arrive(i, first, due)
            elif trade <= quote:
                self.next_trade += 1
                self.on_print(i, *self.trade_rows[self.next_trade - 1])
            else:
                self.next_quote += 1
                self.on_quote(i, *self.quote_rows[self.next_quote - 1])

    def working(self, side, limit=True):
        return [o for o in self.orders if getattr(o, "works", False) and o.side == side and (o.limit is not None) == limit]

    def line(self, side):
        """Ours that rest, by price, then by time."""
        return sorted(self.working(side), key=lambda o: (-o.limit if side == "buy" else o.limit, o.number))

    # arrivals

    def arrive(self, i, order, ts):
        if getattr(order, "works", False):
            self.end(order, "cancelled", i)
            self.settle(i)
            return
        order.works, order.ahead = True, self.queue
        if order.limit is not None:
            self.see_queue(order)
        if self.by_quotes:
            self.take(i, order, ts, maker=False)

    def see_queue(self, order):
        own = self.bid if order.side == "buy" else self.ask
        if own.price is None:
            return
        if order.limit > own.price if order.side == "buy" else order.limit < own.price:
            order.ahead = D(0)
        elif order.limit == own.price and (order.ahead is None or order.ahead > own.size):
            order.ahead = own.size

    # quotes

    def take(self, i, order, ts, maker):
        """What the other side shows and we have not taken yet, if the order accepts its price."""
        other = self.ask if order.side == "buy" else self.bid
        if other.price is None or not order.reaches(other.price):
            return False
        qty = min(order.left, min(other.size, self.costs.most(other.size)) - other.taken)
        if qty <= 0:
            return False
        other.taken += qty
        self.fill(order, qty, order.limit if maker else self.slip(order, other.price), maker, i, ts)
        return True

    def on_quote(self, i, ts, bid, bid_qty, ask, ask_qty):
        self.bid.show(bid, bid_qty)
        self.ask.show(ask, ask_qty)
        for side in ("buy", "sell"):
            for order in self.working(side):
                self.see_queue(order)
        if not self.by_quotes:
            return
        for order in [o for o in self.orders if o.limit is None and getattr(o, "works", False)]:
            self.take(i, order, ts, maker=False)
        for side in ("buy", "sell"):
            for order in self.line(side):
                if not self.take(i, order, ts, maker=True):
                    break

    # trades

    def on_print(self, i, ts, price, qty, sold):
        qty = whole(qty)
        share = self.costs.most(qty)
        if not self.by_quotes:
            for order in [o for o in self.orders if o.limit is None and getattr(o, "works", False)]:
                part = order.left if self.costs.share is None else min(order.left, share)
                if part > 0:
                    self.fill(order, part, self.slip(order, price), False, i, ts)
        left = share
        for side in ("buy", "sell"):
            for order in [o for o in self.line(side) if (o.limit > price if side == "buy" else o.limit < price)]:
                order.ahead = D(0)
                part = min(order.left, left)
                left -= part
                if part > 0:
                    self.fill(order, part, order.limit, True, i, ts)
        others = ours = D(0)  # of the print: what stood ahead of us, and what is ours
        for order in sorted(self.working("buy" if sold else "sell"), key=lambda o: o.number):
            if order.limit != price or order.ahead is None:
                continue
            others += min(max(order.ahead - others, D(0)), qty - others - ours)
            order.ahead = max(order.ahead - others, D(0))
            part = min(order.left, qty - others - ours, left)
            if order.ahead == 0 and part > 0:
                left -= part
                ours += part
                self.fill(order, part, order.limit, True, i, ts)


def bars_of_quotes(quotes, step, tick):
    """Of the middle of bid and ask, rounded down to the tick; no volume."""
    bars, tick = [], D(tick)
    for ts, bid, _, ask, _ in quotes:
        start, price = ts - ts % step, (bid + ask) / 2 // tick * tick
        if not bars or bars[-1][0] != start:
            bars.append([start, price, price, price, price, D(0)])
        else:
            bar = bars[-1]
            bar[2], bar[3], bar[4] = max(bar[2], price), min(bar[3], price), price
    return [tuple(bar) for bar in bars]
