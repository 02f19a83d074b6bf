#define FLT_MOD "cli"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/cli/filter.h"

static const struct {
    const char *key;
    enum filter_field field;
} keys[] = {
    { "bot", FILTER_BOT },           { "name", FILTER_BOT },
    { "node", FILTER_NODE },         { "strategy", FILTER_STRATEGY },
    { "pair", FILTER_INSTRUMENT },   { "instrument", FILTER_INSTRUMENT },
    { "state", FILTER_STATE },       { "phase", FILTER_STATE },
    { "account", FILTER_ACCOUNT },   { "venue", FILTER_VENUE },
    { "mode", FILTER_MODE },         { "run", FILTER_RUN },
    { "reason", FILTER_REASON },     { "pnl", FILTER_EQUITY },
    { "equity", FILTER_EQUITY },     { "realised", FILTER_REALISED },
    { "position", FILTER_POSITION }, { "price", FILTER_PRICE },
    { "fills", FILTER_FILLS },       { "orders", FILTER_ORDERS },
    { "age", FILTER_AGE },
};

static const enum filter_field word_fields[] = { FILTER_BOT, FILTER_NODE, FILTER_STRATEGY,
                                                 FILTER_INSTRUMENT, FILTER_STATE };

const char *filter_key(size_t index)
{
    return index < FLT_COUNT(keys) ? keys[index].key : NULL;
}

static int find_key(const char *word, size_t length)
{
    for (size_t i = 0; i < FLT_COUNT(keys); i++)
        if (strlen(keys[i].key) == length && memcmp(keys[i].key, word, length) == 0)
            return (int)keys[i].field;
    return -1;
}

/* "250ms", "5s", "2m", "1h" in milliseconds; a bare number is seconds, as everywhere. */
static struct flt_amt duration_ms(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    const size_t digits = strspn(text, "0123456789.");

    for (size_t i = 0; i < FLT_COUNT(units); i++)
        if (digits && strcmp(text + digits, units[i].unit) == 0)
            return flt_amt_product(flt_dec_parse_n(text, digits), flt_dec_from_int(units[i].ms),
                                   FLT_ROUND_HALF_EVEN);
    return FLT_AMT_BAD;
}

static int bad_key(const char *word, size_t length, struct flt_error *error)
{
    const char *names[FLT_COUNT(keys)];
    char key[64], hint[64] = "see: flotilla help filter";

    for (size_t i = 0; i < FLT_COUNT(keys); i++)
        names[i] = keys[i].key;
    snprintf(key, sizeof key, "%.*s", (int)length, word);
    const char *near = flt_nearest(key, names, FLT_COUNT(names));

    if (near)
        snprintf(hint, sizeof hint, "did you mean %s?", near);
    return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter", hint, "bots have no field %s", key);
}

/* The operator at `text`; how many bytes it has. */
static size_t read_op(const char *text, struct filter_term *term)
{
    static const struct {
        const char *text;
        char op;
        bool negated;
    } ops[] = { { "!=", '=', true }, { ">=", 'g', false }, { "<=", 'l', false },
                { ">", '>', false }, { "<", '<', false },  { "==", '=', false },
                { "=", '=', false }, { ":", ':', false },  { "~", ':', false } };

    for (size_t i = 0; i < FLT_COUNT(ops); i++)
        if (strncmp(text, ops[i].text, strlen(ops[i].text)) == 0) {
            term->op = ops[i].op;
            term->negated = term->negated != ops[i].negated;
            return strlen(ops[i].text);
        }
    return 0;
}

static int add_value(struct filter_term *term, const char *text, struct flt_error *error)
{
    struct filter_value *value = &term->values[term->value_count];

    if (term->value_count == FILTER_VALUES_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter", "", "more than %d values: %s",
                             FILTER_VALUES_MAX, text);
    value->text = text;
    value->number = term->field == FILTER_AGE ? duration_ms(text) : flt_amt_parse(text);
    if (term->op != ':' && term->op != '=' &&
        (term->field < FILTER_EQUITY || !flt_amt_ok(value->number)))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter",
                             "for example pnl<0, fills>=10, age>5s",
                             "< and > compare numbers, not %s", *text ? text : "nothing");
    term->value_count++;
    return 0;
}

