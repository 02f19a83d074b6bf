/* Lists as people and programs want them: table, wide, json, jsonl, csv, name. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/cli/cli.h"
#include "controller/cli/text.h"
#include "lib/amt.h"
#include "lib/clock.h"
#include "lib/json.h"

#define CELL_MAX 512
#define COLUMNS_MAX 32
#define TEXT_WIDTH_MIN 6 /* a column is cut no further */

/* --- which columns, in which order
 * ---------------------------------------------------------------------- */

/* What programs call a column: the last key of its path, as in the JSON document. */
static void key_of(const struct column *column, char *out, size_t size)
{
    const size_t length = strcspn(column->path, "|");
    const char *dot = memrchr(column->path, '.', length);
    const char *from = dot ? dot + 1 : column->path;

    snprintf(out, size, "%.*s", (int)(column->path + length - from), from);
}

static const struct column *find_column(const struct column *columns, const char *word)
{
    char key[64];

    for (; columns->title; columns++) {
        key_of(columns, key, sizeof key);
        if (strcasecmp(word, columns->title) == 0 || strcasecmp(word, key) == 0)
            return columns;
    }
    return NULL;
}

static int unknown_column(struct cli *cli, const char *flag, const struct column *columns,
                          const char *word)
{
    char hint[192] = "there are: ", key[64];

    for (; columns->title; columns++) {
        const size_t used = strlen(hint);

        key_of(columns, key, sizeof key);
        snprintf(hint + used, sizeof hint - used, "%s%s", key, columns[1].title ? ", " : "");
    }
    return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, flag, hint, "no column %.64s", word);
}

static unsigned kind_of(const struct column *column)
{
    return column->kind & ~(unsigned)COLUMN_WIDE;
}

static bool is_number(const struct column *column)
{
    return kind_of(column) == COLUMN_NUMBER || kind_of(column) == COLUMN_SIGNED;
}

struct shown {
    const struct column *columns[COLUMNS_MAX];
    size_t count;
};

static int choose_columns(struct cli *cli, const struct column *columns, struct shown *shown)
{
    const char *list = cli_flag(cli, "columns");
    char word[64];

    shown->count = 0;
    for (const struct column *at = columns; !list && at->title && shown->count < COLUMNS_MAX; at++)
        if (!(at->kind & COLUMN_WIDE) || cli->format != OUT_TABLE)
            shown->columns[shown->count++] = at;
    while (list && *list) {
        const size_t length = strcspn(list, ",");

        snprintf(word, sizeof word, "%.*s", (int)length, list);
        const struct column *found = find_column(columns, word);

        if (!found || shown->count == COLUMNS_MAX)
            return unknown_column(cli, "columns", columns, word);
        shown->columns[shown->count++] = found;
        list += length + (list[length] == ',');
    }
    return 0;
}

/* --- one cell
 * ------------------------------------------------------------------------------------------- */

/* Tables show 8 decimals; json and csv have all digits. */
static void round_number(char *text, size_t size)
{
    const char *dot = strchr(text, '.');
    char short_text[FLT_DEC_TEXT_MAX];

    if (!dot || strlen(dot) <= 9)
        return;
    const struct flt_dec value = flt_amt_to_dec(flt_amt_parse(text), 8, FLT_ROUND_HALF_EVEN);

    if (flt_dec_ok(value))
        snprintf(text, size, "%s", flt_dec_format(value, short_text));
}

/* One item of a list: a word, or a change {path, old, new} as "levels 20 -> 40". */
static const char *item_text(struct json_object *item, char *out, size_t size)
{
    char path[96], old[96], new[96];

    if (!json_object_is_type(item, json_type_object) || !flt_json_get(item, "path"))
        return item ? json_object_get_string(item) : "-";
    out_text(item, "path", path, sizeof path);
    out_text(item, "old", old, sizeof old);
    out_text(item, "new", new, sizeof new);
    snprintf(out, size, "%s %s -> %s", path, *old ? old : "-", *new ? new : "-");
    return out;
}

/* {"USDT": "0.1", "BNB": "0.2"} as "0.1 USDT, 0.2 BNB", a list as its words. */
static void inner_text(struct json_object *value, char *out, size_t size)
{
    size_t used = 0;
    char text[320];

    *out = 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value) && used < size; i++)
            used +=
                (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                 item_text(json_object_array_get_idx(value, i), text, sizeof text));
        return;
    }
    json_object_object_foreach(value, key, inner)
    {
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s %s", used ? ", " : "",
                                     inner ? json_object_get_string(inner) : "-", key);
    }
}

