/* What flotilla top knows: digest pages, heartbeats, and one bot from close by. */
#define FLT_MOD "cli"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/cli/top.h"
#include "lib/json.h"

#define POINT_NS INT64_C(1000000000)

int64_t top_now_ns(const struct top *top)
{
    (void)top;
    return flt_mono_ns(flt_clock_system());
}

static double number(const char *text)
{
    char *end;
    const double value = strtod(text, &end);

    return *text && !*end ? value : (double)-INFINITY;
}

static void read_bot(struct json_object *item, struct top_bot *out)
{
    const struct {
        const char *key;
        char *text;
        size_t size;
    } fields[] = {
        { "n", out->name, sizeof out->name },
        { "nd", out->node, sizeof out->node },
        { "s", out->strategy, sizeof out->strategy },
        { "i", out->instrument, sizeof out->instrument },
        { "m", out->mode, sizeof out->mode },
        { "run", out->run, sizeof out->run },
        { "ph", out->phase, sizeof out->phase },
        { "rc", out->reason, sizeof out->reason },
        { "eq", out->equity, sizeof out->equity },
        { "pnl", out->realised, sizeof out->realised },
        { "pos", out->position, sizeof out->position },
        { "px", out->price, sizeof out->price },
        { "fills", out->fills, sizeof out->fills },
        { "oo", out->orders, sizeof out->orders },
    };

    for (size_t i = 0; i < FLT_COUNT(fields); i++)
        out_text(item, fields[i].key, fields[i].text, fields[i].size);
    out->sort_equity = number(out->equity);
    out->sort_price = number(out->price);
    out->sort_position = number(out->position);
    out->sort_fills = number(out->fills);
    out->sort_orders = number(out->orders);
    flt_json_int(item, "age_ms", &out->age_ms);
}

static void drop_page(struct top_page *page)
{
    free(page->bots);
    json_object_put(page->pending);
    *page = (struct top_page){ 0 };
}

static void apply_page(struct top *top, struct json_object *message)
{
    struct json_object *items = flt_json_get(message, "bots");
    struct json_object *fleet = flt_json_get(message, "fleet");
    const size_t count =
        items && json_object_is_type(items, json_type_array) ? json_object_array_length(items) : 0;
    int64_t number_of_page = -1, pages = 0;

    if (!flt_json_int(message, "page", &number_of_page) ||
        !flt_json_int(message, "pages", &pages) || number_of_page < 0 ||
        number_of_page >= TOP_PAGES_MAX || pages < 1)
        return;
    struct top_bot *bots = calloc(count + 1, sizeof *bots);

    if (!bots)
        return;
    for (size_t i = 0; i < count; i++) {
        read_bot(json_object_array_get_idx(items, i), &bots[i]);
        bots[i].page_ns = top_now_ns(top);
    }
    drop_page(&top->pages[number_of_page]);
    top->pages[number_of_page] = (struct top_page){ .bots = bots, .count = count };
    for (size_t i = (size_t)pages; i < top->page_count; i++)
        drop_page(&top->pages[i]);
    top->page_count = pages < TOP_PAGES_MAX ? (size_t)pages : TOP_PAGES_MAX;
    if (fleet) {
        json_object_put(top->fleet);
        top->fleet = json_object_get(fleet);
    }
    top->row_count = 0; /* they point into the old page: arrange before drawing */
}

void top_digest(struct top *top, struct json_object *page)
{
    int64_t number_of_page = -1;

    top->digest_ns = top_now_ns(top);
    if (!top->paused) {
        apply_page(top, page);
        return;
    }
    if (flt_json_int(page, "page", &number_of_page) && number_of_page >= 0 &&
        number_of_page < TOP_PAGES_MAX) {
        json_object_put(top->pages[number_of_page].pending);
        top->pages[number_of_page].pending = json_object_get(page);
    }
}

void top_apply_pending(struct top *top)
{
    for (size_t i = 0; i < TOP_PAGES_MAX; i++) {
        struct json_object *pending = top->pages[i].pending;

        top->pages[i].pending = NULL;
        if (pending)
            apply_page(top, pending);
        json_object_put(pending);
    }
}

int64_t top_age_ms(const struct top *top, const struct top_bot *bot)
{
    return bot->age_ms + (top_now_ns(top) - bot->page_ns) / 1000000;
}

/* --- nodes
 * ---------------------------------------------------------------------------------------------- */

static struct top_node *node_of(struct top *top, const char *name)
{
    struct top_node *grown;
    size_t at = 0; /* the list is by name, in whatever order the heartbeats come */

