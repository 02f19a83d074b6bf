/* Verbs over all books: what accounts hold and earned, and profit by day. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "controller/days.h"
#include "controller/request.h"

#define DAYS_DEFAULT 30
#define DAYS_MAX 1500

/* The sums of a book now. */
static void sums_now(const struct controller *controller, const struct book *book,
                     struct day_sums *out)
{
    *out = (struct day_sums){ .realised = book_realised(book),
                              .unrealised = book_unrealised(book, book_mark(controller, book)),
                              .volume = book->volume,
                              .fees = book_fees_tree(book),
                              .fills = book->fills };
}

static const int64_t spans[] = { 1, 7, 30 }; /* days, today included */

/* What the book stood at before today, and before the last 7 and 30 days: asked once a day. */
static void learn_net_before(struct controller *controller, struct book *book, int64_t day)
{
    struct day_sums sums;

    if (book->net_day == day)
        return;
    for (size_t i = 0; i < FLT_COUNT(spans); i++) {
        days_before(controller, book, day - spans[i] + 1, &sums);
        book->net_before[i] = flt_amt_add(sums.realised, sums.unrealised);
        day_sums_finish(&sums);
    }
    book->net_day = day;
}

/* --- portfolio
 * -------------------------------------------------------------------------------------- */

static struct msg_portfolio_account *find_account(struct msg_portfolio_account *list, size_t *count,
                                                  const char *account, const struct book *book)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(list[i].account, account) == 0 && strcmp(list[i].quote, book->quote) == 0 &&
            list[i].mode == book->mode)
            return &list[i];
    struct msg_portfolio_account *row = &list[(*count)++];
    snprintf(row->account, sizeof row->account, "%s", account);
    snprintf(row->venue, sizeof row->venue, "%s", book->venue);
    snprintf(row->quote, sizeof row->quote, "%s", book->quote);
    row->mode = book->mode;
    return row;
}

static struct msg_portfolio_row *find_row(struct msg_portfolio_result *out, const struct book *book,
                                          const char *asset)
{
    for (size_t i = 0; i < out->items_count; i++)
        if (strcmp(out->items[i].account, book->account) == 0 &&
            strcmp(out->items[i].asset, asset) == 0 &&
            strcmp(out->items[i].quote, book->quote) == 0 && out->items[i].mode == book->mode)
            return &out->items[i];
    struct msg_portfolio_row *row = &out->items[out->items_count++];
    snprintf(row->account, sizeof row->account, "%s", book->account);
    snprintf(row->venue, sizeof row->venue, "%s", book->venue);
    snprintf(row->asset, sizeof row->asset, "%s", asset);
    snprintf(row->quote, sizeof row->quote, "%s", book->quote);
    row->mode = book->mode;
    return row;
}

static void add_holding(struct msg_portfolio_result *out, const struct book *book,
                        struct flt_dec mark)
{
    struct msg_portfolio_row *base = find_row(out, book, book->base);
    struct msg_portfolio_row *quote = find_row(out, book, book->quote);

    base->qty = flt_amt_add(base->qty, book->position);
    base->realised = flt_amt_add(base->realised, book_realised(book));
    base->unrealised = flt_amt_add(base->unrealised, book_unrealised(book, mark));
    base->bots++;
    if (mark.coef != 0) {
        base->has_price = base->has_value = true;
        base->price = mark;
        base->value =
            flt_amt_add(base->value, flt_amt_mul(book->position, mark, FLT_ROUND_HALF_EVEN));
    }
    quote->qty = flt_amt_add(quote->qty, book->cash);
    quote->has_value = true;
    quote->value = quote->qty;
    quote->bots++;
}

static void add_book(const struct controller *controller, struct msg_portfolio_account *row,
                     const struct book *book)
{
    const struct flt_dec mark = book_mark(controller, book);
    const struct flt_amt net = flt_amt_add(book_realised(book), book_unrealised(book, mark));
    struct flt_amt exposure = flt_amt_mul(book->position, mark, FLT_ROUND_HALF_EVEN);

    if (flt_amt_ok(exposure) && flt_amt_sign(exposure) < 0)
        exposure = flt_amt_neg(exposure);
    row->net = flt_amt_add(row->net, net);
    row->exposure = flt_amt_add(row->exposure, exposure);
    row->today = flt_amt_add(row->today, flt_amt_sub(net, book->net_before[0]));
    row->d7 = flt_amt_add(row->d7, flt_amt_sub(net, book->net_before[1]));
    row->d30 = flt_amt_add(row->d30, flt_amt_sub(net, book->net_before[2]));
    row->bots++;
    row->fills += book->fills;
}

/* The total is per quote and mode: paper money is not added to money. */
HANDLER(verb_portfolio)
{
    struct msg_portfolio_result *out = result;
    struct controller *controller = request->controller;
    const size_t count = controller->books.count;

    (void)args;
    (void)error;
    out->as_of_ms = controller_now_ms(controller);
    out->accounts = calloc(count + 1, sizeof *out->accounts);
    out->items = calloc(2 * count + 1, sizeof *out->items);
    out->total = calloc(count + 1, sizeof *out->total);
    if (!out->accounts || !out->items || !out->total)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        struct book *book = controller->books.list[i];
        struct msg_portfolio_account *total =
            find_account(out->total, &out->total_count, "total", book);

        learn_net_before(controller, book, out->as_of_ms / DAY_MS);
        snprintf(total->venue, sizeof total->venue, "all");
        add_book(controller, total, book);
        add_book(controller, find_account(out->accounts, &out->accounts_count, book->account, book),
                 book);
        add_holding(out, book, book_mark(controller, book));
    }
    return 0;
}