static void cell(struct json_object *item, const struct column *column, char *out, size_t size)
{
    struct json_object *found = out_path(item, column->path);
    const int64_t number = found ? json_object_get_int64(found) : 0;
    char iso[FLT_ISO_MAX];

    if (found && kind_of(column) == COLUMN_TIME && number > 0)
        snprintf(out, size, "%s", flt_iso_format(number, iso));
    else if (found && kind_of(column) == COLUMN_AGE && number > 0)
        text_age(flt_wall_ms(flt_clock_system()) - number, out, size);
    else if (found && kind_of(column) == COLUMN_SPAN)
        text_age(number, out, size);
    else if (found && kind_of(column) == COLUMN_BYTES)
        text_bytes(number, out, size);
    else if (found && (json_object_is_type(found, json_type_array) ||
                       json_object_is_type(found, json_type_object)))
        inner_text(found, out, size);
    else
        out_text(item, column->path, out, size);
    if (is_number(column))
        round_number(out, size);
    text_clean(out);
    if (!*out || ((kind_of(column) == COLUMN_TIME || kind_of(column) == COLUMN_AGE) && number <= 0))
        snprintf(out, size, "-");
}

static const char *color_of(const struct column *column, const char *text)
{
    static const char *const good[] = { "running", "up", "ok", "online", "true", "done", "held" };
    static const char *const bad[] = { "error",  "down",     "lost", "fail", "unclaimed",
                                       "failed", "critical", "over", "short" };

    if (kind_of(column) == COLUMN_SIGNED)
        return text[0] == '-' && text[1]          ? "\033[31m"
               : text[0] == '0' || text[0] == '-' ? ""
                                                  : "\033[32m";
    if (kind_of(column) != COLUMN_STATE)
        return "";
    for (size_t i = 0; i < FLT_COUNT(good); i++)
        if (strcmp(text, good[i]) == 0)
            return "\033[32m";
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        if (strcmp(text, bad[i]) == 0)
            return "\033[31m";
    return "\033[33m";
}

/* --- the table
 * ------------------------------------------------------------------------------------------ */

struct grid {
    const struct shown *shown;
    size_t rows;
    char **cells;                 /* rows * columns, each its own */
    size_t width[COLUMNS_MAX];    /* of the column */
    size_t fraction[COLUMNS_MAX]; /* most digits behind the point, the point with them */
};

static size_t fraction_of(const char *text)
{
    const char *dot = strchr(text, '.');

    return dot ? strlen(dot) : 0;
}

/* Widths, with numbers padded so that their points stand in one line. */
static void measure(struct grid *grid)
{
    for (size_t k = 0; k < grid->shown->count; k++) {
        const struct column *column = grid->shown->columns[k];
        size_t whole = 0, width = text_width(column->title);

        grid->fraction[k] = 0;
        for (size_t i = 0; i < grid->rows; i++) {
            const char *text = grid->cells[i * grid->shown->count + k];
            const size_t own = text_width(text);
            const size_t fraction = is_number(column) ? fraction_of(text) : 0;

            whole = own - fraction > whole ? own - fraction : whole;
            grid->fraction[k] = fraction > grid->fraction[k] ? fraction : grid->fraction[k];
        }
        grid->width[k] = whole + grid->fraction[k] > width ? whole + grid->fraction[k] : width;
    }
}

/* Takes from the widest text column until the line fits. */
static void fit(struct grid *grid, size_t width)
{
    for (;;) {
        size_t total = 2 * (grid->shown->count - 1), widest = SIZE_MAX;

        for (size_t k = 0; k < grid->shown->count; k++) {
            total += grid->width[k];
            if (!is_number(grid->shown->columns[k]) && grid->width[k] > TEXT_WIDTH_MIN &&
                (widest == SIZE_MAX || grid->width[k] > grid->width[widest]))
                widest = k;
        }
        if (total <= width || widest == SIZE_MAX)
            return;
        grid->width[widest]--;
    }
}

static void print_cell(const struct cli *cli, const struct grid *grid, size_t k, const char *text,
                       bool title)
{
    const struct column *column = grid->shown->columns[k];
    const bool last = k + 1 == grid->shown->count;
    const bool right = is_number(column);
    char cut[CELL_MAX];
    const char *color = cli->color && !title ? color_of(column, text) : "";

    if (text_width(text) > grid->width[k] && !right)
        text = text_cut(text, grid->width[k], cut, sizeof cut);
    const size_t own = text_width(text);
    const size_t behind = right && !title ? grid->fraction[k] - fraction_of(text) : 0;
    const int pad = (int)(grid->width[k] > own + behind ? grid->width[k] - own - behind : 0);

    printf("%*s%s%s%s%*s", right ? pad : 0, "", color, text, *color ? "\033[0m" : "",
           last ? 0 : (int)behind + (right ? 0 : pad), "");
    fputs(last ? "\n" : "  ", stdout);
}

static void print_grid(const struct cli *cli, const struct grid *grid)
{
    const size_t columns = grid->shown->count;

    for (size_t k = 0; k < columns && !cli_has(cli, "no-headers"); k++)
        print_cell(cli, grid, k, grid->shown->columns[k]->title, true);
    for (size_t i = 0; i < grid->rows; i++)
        for (size_t k = 0; k < columns; k++)
            print_cell(cli, grid, k, grid->cells[i * columns + k], false);
}

