#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/settings.h"
#include "controller/cli/settings_file.h"
#include "lib/config.h"
#include "lib/json.h"

const struct setting_row setting_rows[SETTINGS] = {
    [SETTING_CONTEXT] = { "context", "context", "FLOTILLA_CONTEXT", NULL, NULL, false },
    [SETTING_DIR] = { "dir", "dir", "FLOTILLA_DIR", NULL, NULL, true },
    [SETTING_URL] = { "url", NULL, "FLOTILLA_URL", NULL, NULL, true },
    [SETTING_TENANT] = { "tenant", NULL, "FLOTILLA_TENANT", NULL, NULL, true },
    [SETTING_USER] = { "user", "user", "FLOTILLA_USER", "admin", NULL, true },
    [SETTING_PASSWORD_FILE] = { "password_file", NULL, "FLOTILLA_PASSWORD_FILE", NULL, NULL, true },
    [SETTING_CA_FILE] = { "ca_file", NULL, "FLOTILLA_CA_FILE", NULL, NULL, true },
    [SETTING_OUTPUT] = { "output", "output", "FLOTILLA_OUTPUT", "table",
                         "table|wide|json|jsonl|csv|name", false },
    [SETTING_COLOR] = { "color", "color", NULL, "auto", "auto|always|never", false },
    [SETTING_TIMEOUT] = { "timeout", "timeout", "FLOTILLA_TIMEOUT", "5s", NULL, true },
};

struct setting_value setting_values[SETTINGS];
struct settings_file settings_files[2]; /* the system's, the user's */

const char *setting_get(enum setting setting)
{
    return setting_values[setting].text;
}

const char *const *setting_keys(void)
{
    static const char *keys[SETTINGS + 1];

    for (int i = 0; i < SETTINGS; i++)
        keys[i] = setting_rows[i].key;
    return keys;
}

enum setting_origin setting_origin_of(enum setting setting)
{
    return setting_values[setting].origin;
}

bool setting_in_choices(const char *choices, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = choices; at;) {
        const size_t size = strcspn(at, "|");

        if (size == length && memcmp(at, word, size) == 0)
            return true;
        at = at[size] ? at + size + 1 : NULL;
    }
    return false;
}

int setting_find(const char *key)
{
    for (int i = 0; i < SETTINGS; i++)
        if (strcmp(setting_rows[i].key, key) == 0)
            return i;
    return -1;
}

int setting_unknown(struct cli *cli, const char *key, const char *where)
{
    const char *names[SETTINGS];
    char hint[160];

    for (int i = 0; i < SETTINGS; i++)
        names[i] = setting_rows[i].key;
    const char *near = flt_nearest(key, names, SETTINGS);

    snprintf(hint, sizeof hint, near ? "did you mean %s?" : "see: flotilla config show", near);
    return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "key", hint, "%s%sno setting %.64s", where,
                    *where ? ": " : "", key);
}

/* --- files
 * ---------------------------------------------------------------------------------------------- */

static bool set_path(struct settings_file *file, const char *base, const char *rest)
{
    const int size =
        snprintf(file->path, sizeof file->path, "%s%s/flotilla/config.json", base, rest);

    return size > 0 && (size_t)size < sizeof file->path;
}

static void find_files(void)
{
    const char *dirs = getenv("XDG_CONFIG_DIRS");
    const char *home = getenv("XDG_CONFIG_HOME");
    const char *own = getenv("FLOTILLA_CONFIG");
    char first[512];

    snprintf(first, sizeof first, "%.*s", dirs && *dirs ? (int)strcspn(dirs, ":") : 8,
             dirs && *dirs ? dirs : "/etc/xdg");
    if (!set_path(&settings_files[0], first, ""))
        *settings_files[0].path = 0;
    if (own && *own)
        snprintf(settings_files[1].path, sizeof settings_files[1].path, "%s", own);
    else if (home && *home)
        set_path(&settings_files[1], home, "");
    else
        set_path(&settings_files[1], getenv("HOME") ? getenv("HOME") : "", "/.config");
}

