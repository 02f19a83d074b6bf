/* How flotilla top looks: a head line, a body, a line of keys; each view clips to any size. */
#define FLT_MOD "cli"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/text.h"
#include "controller/cli/top.h"
#include "lib/json.h"

#define STALE_MS 5000
#define SAY_NS INT64_C(6000000000)
#define HEAD_ROWS 2 /* before the list: totals, titles */
#define FOOT_ROWS 1

size_t top_body_rows(const struct top *top)
{
    const size_t others = HEAD_ROWS + FOOT_ROWS;

    return top->screen.height > others ? top->screen.height - others : 0;
}

/* --- words and colours
 * ---------------------------------------------------------------------------------- */

static unsigned style_of_phase(const char *phase)
{
    if (strcmp(phase, "running") == 0)
        return SCREEN_GREEN;
    if (strcmp(phase, "error") == 0)
        return SCREEN_RED | SCREEN_BOLD;
    return *phase ? SCREEN_YELLOW : SCREEN_DIM;
}

/* Meaning never by colour alone. */
static const char *glyph_of(const char *phase)
{
    return strcmp(phase, "running") == 0  ? "●"
           : strcmp(phase, "paused") == 0 ? "‖"
           : strcmp(phase, "error") == 0  ? "▲"
                                          : "○";
}

static unsigned style_of_sign(const char *text)
{
    return text[0] == '-' ? SCREEN_RED : text[0] && strcmp(text, "0") != 0 ? SCREEN_GREEN : 0;
}

/* "+13.08": two decimals and always a sign, so that a column stays in line. */
static const char *money(const char *text, char *out, size_t size)
{
    char *end;
    const double value = strtod(text, &end);

    if (!*text || *end)
        snprintf(out, size, "-");
    else
        snprintf(out, size, "%+.2f", value);
    return out;
}

static const char *fleet_text(const struct top *top, const char *key, char *out, size_t size)
{
    out_text(top->fleet, key, out, size);
    if (!*out)
        snprintf(out, size, "-");
    return out;
}

/* --- head and foot
 * --------------------------------------------------------------------------------------- */

static void draw_head(struct top *top)
{
    struct screen *screen = &top->screen;
    char line[256], a[24], b[24], c[24], d[24], e[24], f[24], g[24], age[24];
    const bool up = bus_is_up(top->session->bus);
    const int64_t age_ms =
        top->digest_ns ? (top_now_ns(top) - top->digest_ns) / 1000000 : INT64_MAX;

    screen_bar(screen, 0, SCREEN_REVERSE);
    snprintf(line, sizeof line,
             " %s  nodes %s/%s  bots %s running %s  fills %s  halts %s  alerts %s",
             top->session->fleet.tenant, fleet_text(top, "nodes_up", a, sizeof a),
             fleet_text(top, "nodes", b, sizeof b), fleet_text(top, "bots", c, sizeof c),
             fleet_text(top, "running", d, sizeof d), fleet_text(top, "fills", e, sizeof e),
             fleet_text(top, "halt", f, sizeof f), fleet_text(top, "alerts", g, sizeof g));
    screen_text(screen, 0, 0, screen->width, SCREEN_REVERSE, line);
    if (!up)
        snprintf(line, sizeof line, " NO CONNECTION ");
    else if (top->paused)
        snprintf(line, sizeof line, " PAUSED, space goes on ");
    else if (age_ms > STALE_MS && top->digest_ns)
        snprintf(line, sizeof line, " STALE %s ", text_age(age_ms, age, sizeof age));
    else
        snprintf(line, sizeof line, "%s", top->write ? " WRITE " : " read-only ");
    screen_right(screen, 0, 0, screen->width,
                 SCREEN_REVERSE | (up && !top->paused ? 0 : SCREEN_BOLD | SCREEN_YELLOW), line);
}