static int print_table(const struct cli *cli, struct json_object *items, const struct shown *shown)
{
    struct grid grid = { .shown = shown, .rows = json_object_array_length(items) };
    char text[CELL_MAX];
    int err = 0;

    grid.cells = calloc(grid.rows * shown->count + 1, sizeof *grid.cells);
    if (!grid.cells)
        return -ENOMEM;
    for (size_t i = 0; i < grid.rows * shown->count && !err; i++) {
        cell(json_object_array_get_idx(items, i / shown->count), shown->columns[i % shown->count],
             text, sizeof text);
        grid.cells[i] = strdup(text);
        err = grid.cells[i] ? 0 : -ENOMEM;
    }
    if (!err) {
        measure(&grid);
        if (cli->width && cli->format == OUT_TABLE)
            fit(&grid, cli->width);
        print_grid(cli, &grid);
    }
    for (size_t i = 0; i < grid.rows * shown->count; i++)
        free(grid.cells[i]);
    free(grid.cells);
    return err;
}

/* --- csv, name
 * ------------------------------------------------------------------------------------------ */

static void print_csv_cell(const char *text, bool last)
{
    if (strpbrk(text, ",\"\r\n")) {
        putchar('"');
        for (; *text; text++)
            printf("%s%c", *text == '"' ? "\"" : "", *text);
        putchar('"');
    } else {
        fputs(text, stdout);
    }
    putchar(last ? '\n' : ',');
}

/* Values as they are in the document: all digits, times in Unix ms, nothing for what is missing. */
static void print_csv(const struct cli *cli, struct json_object *items, const struct shown *shown)
{
    char text[4096];

    for (size_t k = 0; k < shown->count && !cli_has(cli, "no-headers"); k++) {
        key_of(shown->columns[k], text, sizeof text);
        print_csv_cell(text, k + 1 == shown->count);
    }
    for (size_t i = 0; i < json_object_array_length(items); i++)
        for (size_t k = 0; k < shown->count; k++)
            print_csv_cell(out_text(json_object_array_get_idx(items, i), shown->columns[k]->path,
                                    text, sizeof text),
                           k + 1 == shown->count);
}

static void print_names(struct json_object *items, const struct column *first)
{
    char text[CELL_MAX];

    for (size_t i = 0; i < json_object_array_length(items); i++)
        puts(out_text(json_object_array_get_idx(items, i), first->path, text, sizeof text));
}

/* --- sorting
 * -------------------------------------------------------------------------------------------- */

static const struct column *sort_column; /* of the one list that is printed; qsort has no context */
static bool sort_down;

static int compare(const void *left, const void *right)
{
    char a[CELL_MAX], b[CELL_MAX], *end_a, *end_b;
    struct json_object *const *one = left, *const *other = right;

    out_text(*one, sort_column->path, a, sizeof a);
    out_text(*other, sort_column->path, b, sizeof b);
    const double x = strtod(a, &end_a), y = strtod(b, &end_b);
    const bool numbers = *a && *b && !*end_a && !*end_b;
    const int order = numbers ? (x > y) - (x < y) : strcmp(a, b);

    return sort_down ? -order : order;
}

/* --sort COLUMN or --sort=-COLUMN, in every format. */
static int sort_items(struct cli *cli, struct json_object *items, const struct column *columns)
{
    const char *word = cli_flag(cli, "sort");

    if (!word)
        return 0;
    sort_down = word[0] == '-';
    sort_column = find_column(columns, word + sort_down);
    if (!sort_column)
        return unknown_column(cli, "sort", columns, word + sort_down);
    json_object_array_sort(items, compare);
    return 0;
}

void out_list(struct cli *cli, struct json_object *document, struct json_object *items,
              const struct column *columns)
{
    const bool list = items && json_object_is_type(items, json_type_array);
    struct shown shown;

    if (choose_columns(cli, columns, &shown) || (list && sort_items(cli, items, columns)))
        return;
    if (cli->format == OUT_JSON) {
        out_json(document);
    } else if (!list || json_object_array_length(items) == 0) {
        if (cli->format == OUT_CSV && list)
            print_csv(cli, items, &shown);
        out_note(cli, "nothing there");
    } else if (cli->format == OUT_JSONL) {
        for (size_t i = 0; i < json_object_array_length(items); i++)
            out_json(json_object_array_get_idx(items, i));
    } else if (cli->format == OUT_CSV) {
        print_csv(cli, items, &shown);
    } else if (cli->format == OUT_NAME) {
        print_names(items, &columns[0]);
    } else if (print_table(cli, items, &shown)) {
        CLI_FAIL(cli, FLT_INTERNAL, "", "", "no memory for a table of %zu rows",
                 json_object_array_length(items));
    }
}
