(function () {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const series = data.series, summary = data.summary, count = series.ts.length;
  const byId = id => document.getElementById(id);
  const metrics = {};
  for (const metric of data.metrics) metrics[metric.name] = metric;

  /* --- words and numbers: every text goes in as text, never as markup --- */
  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function add(parent, tag, className, text) { return parent.appendChild(element(tag, className, text)); }
  const finite = value => value !== null && value !== "" && Number.isFinite(Number(value));
  function digits(value, most, least) {
    return Number(value).toLocaleString("en-US", { maximumFractionDigits: most, minimumFractionDigits: least ?? most })
      .replace("-", "\u2212");
  }
  function money(value) {
    const size = Math.abs(value);
    return size >= 1 || size === 0 ? digits(value, 2) : digits(value, Math.min(12, 2 - Math.floor(Math.log10(size))), 2);
  }
  function price(value) {
    const size = Math.abs(value);
    return digits(value, size >= 1000 ? 2 : size >= 1 ? 4 : Math.min(12, 4 - Math.floor(Math.log10(size || 1))), 0);
  }
  function percent(value, signed) {
    const shown = Math.abs(value) >= 100 ? digits(value * 100, 0) : digits(value * 100, 2);
    return (signed && value > 0 ? "+" : "") + shown + "\u2009%";
  }
  function show(metric) {
    const value = metric.value;
    if (!finite(value)) return String(value);
    if (metric.name === "mdd_recovery_index" && Number(value) < 0) return "not yet";
    if (metric.kind === "percent") return percent(Number(value), false);
    if (metric.kind === "money") return money(Number(value));
    if (metric.kind === "count") return digits(value, 0);
    if (metric.kind === "hours") return digits(value, 2) + "\u2009h";
    return digits(value, Math.abs(value) >= 1000 ? 0 : 3, 0);
  }
  const sign = value => value > 0 ? "up" : value < 0 ? "down" : "";
  const two = value => String(value).padStart(2, "0");
  function time(ms, days) {
    const text = new Date(ms).toISOString();
    return days ? text.slice(0, 10) : text.slice(0, 10) + " " + text.slice(11, text.endsWith("00.000Z") ? 16 : 19);
  }
  function span(hours) {
    return hours < 1 ? digits(hours * 60, 0) + " min" : hours < 48 ? digits(hours, 1) + " h" : digits(hours / 24, 1) + " d";
  }
  const stepMs = count > 1 ? (data.lastTs - series.ts[0]) / Math.max(1, data.bars - 1) : 0;
  const daily = stepMs >= 43200000;
  /* A setting: in the summary or in its `config`. */
  const setting = name => summary[name] ?? (summary.config || {})[name];
  const wordOf = value => typeof value === "string" ? value
    : value && typeof value === "object" && typeof value.name === "string" ? value.name : "";

  /* --- head --- */
  function head() {
    const strategy = wordOf(setting("strategy")) || "Backtest", what = wordOf(summary.data) || wordOf(setting("instrument"));
    const facts = byId("facts");
    byId("title").textContent = what ? strategy + " on " + what : strategy;
    document.title = byId("title").textContent + " \u00b7 backtest";
    add(facts, "span", "", time(series.ts[0], daily) + " \u2013 " + time(data.lastTs, daily) + " UTC");
    add(facts, "span", "", digits(data.bars, 0) + " bars");
    if (wordOf(setting("fill"))) add(facts, "span", "", "fills: " + wordOf(setting("fill")));
    if (finite(setting("fee"))) add(facts, "span", "", "fee " + percent(Number(setting("fee"))));
    if (finite(setting("cash"))) add(facts, "span", "", "cash " + money(Number(setting("cash"))));
    const told = [].concat(summary.notes || [], summary.warnings || []);
    for (const note of told) add(byId("notes"), "p", "note", typeof note === "string" ? note : JSON.stringify(note));
  }
  function kpi(label, text, className, below, title) {
    const box = add(byId("kpis"), "div", "kpi");
    add(box, "h3", "", label);
    add(box, "p", className, text);
    add(box, "small", "", below || "\u00a0");
    if (title) box.title = title;
  }
  function figure(name, label, signed, below) {
    const metric = metrics[name];
    if (!metric) return;
    const value = Number(metric.value);
    kpi(label, metric.kind === "percent" ? percent(value, signed) : show(metric), signed ? sign(value) : "", below,
      metric.formula + "\n" + metric.value);
  }
  const closes = series.close, firstClose = closes[0], lastClose = closes[count - 1];
  const held = data.priced && firstClose > 0 ? lastClose / firstClose - 1 : null;
  function kpis() {
    const first = Number(series.equity[0]), last = Number(series.equity[count - 1]);
    const total = metrics.total_return ? Number(metrics.total_return.value) : last / first - 1;
    kpi("Return", percent(total, true), sign(total), money(first) + " \u2192 " + money(last),
      metrics.total_return ? metrics.total_return.formula + "\n" + metrics.total_return.value : "");
    if (held !== null) kpi("Holding", percent(held, true), sign(held), total > held ? "beaten" : total < held ? "not beaten" : "equal");
    figure("cagr_clock", "CAGR", true, "a year");
    figure("sharpe_ann_rf0", "Sharpe", false, metrics.sortino_ann_mar0 ? "Sortino " + show(metrics.sortino_ann_mar0) : "");
    figure("max_drawdown", "Max drawdown", true, metrics.calmar_periods ? "Calmar " + show(metrics.calmar_periods) : "");
    kpi("Trades", digits(data.tradeCount, 0), "", metrics.win_rate ? show(metrics.win_rate) + " won" : digits(data.fillCount, 0) + " fills");
    figure("total_fees", "Fees", false, digits(data.fillCount, 0) + " fills");
    figure("exposure_fraction", "In the market", false, "of all bars");
  }

  /* --- charts --- */
  const equity = series.equity.map(Number);
  const hold = closes.map(value => held === null || value === null ? null : equity[0] * value / firstClose);
  function exposed(position) {
    return position.map((value, i) => closes[i] === null || !(equity[i] > 0) ? null : value * closes[i] / equity[i]);
  }
  const exposureA = exposed(series.positionMin), exposureB = exposed(series.positionMax);
  const exposureMin = exposureA.map((value, i) => value === null ? null : Math.min(value, exposureB[i]));
  const exposureMax = exposureA.map((value, i) => value === null ? null : Math.max(value, exposureB[i]));
  function bucketOf(bar) {
    let low = 0, high = count;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (series.bar[middle] <= bar) low = middle; else high = middle;
    }
    return low;
  }
  const listed = data.fillCount === data.fills.length;
  const marks = listed
    ? data.fills.map(f => ({ at: bucketOf(Number(f[0])), buy: f[2] === "buy", n: 1, price: Number(f[3]), qty: f[4], tag: f[7] }))
    : data.marks.map(m => ({ at: m[0], buy: m[1] === "buy", n: m[2], price: m[3] }));
  const links = data.trades.map(t => ({ from: bucketOf(Number(t[1])), to: bucketOf(Number(t[4])), a: Number(t[3]), b: Number(t[6]), gain: Number(t[9]) > 0 }));

  const view = { from: 0, to: Math.max(1, count - 1), cross: -1, drag: null, log: false };
  const colors = {};
  function readColors() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["panel", "line", "strong", "grid", "text", "dim", "accent", "link", "up", "down"])
      colors[name] = style.getPropertyValue("--" + name).trim();
  }
  const MARGIN = { right: 66, bottom: 19, top: 10 };
  const panes = [];
  function pane(options) {
    const box = add(byId("panes"), "div", "pane " + options.size), heading = add(box, "h3"), canvas = add(box, "canvas");
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", options.title);
    const made = Object.assign({ canvas, heading }, options);
    panes.push(made);
    pointer(made);
  }
  function range(p) {
    const from = Math.max(0, Math.floor(view.from)), to = Math.min(count - 1, Math.ceil(view.to));
    let low = Infinity, high = -Infinity;
    for (const line of p.bounds)
      for (let i = from; i <= to; i++)
        if (line[i] !== null) { low = Math.min(low, line[i]); high = Math.max(high, line[i]); }
    if (p.zero) { low = Math.min(low, 0); high = Math.max(high, 0); }
    if (!(low < high)) { const middle = Number.isFinite(low) ? low : 0; low = middle - (Math.abs(middle) || 1) * .01; high = middle + (Math.abs(middle) || 1) * .01; }
    const log = p.log && view.log && low > 0;
    const a = log ? Math.log(low) : low, b = log ? Math.log(high) : high, room = (b - a) * .05;
    return { log, low: p.zero && low === 0 ? a : a - room, high: p.zero && high === 0 ? b : b + room };
  }
  function ticks(scale, height) {
    const wanted = Math.max(3, Math.floor(height / 46)), list = [];
    const low = scale.log ? Math.exp(scale.low) : scale.low, high = scale.log ? Math.exp(scale.high) : scale.high;
    if (scale.log && high / low > 8) {
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++)
        for (const step of high / low > 300 ? [1] : [1, 2, 5])
          if (step * 10 ** power >= low && step * 10 ** power <= high) list.push(step * 10 ** power);
      return list;
    }
    const raw = (high - low) / wanted, unit = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].find(n => n * unit >= raw) * unit;
    for (let n = Math.ceil(low / step); n * step <= high; n++) list.push(n * step);
    return list;
  }
  const MINUTE = 60000, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MONTH = 30.44 * DAY;
  const UNITS = [[MINUTE, 1], [MINUTE, 5], [MINUTE, 15], [MINUTE, 30], [HOUR, 1], [HOUR, 3], [HOUR, 6], [HOUR, 12],
    [DAY, 1], [DAY, 2], [DAY, 7], [DAY, 14], [MONTH, 1], [MONTH, 3], [MONTH, 6], [MONTH, 12], [MONTH, 24], [MONTH, 60], [MONTH, 120]];
  /* Which period of the unit a time is in: a label stands where it changes. */
  function period(ms, [unit, step]) {
    if (unit < MONTH) return Math.floor(ms / unit / step);
    const date = new Date(ms);
    return Math.floor((date.getUTCFullYear() * 12 + date.getUTCMonth()) / step);
  }
  function timeLabel(ms, unit, newYear) {
    const date = new Date(ms), month = date.toLocaleString("en-US", { month: "short", timeZone: "UTC" });
    if (unit === MONTH) return !newYear ? month : date.getUTCMonth() === 0 ? String(date.getUTCFullYear()) : month + " " + date.getUTCFullYear();
    const day = month + " " + date.getUTCDate() + (newYear ? ", " + date.getUTCFullYear() : "");
    return unit === DAY || ms % DAY < unit ? day : date.toISOString().slice(11, 16);
  }
  function timeTicks(width, x) {
    const from = Math.max(0, Math.ceil(view.from)), to = Math.min(count - 1, Math.floor(view.to)), list = [];
    const wide = series.ts[to] - series.ts[from], room = Math.max(1, width / 84);
    const unit = UNITS.find(([ms, step]) => wide / (ms * step) <= room) || UNITS[UNITS.length - 1];
    let lastX = -100, lastYear = "", before = from > 0 ? period(series.ts[from - 1], unit) : period(series.ts[from], unit);
    for (let i = from; i <= to; i++) {
      const here = period(series.ts[i], unit);
      if (here === before) continue;
      before = here;
      if (x(i) - lastX < 58 || x(i) > width - 30) continue;
      const year = time(series.ts[i]).slice(0, 4);
      list.push({ i, label: timeLabel(series.ts[i], unit[0], year !== lastYear) });
      lastX = x(i); lastYear = year;
    }
    return list;
  }
  function prepare(p) {
    const ratio = window.devicePixelRatio || 1, width = p.canvas.clientWidth, height = p.canvas.clientHeight;
    if (p.canvas.width !== Math.round(width * ratio) || p.canvas.height !== Math.round(height * ratio)) {
      p.canvas.width = Math.round(width * ratio);
      p.canvas.height = Math.round(height * ratio);
    }
    const g = p.canvas.getContext("2d"), scale = range(p);
    const right = width - MARGIN.right, bottom = height - MARGIN.bottom;
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    const x = i => (i - view.from) / (view.to - view.from) * right;
    const y = v => bottom - ((scale.log ? Math.log(v) : v) - scale.low) / (scale.high - scale.low) * (bottom - MARGIN.top);
    return { g, x, y, width, height, right, bottom, scale, from: Math.max(0, Math.floor(view.from)), to: Math.min(count - 1, Math.ceil(view.to)) };
  }
  function axes(p, c) {
    const g = c.g;
    g.font = "11px " + getComputedStyle(document.body).fontFamily;
    g.lineWidth = 1;
    g.textBaseline = "middle";
    for (const value of ticks(c.scale, c.bottom - MARGIN.top)) {
      const at = Math.round(c.y(value)) + .5;
      g.strokeStyle = p.zero && value === 0 ? colors.strong : colors.grid;
      g.beginPath(); g.moveTo(0, at); g.lineTo(c.right, at); g.stroke();
      g.fillStyle = colors.dim;
      g.fillText(p.label(value), c.right + 8, Math.min(Math.max(at, 6), c.bottom - 4));
    }
    g.textBaseline = "alphabetic";
    for (const tick of timeTicks(c.right, c.x)) {
      const at = Math.round(c.x(tick.i)) + .5;
      g.strokeStyle = colors.grid;
      g.beginPath(); g.moveTo(at, MARGIN.top); g.lineTo(at, c.bottom); g.stroke();
      g.fillStyle = colors.dim;
      g.fillText(tick.label, at + 3, c.height - 5);
    }
  }
  function line(c, values, color, width) {
    const g = c.g;
    let open = false;
    g.beginPath();
    for (let i = c.from; i <= c.to; i++) {
      if (values[i] === null) { open = false; continue; }
      if (open) g.lineTo(c.x(i), c.y(values[i])); else g.moveTo(c.x(i), c.y(values[i]));
      open = true;
    }
    g.strokeStyle = color; g.lineWidth = width; g.lineJoin = "round";
    g.stroke();
  }
  function band(c, low, high, color, alpha, step) {
    const g = c.g, points = [];
    for (let i = c.from; i <= c.to; i++)
      if (low[i] !== null && high[i] !== null) points.push(i);
    if (!points.length) return;
    g.beginPath();
    for (const i of points) {
      g.lineTo(c.x(i), c.y(high[i]));
      if (step) g.lineTo(c.x(i + 1), c.y(high[i]));
    }
    for (const i of points.reverse()) {
      if (step) g.lineTo(c.x(i + 1), c.y(low[i]));
      g.lineTo(c.x(i), c.y(low[i]));
    }
    g.closePath();
    g.globalAlpha = alpha; g.fillStyle = color; g.fill(); g.globalAlpha = 1;
  }
  function candles(c, wide) {
    const g = c.g, body = Math.max(1, Math.min(14, Math.floor(wide * .66)));
    for (let i = c.from; i <= c.to; i++) {
      if (closes[i] === null) continue;
      const at = c.x(i), rises = closes[i] >= series.open[i];
      const top = c.y(Math.max(closes[i], series.open[i])), foot = c.y(Math.min(closes[i], series.open[i]));
      g.fillStyle = rises ? colors.up : colors.down;
      g.globalAlpha = .55;
      g.fillRect(at - .5, c.y(series.high[i]), 1, Math.max(1, c.y(series.low[i]) - c.y(series.high[i])));
      g.fillRect(at - body / 2, top, body, Math.max(1, foot - top));
    }
    g.globalAlpha = 1;
  }
  function drawLinks(c) {
    const g = c.g, seen = links.filter(l => l.to >= c.from && l.from <= c.to);
    if (seen.length > 400) return;
    g.lineWidth = 1.25; g.setLineDash([4, 3]); g.globalAlpha = .8;
    for (const l of seen) {
      g.strokeStyle = l.gain ? colors.up : colors.down;
      g.beginPath(); g.moveTo(c.x(l.from), c.y(l.a)); g.lineTo(c.x(l.to), c.y(l.b)); g.stroke();
    }
    g.setLineDash([]); g.globalAlpha = 1;
  }
  function drawMarks(c) {
    const g = c.g, seen = marks.filter(m => m.at >= c.from && m.at <= c.to);
    const room = c.right / Math.max(1, seen.length);
    if (room < 2) { /* a crowd: points, with the price seen through them */
      g.globalAlpha = .55;
      for (const m of seen) { g.fillStyle = m.buy ? colors.up : colors.down; g.fillRect(c.x(m.at) - 1, c.y(m.price) + (m.buy ? 5 : -7), 2, 2); }
      g.globalAlpha = 1;
      return;
    }
    const size = Math.max(2.5, Math.min(6, room * .8));
    g.lineWidth = size > 3.5 ? 1.5 : 0;
    g.strokeStyle = colors.panel;
    for (const m of seen) {
      const at = c.x(m.at), y = c.y(m.price), d = (m.buy ? 1 : -1) * size, away = (m.buy ? 1 : -1) * 2;
      g.fillStyle = m.buy ? colors.up : colors.down;
      g.globalAlpha = size > 3 ? 1 : .75;
      g.beginPath(); g.moveTo(at, y + away); g.lineTo(at - size, y + away + d * 1.6); g.lineTo(at + size, y + away + d * 1.6); g.closePath();
      if (g.lineWidth > 0 && size > 3.5) g.stroke();
      g.fill();
    }
    g.globalAlpha = 1;
  }
  function cross(p, c) {
    const g = c.g, i = view.cross;
    if (view.drag && view.drag.to !== null) {
      g.fillStyle = colors.accent; g.globalAlpha = .14;
      g.fillRect(Math.min(view.drag.from, view.drag.to), 0, Math.abs(view.drag.to - view.drag.from), c.bottom);
      g.globalAlpha = 1;
    }
    if (i < 0 || i < view.from || i > view.to) return;
    const at = Math.round(c.x(i)) + .5;
    g.strokeStyle = colors.dim; g.lineWidth = 1; g.setLineDash([3, 3]);
    g.beginPath(); g.moveTo(at, 0); g.lineTo(at, c.bottom); g.stroke(); g.setLineDash([]);
    const value = p.value[i];
    if (value === null) return;
    g.fillStyle = p.color(); g.beginPath(); g.arc(at, c.y(value), 3.5, 0, 7); g.fill();
  }
  function drawPane(p) {
    const c = prepare(p);
    axes(p, c);
    c.g.save(); c.g.beginPath(); c.g.rect(0, 0, c.right, c.bottom); c.g.clip();
    p.draw(c);
    c.g.restore();
    cross(p, c);
    p.legend(p.heading, view.cross >= 0 ? view.cross : -1);
  }
  function entry(parent, className, text, mark) {
    const made = add(parent, "span", className);
    if (mark) { add(made, "i", ""); }
    made.append(text);
  }
  function readout() {
    const i = view.cross, out = byId("readout");
    out.textContent = "";
    if (i < 0) return;
    const bars = (i + 1 < count ? series.bar[i + 1] : data.bars) - series.bar[i];
    add(out, "span", "", time(series.ts[i], daily) + " \u00b7 bar " + digits(series.bar[i], 0) + (bars > 1 ? "\u2013" + digits(series.bar[i] + bars - 1, 0) : ""));
    const here = marks.filter(m => m.at === i).slice(0, 3);
    for (const m of here)
      add(out, "span", m.buy ? "up" : "down", " \u00b7 " + (m.n > 1 ? m.n + " \u00d7 " : "") + (m.buy ? "buy" : "sell") + (m.qty ? " " + m.qty : "") + " @ " + (m.n > 1 ? "mean " : "") + price(m.price) + (m.tag ? " (" + m.tag + ")" : ""));
  }
  let asked = false;
  function redraw() {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      panes.forEach(drawPane);
      readout();
      byId("all").disabled = view.from === 0 && view.to === Math.max(1, count - 1);
    });
  }
  function zoom(from, to) {
    const least = Math.min(8, Math.max(1, count - 1)), middle = (from + to) / 2;
    if (to - from < least) { from = middle - least / 2; to = middle + least / 2; }
    view.from = Math.max(0, from);
    view.to = Math.min(Math.max(1, count - 1), to);
    redraw();
  }
  function pointer(p) {
    const canvas = p.canvas;
    const at = event => Math.min(Math.max(0, event.clientX - canvas.getBoundingClientRect().left), canvas.clientWidth - MARGIN.right);
    const index = px => view.from + px / (canvas.clientWidth - MARGIN.right) * (view.to - view.from);
    canvas.addEventListener("pointermove", event => {
      view.cross = Math.min(count - 1, Math.round(index(at(event))));
      if (view.drag) view.drag.to = at(event);
      redraw();
    });
    canvas.addEventListener("pointerdown", event => {
      if (event.pointerType === "mouse" && event.button === 0) { view.drag = { from: at(event), to: null }; canvas.setPointerCapture(event.pointerId); }
    });
    canvas.addEventListener("pointerup", () => {
      const drag = view.drag;
      view.drag = null;
      if (drag && drag.to !== null && Math.abs(drag.to - drag.from) > 6) zoom(index(Math.min(drag.from, drag.to)), index(Math.max(drag.from, drag.to)));
      else redraw();
    });
    canvas.addEventListener("pointerleave", () => { if (!view.drag) { view.cross = -1; redraw(); } });
    canvas.addEventListener("dblclick", () => zoom(0, count - 1));
    canvas.addEventListener("keydown", event => {
      const step = Math.max(1, Math.round((view.to - view.from) / 100)), wide = view.to - view.from;
      const middle = view.cross < 0 ? (view.from + view.to) / 2 : view.cross;
      if (event.key === "ArrowLeft" || event.key === "ArrowRight")
        view.cross = Math.min(count - 1, Math.max(0, Math.round(middle) + (event.key === "ArrowLeft" ? -step : step)));
      else if (event.key === "+" || event.key === "=") zoom(middle - wide / 4, middle + wide / 4);
      else if (event.key === "-") zoom(middle - wide, middle + wide);
      else if (event.key === "Escape") view.cross = -1;
      else return;
      event.preventDefault();
      redraw();
    });
  }
  function charts() {
    const prices = data.priced;
    if (prices) pane({
      title: "Price with fills", size: "big", log: true, bounds: [series.low, series.high], value: closes, label: price, color: () => colors.link,
      draw(c) {
        const wide = c.right / (view.to - view.from);
        if (wide >= 4) candles(c, wide);
        else { band(c, series.low, series.high, colors.link, .22); line(c, closes, colors.link, 1.4); }
        drawLinks(c);
        drawMarks(c);
      },
      legend(title, i) {
        title.textContent = "Price";
        entry(title, "c-price", i < 0 ? "close" : price(closes[i]), true);
        if (i >= 0) entry(title, "", "O " + price(series.open[i]) + "  H " + price(series.high[i]) + "  L " + price(series.low[i]));
        else { entry(title, "up", "\u25b2 buy"); entry(title, "down", "\u25bc sell"); }
      }
    });
    pane({
      title: "Equity against holding", size: "mid", log: true, bounds: [series.equityMin, series.equityMax, hold], value: equity, label: v => Math.abs(v) >= 1e6 ? digits(v / 1e6, 2, 0) + "M" : digits(v, Math.abs(v) < 100 ? 2 : 0, 0), color: () => colors.accent,
      draw(c) {
        line(c, hold, colors.dim, 1.2);
        band(c, series.equityMin, series.equityMax, colors.accent, .25);
        line(c, equity, colors.accent, 1.8);
      },
      legend(title, i) {
        title.textContent = "Equity";
        entry(title, "c-equity", i < 0 ? "this run" : money(equity[i]), true);
        if (prices) entry(title, "c-hold", i < 0 ? "holding, all of the first equity" : "holding " + money(hold[i]), true);
      }
    });
    pane({
      title: "Drawdown", size: "", zero: true, bounds: [series.drawdown], value: series.drawdown, label: v => digits(v * 100, 1, 0) + "\u2009%", color: () => colors.down,
      draw(c) { band(c, series.drawdown, series.drawdown.map(() => 0), colors.down, .3); line(c, series.drawdown, colors.down, 1.2); },
      legend(title, i) { title.textContent = "Drawdown"; if (i >= 0) entry(title, "down", percent(series.drawdown[i])); }
    });
    if (prices) pane({
      title: "Exposure", size: "", zero: true, bounds: [exposureMin, exposureMax], value: exposureMax, label: v => digits(v * 100, 1, 0) + "\u2009%", color: () => colors.link,
      draw(c) { band(c, exposureMin.map(v => v === null ? null : Math.min(0, v)), exposureMax.map(v => v === null ? null : Math.max(0, v)), colors.link, .35, true); },
      legend(title, i) { title.textContent = "Exposure"; entry(title, "", i < 0 || exposureMax[i] === null ? "position at the close / equity" : percent(exposureMax[i])); }
    });
    const top = Math.max(...equity), low = Math.min(...series.equityMin);
    view.log = low > 0 && top / low > 6;
    byId("scale").setAttribute("aria-pressed", view.log);
    if (data.bars > count) byId("thinned").textContent = "Each of " + digits(count, 0) + " points stands for up to " + digits(Math.ceil(data.bars / count), 0) + " bars with their extremes.";
    if (!prices) byId("thinned").append(" Price and exposure need the candles: make the report with --data.");
  }

  /* --- tables --- */
  function heat() {
    if (!data.months.length) { byId("months-card").hidden = true; return; }
    const table = add(byId("months"), "table", "heat"), top = add(add(table, "thead"), "tr"), body = add(table, "tbody");
    for (const name of ["", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Year"]) add(top, "th", "", name);
    const sizes = data.months.map(m => Math.abs(m.return || 0)).sort((a, b) => a - b);
    const most = Math.max(.001, sizes[Math.floor((sizes.length - 1) * .9)]);
    function cell(row, value, title, className) {
      const made = add(row, "td", className + (value > 0 ? " gain" : value < 0 ? " loss" : ""), value === null ? "" : (value > 0 ? "+" : "") + digits(value * 100, Math.abs(value) >= 1 ? 0 : 1));
      if (value) made.style.setProperty("--heat", String(Math.round(8 + 42 * Math.min(1, Math.abs(value) / most))));
      if (title) made.title = title;
    }
    for (let year = data.months[0].year; year <= data.months[data.months.length - 1].year; year++) {
      const row = add(body, "tr"), mine = data.months.filter(m => m.year === year);
      add(row, "th", "", String(year));
      for (let month = 1; month <= 12; month++) {
        const found = mine.find(m => m.month === month);
        if (found) cell(row, found.return, year + "-" + two(month) + ": " + found.first + " \u2192 " + found.last + "\nreturn " + found.return + ", fills " + found.fills + ", trades ended " + found.trades, "");
        else add(row, "td");
      }
      const first = mine.length ? Number(mine[0].first) : 0, last = mine.length ? Number(mine[mine.length - 1].last) : 0;
      cell(row, first > 0 ? last / first - 1 : null, "", "year");
    }
  }
  function figures() {
    const box = byId("metrics"), known = new Set(data.metrics.map(m => m.name)), list = data.metrics.slice();
    if (summary.metrics && typeof summary.metrics === "object")
      for (const [name, value] of Object.entries(summary.metrics))
        if (!known.has(name) && value !== null && typeof value !== "object") list.push({ group: "Other", name, label: name, kind: "plain", formula: "", value: String(value) });
    const groups = new Map();
    for (const metric of list) {
      if (!groups.has(metric.group)) {
        const made = add(box, "div");
        add(made, "h3", "", metric.group);
        groups.set(metric.group, made);
      }
      const row = add(groups.get(metric.group), "div", "row"), value = Number(metric.value);
      row.dataset.metric = metric.name;
      row.title = metric.name + " = " + metric.formula + "\n" + metric.value;
      add(row, "span", "", metric.label);
      add(row, "b", metric.group === "Return" && metric.kind === "percent" ? sign(value) : "", show(metric));
      const code = add(row, "code", "", metric.formula + " = ");
      add(code, "b", "", metric.value);
    }
    if (!list.length) add(box, "p", "dim", "No figures: the run has too few bars.");
  }
  function grid(parent, columns, rows, empty) {
    const table = add(parent, "table"), top = add(add(table, "thead"), "tr"), body = add(table, "tbody");
    let sorted = -1, rising = true, shown = 100, order = rows.slice();
    const more = add(parent, "button", "more", "");
    more.type = "button";
    function fill() {
      body.textContent = "";
      for (const row of order.slice(0, shown)) {
        const line = add(body, "tr");
        for (const column of columns) add(line, "td", column.className ? column.className(row) : "", column.text(row));
      }
      if (!rows.length) { const td = add(add(body, "tr"), "td", "none", empty); td.colSpan = columns.length; }
      more.hidden = order.length <= shown;
      more.textContent = "Show " + digits(Math.min(400, order.length - shown), 0) + " more";
    }
    more.addEventListener("click", () => { shown += 400; fill(); });
    columns.forEach((column, k) => {
      const th = add(top, "th"), button = add(th, "button", "", column.title);
      button.type = "button";
      button.addEventListener("click", () => {
        rising = sorted === k ? !rising : true;
        sorted = k;
        const key = column.key || column.text;
        order = rows.slice().sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (rising ? 1 : -1));
        [...top.children].forEach((other, n) => n === k ? other.setAttribute("aria-sort", rising ? "ascending" : "descending") : other.removeAttribute("aria-sort"));
        fill();
      });
    });
    fill();
  }
  /* Numbers one below the other have as many decimals each, at most `most`; trades.csv has all digits. */
  function column(k, most, signed) {
    const least = Math.max(0, ...data.trades.map(t => Math.min(most, (t[k].split(".")[1] || "").length)));
    return row => (signed && Number(row.t[k]) > 0 ? "+" : "") + digits(row.t[k], least);
  }
  function trades() {
    const rows = data.trades.map((t, i) => ({ i, t })), number = k => row => Number(row.t[k]);
    const tags = data.trades.some(t => t[0] !== "");
    const typical = rows.length ? rows.map(({ t }) => Math.abs(t[9])).sort((a, b) => a - b)[rows.length >> 1] : 1;
    const cents = typical >= 1 || typical === 0 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(typical)));
    const columns = [
      { title: "#", text: row => String(row.i + 1), key: row => row.i },
      ...(tags ? [{ title: "Tag", text: row => row.t[0] }] : []),
      { title: "Entry", text: row => time(Number(row.t[2]), daily), key: number(2) },
      { title: "Price", text: column(3, 12), key: number(3) },
      { title: "Exit", text: row => time(Number(row.t[5]), daily), key: number(5) },
      { title: "Price", text: column(6, 12), key: number(6) },
      { title: "Held", text: row => span((row.t[5] - row.t[2]) / 3600000), key: row => row.t[5] - row.t[2] },
      { title: "Quantity", text: column(7, 12), key: number(7) },
      { title: "Fees", text: column(8, cents), key: number(8) },
      { title: "Profit, net", text: column(9, cents, true), key: number(9), className: row => sign(Number(row.t[9])) },
      { title: "Of cost", text: row => percent(row.t[9] / (row.t[3] * row.t[7]), true), key: row => row.t[9] / (row.t[3] * row.t[7]), className: row => sign(Number(row.t[9])) }
    ];
    const note = byId("trades-note");
    if (data.tradeCount > rows.length) note.append("the first " + digits(rows.length, 0) + " of " + digits(data.tradeCount, 0) + "; all of them are in ");
    else note.append(digits(data.tradeCount, 0) + " closed, also in ");
    const link = add(note, "a", "", "trades.csv");
    link.href = "trades.csv";
    grid(byId("trades"), columns, rows, data.fillCount ? "No trade was closed: a position open at the end is none." : "No trade: the strategy never ordered anything that filled.");
  }
  function instruments() {
    if (Array.isArray(summary.instruments) && summary.instruments.length && summary.instruments.every(i => i && typeof i === "object")) {
      const keys = [...new Set(summary.instruments.flatMap(i => Object.keys(i)))].filter(k => summary.instruments.every(i => typeof i[k] !== "object" || i[k] === null));
      return grid(byId("instruments"), keys.map(k => ({ title: k.replaceAll("_", " "), text: i => i[k] === undefined || i[k] === null ? "" : String(i[k]), key: i => finite(i[k]) ? Number(i[k]) : String(i[k]) })), summary.instruments, "");
    }
    const last = count - 1, position = series.positionMax[last];
    const row = [["Instrument", wordOf(setting("instrument")) || wordOf(summary.data) || "\u2013"],
      ["First close", data.priced ? price(firstClose) : "\u2013"], ["Last close", data.priced ? price(lastClose) : "\u2013"],
      ["Change", held === null ? "\u2013" : percent(held, true)], ["Fills", digits(data.fillCount, 0)], ["Closed trades", digits(data.tradeCount, 0)],
      ["Fees", metrics.total_fees ? show(metrics.total_fees) : "\u2013"], ["Position at the end", digits(position, 8, 0)]];
    grid(byId("instruments"), row.map(([title, text]) => ({ title, text: () => text })), [0], "");
  }
  function origin() {
    const box = byId("origin");
    function put(path, value, depth) {
      if (depth === 0 && ["metrics", "notes", "warnings", "instruments"].includes(path)) return;
      if (value && typeof value === "object" && !Array.isArray(value) && depth < 4) {
        for (const [key, inner] of Object.entries(value)) put(path ? path + "." + key : key, inner, depth + 1);
        return;
      }
      add(box, "dt", "", path);
      add(box, "dd", "", typeof value === "string" ? value : JSON.stringify(value));
    }
    for (const [key, value] of Object.entries(summary)) put(key, value, 0);
  }

  /* --- theme --- */
  function theme(name, keep) {
    document.documentElement.dataset.theme = name;
    if (keep) try { localStorage.setItem("flotilla-theme", name); } catch (error) { /* a page from a file may have no storage */ }
    readColors();
    redraw();
  }
  function firstTheme() {
    try { const kept = localStorage.getItem("flotilla-theme"); if (kept === "light" || kept === "dark") return kept; } catch (error) { /* as above */ }
    return matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  }
  theme(firstTheme(), false);
  head(); kpis(); charts(); heat(); figures(); trades(); instruments(); origin();
  byId("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "light" ? "dark" : "light", true));
  byId("all").addEventListener("click", () => zoom(0, count - 1));
  byId("scale").addEventListener("click", event => { view.log = !view.log; event.currentTarget.setAttribute("aria-pressed", view.log); redraw(); });
  byId("formulas").addEventListener("click", event => {
    const open = byId("metrics").classList.toggle("open");
    event.currentTarget.setAttribute("aria-pressed", open);
  });
  new ResizeObserver(redraw).observe(byId("panes"));
  redraw();
})();
