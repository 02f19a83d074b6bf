#define FLT_MOD "cli"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>
#include "controller/cli/cli.h"
#include "lib/amt.h"
#include "lib/clock.h"
#include "lib/json.h"

#define CELL_MAX 160
#define COLUMNS_MAX 16

static struct json_object *one_path(struct json_object *item, const char *path, size_t length)
{
    char key[64];

    while (item && length) {
        size_t size = 0;

        while (size < length && path[size] != '.')
            size++;
        snprintf(key, sizeof key, "%.*s", (int)size, path);
        item = json_object_is_type(item, json_type_object) ? flt_json_get(item, key) : NULL;
        path += size;
        length -= size;
        if (length) {
            path++;
            length--;
        }
    }
    return item;
}

struct json_object *out_path(struct json_object *item, const char *path)
{
    for (;;) {
        const size_t length = strcspn(path, "|");
        struct json_object *found = one_path(item, path, length);

        if (found || !path[length])
            return found;
        path += length + 1;
    }
}

/* Control characters would let a name from outside draw on the terminal. */
static void clean(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 127)
            *text = '?';
}

char *out_text(struct json_object *item, const char *path, char *out, size_t size)
{
    struct json_object *found = out_path(item, path);
    const char *text = !found ? ""
                       : json_object_is_type(found, json_type_string)
                           ? json_object_get_string(found)
                           : json_object_to_json_string_ext(found, JSON_C_TO_STRING_PLAIN);

    snprintf(out, size, "%s", text);
    clean(out);
    return out;
}

static char *age_text(int64_t ms, char *out, size_t size)
{
    const int64_t s = ms < 0 ? 0 : ms / 1000;

    if (s < 120)
        snprintf(out, size, "%" PRId64 "s", s);
    else if (s < 7200)
        snprintf(out, size, "%" PRId64 "m", s / 60);
    else if (s < 172800)
        snprintf(out, size, "%" PRId64 "h", s / 3600);
    else
        snprintf(out, size, "%" PRId64 "d", s / 86400);
    return out;
}

/* Tables show 8 decimals; json has all digits. */
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

static char *cell(struct json_object *item, const struct column *column, char *out, size_t size)
{
    struct json_object *found = out_path(item, column->path);
    int64_t ts_ms = found ? json_object_get_int64(found) : 0;
    char iso[FLT_ISO_MAX];

    if (column->kind == COLUMN_TIME || column->kind == COLUMN_AGE) {
        if (ts_ms <= 0)
            snprintf(out, size, "-");
        else if (column->kind == COLUMN_TIME)
            snprintf(out, size, "%s", flt_iso_format(ts_ms, iso));
        else
            age_text(flt_wall_ms(flt_clock_system()) - ts_ms, out, size);
        return out;
    }
    out_text(item, column->path, out, size);
    if (column->kind == COLUMN_NUMBER || column->kind == COLUMN_SIGNED)
        round_number(out, size);
    if (!*out)
        snprintf(out, size, "-");
    return out;
}

/* Columns on the terminal: Chinese characters take two. */
static size_t width_of(const char *text)
{
    wchar_t wide[CELL_MAX];
    const size_t count = mbstowcs(wide, text, CELL_MAX - 1);

    if (count == (size_t)-1)
        return strlen(text);
    const int width = wcswidth(wide, count);
    return width < 0 ? count : (size_t)width;
}

static const char *color_of(const struct column *column, const char *text)
{
    static const char *const good[] = { "running", "up", "ok", "online" };
    static const char *const bad[] = { "error", "down", "lost", "fail", "unclaimed" };

    if (column->kind == COLUMN_SIGNED)
        return text[0] == '-' && text[1]          ? "\033[31m"
               : text[0] == '0' || text[0] == '-' ? ""
                                                  : "\033[32m";
    if (column->kind != COLUMN_STATE)
        return "";
    for (size_t i = 0; i < FLT_COUNT(good); i++)
        if (strcmp(text, good[i]) == 0)
            return "\033[32m";
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        if (strcmp(text, bad[i]) == 0)
            return "\033[31m";
    return "\033[33m";
}

