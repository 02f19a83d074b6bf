/* flotilla indicator: the table of indicators, and any of them over a file of candles, so that
 * anybody can check the values a strategy sees. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/commands.h"
#include "lib/csv.h"
#include "strategies/indicators/indicator.h"

#define TICKS_MAX 1000000000000000 /* indicator.h's bound */

/* --- the table -----------------------------------------------------------------------------------
 */

static void add_text(struct json_object *object, const char *key, const char *text)
{
    json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *option_json(const struct indicator_option *row)
{
    static const char *const types[] = { "int", "number", "choice" };
    struct json_object *item = json_object_new_object();
    char text[40];

    add_text(item, "name", row->name);
    add_text(item, "type", types[row->type]);
    if (row->type == INDICATOR_CHOICE) {
        add_text(item, "default", indicator_option_text(row, row->def, text, sizeof text));
        add_text(item, "choices", row->choices);
    } else {
        json_object_object_add(item, "default", json_object_new_double(row->def));
        json_object_object_add(item, "min", json_object_new_double(row->min));
        json_object_object_add(item, "max", json_object_new_double(row->max));
    }
    add_text(item, "help", row->help);
    return item;
}

static struct json_object *indicator_json(const struct indicator *row)
{
    struct json_object *item = json_object_new_object(), *options = json_object_new_array();
    struct json_object *outputs = json_object_new_array();
    double option[INDICATOR_OPTIONS_MAX] = { 0 };
    char text[64];

    for (size_t i = 0; row->options[i].name; i++) {
        json_object_array_add(options, option_json(&row->options[i]));
        option[i] = row->options[i].def;
    }
    for (size_t i = 0; row->outputs[i]; i++)
        json_object_array_add(outputs, json_object_new_string(row->outputs[i]));
    add_text(item, "name", row->name);
    add_text(item, "aliases", row->aliases);
    add_text(item, "help", row->help);
    add_text(item, "inputs", indicator_inputs_text(row, text, sizeof text));
    json_object_object_add(item, "options", options);
    json_object_object_add(item, "outputs", outputs);
    json_object_object_add(item, "first", json_object_new_int64((int64_t)row->first(option)));
    json_object_object_add(item, "settle", json_object_new_int64((int64_t)row->settle(option)));
    add_text(item, "formula", row->formula);
    add_text(item, "source", row->source);
    return item;
}

/* What the table shows in place of the arrays: "period=14 seed=talib|pandas" and "k d". */
static void add_words(struct json_object *item, const struct indicator *row)
{
    char options[256] = "", outputs[128] = "", text[40];

    for (const struct indicator_option *o = row->options; o->name; o++) {
        const size_t used = strlen(options);

        snprintf(options + used, sizeof options - used, "%s%s=%s", used ? " " : "", o->name,
                 o->choices ? o->choices : indicator_option_text(o, o->def, text, sizeof text));
    }
    for (size_t i = 0; row->outputs[i]; i++) {
        const size_t used = strlen(outputs);

        snprintf(outputs + used, sizeof outputs - used, "%s%s", used ? " " : "", row->outputs[i]);
    }
    add_text(item, "options", options);
    add_text(item, "outputs", outputs);
}

static int list(struct cli *cli)
{
    static const struct column columns[] = {
        { "NAME", "name", COLUMN_TEXT },       { "OPTIONS", "options", COLUMN_TEXT },
        { "OUTPUTS", "outputs", COLUMN_TEXT }, { "FIRST", "first", COLUMN_NUMBER },
        { "WHAT", "help", COLUMN_TEXT },       { .title = NULL },
    };
    struct json_object *document = json_object_new_object(), *items = json_object_new_array();
    const struct indicator *row;

    for (size_t i = 0; (row = indicator_at(i)); i++) {
        struct json_object *item = indicator_json(row);

        if (!cli->json)
            add_words(item, row);
        json_object_array_add(items, item);
    }
    json_object_object_add(document, "items", items);
    out_list(cli, document, items, columns);
    json_object_put(document);
    return 0;
}

static int show(struct cli *cli, const struct indicator *row)
{
    struct json_object *document = indicator_json(row);

    if (!cli->json)
        add_words(document, row);
    out_object(cli, document);
    json_object_put(document);
    return 0;
}

/* --- candles
 * -------------------------------------------------------------------------------------- */

struct series {
    struct flt_candle *candles;
    size_t count, capacity;
    int scale; /* of the prices: the tick is 10^-scale */
    int64_t *ticks[4];
    int64_t *ts_ms;
    double *volume;
    double *values[INDICATOR_OUTPUTS_MAX];
};

static int append(struct series *series, const struct flt_candle *candle)
{
    if (series->count == series->capacity) {
        const size_t capacity = series->capacity ? series->capacity * 2 : 4096;
        struct flt_candle *grown = realloc(series->candles, capacity * sizeof *grown);

        if (!grown)
            return -ENOMEM;
        series->candles = grown;
        series->capacity = capacity;
    }
    series->candles[series->count++] = *candle;
    return 0;
}

static int read_candles(const char *path, struct series *series, struct flt_error *error)
{
    struct flt_candles reader;
    struct flt_candle candle;
    struct flt_csv *csv;
    int err = flt_csv_open(path, &csv, error);

    if (err)
        return err;
    err = flt_candles_open(&reader, csv, error);
    while (!err && (err = flt_candles_next(&reader, &candle, error)) == 0)
        err = append(series, &candle);
    series->scale = reader.price_scale;
    flt_candles_close(&reader);
    if (err == FLT_CSV_END)
        err = series->count ? 0
                            : flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "",
                                            "%.160s: there is no row in it", path);
    return err;
}

