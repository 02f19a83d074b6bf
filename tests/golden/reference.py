"""The next-open rules of docs/backtest.md, written a second time: plain Python, one bar after the
other, exact decimals, nothing shared with Flotilla. Slow and meant to be read."""
import math
from decimal import Decimal as D, getcontext

getcontext().prec = 60
LOT = D("0.000001")


class Order:
    def __init__(self, side, qty, limit, tag, placed):
        self.side, self.qty, self.limit, self.tag, self.placed = side, qty, limit, tag, placed


class Run:
    """Cash, position and orders; a strategy's close(i) is called after bar i was matched."""

    def __init__(self, bars, cash, fee, sizing):
        self.bars, self.cash, self.fee, self.sizing = bars, D(cash), D(fee), sizing
        self.position = D(0)
        self.orders, self.fills, self.trades, self.equity = [], [], [], []
        self.open = {}  # tag -> the entry's fill
        self.bought, self.sold = set(), set()  # tags filled during this bar

    def place(self, side, qty, limit, tag, i):
        if qty > 0:
            self.orders.append(Order(side, qty, limit, tag, i))
        return qty > 0

    def size(self, close):
        kind, value = self.sizing
        if kind == "qty":
            return D(value)
        stake = math.floor(float(value) / 100 * float(self.cash) / float(close) * 1e6)
        return stake * LOT if stake > 0 else D(0)

    def price(self, order, bar):
        _, open_, high, low = bar[:4]
        if order.limit is None:
            return open_
        if order.side == "buy":
            return min(open_, order.limit) if low <= order.limit else None
        return max(open_, order.limit) if high >= order.limit else None

    def book(self, order, price, i):
        fee = self.fee * order.qty * price
        sign = 1 if order.side == "buy" else -1
        self.position += sign * order.qty
        self.cash -= sign * order.qty * price + fee
        fill = (i, self.bars[i][0], order.side, price, order.qty, fee, self.cash, self.position, order.tag)
        self.fills.append(fill)
        (self.bought if order.side == "buy" else self.sold).add(order.tag)
        if order.side == "buy":
            self.open[order.tag] = fill
            return
        entry = self.open.pop(order.tag)
        fees = entry[5] + fee
        pnl = order.qty * (price - entry[3]) - fees
        self.trades.append((order.tag, entry[0], entry[1], entry[3], i, self.bars[i][0], price, order.qty, fees, pnl))

    def go(self, strategy):
        for i, bar in enumerate(self.bars):
            self.bought, self.sold = set(), set()
            rest = []
            for order in self.orders:
                price = self.price(order, bar)
                if price is None:
                    rest.append(order)
                else:
                    self.book(order, price, i)
            self.orders = rest
            self.equity.append((i, bar[0], self.cash + self.position * bar[4]))
            if i >= 1:
                strategy(self, i)
        return self


def sma_cross(bars, fast, slow):
    closes = [bar[4] for bar in bars]

    def mean_order(i):  # the sign of sma(fast) - sma(slow) at bar i, exactly
        a = sum(closes[i - fast + 1:i + 1]) * slow
        b = sum(closes[i - slow + 1:i + 1]) * fast
        return (a > b) - (a < b)

    def close(run, i):
        if i < slow:
            return
        before, now = mean_order(i - 1), mean_order(i)
        if run.position == 0 and before <= 0 and now > 0:
            run.place("buy", run.size(closes[i]), None, "position", i)
        elif run.position > 0 and before >= 0 and now < 0:
            run.place("sell", run.position, None, "position", i)
    return close


def rsi_line(closes, period):
    out = [None] * len(closes)
    gain = loss = 0.0
    for i in range(1, len(closes)):
        change = float(closes[i] - closes[i - 1])
        up, down = max(change, 0.0), max(-change, 0.0)
        if i <= period:
            gain += up / period
            loss += down / period
        else:
            gain = (gain * (period - 1) + up) / period
            loss = (loss * (period - 1) + down) / period
        if i >= period:
            out[i] = 100 * gain / (gain + loss) if gain + loss >= 1e-14 else 0.0  # as TA-Lib
    return out


def rsi(bars, period, buy_below, sell_above):
    line = rsi_line([bar[4] for bar in bars], period)

    def close(run, i):
        if line[i] is None:
            return
        if run.position == 0 and line[i] < buy_below:
            run.place("buy", run.size(bars[i][4]), None, "position", i)
        elif run.position > 0 and line[i] > sell_above:
            run.place("sell", run.position, None, "position", i)
    return close


def hold(bars):
    def close(run, i):
        if i == 1:
            run.place("buy", run.size(bars[i][4]), None, "position", i)
    return close


def grid_lines(bars, lower, step, lines):
    lower, step = D(lower), D(step)
    state = ["idle"] * (lines - 1)
    held = [D(0)] * (lines - 1)

    def close(run, i):
        for k in range(lines - 1):
            tag, line = "slot %d" % k, lower + k * step
            if state[k] == "selling" and tag in run.sold:
                state[k] = "idle"
            if state[k] == "idle" and line < bars[i][4]:
                held[k] = run.size(bars[i][4])
                if run.place("buy", held[k], line, tag, i):
                    state[k] = "buying"
            elif state[k] == "buying" and tag in run.bought:
                run.place("sell", held[k], line + step, tag, i)
                state[k] = "selling"
    return close


def run(bars, strategy, params, sizing, cash, fee):
    rules = {"sma_cross": sma_cross, "rsi": rsi, "hold": hold, "grid_lines": grid_lines}[strategy]
    return Run(bars, cash, fee, sizing).go(rules(bars, **params))
