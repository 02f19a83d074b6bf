/* docs/indicators.md, written from the table. */
#include "strategies/indicators/indicator.h"

static const char intro[] =
    "# Indicators\n"
    "\n"
    "`flotilla indicator NAME --data FILE.csv[.gz] --opt k=v` prints any of these for a file of\n"
    "candles, so that each can be checked against another program. This page is written from the\n"
    "table in `strategies/indicators/` (`flotilla indicator --markdown`); a test compares the "
    "two.\n"
    "\n"
    "- One piece of code computes an indicator bar by bar (live) and over whole columns "
    "(backtest),\n"
    "  and a test compares both bit for bit. The state is plain bytes, saved and copied as such.\n"
    "- Prices enter as whole ticks. Sums over a window are exact integers, or are taken anew each\n"
    "  time the window has turned over, so nothing drifts however long the run.\n"
    "- A value that is not defined (warm-up, a division by nothing) is NaN; an empty cell in CSV.\n"
    "- `first` is the number of bars until every output is there, `settle` the number after which\n"
    "  the start no longer shows (below 5e-5 of it): what a bot fetches before it trades.\n"
    "- `seed` chooses between two ways to begin: `talib` (TA-Lib 0.6, also what pandas_ta does "
    "when\n"
    "  TA-Lib is installed) and `pandas` (pandas_ta 0.3.14b alone). Where there is no such "
    "option,\n"
    "  both begin alike.\n"
    "- `tests/vectors/indicators` holds values computed by those libraries; all agree to 1e-9.\n"
    "- In every formula n is the period, closes are those of closed bars, and nothing looks "
    "ahead.\n"
    "- `length`, `timeperiod` and `n` are taken for `period`.\n";

static void write_options(FILE *file, const struct indicator *row)
{
    if (!row->options[0].name)
        return;
    fprintf(file, "\n| option | default | range | |\n|---|---|---|---|\n");
    for (const struct indicator_option *o = row->options; o->name; o++) {
        char text[32];

        fprintf(file, "| `%s` | %s | ", o->name,
                indicator_option_text(o, o->def, text, sizeof text));
        if (o->type != INDICATOR_CHOICE)
            fprintf(file, "%.15g..%.15g", o->min, o->max);
        for (const char *at = o->choices; at && *at; at++)
            fputs(*at == '|' ? ", " : (const char[]){ *at, '\0' }, file);
        fprintf(file, " | %s |\n", o->help);
    }
}

static void write_row(FILE *file, const struct indicator *row)
{
    double option[INDICATOR_OPTIONS_MAX] = { 0 };
    char inputs[64];

    for (size_t i = 0; row->options[i].name; i++)
        option[i] = row->options[i].def;
    fprintf(file, "\n## %s\n\n", row->name);
    fprintf(file, "%c%s.",
            row->help[0] >= 'a' && row->help[0] <= 'z' ? row->help[0] - 32 : row->help[0],
            row->help + 1);
    if (row->aliases[0])
        fprintf(file, " Also called: %s.", row->aliases);
    fprintf(file, "\n\n%s\n\n", row->formula);
    fprintf(file, "Reads %s; gives ", indicator_inputs_text(row, inputs, sizeof inputs));
    for (size_t i = 0; i < row->output_count; i++)
        fprintf(file, "%s`%s`", i ? ", " : "", row->outputs[i]);
    fprintf(file, "; first %zu, settle %zu bars (with the defaults). Source: %s.\n",
            row->first(option), row->settle(option), row->source);
    write_options(file, row);
}

void indicator_docs(FILE *file)
{
    const struct indicator *row;

    fputs(intro, file);
    for (size_t i = 0; (row = indicator_at(i)); i++)
        write_row(file, row);
}
