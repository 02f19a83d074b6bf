#define FLT_MOD "books"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/books.h"
#include "lib/log.h"

static int compare(const struct book *book, const struct book_key *key)
{
    int order = strcmp(book->bot, key->bot);

    if (!order)
        order = strcmp(book->venue, key->venue);
    if (!order)
        order = strcmp(book->account, key->account);
    if (!order)
        order = strcmp(book->instrument, key->instrument);
    return order ? order : (int)book->mode - (int)key->mode;
}

/* The place of `key`, or where it belongs. */
static size_t place_of(const struct books *books, const struct book_key *key)
{
    size_t low = 0, high = books->count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (compare(books->list[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct book *books_find(const struct books *books, const struct book_key *key)
{
    const size_t place = place_of(books, key);

    return place < books->count && compare(books->list[place], key) == 0 ? books->list[place]
                                                                         : NULL;
}

/* "BTC-USDT-PERP": base and quote are its first two words. */
static void split_instrument(struct book *book)
{
    char name[INSTRUMENT_NAME_MAX], *rest = name;

    snprintf(name, sizeof name, "%s", book->instrument);
    const char *base = strsep(&rest, "-"), *quote = strsep(&rest, "-");
    snprintf(book->base, sizeof book->base, "%.*s", ASSET_MAX - 1, base ? base : "");
    snprintf(book->quote, sizeof book->quote, "%.*s", ASSET_MAX - 1, quote ? quote : "");
}

static struct book *book_create(const struct book_key *key)
{
    struct book *book = calloc(1, sizeof *book);

    if (!book)
        return NULL;
    snprintf(book->bot, sizeof book->bot, "%s", key->bot);
    snprintf(book->venue, sizeof book->venue, "%s", key->venue);
    snprintf(book->account, sizeof book->account, "%s", key->account);
    snprintf(book->instrument, sizeof book->instrument, "%s", key->instrument);
    book->mode = key->mode;
    split_instrument(book);
    return book;
}

struct book *books_get(struct books *books, const struct book_key *key)
{
    const size_t place = place_of(books, key);
    struct book *book;

    if (place < books->count && compare(books->list[place], key) == 0)
        return books->list[place];
    if (books->count == books->capacity) {
        const size_t capacity = books->capacity ? 2 * books->capacity : 64;
        struct book **list = realloc(books->list, capacity * sizeof *list);

        if (!list)
            return NULL;
        books->list = list;
        books->capacity = capacity;
    }
    book = book_create(key);
    if (!book)
        return NULL;
    memmove(books->list + place + 1, books->list + place,
            (books->count - place) * sizeof *books->list);
    books->list[place] = book;
    books->count++;
    return book;
}

void books_finish(struct books *books)
{
    for (size_t i = 0; i < books->count; i++)
        free(books->list[i]);
    free(books->list);
    *books = (struct books){ 0 };
}

size_t books_of_bot(const struct books *books, const char *bot, size_t *first)
{
    const struct book_key key = { bot, "", "", "", (enum msg_mode)0 };
    size_t end = *first = place_of(books, &key);

    while (end < books->count && strcmp(books->list[end]->bot, bot) == 0)
        end++;
    return end - *first;
}

static struct book_fee *fee_row(struct book *book, const char *asset)
{
    for (size_t i = 0; i < book->fee_count; i++)
        if (strcmp(book->fees[i].asset, asset) == 0)
            return &book->fees[i];
    if (book->fee_count == BOOK_FEES_MAX)
        return NULL;
    snprintf(book->fees[book->fee_count].asset, ASSET_MAX, "%s", asset);
    book->fees[book->fee_count].sum = FLT_AMT_ZERO;
    return &book->fees[book->fee_count++];
}

/* A fee in quote leaves the cash, one in base the position; one in a third asset only its own row.
 */
static int take_fee(struct book *book, const struct msg_fill *fill)
{
    struct book_fee *row = flt_amt_sign(fill->fee) ? fee_row(book, fill->fee_asset) : NULL;

    if (!flt_amt_sign(fill->fee))
        return 0;
    if (!row)
        return FLT_FAIL(-ERANGE, "bot=%s why=\"over %d fee assets\"", book->bot, BOOK_FEES_MAX);
    row->sum = flt_amt_add(row->sum, fill->fee);
    if (strcmp(fill->fee_asset, book->quote) == 0)
        book->cash = flt_amt_sub(book->cash, fill->fee);
    else if (strcmp(fill->fee_asset, book->base) == 0)
        book->position = flt_amt_sub(book->position, fill->fee);
    return flt_amt_ok(row->sum) ? 0 : -ERANGE;
}

void books_begin(struct books *books, const char *bot, int64_t birth)
{
    size_t first;
    const size_t count = books_of_bot(books, bot, &first);

    for (size_t i = first; i < first + count; i++) {
        struct book *book = books->list[i];

        book->before = (struct book_before){ birth, book->position, book->cash, book->cost };
        book->differs = false;
        book->dirty = true;
    }
}

/* Its owner's sums after it: of the bot of today, or of a removed one, which is compared no more.
 */
static void take_node_sums(struct book *book, const struct book *old, const struct msg_book *node,
                           int64_t epoch)
{
    struct book_before *before = &book->before;

    if (epoch < before->birth) {
        before->position =
            flt_amt_add(before->position, flt_amt_sub(book->position, old->position));
        before->cash = flt_amt_add(before->cash, flt_amt_sub(book->cash, old->cash));
        book->cost = flt_amt_add(flt_amt_sub(old->cost, before->cost), node->cost);
        before->cost = node->cost;
        return;
    }
    book->cost = flt_amt_add(before->cost, node->cost);
    book->differs =
        flt_amt_cmp(book->position, flt_amt_add(before->position, node->position)) != 0 ||
        flt_amt_cmp(book->cash, flt_amt_add(before->cash, node->cash)) != 0;
}

int book_apply(struct book *book, const struct msg_ev_fill *fill, int64_t epoch)
{
    struct book next = *book;
    const struct flt_amt qty = flt_amt_from_dec(fill->fill.qty);
    const struct flt_amt value =
        flt_amt_product(fill->fill.price, fill->fill.qty, FLT_ROUND_HALF_EVEN);
    const bool buys = fill->fill.side == SIDE_BUY;
    int err;

    if (!flt_amt_ok(qty) || !flt_amt_ok(value) || !flt_amt_ok(fill->fill.fee))
        return FLT_FAIL(-ERANGE, "bot=%s trade_id=%s", book->bot, fill->fill.trade_id);
    next.position = (buys ? flt_amt_add : flt_amt_sub)(book->position, qty);
    next.cash = (buys ? flt_amt_sub : flt_amt_add)(book->cash, value);
    next.volume = flt_amt_add(book->volume, value);
    err = take_fee(&next, &fill->fill);
    take_node_sums(&next, book, &fill->book, epoch);
    if (err || !flt_amt_ok(next.position) || !flt_amt_ok(next.cash) || !flt_amt_ok(next.volume) ||
        !flt_amt_ok(next.cost))
        return FLT_FAIL(-ERANGE, "bot=%s trade_id=%s why=\"a sum does not fit\"", book->bot,
                        fill->fill.trade_id);
    next.price = fill->fill.price;
    next.fills++;
    next.dirty = true;
    *book = next;
    return 0;
}

int book_adjust(struct book *book, const struct msg_ev_adjustment *adjustment, int64_t epoch)
{
    struct book next = *book;

    next.position = flt_amt_add(book->position, adjustment->qty);
    take_node_sums(&next, book, &adjustment->book, epoch);
    if (!flt_amt_ok(next.position) || !flt_amt_ok(next.cost))
        return FLT_FAIL(-ERANGE, "bot=%s", book->bot);
    next.dirty = true;
    *book = next;
    return 0;
}

struct flt_amt book_realised(const struct book *book)
{
    return flt_amt_add(book->cash, book->cost);
}

struct flt_amt book_unrealised(const struct book *book, struct flt_dec mark)
{
    if (!flt_dec_ok(mark) || mark.coef == 0)
        return FLT_AMT_ZERO;
    return flt_amt_sub(flt_amt_mul(book->position, mark, FLT_ROUND_HALF_EVEN), book->cost);
}

struct json_object *book_fees_tree(const struct book *book)
{
    struct json_object *tree = json_object_new_object();

    for (size_t i = 0; tree && i < book->fee_count; i++) {
        char text[FLT_AMT_TEXT_MAX];

        json_object_object_add(tree, book->fees[i].asset,
                               json_object_new_string(flt_amt_format(book->fees[i].sum, text)));
    }
    return tree;
}

int book_fees_read(struct book *book, const char *json)
{
    struct json_object *tree = flt_json_parse(json, strlen(json), NULL);
    int err = json_object_is_type(tree, json_type_object) ? 0 : -EBADMSG;

    if (!err) {
        json_object_object_foreach(tree, asset, value)
        {
            struct book_fee *row = fee_row(book, asset);

            (void)value;
            if (!row || !flt_json_amt(tree, asset, &row->sum))
                err = -EBADMSG;
        }
    }
    json_object_put(tree);
    return err;
}
