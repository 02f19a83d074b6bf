#define FLT_MOD "report"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/report_data.h"
#include "backtest/report_metrics.h"
#include "lib/clock.h"

#define SPARK_MAX 160
#define CELL_MAX 48
#define FIGURE_WIDTH 26

struct figure { /* a cell of the table */
    const char *name, *label;
    char kind; /* '%', '+' a signed percentage, '$', 'x' a ratio, 'n' */
};

/* Three a row where the terminal is wide enough. */
static const struct figure figures[] = {
    { "total_return", "return", '+' },
    { "cagr_clock", "CAGR", '+' },
    { "equity_last", "equity", '$' },
    { "max_drawdown", "drawdown", '+' },
    { "volatility_ann", "volatility", '%' },
    { "total_fees", "fees", '$' },
    { "sharpe_ann_rf0", "Sharpe", 'x' },
    { "sortino_ann_mar0", "Sortino", 'x' },
    { "calmar_periods", "Calmar", 'x' },
    { "n_trades_closed", "trades", 'n' },
    { "win_rate", "won", '%' },
    { "profit_factor", "gain/loss", 'x' },
    { "exposure_fraction", "in market", '%' },
    { "expectancy", "per trade", '$' },
    { "held_hours_mean", "held, hours", 'x' },
};