static void draw_foot(struct top *top)
{
    struct screen *screen = &top->screen;
    const size_t row = screen->height - 1;
    char line[512];

    if (top->editing)
        snprintf(line, sizeof line, "filter: %s_  %s%s", top->query, *top->filter_error ? "! " : "",
                 top->filter_error);
    else if (*top->ask)
        snprintf(line, sizeof line, "%s [y/N]", top->ask);
    else if (*top->say && top_now_ns(top) - top->say_ns < SAY_NS)
        snprintf(line, sizeof line, "%s", top->say);
    else if (top->view == TOP_BOT)
        snprintf(line, sizeof line, "q back  space pause%s  ? help",
                 top->write ? "  P pause  R resume  X stop  H halt all" : "");
    else
        snprintf(line, sizeof line,
                 "? help  / filter  s sort  enter open  n nodes  space pause%s  q quit",
                 top->write ? "  P R X H act" : "");
    screen_text(screen, row, 0, screen->width, *top->ask || top->editing ? SCREEN_BOLD : SCREEN_DIM,
                line);
}

/* --- the list of bots
 * -------------------------------------------------------------------------------------- */

struct top_column {
    const char *title;
    enum top_sort sort;
    size_t width;
    unsigned rank; /* dropped first when it is high */
    bool right;
};

static const struct top_column bot_columns_shown[] = {
    { "BOT", TOP_SORT_BOT, 14, 0, false },      { "NODE", TOP_SORT_NODE, 10, 5, false },
    { "STATE", TOP_SORT_STATE, 12, 1, false },  { "STRATEGY", TOP_SORT_STRATEGY, 11, 8, false },
    { "PAIR", TOP_SORT_PAIR, 12, 4, false },    { "PRICE", TOP_SORT_PRICE, 12, 6, true },
    { "EQUITY", TOP_SORT_EQUITY, 11, 2, true }, { "POSITION", TOP_SORT_POSITION, 13, 9, true },
    { "ORD", TOP_SORT_ORDERS, 4, 7, true },     { "FILLS", TOP_SORT_FILLS, 6, 3, true },
    { "AGE", TOP_SORT_AGE, 5, 10, true },
};
#define BOT_COLUMNS (sizeof bot_columns_shown / sizeof *bot_columns_shown)
#define NAME_WIDTH_MAX 32

/* Which columns fit, the important ones first; what is left goes to the name. */
static size_t layout(size_t width, size_t widths[BOT_COLUMNS])
{
    size_t used = 0;

    memset(widths, 0, BOT_COLUMNS * sizeof *widths);
    for (unsigned rank = 0; rank < BOT_COLUMNS; rank++)
        for (size_t k = 0; k < BOT_COLUMNS; k++) {
            const struct top_column *column = &bot_columns_shown[k];

            if (column->rank != rank || (used && used + 1 + column->width > width))
                continue;
            widths[k] = column->width;
            used += column->width + (used ? 1 : 0);
        }
    if (used < width) {
        const size_t more = width - used;

        widths[0] += more < NAME_WIDTH_MAX - widths[0] ? more : NAME_WIDTH_MAX - widths[0];
    }
    return used;
}

static void draw_titles(struct top *top, size_t row, const size_t widths[BOT_COLUMNS])
{
    size_t at = 0;

    for (size_t k = 0; k < BOT_COLUMNS; k++) {
        const struct top_column *column = &bot_columns_shown[k];
        char title[24];

        if (!widths[k])
            continue;
        snprintf(title, sizeof title, "%s%s", column->title,
                 column->sort != top->sort ? ""
                 : top->sort_down          ? "▼"
                                           : "▲");
        (column->right ? screen_right(&top->screen, row, at, widths[k], SCREEN_BOLD, title)
                       : (void)screen_text(&top->screen, row, at, widths[k], SCREEN_BOLD, title));
        at += widths[k] + 1;
    }
}

