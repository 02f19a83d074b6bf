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

static void print_value(struct json_object *value, int indent);

static void print_members(struct json_object *object, int indent, bool first)
{
    json_object_object_foreach(object, key, value)
    {
        const bool nested =
            json_object_is_type(value, json_type_object) && json_object_object_length(value) > 0;

        printf("%*s%s:%s", first ? 0 : indent, "", key, nested ? "\n" : " ");
        first = false;
        if (nested)
            print_members(value, indent + 2, false);
        else
            print_value(value, indent + 2);
    }
}

static void print_value(struct json_object *value, int indent)
{
    (void)indent;
    if (json_object_is_type(value, json_type_string) && is_plain(json_object_get_string(value)))
        puts(json_object_get_string(value));
    else /* JSON is YAML: numbers, booleans, lists, quoted text */
        out_json(value);
}

void manifest_print(struct json_object *bots)
{
    puts("bots:");
    for (size_t i = 0; i < json_object_array_length(bots); i++) {
        fputs("  - ", stdout);
        print_members(json_object_array_get_idx(bots, i), 4, true);
    }
}