/* --- pnl-days
 * --------------------------------------------------------------------------------------- */

struct range {
    int64_t first, last; /* days since 1970 */
    int64_t today;
};

struct days {
    struct day_sums *sums; /* at the end of each day of the range, and before it: [0] */
    char quote[ASSET_MAX];
};

static void format_day(int64_t day, char out[11])
{
    const time_t seconds = (time_t)(day * 86400);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

/* Adds the standing of one book at the end of each day; of today, as it is now. */
static void add_standings(struct controller *controller, const struct book *book,
                          const struct range *range, struct day_sums *sums)
{
    for (int64_t day = range->first - 1; day <= range->last; day++) {
        struct day_sums one;

        if (day >= range->today)
            sums_now(controller, book, &one);
        else
            days_before(controller, book, day + 1, &one);
        day_sums_add(&sums[day - range->first + 1], &one);
        day_sums_finish(&one);
    }
}

static bool is_wanted(const struct book *book, const struct msg_pnl_days_args *in)
{
    return (!in->has_bot || strcmp(book->bot, in->bot) == 0) &&
           (!in->has_account || strcmp(book->account, in->account) == 0);
}

/* One row a day with anything in it, for one quote asset. */
static void write_rows(struct msg_pnl_days_result *out, const struct range *range,
                       const char *quote, struct day_sums *sums)
{
    for (int64_t day = range->last; day >= range->first; day--) {
        struct day_sums *end = &sums[day - range->first + 1];
        struct msg_pnl_day *row = &out->items[out->items_count];
        const struct flt_amt total = flt_amt_add(end->realised, end->unrealised);

        day_sums_take(end, &sums[day - range->first]);
        if (end->fills == 0 && flt_amt_sign(end->realised) == 0 &&
            flt_amt_sign(end->unrealised) == 0)
            continue;
        format_day(day, row->day);
        row->from_ms = day * DAY_MS;
        snprintf(row->quote, sizeof row->quote, "%s", quote);
        row->realised = end->realised;
        row->unrealised = end->unrealised;
        row->net = flt_amt_add(end->realised, end->unrealised);
        row->volume = end->volume;
        row->fees = json_object_get(end->fees);
        row->has_fees = row->fees != NULL;
        row->fills = end->fills;
        row->total = total;
        out->items_count++;
    }
}

static int by_day(const void *a, const void *b)
{
    const struct msg_pnl_day *one = a, *two = b;
    const int quotes = strcmp(one->quote, two->quote);

    return one->from_ms != two->from_ms ? (one->from_ms < two->from_ms ? -1 : 1) : quotes;
}

static int add_quote(struct controller *controller, const struct msg_pnl_days_args *in,
                     const struct range *range, const char *quote, struct msg_pnl_days_result *out)
{
    const size_t count = (size_t)(range->last - range->first + 2);
    struct day_sums *sums = calloc(count, sizeof *sums);
    struct msg_pnl_day *grown =
        realloc(out->items, (out->items_count + count) * sizeof *out->items);

    if (grown)
        out->items = grown;
    if (!sums || !grown) {
        free(sums);
        return -ENOMEM;
    }
    memset(&out->items[out->items_count], 0, count * sizeof *out->items);
    for (size_t i = 0; i < controller->books.count; i++)
        if (is_wanted(controller->books.list[i], in) &&
            strcmp(controller->books.list[i]->quote, quote) == 0)
            add_standings(controller, controller->books.list[i], range, sums);
    write_rows(out, range, quote, sums);
    for (size_t i = 0; i < count; i++)
        day_sums_finish(&sums[i]);
    free(sums);
    return 0;
}

static int read_range(const struct controller *controller, const struct msg_pnl_days_args *in,
                      struct range *out, struct flt_error *error)
{
    out->today = controller_now_ms(controller) / DAY_MS;
    out->last = in->has_to_ms ? in->to_ms / DAY_MS : out->today;
    if (out->last > out->today)
        out->last = out->today;
    out->first = in->has_from_ms ? in->from_ms / DAY_MS : out->last - DAYS_DEFAULT + 1;
    if (out->first > out->last)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "from_ms", "",
                             "the first day is after the last");
    if (out->last - out->first >= DAYS_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "from_ms", "ask in parts",
                             "more than %d days are asked for", DAYS_MAX);
    return 0;
}

HANDLER(verb_pnl_days)
{
    const struct msg_pnl_days_args *in = args;
    struct msg_pnl_days_result *out = result;
    struct controller *controller = request->controller;
    char done[16][ASSET_MAX]; /* quotes */
    size_t count = 0;
    struct range range;
    int err = in->has_bot && !request_bot(request, in->bot, error) ? -ENOENT : 0;

    if (!err)
        err = read_range(controller, in, &range, error);
    for (size_t i = 0; i < controller->books.count && !err; i++) {
        const struct book *book = controller->books.list[i];
        size_t seen = 0;

        while (seen < count && strcmp(done[seen], book->quote) != 0)
            seen++;
        if (seen < count || !is_wanted(book, in) || count == FLT_COUNT(done))
            continue;
        snprintf(done[count++], ASSET_MAX, "%s", book->quote);
        err = add_quote(controller, in, &range, book->quote, out);
    }
    if (!err && out->items_count)
        qsort(out->items, out->items_count, sizeof *out->items, by_day);
    return err;
}
