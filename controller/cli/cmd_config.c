/* flotilla config and flotilla context. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "controller/cli/settings_file.h"
#include "lib/config.h"
#include "lib/ids.h"
#include "lib/json.h"

static const char *const origin_names[] = { "default", "system", "file", "context", "env", "flag" };

int cmd_config_show(struct cli *cli)
{
    static const struct column plain[] = { { "SETTING", "key", COLUMN_TEXT },
                                           { "VALUE", "value", COLUMN_TEXT },
                                           { NULL, NULL, COLUMN_TEXT } };
    static const struct column origins[] = { { "SETTING", "key", COLUMN_TEXT },
                                             { "VALUE", "value", COLUMN_TEXT },
                                             { "ORIGIN", "origin", COLUMN_TEXT },
                                             { "WHERE", "where", COLUMN_TEXT },
                                             { NULL, NULL, COLUMN_TEXT } };
    struct json_object *document = json_object_new_object(), *items = json_object_new_array();

    for (int i = 0; i < SETTINGS; i++) {
        const struct setting_value *value = &setting_values[i];
        const bool dir = i == SETTING_DIR;
        struct json_object *row = args_of("key", setting_rows[i].key, NULL);
        const char *text = dir ? cli->dir : value->text; /* as it is used: absolute */

        json_object_object_add(row, "value", text ? json_object_new_string(text) : NULL);
        json_object_object_add(
            row, "origin", json_object_new_string(text ? origin_names[value->origin] : "unset"));
        json_object_object_add(row, "where",
                               json_object_new_string(value->where ? value->where
                                                      : dir        ? "built in"
                                                                   : ""));
        json_object_array_add(items, row);
    }
    json_object_object_add(document, "items", items);
    out_list(cli, document, items, cli_has(cli, "origin") ? origins : plain);
    json_object_put(document);
    return 0;
}

int cmd_config_get(struct cli *cli)
{
    const int setting = setting_find(cli_arg(cli, 0));

    if (setting < 0)
        return setting_unknown(cli, cli_arg(cli, 0), "");
    const char *text = setting == SETTING_DIR ? cli->dir : setting_values[setting].text;

    if (cli->json) {
        struct json_object *row = args_of("key", cli_arg(cli, 0), "value", text, NULL);

        out_json(row);
        json_object_put(row);
    } else if (text) {
        puts(text);
    }
    return text ? 0
                : CLI_FAIL(cli, FLT_NOT_FOUND, "key", "flotilla config set KEY VALUE",
                           "%s is not set", cli_arg(cli, 0));
}

int cmd_config_path(struct cli *cli)
{
    if (cli->json) {
        struct json_object *row = args_of("path", settings_files[1].path, NULL);

        out_json(row);
        json_object_put(row);
    } else {
        puts(settings_files[1].path);
    }
    return 0;
}

/* --- writing
 * -------------------------------------------------------------------------------------------- */

static struct json_object *own_tree(void)
{
    if (!settings_files[1].tree)
        settings_files[1].tree = json_object_new_object();
    return settings_files[1].tree;
}

static int save(struct cli *cli)
{
    const char *path = settings_files[1].path;
    const char *text = json_object_to_json_string_ext(
        own_tree(),
        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    char folder[1024];

    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    int err = 0;

    if (slash && slash != folder) {
        *slash = 0;
        err = flt_mkdir_p(folder);
    }
    if (!err)
        err = flt_file_write(path, text, strlen(text), 0600);
    return err ? CLI_FAIL(cli, flt_error_from_errno(err), "config",
                          "$FLOTILLA_CONFIG names another", "cannot write %.200s: %s", path,
                          strerror(-err))
               : 0;
}

int cmd_config_set(struct cli *cli)
{
    const char *key = cli_arg(cli, 0), *value = cli_arg(cli, 1);
    const int setting = setting_find(key);

    if (setting < 0)
        return setting_unknown(cli, key, "");
    const char *choices = setting_rows[setting].choices;

    if (value && choices && !setting_in_choices(choices, value))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, key, "", "%s is one of %s, not %.64s", key,
                        choices, value);
    if (value && setting == SETTING_TIMEOUT && cli_duration_ms(value) <= 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, key, "for example 500ms, 10s, 2m",
                        "not a duration: %.64s", value);
    if (value && setting == SETTING_CONTEXT && !context_find(value, NULL))
        return CLI_FAIL(cli, FLT_NOT_FOUND, key, "see: flotilla context ls",
                        "there is no context %.64s", value);
    if (value)
        json_object_object_add(own_tree(), key, json_object_new_string(value));
    else
        json_object_object_del(own_tree(), key);
    return save(cli);
}

/* --- contexts
 * ------------------------------------------------------------------------------------------- */

static struct json_object *context_row(const char *name, struct json_object *context)
{
    const char *current = setting_get(SETTING_CONTEXT);
    struct json_object *row = json_object_new_object();

    json_object_object_add(row, "name", json_object_new_string(name));
    json_object_object_add(row, "current",
                           json_object_new_boolean(current && strcmp(current, name) == 0));
    json_object_object_foreach(context, key, value)
    {
        json_object_object_add(row, key, json_object_get(value));
    }
    return row;
}

