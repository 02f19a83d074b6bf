/* Manifests: reading, comparing, writing. */
#define FLT_MOD "cli"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/cli/bots.h"
#include "lib/config.h"
#include "lib/json.h"

/* A manifest holds `bots` and nothing else; the controller checks each against schemas/bot.json. */
int manifest_load(struct cli *cli, const char *path, struct json_object **bots)
{
    struct json_object *manifest;

    if (!path)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "file",
                        "for example: flotilla apply -f fleet.yml", "%s needs -f FILE",
                        cli->parse.path);
    manifest = flt_config_load(strcmp(path, "-") == 0 ? "/dev/stdin" : path, &cli->error);
    if (!manifest)
        return cli->error.code == FLT_OK ? -EIO : -EINVAL;
    if (!json_object_is_type(manifest, json_type_object)) {
        json_object_put(manifest);
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bots",
                        "it begins with: bots:", "%s is not a manifest", path);
    }
    json_object_object_foreach(manifest, key, value)
    {
        if (strcmp(key, "bots") == 0 && json_object_is_type(value, json_type_array))
            continue;
        int err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, key, "a manifest is a list under `bots`",
                           strcmp(key, "bots") == 0 ? "%s: %s is not a list" : "%s: unknown key %s",
                           path, key);
        json_object_put(manifest);
        return err;
    }
    *bots = json_object_get(flt_json_get(manifest, "bots"));
    json_object_put(manifest);
    return *bots ? 0
                 : CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bots",
                            "it begins with: bots:", "%s has no bots", path);
}

/* --- comparing
 * ------------------------------------------------------------------------------------------ */

static bool same(struct json_object *a, struct json_object *b)
{
    if (!a || !b)
        return a == b;
    if (json_object_equal(a, b))
        return true;
    const struct flt_amt x = flt_amt_parse(json_object_get_string(a));
    const struct flt_amt y = flt_amt_parse(json_object_get_string(b));

    return flt_amt_ok(x) && flt_amt_ok(y) && flt_amt_cmp(x, y) == 0; /* 5 and "5.0" */
}

static void compare(struct json_object *out, const char *path, struct json_object *have,
                    struct json_object *want)
{
    static const char *const sides[] = { "old", "new" };
    struct json_object *const values[] = { have, want };
    struct json_object *row;
    char inner[192];

    if (same(have, want))
        return;
    if ((!have || json_object_is_type(have, json_type_object)) &&
        (!want || json_object_is_type(want, json_type_object))) {
        for (int side = 0; side < 2; side++) {
            if (!values[side])
                continue;
            json_object_object_foreach(values[side], key, value)
            {
                if (side == 1 && flt_json_get(have, key))
                    continue; /* seen from the other side */
                snprintf(inner, sizeof inner, "%s%s%s", path, *path ? "." : "", key);
                compare(out, inner, side ? NULL : value, flt_json_get(want, key));
            }
        }
        return;
    }
    row = args_of("path", path, NULL);
    for (int side = 0; side < 2; side++)
        if (values[side])
            json_object_object_add(
                row, sides[side],
                json_object_new_string(
                    json_object_is_type(values[side], json_type_string)
                        ? json_object_get_string(values[side])
                        : json_object_to_json_string_ext(values[side], JSON_C_TO_STRING_PLAIN)));
    json_object_array_add(out, row);
}

struct json_object *manifest_changes(struct json_object *have, struct json_object *want)
{
    struct json_object *out = json_object_new_array();

    compare(out, "", have, want);
    return out;
}

/* --- writing
 * -------------------------------------------------------------------------------------------- */

/* A word that YAML reads as itself; everything else is quoted as JSON quotes it. */
static bool is_plain(const char *text)
{
    static const char *const special[] = { "true", "false", "null", "yes", "no",
                                           "on",   "off",   "y",    "n" };

    if (!isalpha((unsigned char)*text))
        return false;
    for (size_t i = 0; i < FLT_COUNT(special); i++)
        if (strcasecmp(text, special[i]) == 0)
            return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") ==
           strlen(text);
}

static void print_members(FILE *file, struct json_object *object, int indent, bool first)
{
    json_object_object_foreach(object, key, value)
    {
        const bool nested =
            json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0;

        fprintf(file, "%*s%s:%s", first ? 0 : indent, "", key, nested ? "\n" : " ");
        first = false;
        if (nested)
            print_members(file, value, indent + 2, false);
        else if (json_object_is_type(value, json_type_string) &&
                 is_plain(json_object_get_string(value)))
            fprintf(file, "%s\n", json_object_get_string(value));
        else /* JSON is YAML: numbers, booleans, lists, quoted text */
            out_json_to(file, value);
    }
}

void manifest_print(FILE *file, struct json_object *bots)
{
    fputs("bots:\n", file);
    for (size_t i = 0; i < json_object_array_length(bots); i++) {
        fputs("  - ", file);
        print_members(file, json_object_array_get_idx(bots, i), 4, true);
    }
}

/* --- where an error is
 * ------------------------------------------------------------------------------------ */

/* A line of block YAML: how far it is in, whether it begins an item, and its key. */
struct line {
    size_t indent;
    bool item;
    const char *key;
    size_t key_length;
};

static struct line read_line(const char *text, size_t length)
{
    struct line line = { 0 };
    size_t at = strspn(text, " ");

    line.indent = at;
    line.item = at + 1 < length && text[at] == '-' && text[at + 1] == ' ';
    if (line.item)
        at += 2 + strspn(text + at + 2, " ");
    if (at < length && text[at] == '"')
        at++;
    line.key = text + at;
    while (at < length && (isalnum((unsigned char)text[at]) || strchr("_-", text[at])))
        at++;
    line.key_length = (size_t)(text + at - line.key);
    return line;
}

/* "bots[2].params.levels", from `*field` on: the item's number (of "bots[" only) and the next key.
 */
static size_t next_key(const char **field, const char **key)
{
    const size_t length = strcspn(*field, ".[");

    *key = *field;
    *field += length;
    *field += strcspn(*field, ".");
    *field += **field == '.';
    return length;
}

size_t manifest_line(const char *text, const char *field)
{
    size_t number = 0, found = 0, items = 0, item_indent = SIZE_MAX, key_length;
    long wanted = strncmp(field, "bots[", 5) == 0 ? strtol(field + 5, NULL, 10) : 0;
    const char *key;

    if (strncmp(field, "bots[", 5) == 0 || strncmp(field, "bot.", 4) == 0 ||
        strcmp(field, "bot") == 0)
        next_key(&field, &key);
    key_length = next_key(&field, &key);
    for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
        const struct line line = read_line(text, strcspn(text, "\n"));

        number++;
        if (line.item && item_indent == SIZE_MAX)
            item_indent = line.indent;
        if (line.item && line.indent == item_indent && (long)items++ == wanted)
            found = number;
        if ((long)items != wanted + 1)
            continue;
        if (key_length && line.key_length == key_length && memcmp(line.key, key, key_length) == 0) {
            found = number;
            key_length = next_key(&field, &key);
        }
    }
    return found;
}

int manifest_refused(struct cli *cli, const char *name, const char *text)
{
    const size_t line = manifest_line(text, cli->error.field);
    char message[sizeof cli->error.message];

    if (line && snprintf(message, sizeof message, "%s:%zu: %.*s", name, line,
                         (int)(sizeof message - 64), cli->error.message) > 0)
        snprintf(cli->error.message, sizeof cli->error.message, "%s", message);
    return -EINVAL;
}