/* Decimals that let the highest price stay below the bound: binary noise in the last of 16 or more
 * digits is rounded away. */
static void choose_scale(struct series *series)
{
    struct flt_dec most = { 0, 0 };

    for (size_t i = 0; i < series->count; i++)
        if (flt_dec_cmp(series->candles[i].high, most) > 0)
            most = series->candles[i].high;
    while (series->scale > 0) {
        const int64_t ticks =
            flt_dec_units(most, (struct flt_dec){ 1, (int8_t)series->scale }, FLT_ROUND_HALF_EVEN);
        if (ticks > 0 && ticks < TICKS_MAX)
            return;
        series->scale--;
    }
}

static int make_columns(struct series *series, size_t outputs)
{
    bool whole;

    series->ts_ms = calloc(series->count, sizeof *series->ts_ms);
    series->volume = calloc(series->count, sizeof *series->volume);
    whole = series->ts_ms && series->volume;
    for (size_t k = 0; k < 4; k++)
        whole = (series->ticks[k] = calloc(series->count, sizeof(int64_t))) != NULL && whole;
    for (size_t k = 0; k < outputs; k++)
        whole = (series->values[k] = calloc(series->count, sizeof(double))) != NULL && whole;
    return whole ? 0 : -ENOMEM;
}

static int fill_columns(struct series *series, struct flt_error *error)
{
    const struct flt_dec tick = { 1, (int8_t)series->scale };

    for (size_t i = 0; i < series->count; i++) {
        const struct flt_candle *c = &series->candles[i];
        const struct flt_dec prices[] = { c->open, c->high, c->low, c->close };

        for (size_t k = 0; k < FLT_COUNT(prices); k++) {
            series->ticks[k][i] = flt_dec_units(prices[k], tick, FLT_ROUND_HALF_EVEN);
            if (series->ticks[k][i] <= 0 || series->ticks[k][i] >= TICKS_MAX)
                return flt_error_set(error, FLT_INVALID_ARGUMENT, "data", "",
                                     "row %zu: the price needs more than 15 digits", i);
        }
        series->ts_ms[i] = c->ts_ms;
        series->volume[i] = flt_dec_to_double(c->volume);
    }
    return 0;
}

static void finish(struct series *series)
{
    for (size_t k = 0; k < FLT_COUNT(series->ticks); k++)
        free(series->ticks[k]);
    for (size_t k = 0; k < FLT_COUNT(series->values); k++)
        free(series->values[k]);
    free(series->ts_ms);
    free(series->volume);
    free(series->candles);
}

