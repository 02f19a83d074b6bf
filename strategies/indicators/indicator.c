#include "strategies/indicators/indicator.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "lib/attr.h"
#include "strategies/indicators/kernel.h"

#define INDICATORS_MAX 64

static const struct indicator *const groups[] = {
    indicators_average,    indicators_smoother, indicators_momentum, indicators_oscillator,
    indicators_volatility, indicators_trend,    indicators_volume,   indicators_filter,
};

const struct indicator *indicator_at(size_t index)
{
    for (size_t i = 0; i < FLT_COUNT(groups); i++)
        for (const struct indicator *row = groups[i]; row->name; row++)
            if (index-- == 0)
                return row;
    return NULL;
}

/* `word` is one of the words of `list`. */
static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);

    while (length && *list) {
        const size_t size = strcspn(list, " ");

        if (size == length && memcmp(list, word, size) == 0)
            return true;
        list += size + (list[size] == ' ');
    }
    return false;
}

const struct indicator *indicator_find(const char *name)
{
    const struct indicator *row;

    for (size_t i = 0; (row = indicator_at(i)); i++)
        if (strcmp(row->name, name) == 0 || has_word(row->aliases, name))
            return row;
    return NULL;
}

const char *indicator_nearest(const char *name)
{
    const char *names[INDICATORS_MAX];
    const struct indicator *row;
    size_t count = 0;

    for (; count < INDICATORS_MAX && (row = indicator_at(count)); count++)
        names[count] = row->name;
    return flt_nearest(name, names, count);
}

int indicator_output_find(const struct indicator *indicator, const char *name)
{
    for (int i = 0; indicator->outputs[i]; i++)
        if (strcmp(indicator->outputs[i], name) == 0)
            return i;
    return -1;
}

/* --- options -------------------------------------------------------------------------------------
 */

static int choice_find(const char *choices, const char *word)
{
    for (int i = 0;; i++) {
        const size_t size = strcspn(choices, "|");

        if (strlen(word) == size && memcmp(choices, word, size) == 0)
            return i;
        if (!choices[size])
            return -1;
        choices += size + 1;
    }
}

static int choice_count(const char *choices)
{
    int count = 1;

    for (; *choices; choices++)
        count += *choices == '|';
    return count;
}

static int option_check(const struct indicator_option *row, double value, struct flt_error *error)
{
    const double max = row->type == INDICATOR_CHOICE ? choice_count(row->choices) - 1 : row->max;

    if (!(value >= row->min && value <= max))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, row->name, "",
                             "%s is from %.15g to %.15g, not %.15g", row->name, row->min, max,
                             value);
    if (row->type != INDICATOR_NUMBER && value != floor(value))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, row->name, "",
                             "%s is a whole number, not %.15g", row->name, value);
    return 0;
}

int indicator_options_check(const struct indicator *indicator, double option[INDICATOR_OPTIONS_MAX],
                            struct flt_error *error)
{
    size_t count = 0;

    for (; indicator->options[count].name; count++) {
        const struct indicator_option *row = &indicator->options[count];

        if (fpclassify(option[count]) == FP_ZERO)
            option[count] = row->def;
        const int err = option_check(row, option[count], error);

        if (err)
            return err;
    }
    for (; count < INDICATOR_OPTIONS_MAX; count++)
        if (fpclassify(option[count]) != FP_ZERO)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "", "%s has no option number %zu",
                                 indicator->name, count + 1);
    return 0;
}

/* TA-Lib's and pandas_ta's words for a period are taken too. */
static const struct indicator_option *option_find(const struct indicator *indicator,
                                                  const char *name)
{
    static const char *const periods[] = { "length", "timeperiod", "n" };

    for (size_t i = 0; i < FLT_COUNT(periods); i++)
        if (strcmp(name, periods[i]) == 0)
            name = "period";
    for (const struct indicator_option *row = indicator->options; row->name; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

static int unknown_option(const struct indicator *indicator, const char *name,
                          struct flt_error *error)
{
    char hint[160] = "it has: ";

    for (const struct indicator_option *row = indicator->options; row->name; row++) {
        const size_t used = strlen(hint);

        snprintf(hint + used, sizeof hint - used, "%s%s", row == indicator->options ? "" : ", ",
                 row->name);
    }
    return flt_error_set(error, FLT_INVALID_ARGUMENT, name,
                         indicator->options[0].name ? hint : "it has none",
                         "%s has no option %.32s", indicator->name, name);
}

static int option_value(const struct indicator_option *row, const char *text, double *out,
                        struct flt_error *error)
{
    char *end;

    if (row->type == INDICATOR_CHOICE) {
        const int index = choice_find(row->choices, text);

        if (index < 0)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, row->name, "",
                                 "%s is one of %s, not %.32s", row->name, row->choices, text);
        *out = index;
        return 0;
    }
    *out = strtod(text, &end);
    if (end == text || *end || !isfinite(*out))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, row->name, "",
                             "%s is a number, not %.32s", row->name, text);
    return option_check(row, *out, error);
}

int indicator_option_set(const struct indicator *indicator, double option[INDICATOR_OPTIONS_MAX],
                         const char *text, struct flt_error *error)
{
    const char *equals = strchr(text, '=');
    char name[32];

    if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "opt", "for example period=14",
                             "an option is name=value, not %.32s", text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    const struct indicator_option *row = option_find(indicator, name);

    if (!row)
        return unknown_option(indicator, name, error);
    return option_value(row, equals + 1, &option[row - indicator->options], error);
}

const char *indicator_option_text(const struct indicator_option *option, double value, char *out,
                                  size_t size)
{
    const char *choices = option->choices;

    if (option->type != INDICATOR_CHOICE) {
        snprintf(out, size, "%.15g", value);
        return out;
    }
    for (int i = (int)value; i > 0 && strchr(choices, '|'); i--)
        choices = strchr(choices, '|') + 1;
    snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
    return out;
}

const char *indicator_inputs_text(const struct indicator *indicator, char *out, size_t size)
{
    static const char *const names[] = { "time", "open", "high", "low", "close", "volume" };

    out[0] = '\0';
    for (size_t i = 0; i < FLT_COUNT(names); i++)
        if (indicator->inputs & 1u << i) {
            const size_t used = strlen(out);

            snprintf(out + used, size - used, "%s%s", used ? "," : "", names[i]);
        }
    return out;
}