static void print_cell(const struct cli *cli, const struct column *column, const char *text,
                       size_t width, bool last)
{
    const size_t own = width_of(text);
    const int pad = (int)(width > own ? width - own : 0);
    const bool right = column->kind == COLUMN_NUMBER || column->kind == COLUMN_SIGNED;
    const char *color = cli->color ? color_of(column, text) : "";

    printf("%*s%s%s%s%*s", right ? pad : 0, "", color, text, *color ? "\033[0m" : "",
           right || last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

static void print_table(const struct cli *cli, struct json_object *items,
                        const struct column *columns)
{
    const size_t rows = json_object_array_length(items);
    size_t widths[COLUMNS_MAX] = { 0 };
    size_t count = 0;
    char text[CELL_MAX];

    for (; columns[count].title && count < COLUMNS_MAX; count++) {
        widths[count] = strlen(columns[count].title);
        for (size_t i = 0; i < rows; i++) {
            struct json_object *item = json_object_array_get_idx(items, i);
            const size_t width = width_of(cell(item, &columns[count], text, sizeof text));

            widths[count] = width > widths[count] ? width : widths[count];
        }
    }
    for (size_t k = 0; k < count; k++) {
        const struct column title = { .kind = columns[k].kind == COLUMN_NUMBER ||
                                                      columns[k].kind == COLUMN_SIGNED
                                                  ? COLUMN_NUMBER
                                                  : COLUMN_TEXT };
        print_cell(cli, &title, columns[k].title, widths[k], k + 1 == count);
    }
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < count; k++)
            print_cell(cli, &columns[k],
                       cell(json_object_array_get_idx(items, i), &columns[k], text, sizeof text),
                       widths[k], k + 1 == count);
}

void out_json(struct json_object *document)
{
    puts(json_object_to_json_string_ext(document,
                                        JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

void out_list(const struct cli *cli, struct json_object *document, struct json_object *items,
              const struct column *columns)
{
    if (cli->json)
        out_json(document);
    else if (!items || !json_object_is_type(items, json_type_array) ||
             json_object_array_length(items) == 0)
        out_note(cli, "nothing there");
    else
        print_table(cli, items, columns);
}

static void print_object(struct json_object *object, const char *prefix, unsigned depth)
{
    json_object_object_foreach(object, key, value)
    {
        char path[CELL_MAX], text[1024];

        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
        if (json_object_is_type(value, json_type_object) && depth < 4) {
            print_object(value, path, depth + 1);
            continue;
        }
        snprintf(text, sizeof text, "%s",
                 json_object_is_type(value, json_type_string)
                     ? json_object_get_string(value)
                     : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE));
        clean(text);
        printf("%-28s %s\n", path, text);
    }
}

void out_object(const struct cli *cli, struct json_object *document)
{
    if (cli->json || !json_object_is_type(document, json_type_object))
        out_json(document);
    else
        print_object(document, "", 0);
}

void out_note(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->json)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void out_error(const struct cli *cli, const struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;

    fflush(stdout);
    if (!cli->json) {
        const bool field = error->field[0] && strcmp(error->field, "command") != 0;

        fprintf(stderr, "%serror:%s %s%s%s%s\n", cli->color ? "\033[31m" : "",
                cli->color ? "\033[0m" : "", error->message, field ? " (" : "",
                field ? error->field : "", field ? ")" : "");
        if (error->hint[0])
            fprintf(stderr, "  %s\n", error->hint);
        return;
    }
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_begin(&buf, "error", '{');
    flt_jw_str(&buf, "code", flt_error_name(error->code));
    flt_jw_str(&buf, "message", error->message);
    flt_jw_str(&buf, "hint", error->hint);
    flt_jw_str(&buf, "field", error->field);
    flt_jw_end(&buf, '}');
    flt_jw_end(&buf, '}');
    if (!buf.failed)
        fprintf(stderr, "%s\n", buf.data);
    flt_buf_finish(&buf);
}