/* One term, already without its quotes: `bars` marks which bars divide values. */
static int read_term(struct filter *filter, char *word, const char *bars, struct flt_error *error)
{
    struct filter_term *term = &filter->terms[filter->term_count];
    int err = 0;

    if (filter->term_count == FILTER_TERMS_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter", "", "more than %d terms",
                             FILTER_TERMS_MAX);
    *term = (struct filter_term){ .field = -1, .op = ':' };
    if ((*word == '!' || *word == '-') && word[1]) {
        term->negated = true;
        word++;
        bars++;
    }
    const size_t length = strcspn(word, ":=~<>!");

    if (length && word[length] && *bars != 'q') {
        term->field = find_key(word, length);
        if (term->field < 0)
            return bad_key(word, length, error);
        const size_t size = read_op(word + length, term);

        if (size == 0)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter",
                                 "one of : = != > >= < <=", "what is %s?", word);
        word += length + size;
        bars += length + size;
    }
    for (char *from = word, *at = word; !err; at++) {
        const bool end = !*at;

        if (!end && !(*at == '|' && bars[at - word] == '|'))
            continue;
        *at = 0;
        err = add_value(term, from, error);
        from = at + 1;
        if (end)
            break;
    }
    filter->term_count += !err;
    return err;
}

/* Copies one word of the query in lower case and without quotes; `bars` says for each byte whether
 * it was quoted (q), a bar between values (|) or plain. Returns what follows. */
static const char *take_word(const char *query, char *out, char *bars, size_t size)
{
    bool quoted = false;
    size_t used = 0;

    for (; *query && (quoted || !strchr(" \t,", *query)); query++) {
        if (*query == '"') {
            quoted = !quoted;
            continue;
        }
        if (used + 1 < size) {
            bars[used] = quoted ? 'q' : *query == '|' ? '|' : '.';
            out[used++] = (char)tolower((unsigned char)*query);
        }
    }
    out[used] = bars[used] = 0;
    return query;
}

int filter_compile(struct filter *filter, const char *query, struct flt_error *error)
{
    char bars[FILTER_TEXT_MAX];
    size_t used = 0;
    int err = 0;

    filter->term_count = 0;
    if (strlen(query) >= FILTER_TEXT_MAX / 2)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "filter", "",
                             "a filter has at most %d characters", FILTER_TEXT_MAX / 2 - 1);
    while (!err) {
        query += strspn(query, " \t,");
        if (!*query)
            break;
        char *word = filter->text + used;

        query = take_word(query, word, bars, sizeof filter->text - used);
        used += strlen(word) + 1;
        if (*word)
            err = read_term(filter, word, bars, error);
    }
    return err;
}

static bool has_part(const char *text, const char *part)
{
    return text && strcasestr(text, part) != NULL;
}

static bool equals(const struct filter_value *value, const char *text, bool number)
{
    const struct flt_amt own = number ? flt_amt_parse(text) : FLT_AMT_BAD;

    if (flt_amt_ok(own) && flt_amt_ok(value->number))
        return flt_amt_cmp(own, value->number) == 0;
    return strcasecmp(text, value->text) == 0;
}

static bool compares(const struct filter_value *value, const char *text, char op)
{
    const struct flt_amt own = flt_amt_parse(text);

    if (!flt_amt_ok(own))
        return false;
    const int order = flt_amt_cmp(own, value->number);

    return op == '>' ? order > 0 : op == 'g' ? order >= 0 : op == '<' ? order < 0 : order <= 0;
}

static bool value_matches(const struct filter_term *term, const struct filter_value *value,
                          const struct filter_row *row)
{
    if (term->field < 0) {
        for (size_t i = 0; i < FLT_COUNT(word_fields); i++)
            if (has_part(row->text[word_fields[i]], value->text))
                return true;
        return false;
    }
    const char *text = row->text[term->field];

    if (!text || !*text)
        return false;
    if (term->op == ':')
        return has_part(text, value->text);
    if (term->op == '=')
        return equals(value, text, term->field >= FILTER_EQUITY);
    return compares(value, text, term->op);
}

bool filter_match(const struct filter *filter, const struct filter_row *row)
{
    for (size_t i = 0; i < filter->term_count; i++) {
        const struct filter_term *term = &filter->terms[i];
        bool any = false;

        for (size_t k = 0; k < term->value_count && !any; k++)
            any = value_matches(term, &term->values[k], row);
        if (any == term->negated)
            return false;
    }
    return true;
}