static const char *cell_of(const struct top *top, const struct top_bot *bot, enum top_sort sort,
                           char *out, size_t size)
{
    switch (sort) {
    case TOP_SORT_BOT:
        return bot->name;
    case TOP_SORT_NODE:
        return bot->node;
    case TOP_SORT_STATE:
        snprintf(out, size, "%s %s", glyph_of(bot->phase), *bot->phase ? bot->phase : "unknown");
        return out;
    case TOP_SORT_STRATEGY:
        return bot->strategy;
    case TOP_SORT_PAIR:
        return bot->instrument;
    case TOP_SORT_PRICE:
        return *bot->price ? bot->price : "-";
    case TOP_SORT_EQUITY:
        return money(bot->equity, out, size);
    case TOP_SORT_POSITION:
        return bot->position;
    case TOP_SORT_ORDERS:
        return *bot->orders ? bot->orders : "-";
    case TOP_SORT_FILLS:
        return bot->fills;
    case TOP_SORT_AGE:
        return text_age(top_age_ms(top, bot), out, size);
    case TOP_SORTS:
        break;
    }
    return "";
}

static void draw_bot_row(struct top *top, size_t row, const struct top_bot *bot, bool selected,
                         const size_t widths[BOT_COLUMNS])
{
    const unsigned base = selected ? SCREEN_REVERSE : SCREEN_PLAIN;
    size_t at = 0;
    char text[64];

    if (selected)
        screen_bar(&top->screen, row, SCREEN_REVERSE);
    for (size_t k = 0; k < BOT_COLUMNS; k++) {
        const struct top_column *column = &bot_columns_shown[k];
        unsigned style = base;

        if (!widths[k])
            continue;
        if (column->sort == TOP_SORT_STATE)
            style |= style_of_phase(bot->phase);
        if (column->sort == TOP_SORT_EQUITY)
            style |= style_of_sign(bot->equity);
        const char *shown = cell_of(top, bot, column->sort, text, sizeof text);

        (column->right ? screen_right(&top->screen, row, at, widths[k], style, shown)
                       : (void)screen_text(&top->screen, row, at, widths[k], style, shown));
        at += widths[k] + 1;
    }
}

static void draw_empty(struct top *top)
{
    const char *text = "no bot matches the filter";

    if (!top->digest_ns)
        text = "waiting for the controller's digest: is it running? flotilla doctor";
    else if (top->bot_count == 0)
        text = "no bots yet: flotilla bot deploy --help";
    screen_text(&top->screen, HEAD_ROWS, 0, top->screen.width, SCREEN_DIM, text);
}

static void draw_bots(struct top *top)
{
    const size_t rows = top_body_rows(top);
    size_t widths[BOT_COLUMNS];
    char line[200];

    layout(top->screen.width, widths);
    draw_titles(top, 1, widths);
    if (top->row_count == 0)
        draw_empty(top);
    if (top->selected < top->scroll)
        top->scroll = top->selected;
    if (rows && top->selected >= top->scroll + rows)
        top->scroll = top->selected - rows + 1;
    if (top->scroll + rows > top->row_count)
        top->scroll = top->row_count > rows ? top->row_count - rows : 0;
    for (size_t i = 0; i < rows && top->scroll + i < top->row_count; i++)
        draw_bot_row(top, HEAD_ROWS + i, top->rows[top->scroll + i],
                     top->scroll + i == top->selected, widths);
    draw_foot(top);
    snprintf(line, sizeof line, " %s%s%s%s%zu of %zu", top->node_filter,
             *top->node_filter ? "  " : "", top->editing ? "" : top->query,
             *top->query && !top->editing ? "  " : "", top->row_count, top->bot_count);
    if (text_width(line) + 70 < top->screen.width)
        screen_right(&top->screen, top->screen.height - 1, 0, top->screen.width, SCREEN_CYAN, line);
}

/* --- nodes
 * ---------------------------------------------------------------------------------------------- */

