/* The books against the venue. The fleet goes on trading meanwhile, so three snapshots are taken:
 * venue, books, venue. Each fill of the first must be in the books, and each of the books in the
 * last; then no fill is missing and none is made up, however fast it trades. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/doctor.h"
#include "lib/amt.h"
#include "lib/http.h"
#include "lib/json.h"

#define PATIENCE_MS 10000 /* for the last fills to reach the books */
#define DIFFERENCES_MAX 50

struct row {
    char text[256]; /* "BTC-USDT trade=8812 order=991 buy price=.. qty=.. fee=.. USDT" */
    char instrument[32];
    struct flt_amt qty, fee;
    char fee_asset[16];
};

struct rows {
    struct row *items;
    size_t count, capacity;
};

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    return strcmp(x->text, y->text);
}

/* Decimals in canonical text, so that 0.10 and 0.1 are the same and nothing else is. */
static char *decimal(struct json_object *item, const char *path, char *out, struct flt_amt *value)
{
    char text[64];

    *value = flt_amt_parse(out_text(item, path, text, sizeof text));
    return flt_amt_format(*value, out);
}

/* The venue says BTCUSDT where the books say BTC-USDT. */
static void without_dash(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++)
        if (*at != '-')
            *to++ = *at;
    *to = 0;
}

static int add_row(struct rows *rows, struct json_object *item)
{
    char price[FLT_AMT_TEXT_MAX], qty[FLT_AMT_TEXT_MAX], fee[FLT_AMT_TEXT_MAX];
    char trade[48], order[48], side[8];
    struct flt_amt unused;

    if (rows->count == rows->capacity) {
        const size_t capacity = rows->capacity ? 2 * rows->capacity : 1024;
        struct row *items = realloc(rows->items, capacity * sizeof *items);

        if (!items)
            return -ENOMEM;
        rows->items = items;
        rows->capacity = capacity;
    }
    struct row *row = &rows->items[rows->count++];

    out_text(item, "instrument|symbol", row->instrument, sizeof row->instrument);
    without_dash(row->instrument);
    out_text(item, "fee_asset|commissionAsset", row->fee_asset, sizeof row->fee_asset);
    out_text(item, "side", side, sizeof side);
    for (char *at = side; *at; at++)
        *at = (char)(*at | 0x20);
    snprintf(row->text, sizeof row->text, "%s trade=%s order=%s %s price=%s qty=%s fee=%s %s",
             row->instrument, out_text(item, "trade_id|id", trade, sizeof trade),
             out_text(item, "order_id|orderId", order, sizeof order), side,
             decimal(item, "price", price, &unused), decimal(item, "qty", qty, &row->qty),
             decimal(item, "fee|commission", fee, &row->fee), row->fee_asset);
    return 0;
}

/* What a paper bot trades never was at the venue. */
static bool is_live(struct json_object *item)
{
    const char *mode = "live";

    (void)flt_json_str(item, "mode", &mode); /* the venue's rows have none */
    return strcmp(mode, "live") == 0;
}

static int take_rows(struct json_object *items, struct rows *out)
{
    int err = 0;

    for (size_t i = 0; !err && items && i < json_object_array_length(items); i++)
        if (is_live(json_object_array_get_idx(items, i)))
            err = add_row(out, json_object_array_get_idx(items, i));
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, compare);
    return err;
}

/* --- the two sides
 * --------------------------------------------------------------------------------- */

struct fetch {
    struct session *session;
    struct json_object *tree;
    char why[256];
    bool done;
};

static void on_ledger(void *ctx, const struct flt_http_response *response)
{
    struct fetch *fetch = ctx;
    struct flt_error error = { 0 };

    fetch->done = true;
    if (response->outcome == FLT_HTTP_DONE && response->status == 200) {
        fetch->tree = flt_json_parse(response->body, response->body_size, &error);
        snprintf(fetch->why, sizeof fetch->why, "%s", error.message);
    } else {
        snprintf(fetch->why, sizeof fetch->why, "%s (HTTP %d)", response->reason, response->status);
    }
    flt_loop_stop(fetch->session->loop);
}

static int fetch_page(struct session *session, struct flt_http *http, const char *after,
                      struct json_object **out)
{
    struct fetch fetch = { .session = session };
    char url[160];
    int err;

    snprintf(url, sizeof url, "http://127.0.0.1:%u/ledger/fills%s%s",
             session->fleet.sim_control_port, *after ? "?after=" : "", after);
    err = flt_http_send(http, &(struct flt_http_request){ .method = "GET", .url = url }, on_ledger,
                        &fetch, NULL);
    while (!err && !fetch.done)
        flt_loop_run(session->loop);
    if (!err && !fetch.tree)
        err = flt_error_set(&session->cli->error, FLT_UNAVAILABLE, NULL,
                            "only a demo fleet has a simulator",
                            "the simulator's ledger cannot be read: %s", fetch.why);
    *out = fetch.tree;
    return err;
}

/* All pages; a ledger that answers with one array has one. */
static int venue_rows(struct session *session, struct rows *out)
{
    struct flt_http *http = NULL;
    char next[64] = "";
    int err = flt_http_create(session->loop, &(struct flt_http_config){ 0 }, &http);

    do {
        struct json_object *page = NULL;

        if (!err)
            err = fetch_page(session, http, next, &page);
        if (!err) {
            struct json_object *items =
                json_object_is_type(page, json_type_array) ? page : out_path(page, "items|fills");
            err = take_rows(items, out);
        }
        snprintf(next, sizeof next, "%s", "");
        if (!err && json_object_is_type(page, json_type_object))
            out_text(page, "next", next, sizeof next);
        json_object_put(page);
    } while (!err && *next && strcmp(next, "null") != 0);
    if (http)
        flt_http_destroy(http);
    return err;
}