    for (; at < top->node_count && strcmp(top->nodes[at].name, name) <= 0; at++)
        if (strcmp(top->nodes[at].name, name) == 0)
            return &top->nodes[at];
    grown = realloc(top->nodes, (top->node_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    top->nodes = grown;
    memmove(grown + at + 1, grown + at, (top->node_count++ - at) * sizeof *grown);
    grown[at] = (struct top_node){ 0 };
    snprintf(grown[at].name, sizeof grown->name, "%s", name);
    return &grown[at];
}

/* `topic` is n/<node>/hb. */
void top_heartbeat(struct top *top, const char *topic, struct json_object *hb)
{
    char name[33];
    struct top_node *node;

    snprintf(name, sizeof name, "%.*s", (int)strcspn(topic + 2, "/"), topic + 2);
    node = top->paused ? NULL : node_of(top, name);
    if (!node)
        return;
    node->heard_ns = top_now_ns(top);
    flt_json_int(hb, "bots", &node->bots);
    flt_json_int(hb, "running", &node->running);
    flt_json_int(hb, "rss_bytes", &node->rss_bytes);
    flt_json_int(hb, "loop_lag_us", &node->lag_us);
    flt_json_int(hb, "clock_offset_ms", &node->clock_offset_ms);
    flt_json_int(hb, "head", &node->head);
    flt_json_double(hb, "load", &node->load);
}

/* --- one bot
 * -------------------------------------------------------------------------------------------- */

static void add_point(struct top_detail *detail, double equity, double price)
{
    if (detail->count == TOP_POINTS_MAX) {
        detail->count--;
        memmove(detail->equity, detail->equity + 1, detail->count * sizeof *detail->equity);
        memmove(detail->price, detail->price + 1, detail->count * sizeof *detail->price);
    }
    detail->equity[detail->count] = equity;
    detail->price[detail->count++] = price;
}

static double point(struct json_object *item, const char *key)
{
    double value = (double)NAN;

    flt_json_double(item, key, &value);
    return value;
}

void top_equity(struct top *top, struct json_object *result)
{
    struct json_object *points = flt_json_get(result, "points");

    top->detail.count = 0;
    top->detail.loading = false;
    for (size_t i = 0; points && i < json_object_array_length(points); i++) {
        struct json_object *item = json_object_array_get_idx(points, i);

        add_point(&top->detail, point(item, "equity"), point(item, "price"));
    }
}

void top_live(struct top *top, struct json_object *live)
{
    struct top_detail *detail = &top->detail;
    const char *bot = "";

    if (top->paused || !flt_json_str(live, "bot", &bot) || strcmp(bot, detail->bot) != 0)
        return;
    json_object_put(detail->live);
    detail->live = json_object_get(live);
    if (top_now_ns(top) - detail->point_ns < POINT_NS || detail->loading)
        return;
    detail->point_ns = top_now_ns(top);
    add_point(detail, point(live, "equity"), point(live, "price"));
}

void top_log(struct top *top, struct json_object *message)
{
    struct json_object *line = flt_json_get(message, "line");
    struct top_detail *detail = &top->detail;
    char bot[64], level[16], event[64], text[128], iso[FLT_ISO_MAX];
    int64_t ts_ms = 0;

    if (!line || strcmp(out_text(message, "bot", bot, sizeof bot), detail->bot) != 0)
        return;
    flt_json_int(line, "ts_ms", &ts_ms);
    flt_iso_format(ts_ms, iso);
    snprintf(detail->lines[detail->line_count++ % TOP_LINES_MAX], sizeof detail->lines[0],
             "%.8s %-5s %s %s", iso + 11, out_text(line, "level", level, sizeof level),
             out_text(line, "event", event, sizeof event),
             out_text(line, "text", text, sizeof text));
}

void top_open_bot(struct top *top, const char *bot)
{
    struct top_detail *detail = &top->detail;

    json_object_put(detail->live);
    memset(detail, 0, sizeof *detail);
    snprintf(detail->bot, sizeof detail->bot, "%s", bot);
    detail->loading = true;
}

/* --- the list
 * ------------------------------------------------------------------------------------------- */

static bool keeps(const struct top *top, const struct top_bot *bot)
{
    char age[24];
    const struct filter_row row = { .text = {
                                        [FILTER_BOT] = bot->name,
                                        [FILTER_NODE] = bot->node,
                                        [FILTER_STRATEGY] = bot->strategy,
                                        [FILTER_INSTRUMENT] = bot->instrument,
                                        [FILTER_STATE] = bot->phase,
                                        [FILTER_MODE] = bot->mode,
                                        [FILTER_RUN] = bot->run,
                                        [FILTER_REASON] = bot->reason,
                                        [FILTER_EQUITY] = bot->equity,
                                        [FILTER_REALISED] = bot->realised,
                                        [FILTER_POSITION] = bot->position,
                                        [FILTER_PRICE] = bot->price,
                                        [FILTER_FILLS] = bot->fills,
                                        [FILTER_ORDERS] = bot->orders,
                                        [FILTER_AGE] = age,
                                    } };

    if (*top->node_filter && strcmp(top->node_filter, bot->node) != 0)
        return false;
    snprintf(age, sizeof age, "%lld", (long long)top_age_ms(top, bot));
    return filter_match(&top->filter, &row);
}

static const struct top *sorting; /* qsort has no context; one top a process */

static int by_number(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare(const void *left, const void *right)
{
    const struct top_bot *a = *(const struct top_bot *const *)left;
    const struct top_bot *b = *(const struct top_bot *const *)right;
    int order = 0;

    switch (sorting->sort) {
    case TOP_SORT_NODE:
        order = strcmp(a->node, b->node);
        break;
    case TOP_SORT_STATE:
        order = strcmp(a->phase, b->phase);
        break;
    case TOP_SORT_STRATEGY:
        order = strcmp(a->strategy, b->strategy);
        break;
    case TOP_SORT_PAIR:
        order = strcmp(a->instrument, b->instrument);
        break;
    case TOP_SORT_PRICE:
        order = by_number(a->sort_price, b->sort_price);
        break;
    case TOP_SORT_EQUITY:
        order = by_number(a->sort_equity, b->sort_equity);
        break;
    case TOP_SORT_POSITION:
        order = by_number(a->sort_position, b->sort_position);
        break;
    case TOP_SORT_ORDERS:
        order = by_number(a->sort_orders, b->sort_orders);
        break;
    case TOP_SORT_FILLS:
        order = by_number(a->sort_fills, b->sort_fills);
        break;
    case TOP_SORT_AGE:
        order = by_number((double)top_age_ms(sorting, a), (double)top_age_ms(sorting, b));
        break;
    case TOP_SORT_BOT:
    case TOP_SORTS:
        break;
    }
    order = sorting->sort_down ? -order : order;
    return order ? order
                 : (sorting->sort == TOP_SORT_BOT && sorting->sort_down ? -1 : 1) *
                       strcmp(a->name, b->name);
}

/* The same bot stays selected, wherever it goes; in the view of the nodes the selection is a
 * node's. */
static void keep_selection(struct top *top)
{
    if (top->view == TOP_NODES)
        return;
    for (size_t i = 0; i < top->row_count; i++)
        if (strcmp(top->rows[i]->name, top->selected_name) == 0)
            top->selected = i;
    if (top->selected >= top->row_count)
        top->selected = top->row_count ? top->row_count - 1 : 0;
}

void top_arrange(struct top *top)
{
    size_t total = 0;

    for (size_t i = 0; i < top->page_count; i++)
        total += top->pages[i].count;
    if (total > top->row_room) {
        const struct top_bot **grown = realloc(top->rows, total * sizeof *grown);

        if (!grown)
            return;
        top->rows = grown;
        top->row_room = total;
    }
    top->bot_count = total;
    top->row_count = 0;
    for (size_t i = 0; i < top->page_count; i++)
        for (size_t k = 0; k < top->pages[i].count; k++)
            if (keeps(top, &top->pages[i].bots[k]))
                top->rows[top->row_count++] = &top->pages[i].bots[k];
    sorting = top;
    if (top->row_count)
        qsort(top->rows, top->row_count, sizeof *top->rows, compare);
    keep_selection(top);
}

void top_set_query(struct top *top, const char *query)
{
    static struct filter fresh;
    struct flt_error error = { 0 };

    if (query != top->query)
        snprintf(top->query, sizeof top->query, "%s", query);
    *top->filter_error = 0;
    if (filter_compile(&fresh, top->query, &error))
        snprintf(top->filter_error, sizeof top->filter_error, "%s", error.message);
    else if (filter_compile(&top->filter, top->query, &error)) /* into its own place */
        top->filter.term_count = 0;
}

const struct top_bot *top_find(const struct top *top, const char *name)
{
    for (size_t i = 0; i < top->page_count; i++)
        for (size_t k = 0; k < top->pages[i].count; k++)
            if (strcmp(top->pages[i].bots[k].name, name) == 0)
                return &top->pages[i].bots[k];
    return NULL;
}

void top_free(struct top *top)
{
    for (size_t i = 0; i < TOP_PAGES_MAX; i++)
        drop_page(&top->pages[i]);
    json_object_put(top->fleet);
    json_object_put(top->detail.live);
    free(top->nodes);
    free(top->rows);
    screen_finish(&top->screen);
}