static void draw_node_row(struct top *top, size_t row, const struct top_node *node, bool selected)
{
    const int64_t age_ms = (top_now_ns(top) - node->heard_ns) / 1000000;
    char line[256], rss[24], age[24];

    if (selected)
        screen_bar(&top->screen, row, SCREEN_REVERSE);
    snprintf(line, sizeof line,
             "%-16s %-9s %5" PRId64 " %7" PRId64 "  %5.1f%%  %10s  %7" PRId64 " us  %5" PRId64
             " ms  %s",
             node->name, age_ms > 3500 ? "▲ silent" : "● up", node->bots, node->running,
             node->load * 100, text_bytes(node->rss_bytes, rss, sizeof rss), node->lag_us,
             node->clock_offset_ms, text_age(age_ms, age, sizeof age));
    screen_text(&top->screen, row, 0, top->screen.width,
                (selected ? SCREEN_REVERSE : 0u) | (age_ms > 3500 ? SCREEN_RED : 0u), line);
}

static void draw_nodes(struct top *top)
{
    char titles[160];

    snprintf(titles, sizeof titles, "%-16s %-9s %5s %7s  %6s  %10s  %10s  %8s  %s", "NODE", "STATE",
             "BOTS", "RUNNING", "CPU", "MEMORY", "LOOP LAG", "CLOCK", "HEARD");
    screen_text(&top->screen, 1, 0, top->screen.width, SCREEN_BOLD, titles);
    if (top->selected >= top->node_count)
        top->selected = top->node_count ? top->node_count - 1 : 0;
    for (size_t i = 0; i < top_body_rows(top) && i < top->node_count; i++)
        draw_node_row(top, HEAD_ROWS + i, &top->nodes[i], i == top->selected);
    if (top->node_count == 0)
        screen_text(&top->screen, HEAD_ROWS, 0, top->screen.width, SCREEN_DIM,
                    "no heartbeat heard yet");
    draw_foot(top);
}

/* --- one bot
 * -------------------------------------------------------------------------------------------- */