int cmd_context_ls(struct cli *cli)
{
    static const struct column columns[] = {
        { "NAME", "name", COLUMN_TEXT },     { "CURRENT", "current", COLUMN_TEXT },
        { "WHERE", "url|dir", COLUMN_TEXT }, { "TENANT", "tenant", COLUMN_TEXT },
        { "USER", "user", COLUMN_TEXT },     { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *document = json_object_new_object(), *items = json_object_new_array();

    for (size_t i = 0; i < FLT_COUNT(settings_files); i++) {
        struct json_object *contexts = flt_json_get(settings_files[i].tree, "contexts");

        if (!contexts || !json_object_is_type(contexts, json_type_object))
            continue;
        json_object_object_foreach(contexts, name, context)
        {
            if (context == context_find(name, NULL))
                json_object_array_add(items, context_row(name, context));
        }
    }
    json_object_object_add(document, "items", items);
    out_list(cli, document, items, columns);
    json_object_put(document);
    return 0;
}

void contexts_complete(FILE *file, const char *prefix)
{
    for (size_t i = 0; i < FLT_COUNT(settings_files); i++) {
        struct json_object *contexts = flt_json_get(settings_files[i].tree, "contexts");

        if (!contexts || !json_object_is_type(contexts, json_type_object))
            continue;
        json_object_object_foreach(contexts, name, context)
        {
            (void)context;
            if (strncmp(name, prefix, strlen(prefix)) == 0)
                fprintf(file, "%s\t\n", name);
        }
    }
}

static int find_context(struct cli *cli, const char *name, struct json_object **out)
{
    *out = name ? context_find(name, NULL) : NULL;
    if (*out)
        return 0;
    return CLI_FAIL(
        cli, FLT_NOT_FOUND, "context", "see: flotilla context ls; flotilla context add NAME",
        name ? "there is no context %.64s" : "no context is in use%s", name ? name : "");
}

int cmd_context_show(struct cli *cli)
{
    const char *name = cli_arg(cli, 0) ? cli_arg(cli, 0) : setting_get(SETTING_CONTEXT);
    struct json_object *context, *row;
    int err = find_context(cli, name, &context);

    if (err)
        return err;
    row = context_row(name, context);
    out_object(cli, row);
    json_object_put(row);
    return 0;
}

int cmd_context_use(struct cli *cli)
{
    struct json_object *context;
    int err = find_context(cli, cli_arg(cli, 0), &context);

    if (err)
        return err;
    json_object_object_add(own_tree(), "context", json_object_new_string(cli_arg(cli, 0)));
    err = save(cli);
    if (!err)
        out_note(cli, "commands go to %s from now on", cli_arg(cli, 0));
    return err;
}

int cmd_context_add(struct cli *cli)
{
    const char *name = cli_arg(cli, 0);
    const char *url = cli_flag(cli, "url");
    struct json_object *contexts = flt_json_get(own_tree(), "contexts");

    if (!flt_name_ok(name))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "name",
                        "small letters, digits and -, at most 32",
                        "not a name for a context: %.64s", name);
    if (!url == !cli_has(cli, "dir"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "url",
                        "for example --url mqtts://broker.example.com:8883 --user ada",
                        "a context is a folder of this machine (--dir) or a broker (--url)");
    if (url && strncmp(url, "mqtt://", 7) != 0 && strncmp(url, "mqtts://", 8) != 0 &&
        strncmp(url, "unix:", 5) != 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "url",
                        "mqtt://HOST:PORT, mqtts://HOST:PORT or unix:PATH",
                        "not a broker's address: %.128s", url);
    if (!contexts) {
        contexts = json_object_new_object();
        json_object_object_add(own_tree(), "contexts", contexts);
    }
    json_object_object_add(contexts, name,
                           args_of("dir", url ? NULL : cli->dir, "url", url, "tenant",
                                   cli_flag(cli, "tenant"), "user", cli_flag(cli, "user"),
                                   "password_file", cli_flag(cli, "password-file"), "ca_file",
                                   cli_flag(cli, "ca-file"), NULL));
    if (cli_has(cli, "use"))
        json_object_object_add(own_tree(), "context", json_object_new_string(name));
    int err = save(cli);

    if (!err && !cli_has(cli, "use"))
        out_note(cli, "kept; use it: flotilla context use %s, or --context %s", name, name);
    return err;
}

int cmd_context_rm(struct cli *cli)
{
    struct json_object *contexts = flt_json_get(own_tree(), "contexts");
    const char *name = cli_arg(cli, 0), *current = NULL;

    if (!flt_json_get(contexts, name))
        return CLI_FAIL(cli, FLT_NOT_FOUND, "context", "see: flotilla context ls",
                        "there is no context %.64s in %.128s", name, settings_files[1].path);
    json_object_object_del(contexts, name);
    if (flt_json_str(own_tree(), "context", &current) && strcmp(current, name) == 0)
        json_object_object_del(own_tree(), "context");
    return save(cli);
}