static int load_file(struct cli *cli, struct settings_file *file)
{
    if (!*file->path || access(file->path, F_OK) != 0)
        return 0;
    file->tree = flt_json_load(file->path, &cli->error);
    if (!file->tree)
        return cli->error.code == FLT_OK ? -EIO : -EINVAL;
    if (!json_object_is_type(file->tree, json_type_object))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "config",
                        "flotilla config path says where it is", "%.200s is not an object",
                        file->path);
    json_object_object_foreach(file->tree, key, value)
    {
        (void)value;
        if (strcmp(key, "contexts") != 0 && setting_find(key) < 0)
            return setting_unknown(cli, key, file->path);
    }
    return 0;
}

struct json_object *context_find(const char *name, const char **path)
{
    for (size_t i = FLT_COUNT(settings_files); i-- > 0;) {
        struct json_object *found =
            flt_json_get(flt_json_get(settings_files[i].tree, "contexts"), name);

        if (path)
            *path = settings_files[i].path;
        if (found)
            return found;
    }
    return NULL;
}

/* --- resolving
 * ------------------------------------------------------------------------------------------ */

static void take(enum setting setting, const char *text, enum setting_origin origin,
                 const char *where)
{
    if (text && *text)
        setting_values[setting] = (struct setting_value){ text, origin, where };
}

static const char *in_tree(struct json_object *tree, const char *key)
{
    struct json_object *found = flt_json_get(tree, key);

    return found ? json_object_get_string(found) : NULL;
}

static void resolve_one(struct cli *cli, enum setting setting, struct json_object *context,
                        const char *context_path)
{
    const struct setting_row *row = &setting_rows[setting];

    take(setting, row->fallback, FROM_DEFAULT, "built in");
    take(setting, in_tree(settings_files[0].tree, row->key), FROM_SYSTEM, settings_files[0].path);
    take(setting, in_tree(settings_files[1].tree, row->key), FROM_FILE, settings_files[1].path);
    if (row->in_context)
        take(setting, in_tree(context, row->key), FROM_CONTEXT, context_path);
    if (row->env)
        take(setting, getenv(row->env), FROM_ENV, row->env);
    if (row->flag)
        take(setting, cli_flag(cli, row->flag), FROM_FLAG, "flag");
}

static int no_context(struct cli *cli, const char *name)
{
    return CLI_FAIL(cli, FLT_NOT_FOUND, "context",
                    "see: flotilla context ls; flotilla context add NAME",
                    "there is no context %.64s", name);
}

static int check_choices(struct cli *cli)
{
    for (int i = 0; i < SETTINGS; i++)
        if (setting_rows[i].choices && setting_values[i].text &&
            !setting_in_choices(setting_rows[i].choices, setting_values[i].text))
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, setting_rows[i].key,
                            "flotilla config show --origin", "%s of %s is one of %s, not %.64s",
                            setting_rows[i].key, setting_values[i].where, setting_rows[i].choices,
                            setting_values[i].text);
    return 0;
}

/* A folder that is named for this command leaves out the context that is only usual: no user or
 * password of one fleet is sent to another. */
static int check_context(struct cli *cli)
{
    const char *dir = getenv("FLOTILLA_DIR");

    if (cli_has(cli, "dir") && cli_has(cli, "context"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "context", "one of them",
                        "--dir and --context both say which fleet");
    if (cli_has(cli, "dir") || (dir && *dir && setting_origin_of(SETTING_CONTEXT) < FROM_ENV))
        setting_values[SETTING_CONTEXT] = (struct setting_value){ 0 };
    return 0;
}

int settings_load(struct cli *cli)
{
    const char *path = NULL;
    struct json_object *context = NULL;
    int err = 0;

    find_files();
    for (size_t i = 0; i < FLT_COUNT(settings_files) && !err; i++)
        err = load_file(cli, &settings_files[i]);
    if (err)
        return err;
    resolve_one(cli, SETTING_CONTEXT, NULL, NULL);
    err = check_context(cli);
    if (err)
        return err;
    const char *name = setting_get(SETTING_CONTEXT);

    if (name) {
        context = context_find(name, &path);
        /* The commands on contexts themselves must work, or nobody could put it right. */
        if (!context && strncmp(cli->parse.path, "con", 3) != 0)
            return no_context(cli, name);
    }
    for (enum setting i = SETTING_DIR; i < SETTINGS; i++)
        resolve_one(cli, i, context, path);
    return check_choices(cli);
}
