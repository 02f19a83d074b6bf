/* The fleet's books in memory: per bot, account and instrument the sums of all its fills.
 *
 * Position, cash, volume and fees are our own exact sums over the fills, in whatever order they
 * come; the average cost depends on their order and is taken from the sub-ledger that the node
 * sends with each fill. realised = cash + cost, after fees in quote. A sum that differs from the
 * node's is `differs`: an alarm, never repaired here. A bot of a removed one's name begins its own
 * books with nothing: what that one left stays in the sums here, and is known apart. Pure memory;
 * controller/store.c keeps the rows. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "lib/market.h"
#include "schemas/schemas_msg.h"

#define BOOK_FEES_MAX 8

struct book_fee {
    char asset[ASSET_MAX];
    struct flt_amt sum;
};

/* What removed bots of this name left in the sums; their fills are of epochs before `birth`. */
struct book_before {
    int64_t birth; /* 0: there was none */
    struct flt_amt position, cash, cost;
};

struct book {
    char bot[FLT_NAME_MAX], venue[FLT_NAME_MAX], account[FLT_NAME_MAX];
    char instrument[INSTRUMENT_NAME_MAX];
    enum msg_mode mode;
    char base[ASSET_MAX], quote[ASSET_MAX]; /* from the instrument's name */
    char node[FLT_NAME_MAX];                /* of the last fill */
    struct flt_amt position, cash, cost, volume;
    struct book_before before;
    struct book_fee fees[BOOK_FEES_MAX];
    size_t fee_count;
    struct flt_dec price; /* of the last fill; zero: none */
    int64_t fills;
    int64_t day_fills; /* as last written to book_days */
    int64_t net_day;   /* of which the three below are: net before today, 7 and 30 days ago */
    struct flt_amt net_before[3];
    bool dirty;   /* not yet in the database */
    bool differs; /* the node's sums are other than ours */
};

struct books {
    struct book **list; /* by bot, venue, account, instrument, mode */
    size_t count, capacity;
};

/* Where a fill belongs. */
struct book_key {
    const char *bot, *venue, *account, *instrument;
    enum msg_mode mode;
};

struct book *books_find(const struct books *books, const struct book_key *key); /* NULL: none */
/* Finds or makes it; NULL: no memory. */
struct book *books_get(struct books *books, const struct book_key *key);
void books_finish(struct books *books);
/* All books of a bot: the first, and how many follow it in `list`. */
size_t books_of_bot(const struct books *books, const char *bot, size_t *first);

/* A new bot has the name of a removed one, from epoch `birth` on. */
void books_begin(struct books *books, const char *bot, int64_t birth);
/* Books one fill of an owner of `epoch`. -ERANGE: a number is bad or does not fit; nothing is
 * booked then. */
FLT_MUST_USE int book_apply(struct book *book, const struct msg_ev_fill *fill, int64_t epoch);
/* A person's word that the venue holds other than the books: the position moves, the cash stays. */
FLT_MUST_USE int book_adjust(struct book *book, const struct msg_ev_adjustment *adjustment,
                             int64_t epoch);
struct flt_amt book_realised(const struct book *book);
/* position * mark - cost; zero while the mark is unknown (zero or bad). */
struct flt_amt book_unrealised(const struct book *book, struct flt_dec mark);
struct json_object *
book_fees_tree(const struct book *book); /* {"USDT":"1.5"}; the caller puts it */
FLT_MUST_USE int book_fees_read(struct book *book, const char *json);