static int book_rows(struct session *session, struct rows *out)
{
    struct json_object *result = NULL;
    int err = session_list(session, "bot-fills", json_object_new_object(), 0, &result);

    if (!err)
        err = take_rows(flt_json_get(result, "items"), out);
    json_object_put(result);
    return err;
}

/* --- comparing
 * -------------------------------------------------------------------------------------- */

static const struct row *find(const struct rows *rows, const struct row *row)
{
    return rows->count ? bsearch(row, rows->items, rows->count, sizeof *row, compare) : NULL;
}

/* How many of `a` are not in `b`, of one instrument (NULL: any); doubles in `a` count as missing.
 */
static size_t missing(const struct rows *a, const struct rows *b, const char *instrument,
                      const char *where, struct json_object *differences)
{
    size_t count = 0;

    for (size_t i = 0; i < a->count; i++) {
        const struct row *row = &a->items[i];
        const bool twice = i && strcmp(row->text, a->items[i - 1].text) == 0;

        if ((instrument && strcmp(instrument, row->instrument) != 0) || (!twice && find(b, row)))
            continue;
        count++;
        if (differences && json_object_array_length(differences) < DIFFERENCES_MAX)
            json_object_array_add(
                differences, args_of("where", twice ? "twice" : where, "fill", row->text, NULL));
    }
    return count;
}

static void add_instrument(struct json_object *items, const char *instrument,
                           const struct rows *before, const struct rows *books,
                           const struct rows *after)
{
    struct json_object *row = args_of("instrument", instrument, NULL);
    struct json_object *fees = json_object_new_object();
    struct flt_amt qty = FLT_AMT_ZERO;
    char text[FLT_AMT_TEXT_MAX];
    int64_t in_books = 0, at_venue = 0;

    for (size_t i = 0; i < after->count; i++)
        at_venue += strcmp(after->items[i].instrument, instrument) == 0;
    for (size_t i = 0; i < books->count; i++) {
        const struct row *fill = &books->items[i];
        struct json_object *sum;

        if (strcmp(fill->instrument, instrument) != 0)
            continue;
        in_books++;
        qty = flt_amt_add(qty, fill->qty);
        const struct flt_amt old = json_object_object_get_ex(fees, fill->fee_asset, &sum)
                                       ? flt_amt_parse(json_object_get_string(sum))
                                       : FLT_AMT_ZERO;

        json_object_object_add(
            fees, fill->fee_asset,
            json_object_new_string(flt_amt_format(flt_amt_add(old, fill->fee), text)));
    }
    json_object_object_add(row, "books", json_object_new_int64(in_books));
    json_object_object_add(row, "venue", json_object_new_int64(at_venue));
    json_object_object_add(row, "qty", json_object_new_string(flt_amt_format(qty, text)));
    json_object_object_add(row, "fees", fees);
    json_object_object_add(
        row, "missing",
        json_object_new_int64((int64_t)missing(before, books, instrument, "", NULL)));
    json_object_object_add(
        row, "extra", json_object_new_int64((int64_t)missing(books, after, instrument, "", NULL)));
    json_object_array_add(items, row);
}

static struct json_object *make_report(const struct rows *before, const struct rows *books,
                                       const struct rows *after)
{
    struct json_object *report = json_object_new_object();
    struct json_object *items = json_object_new_array(), *differences = json_object_new_array();
    const struct rows *const sides[] = { after, books };
    const size_t lost = missing(before, books, NULL, "missing in the books", differences);
    const size_t extra = missing(books, after, NULL, "not at the venue", differences);

    for (size_t s = 0; s < FLT_COUNT(sides); s++)
        for (size_t i = 0; i < sides[s]->count; i++) {
            const char *instrument = sides[s]->items[i].instrument;
            bool known = false;

            for (size_t k = 0; k < json_object_array_length(items) && !known; k++) {
                char have[32];

                known = strcmp(out_text(json_object_array_get_idx(items, k), "instrument", have,
                                        sizeof have),
                               instrument) == 0;
            }
            if (!known)
                add_instrument(items, instrument, before, books, after);
        }
    json_object_object_add(report, "equal", json_object_new_boolean(lost + extra == 0));
    json_object_object_add(report, "fills", json_object_new_int64((int64_t)books->count));
    json_object_object_add(report, "items", items);
    json_object_object_add(report, "differences", differences);
    return report;
}

/* Fills take a moment from the venue to the books: asks again until all are there, or patience
 * ends; ever more seldom, as each time all fills of the fleet are read. */
static int await_books(struct session *session, const struct rows *before, struct rows *books)
{
    const struct flt_clock *clock = flt_clock_system();
    const int64_t end_ms = flt_mono_ms(clock) + PATIENCE_MS;

    for (uint32_t pause_ms = 50;; pause_ms = pause_ms < 800 ? pause_ms * 2 : pause_ms) {
        books->count = 0;
        int err = book_rows(session, books);

        if (err || missing(before, books, NULL, "", NULL) == 0 || flt_mono_ms(clock) > end_ms)
            return err;
        err = session_pause(session, pause_ms);
        if (err)
            return err;
    }
}

int reconcile(struct session *session, struct json_object **report)
{
    struct rows before = { 0 }, books = { 0 }, after = { 0 };
    int err = session->fleet.demo ? venue_rows(session, &before)
                                  : flt_error_set(&session->cli->error, FLT_UNAVAILABLE, NULL,
                                                  "it works on fleets of: flotilla up --demo",
                                                  "this fleet has no simulator to compare with");

    if (!err)
        err = await_books(session, &before, &books);
    if (!err)
        err = venue_rows(session, &after);
    if (!err)
        *report = make_report(&before, &books, &after);
    free(before.items);
    free(books.items);
    free(after.items);
    return err;
}