static int compute(const struct indicator *row, const double *option, struct series *series)
{
    const struct indicator_columns in = {
        .ts_ms = series->ts_ms,
        .open_ticks = series->ticks[0],
        .high_ticks = series->ticks[1],
        .low_ticks = series->ticks[2],
        .close_ticks = series->ticks[3],
        .volume = series->volume,
    };
    void *state = malloc(row->init(NULL, option));

    if (!state)
        return -ENOMEM;
    row->init(state, option);
    row->run(state, &in, series->count,
             flt_dec_to_double((struct flt_dec){ 1, (int8_t)series->scale }), series->values);
    free(state);
    return 0;
}

/* --- printing
 * ------------------------------------------------------------------------------------- */

static void print_csv(const struct indicator *row, const struct series *series)
{
    fputs("ts_ms", stdout);
    for (size_t k = 0; k < row->output_count; k++)
        printf(",%s", row->outputs[k]);
    for (size_t i = 0; i < series->count; i++) {
        printf("\n%" PRId64, series->ts_ms[i]);
        for (size_t k = 0; k < row->output_count; k++)
            if (isnan(series->values[k][i]))
                putchar(',');
            else
                printf(",%.17g", series->values[k][i]);
    }
    putchar('\n');
}

static void print_json(const struct indicator *row, const double *option,
                       const struct series *series)
{
    char text[40];

    printf("{\"indicator\":\"%s\",\"options\":{", row->name);
    for (size_t i = 0; row->options[i].name; i++)
        printf("%s\"%s\":\"%s\"", i ? "," : "", row->options[i].name,
               indicator_option_text(&row->options[i], option[i], text, sizeof text));
    fputs("},\"columns\":[\"ts_ms\"", stdout);
    for (size_t k = 0; k < row->output_count; k++)
        printf(",\"%s\"", row->outputs[k]);
    fputs("],\"rows\":[", stdout);
    for (size_t i = 0; i < series->count; i++) {
        printf("%s[%" PRId64, i ? "," : "", series->ts_ms[i]);
        for (size_t k = 0; k < row->output_count; k++)
            if (isnan(series->values[k][i]))
                fputs(",null", stdout);
            else
                printf(",%.17g", series->values[k][i]);
        putchar(']');
    }
    puts("]}");
}

static int run(struct cli *cli, const struct indicator *row, const char *path)
{
    double option[INDICATOR_OPTIONS_MAX] = { 0 };
    struct series series = { 0 };
    const char *text;
    int err = 0;

    for (size_t i = 0; !err && (text = cli_nth(cli, "opt", i)); i++)
        err = indicator_option_set(row, option, text, &cli->error);
    if (!err)
        err = indicator_options_check(row, option, &cli->error);
    if (!err)
        err = read_candles(path, &series, &cli->error);
    if (!err) {
        choose_scale(&series);
        err = make_columns(&series, row->output_count);
    }
    if (!err)
        err = fill_columns(&series, &cli->error);
    if (!err)
        err = compute(row, option, &series);
    if (!err && cli->json)
        print_json(row, option, &series);
    else if (!err)
        print_csv(row, &series);
    if (!err && series.count < row->first(option))
        out_note(cli, "%zu bars are too few: %s needs %zu until all its outputs are there",
                 series.count, row->name, row->first(option));
    finish(&series);
    return err;
}

int cmd_indicator(struct cli *cli)
{
    const char *name = cli_arg(cli, 0), *path = cli_flag(cli, "data");

    if (!name && cli_has(cli, "markdown")) {
        indicator_docs(stdout);
        return 0;
    }
    if (!name && (path || cli_nth(cli, "opt", 0)))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "name", "flotilla indicator lists them",
                        "which indicator?");
    if (!name)
        return list(cli);
    const struct indicator *row = indicator_find(name);

    if (!row) {
        const char *near = indicator_nearest(name);
        char hint[64] = "flotilla indicator lists them";

        if (near)
            snprintf(hint, sizeof hint, "did you mean %s?", near);
        return CLI_FAIL(cli, FLT_NOT_FOUND, "name", hint, "no indicator %.32s", name);
    }
    if (!path && cli_nth(cli, "opt", 0))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data", "--data FILE.csv, plain or gzip",
                        "options mean something over data only");
    return path ? run(cli, row, path) : show(cli, row);
}