/* 1234567.891 -> "1,234,567.89" */
static char *with_commas(double value, int decimals, char *out, size_t size)
{
    char plain[400]; /* the longest double has 309 digits */
    size_t to = 0;

    const int length = snprintf(plain, sizeof plain, "%.*f", decimals, value);
    const char *dot = strchr(plain, '.');
    const size_t whole = dot ? (size_t)(dot - plain) : (size_t)length;

    for (size_t i = 0; plain[i] && to + 2 < size; i++) {
        const bool digit_before = i > 0 && plain[i - 1] != '-';

        if (i < whole && digit_before && (whole - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = plain[i];
    }
    out[to] = '\0';
    return out;
}

static char *figure_text(struct json_object *summary, const struct figure *figure, double *value,
                         char *out, size_t size)
{
    const char *text = report_metric_text(summary, figure->name);
    char number[CELL_MAX];

    *value = text ? strtod(text, NULL) : (double)NAN;
    if (!isfinite(*value))
        snprintf(out, size, "-");
    else if (figure->kind == '%' || figure->kind == '+')
        snprintf(out, size, "%s%s %%", figure->kind == '+' && *value > 0 ? "+" : "",
                 with_commas(*value * 100, 2, number, sizeof number));
    else
        with_commas(*value, figure->kind == 'n' ? 0 : 2, out, size);
    return out;
}

static void print_figure(FILE *file, struct json_object *summary, const struct figure *figure,
                         bool color)
{
    char text[CELL_MAX];
    double value;

    figure_text(summary, figure, &value, text, sizeof text);
    const bool painted = color && figure->kind == '+' && isfinite(value) && fabs(value) > 0;

    fprintf(file, "  %-11s %s%12s%s", figure->label,
            !painted    ? ""
            : value > 0 ? "\033[32m"
                        : "\033[31m",
            text, painted ? "\033[0m" : "");
}

static void print_figures(FILE *file, struct json_object *summary, unsigned columns, bool color)
{
    const size_t in_row = columns >= 3 * FIGURE_WIDTH ? 3 : columns >= 2 * FIGURE_WIDTH ? 2 : 1;

    for (size_t i = 0; i < FLT_COUNT(figures); i++) {
        print_figure(file, summary, &figures[i], color);
        if (i % in_row == in_row - 1 || i + 1 == FLT_COUNT(figures))
            fputc('\n', file);
    }
}

/* The mean equity of each stretch, from the lowest to the highest of them in eight steps. */
static void print_spark(FILE *file, const struct report_data *data, unsigned columns, bool color)
{
    static const char *const steps[] = { "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588" };
    double mean[SPARK_MAX], low = INFINITY, high = -INFINITY;
    size_t width = columns > 16 ? columns - 16 : 1;

    width = width < SPARK_MAX ? width : SPARK_MAX;
    width = width < data->bucket_count ? width : data->bucket_count;
    for (size_t i = 0; i < width; i++) {
        const size_t from = i * data->bucket_count / width;
        const size_t to = (i + 1) * data->bucket_count / width;

        mean[i] = 0;
        for (size_t k = from; k < to; k++)
            mean[i] += data->buckets[k].equity_last / (double)(to - from);
        low = fmin(low, mean[i]);
        high = fmax(high, mean[i]);
    }
    const bool up = data->buckets[data->bucket_count - 1].equity_last >= data->equity_first;

    fprintf(file, "  %-11s ", "equity");
    fputs(!color ? "" : up ? "\033[32m" : "\033[31m", file);
    for (size_t i = 0; i < width; i++) {
        const double part = high > low ? (mean[i] - low) / (high - low) : 0;

        fputs(steps[(size_t)fmin(7, part * 8)], file);
    }
    fprintf(file, "%s\n", color ? "\033[0m" : "");
}

/* A name from outside must not draw on the terminal. */
static void print_word(FILE *file, const char *text)
{
    for (; text && *text; text++)
        fputc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, file);
}

static const char *word_of(struct json_object *summary, const char *key)
{
    struct json_object *config = flt_json_get(summary, "config");
    struct json_object *value = flt_json_get(summary, key);

    if (!value && json_object_is_type(config, json_type_object))
        value = flt_json_get(config, key);
    if (json_object_is_type(value, json_type_object))
        value = flt_json_get(value, "name");
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static void print_head(FILE *file, const struct report_data *data, bool color)
{
    const char *strategy = word_of(data->summary, "strategy");
    const char *what = word_of(data->summary, "data");
    const struct report_bucket *last = &data->buckets[data->bucket_count - 1];
    char from[FLT_ISO_MAX], to[FLT_ISO_MAX], bars[CELL_MAX];

    fputs(color ? "\033[1m" : "", file);
    print_word(file, strategy ? strategy : "backtest");
    fputs(what ? " on " : "", file);
    print_word(file, what);
    fprintf(file, "%s  %.10s to %.10s, %s bars\n", color ? "\033[0m" : "",
            flt_iso_format(data->buckets[0].ts_ms, from), flt_iso_format(data->last_ts_ms, to),
            with_commas((double)data->bars, 0, bars, sizeof bars));
    if (isfinite(last->close) && data->buckets[0].close > 0) {
        const double held = last->close / data->buckets[0].close - 1;
        char text[CELL_MAX];

        fprintf(file, "  %-11s %s%s %%", "holding", held > 0 ? "+" : "",
                with_commas(held * 100, 2, text, sizeof text));
        fputc('\n', file);
    }
}

static void print_notes(FILE *file, struct json_object *summary, bool color)
{
    struct json_object *notes = flt_json_get(summary, "notes");

    if (!json_object_is_type(notes, json_type_array))
        return;
    for (size_t i = 0; i < json_object_array_length(notes); i++) {
        fprintf(file, "%snote:%s ", color ? "\033[33m" : "", color ? "\033[0m" : "");
        print_word(file, json_object_get_string(json_object_array_get_idx(notes, i)));
        fputc('\n', file);
    }
}

int report_print(FILE *file, const char *dir, const struct report_style *style,
                 struct flt_error *error)
{
    struct report_data data = { 0 };
    const unsigned columns = style->columns ? style->columns : 80;
    const int err = report_data_read(dir, NULL, &data, error);
    char page[4096];

    if (err)
        return err;
    print_head(file, &data, style->color);
    print_figures(file, data.summary, columns, style->color);
    print_spark(file, &data, columns, style->color);
    print_notes(style->notes ? style->notes : file, data.summary, style->color);
    (void)snprintf(page, sizeof page, "%s/report.html", dir);
    if (access(page, F_OK) == 0)
        fprintf(file, "  %-11s %s\n", "report", page);
    else
        fprintf(file, "  %-11s %s\n", "files", dir);
    report_data_free(&data);
    return 0;
}
