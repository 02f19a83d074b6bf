/* One object for people and for csv: "key  value" lines, then each list in it as a table. */
#define FLT_MOD "cli"
#include <ctype.h>
#include <string.h>
#include "controller/cli/cli.h"
#include "controller/cli/text.h"
#include "lib/clock.h"
#include "lib/json.h"

#define PATH_TEXT_MAX 160
#define LISTS_MAX 16
#define LIST_COLUMNS_MAX 12
#define DEPTH_MAX 4
#define WALL_MS_MIN INT64_C(1000000000000) /* 2001: a smaller number of ms is a duration */

struct sheet {
    struct cli *cli;
    size_t width; /* of the longest key */
    struct {
        char path[PATH_TEXT_MAX];
        struct json_object *items;
    } lists[LISTS_MAX];
    size_t list_count;
};

static bool ends_ms(const char *key)
{
    const size_t length = strlen(key);

    return length > 3 && strcmp(key + length - 3, "_ms") == 0;
}

static bool is_time(const char *key, struct json_object *value)
{
    return ends_ms(key) && json_object_is_type(value, json_type_int) &&
           json_object_get_int64(value) >= WALL_MS_MIN;
}

static bool is_rows(struct json_object *value)
{
    return json_object_is_type(value, json_type_array) && json_object_array_length(value) &&
           json_object_is_type(json_object_array_get_idx(value, 0), json_type_object);
}

/* What each message on the wire has around it; it says nothing of its subject. */
static bool is_envelope_key(struct json_object *object, const char *key)
{
    static const char *const keys[] = { "v", "id", "src", "seq" };

    if (!flt_json_get(object, "v") || !flt_json_get(object, "seq"))
        return false;
    for (size_t i = 0; i < FLT_COUNT(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

static void value_text(const struct sheet *sheet, const char *key, struct json_object *value,
                       char *out, size_t size)
{
    char iso[FLT_ISO_MAX];
    size_t used = 0;

    if (sheet->cli->people && is_time(key, value)) {
        snprintf(out, size, "%s", flt_iso_format(json_object_get_int64(value), iso));
    } else if (sheet->cli->people && json_object_is_type(value, json_type_array) &&
               !is_rows(value)) {
        snprintf(out, size, "-");
        for (size_t i = 0; i < json_object_array_length(value) && used < size; i++)
            used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
                                     json_object_get_string(json_object_array_get_idx(value, i)));
    } else {
        snprintf(out, size, "%s",
                 json_object_is_type(value, json_type_string)
                     ? json_object_get_string(value)
                     : json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
                                                                 JSON_C_TO_STRING_NOSLASHESCAPE));
    }
    text_clean(out);
}

static void print_pair(const struct sheet *sheet, const char *path, const char *key,
                       struct json_object *value)
{
    char text[4096];

    value_text(sheet, key, value, text, sizeof text);
    if (sheet->cli->format != OUT_CSV) {
        printf("%-*s  %s\n", (int)sheet->width, path, text);
        return;
    }
    printf("%s,", path);
    if (!strpbrk(text, ",\"")) {
        puts(text);
        return;
    }
    putchar('"');
    for (const char *at = text; *at; at++)
        printf("%s%c", *at == '"' ? "\"" : "", *at);
    puts("\"");
}

static void keep_list(struct sheet *sheet, const char *path, struct json_object *items)
{
    if (sheet->list_count == LISTS_MAX)
        return;
    snprintf(sheet->lists[sheet->list_count].path, PATH_TEXT_MAX, "%s", path);
    sheet->lists[sheet->list_count++].items = items;
}

/* Twice over the same keys: first the widest is measured and lists are kept, then it is printed. */
static void walk(struct sheet *sheet, struct json_object *object, const char *prefix,
                 unsigned depth, bool print)
{
    const bool people = sheet->cli->people;

    json_object_object_foreach(object, key, value)
    {
        char path[PATH_TEXT_MAX];

        if (people && is_envelope_key(object, key))
            continue;
        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", key);
        text_clean(path);
        if (json_object_is_type(value, json_type_object) && depth < DEPTH_MAX) {
            walk(sheet, value, path, depth + 1, print);
        } else if (people && is_rows(value)) {
            if (!print)
                keep_list(sheet, path, value);
        } else if (print) {
            print_pair(sheet, path, key, value);
        } else {
            sheet->width = strlen(path) > sheet->width ? strlen(path) : sheet->width;
        }
    }
}

/* --- lists in it
 * ---------------------------------------------------------------------------------------- */

struct list_columns {
    struct column columns[LIST_COLUMNS_MAX + 1];
    char titles[LIST_COLUMNS_MAX][48];
    size_t count;
};

static void add_column(struct list_columns *list, const char *key, struct json_object *value)
{
    const bool number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    size_t i = 0;

    while (i < list->count && strcmp(list->columns[i].path, key) != 0)
        i++;
    if (i < list->count || i == LIST_COLUMNS_MAX)
        return;
    snprintf(list->titles[i], sizeof list->titles[i], "%s", key);
    for (char *at = list->titles[i]; *at; at++)
        *at = *at == '_' ? ' ' : (char)toupper((unsigned char)*at);
    text_clean(list->titles[i]);
    if (is_time(key, value))
        list->titles[i][strlen(key) - 3] = 0;
    list->columns[i].title = list->titles[i];
    list->columns[i].path = key; /* borrowed from the object */
    list->columns[i].kind = is_time(key, value) ? COLUMN_TIME
                            : number            ? COLUMN_NUMBER
                                                : COLUMN_TEXT;
    list->count++;
}

static void print_list(struct sheet *sheet, size_t index)
{
    static struct list_columns list;
    struct json_object *items = sheet->lists[index].items;

    memset(&list, 0, sizeof list);
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);

        if (!json_object_is_type(item, json_type_object))
            continue;
        json_object_object_foreach(item, key, value) add_column(&list, key, value);
    }
    printf("\n%s:\n", sheet->lists[index].path);
    out_list(sheet->cli, items, items, list.columns);
}

void out_object(struct cli *cli, struct json_object *document)
{
    struct sheet sheet = { .cli = cli };
    char name[128];

    if (cli->json || !json_object_is_type(document, json_type_object)) {
        out_json(document);
    } else if (cli->format == OUT_NAME) {
        puts(out_text(document, "name|bot|node|account|strategy|user|id|file", name, sizeof name));
    } else {
        if (cli->format == OUT_CSV && !cli_has(cli, "no-headers"))
            puts("key,value");
        walk(&sheet, document, "", 0, false);
        walk(&sheet, document, "", 0, true);
        for (size_t i = 0; i < sheet.list_count; i++)
            print_list(&sheet, i);
    }
}
