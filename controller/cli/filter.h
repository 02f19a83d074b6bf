/* Which bots: the filter language of `bot ls -l`, of every bot verb, of `flotilla top` and of the
 * dashboard (dashboard/web/src/lib/filter.ts). tests/vectors/filter.json holds both to the same
 * answers; docs/cli.md has the grammar for people.
 *
 *   filter = [ term { (" " | ",") term } ]              all must hold; none: everything
 *   term   = [ "!" | "-" ] ( key op value { "|" value } | word )
 *   op     = ":" | "~"  is part of      "=" | "!="  equals      ">" ">=" "<" "<="  numbers
 *   word   = is part of bot, node, strategy, instrument or state
 *
 * "quotes" keep blanks, commas and bars together; letters' case does not matter. What a bot does
 * not have (a price before the first tick) matches nothing but != and negated terms. */
#pragma once
#include <stdbool.h>
#include "lib/amt.h"
#include "lib/attr.h"
#include "lib/fail.h"

enum filter_field {
    FILTER_BOT,
    FILTER_NODE,
    FILTER_STRATEGY,
    FILTER_INSTRUMENT,
    FILTER_STATE,
    FILTER_ACCOUNT,
    FILTER_VENUE,
    FILTER_MODE,
    FILTER_RUN,
    FILTER_REASON,
    FILTER_EQUITY, /* from here on numbers */
    FILTER_REALISED,
    FILTER_POSITION,
    FILTER_PRICE,
    FILTER_FILLS,
    FILTER_ORDERS,
    FILTER_AGE, /* milliseconds; in a filter a duration: age>5s */
    FILTER_FIELDS
};

struct filter_row {
    const char *text[FILTER_FIELDS]; /* borrowed; NULL or "": it has none */
};

#define FILTER_TEXT_MAX 512
#define FILTER_TERMS_MAX 16
#define FILTER_VALUES_MAX 16

struct filter_value {
    const char *text;      /* lower case, in filter.text */
    struct flt_amt number; /* FLT_AMT_BAD: not one */
};

struct filter_term {
    bool negated;
    int field; /* -1: a word */
    char op;   /* ':' '=' '>' '<', 'g' for >=, 'l' for <= */
    size_t value_count;
    struct filter_value values[FILTER_VALUES_MAX];
};

struct filter {
    char text[FILTER_TEXT_MAX];
    size_t term_count;
    struct filter_term terms[FILTER_TERMS_MAX];
};

/* -EINVAL: `error` names the word that is wrong, and which one was meant. The filter points into
 * itself: compile it where it stays. */
FLT_MUST_USE int filter_compile(struct filter *filter, const char *query, struct flt_error *error);
bool filter_match(const struct filter *filter, const struct filter_row *row);
/* The keys, for completion: NULL ends. */
const char *filter_key(size_t index);