static void chart_box(struct top *top, size_t row, size_t rows, const char *title, unsigned style,
                      const double *values)
{
    struct screen *screen = &top->screen;
    double low = (double)INFINITY, high = (double)-INFINITY;
    char label[64];

    for (size_t i = 0; i < top->detail.count; i++) {
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    if (high < low)
        snprintf(label, sizeof label, "%s: %s", title,
                 top->detail.loading ? "loading" : "nothing recorded yet");
    else
        snprintf(label, sizeof label, "%s  %.8g .. %.8g", title, low, high);
    screen_text(screen, row, 0, screen->width, SCREEN_BOLD, label);
    if (high >= low && rows > 1)
        screen_chart(screen, row + 1, 0, screen->width, rows - 1, style, values, top->detail.count);
}

static void draw_orders(struct top *top, size_t row, size_t rows, size_t columns)
{
    struct json_object *orders = flt_json_get(top->detail.live, "orders");
    const size_t count = orders ? json_object_array_length(orders) : 0;
    char line[200], side[8], price[32], qty[32], filled[32];

    snprintf(line, sizeof line, "open orders: %zu", count);
    screen_text(&top->screen, row, 0, columns, SCREEN_BOLD, line);
    for (size_t i = 0; i < count && i + 1 < rows; i++) {
        struct json_object *order = json_object_array_get_idx(orders, i);

        out_text(order, "side", side, sizeof side);
        snprintf(line, sizeof line, "%-4s %12s x %-12s filled %s", side,
                 out_text(order, "price", price, sizeof price),
                 out_text(order, "qty", qty, sizeof qty),
                 out_text(order, "filled_qty", filled, sizeof filled));
        screen_text(&top->screen, row + 1 + i, 0, columns,
                    strcmp(side, "buy") == 0 ? SCREEN_GREEN : SCREEN_RED, line);
    }
}

static void draw_log(struct top *top, size_t row, size_t rows, size_t column)
{
    const struct top_detail *detail = &top->detail;
    const size_t kept = detail->line_count < TOP_LINES_MAX ? detail->line_count : TOP_LINES_MAX;
    const size_t shown = kept < rows ? kept : rows ? rows - 1 : 0;

    screen_text(&top->screen, row, column, top->screen.width - column, SCREEN_BOLD, "log");
    for (size_t i = 0; i < shown && i + 1 < rows; i++)
        screen_text(&top->screen, row + 1 + i, column, top->screen.width - column, SCREEN_PLAIN,
                    detail->lines[(detail->line_count - shown + i) % TOP_LINES_MAX]);
}

static void draw_bot_head(struct top *top, const struct top_bot *bot)
{
    struct screen *screen = &top->screen;
    char line[320], price[48], bid[48], ask[48], equity[32], realised[32], age[24];
    struct json_object *live = top->detail.live;

    if (!bot) {
        snprintf(line, sizeof line, "%s is not in the fleet any more", top->detail.bot);
        screen_text(screen, 1, 0, screen->width, SCREEN_YELLOW, line);
        return;
    }
    out_text(live, "price", price, sizeof price);
    snprintf(line, sizeof line, "%s  %s %s%s%s  %s %s on %s (%s)  %s", bot->name,
             glyph_of(bot->phase), bot->phase, *bot->reason ? ": " : "", bot->reason, bot->strategy,
             bot->instrument, bot->node, bot->mode,
             text_age(top_age_ms(top, bot), age, sizeof age));
    screen_text(screen, 1, 0, screen->width, style_of_phase(bot->phase) | SCREEN_BOLD, line);
    snprintf(line, sizeof line,
             "equity %s = realised %s + open  position %s  price %s  bid %s  ask %s  fills %s",
             money(bot->equity, equity, sizeof equity),
             money(bot->realised, realised, sizeof realised), bot->position,
             *price ? price : bot->price, out_text(live, "bid", bid, sizeof bid),
             out_text(live, "ask", ask, sizeof ask), bot->fills);
    screen_text(screen, 2, 0, screen->width, SCREEN_PLAIN, line);
}

static void draw_bot(struct top *top)
{
    const size_t height = top->screen.height, first = 3;
    const size_t body = height > first + FOOT_ROWS ? height - first - FOOT_ROWS : 0;
    const size_t price_rows = body * 2 / 5, equity_rows = body * 3 / 10;
    const size_t lists = body - price_rows - equity_rows;
    const size_t half = top->screen.width / 2;

    draw_bot_head(top, top_find(top, top->detail.bot));
    if (price_rows)
        chart_box(top, first, price_rows, "price", SCREEN_CYAN, top->detail.price);
    if (equity_rows)
        chart_box(top, first + price_rows, equity_rows, "equity", SCREEN_GREEN, top->detail.equity);
    if (lists && top->screen.width >= 90) {
        draw_orders(top, first + price_rows + equity_rows, lists, half - 1);
        draw_log(top, first + price_rows + equity_rows, lists, half);
    } else if (lists) {
        draw_orders(top, first + price_rows + equity_rows, lists, top->screen.width);
    }
    draw_foot(top);
}

static void draw_help(struct top *top)
{
    static const char *const lines[] = {
        "up down j k    move              enter    open bot or node",
        "PgUp PgDn g G  page, ends        q Esc    back, quit",
        "n b            nodes, bots       /        filter (help: flotilla help filter)",
        "s S            sort by next, previous column      r  turn round",
        "space          pause the display; what came meanwhile follows",
        "with --write, for the selected bot, after a question:",
        "P R X          pause, resume, stop and cancel     H  halt the whole fleet",
        "               (flotilla resume ends a halt)",
    };

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        screen_text(&top->screen, 1 + i, 0, top->screen.width, SCREEN_PLAIN, lines[i]);
    screen_text(&top->screen, top->screen.height - 1, 0, top->screen.width, SCREEN_DIM,
                "any key goes back");
}

void top_draw(struct top *top)
{
    if (!top->screen.width || !top->screen.height)
        return;
    screen_clear(&top->screen);
    if (!top->paused || top->row_count == 0)
        top_arrange(top);
    switch (top->view) {
    case TOP_NODES:
        draw_nodes(top);
        break;
    case TOP_BOT:
        draw_bot(top);
        break;
    case TOP_HELP:
        draw_help(top);
        break;
    case TOP_BOTS:
        draw_bots(top);
        break;
    }
    draw_head(top);
}
