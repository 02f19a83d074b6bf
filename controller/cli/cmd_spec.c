/* flotilla bot config and bot clone: a bot's manifest shown, changed key by key or in an editor,
 * and copied. What changes is shown and checked by the controller before it is recorded. */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/config.h"
#include "lib/json.h"

#define MANIFEST_MAX (4u << 20)

/* One bot's manifest on its way from what it is to what it should be. */
struct change {
    struct session session;
    struct cli *cli;
    const char *bot;
    struct json_object *row;  /* types/bot_row */
    struct json_object *spec; /* as it is; with clone: of the bot that is copied */
    struct json_object *want; /* as it should be */
    struct json_object *rows; /* what differs: [{path, old, new}] */
    bool clone;
};

static int no_bot(struct change *change)
{
    return CLI_FAIL(change->cli, FLT_INTERNAL, "bot", "", "%s has no manifest", change->bot);
}

static int load(struct change *change)
{
    struct json_object *shown = NULL;
    int err = session_open(&change->session, change->cli);

    if (!err)
        err = session_ask(&change->session, "bot-show", args_of("bot", change->bot, NULL), &shown);
    change->row = json_object_get(flt_json_get(shown, "bot"));
    change->spec = json_object_get(flt_json_get(shown, "spec"));
    json_object_put(shown);
    if (!err && (!change->spec || json_object_deep_copy(change->spec, &change->want, NULL) != 0))
        err = no_bot(change);
    return err;
}

static void finish(struct change *change)
{
    session_close(&change->session);
    json_object_put(change->row);
    json_object_put(change->spec);
    json_object_put(change->want);
    json_object_put(change->rows);
}

/* --- one key
 * ---------------------------------------------------------------------------------------------- */

/* Keys of a manifest that are no parameters of its strategy; others are, unless they have a dot. */
static bool is_own_key(const char *key)
{
    static const char *const keys[] = { "name", "strategy", "account",    "venue",
                                        "mode", "note",     "instrument", "params",
                                        "risk", "legs",     "placement",  "labels" };

    for (size_t i = 0; i < FLT_COUNT(keys); i++)
        if (strcmp(key, keys[i]) == 0)
            return true;
    return false;
}

/* Puts `value` at "params.levels" (NULL: takes it away), making objects on the way. */
static void put_at(struct json_object *object, const char *path, struct json_object *value)
{
    char key[64];

    for (;;) {
        const size_t length = strcspn(path, ".");

        snprintf(key, sizeof key, "%.*s", (int)length, path);
        if (!path[length])
            break;
        struct json_object *inner = flt_json_get(object, key);

        if (!json_object_is_type(inner, json_type_object)) {
            inner = json_object_new_object();
            json_object_object_add(object, key, inner);
        }
        object = inner;
        path += length + 1;
    }
    if (value)
        json_object_object_add(object, key, value);
    else
        json_object_object_del(object, key);
}

/* "levels=40" (a parameter), "risk.max_position=0.5", "note=", which takes the note away. */
static int set_pair(struct cli *cli, struct json_object *want, const char *pair)
{
    const size_t length = strcspn(pair, "=");
    char key[80], path[96];

    if (!pair[length] || length == 0 || length >= sizeof key)
        return CLI_FAIL(
            cli, FLT_INVALID_ARGUMENT, "set",
            "for example levels=40, risk.max_position=0.5, note=", "not KEY=VALUE: %.64s", pair);
    snprintf(key, sizeof key, "%.*s", (int)length, pair);
    snprintf(path, sizeof path, "%s%s", strchr(key, '.') || is_own_key(key) ? "" : "params.", key);
    if (strcmp(path, "name") == 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "name",
                        "flotilla bot clone makes one of another name", "a bot keeps its name");
    put_at(want, path, pair[length + 1] ? manifest_value(pair + length + 1) : NULL);
    return 0;
}

/* --- carrying it out
 * -------------------------------------------------------------------------------------- */

static const struct column change_columns[] = {
    { "KEY", "path", COLUMN_TEXT },
    { "IS", "old", COLUMN_TEXT },
    { "BECOMES", "new", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

static int ask_deploy(struct change *change, bool dry, struct json_object **result)
{
    struct json_object *args = json_object_new_object();
    /* A changed bot goes on as it is: one that is stopped is not started by this. */
    const bool start = change->clone && !cli_has(change->cli, "stopped");

    json_object_object_add(args, "bot", json_object_get(change->want));
    json_object_object_add(args, "start", json_object_new_boolean(start));
    if (cli_has(change->cli, "live"))
        json_object_object_add(args, "live", json_object_new_boolean(true));
    if (dry)
        json_object_object_add(args, "dry_run", json_object_new_boolean(true));
    return session_ask(&change->session, "bot-deploy", args, result);
}

static int check_free(struct change *change, const char *name)
{
    struct json_object *found = NULL;
    const int err = session_ask(&change->session, "bot-show", args_of("bot", name, NULL), &found);

    json_object_put(found);
    if (!err)
        return CLI_FAIL(change->cli, FLT_CONFLICT, "name", "choose another name",
                        "there is a bot %s already", name);
    if (change->cli->error.code != FLT_NOT_FOUND)
        return err;
    change->cli->error = (struct flt_error){ 0 };
    return 0;
}

/* The controller's word on it; somebody else's change since we looked is not overwritten. */
static int check(struct change *change)
{
    struct json_object *planned = NULL;
    int64_t seen = 0, now = 0;
    bool created = false;
    int err = change->clone ? check_free(change, cli_arg(change->cli, 1)) : 0;

    err = err ? err : ask_deploy(change, true, &planned);
    flt_json_int(change->row, "generation", &seen);
    flt_json_int(planned, "generation", &now);
    flt_json_bool(planned, "created", &created);
    json_object_put(planned);
    if (!err && change->clone && !created)
        return CLI_FAIL(change->cli, FLT_CONFLICT, "name", "choose another name",
                        "there is a bot %s already", cli_arg(change->cli, 1));
    if (!err && !change->clone && (created || now != seen))
        return CLI_FAIL(change->cli, FLT_CONFLICT, "bot", "look again, then repeat it",
                        "%s was changed by somebody else meanwhile", change->bot);
    return err;
}

static void show_changes(struct change *change)
{
    struct json_object *document = json_object_new_object();

    json_object_object_add(document, "dry_run", json_object_new_boolean(true));
    json_object_object_add(document, "bot", json_object_get(flt_json_get(change->want, "name")));
    json_object_object_add(document, "items", json_object_get(change->rows));
    out_list(change->cli, document, change->rows, change_columns);
    out_note(change->cli, "dry run: nothing was changed");
    json_object_put(document);
}

/* For people, beside the answer: what is about to change. */
static void say_changes(const struct change *change)
{
    char path[96], old[160], new[160];

    for (size_t i = 0; i < json_object_array_length(change->rows); i++) {
        struct json_object *row = json_object_array_get_idx(change->rows, i);

        out_text(row, "path", path, sizeof path);
        out_text(row, "old", old, sizeof old);
        out_text(row, "new", new, sizeof new);
        out_note(change->cli, "  %-24s %s -> %s", path, *old ? old : "-", *new ? new : "-");
    }
}

static int confirm(struct change *change)
{
    char question[160];

    snprintf(question, sizeof question, "%s?", change->clone ? "Deploy it" : "Change it");
    return cli_confirm(change->cli, question);
}

static int wait_for(struct change *change, struct json_object *result)
{
    static const char *const running[] = { "running", NULL }, *const paused[] = { "paused", NULL },
                             *const stopped[] = { "stopped", "flat", NULL };
    struct wait_bot bot = { 0 };
    char run[24];

    if (!cli_has(change->cli, "wait"))
        return 0;
    out_text(result, "bot", bot.name, sizeof bot.name);
    flt_json_int(result, "generation", &bot.generation);
    out_text(result, "run", run, sizeof run);
    return bots_wait(&change->session, &bot, 1,
                     strcmp(run, "running") == 0  ? running
                     : strcmp(run, "paused") == 0 ? paused
                                                  : stopped);
}

static int carry_out(struct change *change)
{
    struct json_object *result = NULL;
    int err = confirm(change);

    if (!err)
        err = ask_deploy(change, false, &result);
    if (!err)
        err = wait_for(change, result);
    if (!err)
        out_object(change->cli, result);
    json_object_put(result);
    return err;
}

/* From the manifest that is wanted to the answer; `settled` false: refused before anything. */
static int apply(struct change *change)
{
    change->rows = manifest_changes(change->spec, change->want);
    if (json_object_array_length(change->rows) == 0) {
        out_note(change->cli, "nothing differs; %s stays as it is", change->bot);
        return 0;
    }
    int err = check(change);

    if (err)
        return err;
    if (cli_has(change->cli, "dry-run")) {
        show_changes(change);
        return 0;
    }
    say_changes(change);
    return carry_out(change);
}

/* --- show, set
 * -------------------------------------------------------------------------------------------- */

static int show(struct change *change, const char *key)
{
    struct json_object *found = key ? out_path(change->spec, key) : change->spec;
    struct json_object *list;
    char under[96];

    if (key && !found) {
        snprintf(under, sizeof under, "params.%s", key);
        found = out_path(change->spec, under);
    }
    if (!found)
        return CLI_FAIL(change->cli, FLT_NOT_FOUND, "key",
                        "its strategy's default holds; see: flotilla strategy show",
                        "%s has no %.64s of its own", change->bot, key);
    if (change->cli->format == OUT_TABLE && !key) {
        list = json_object_new_array();
        json_object_array_add(list, json_object_get(found));
        manifest_print(stdout, list);
        json_object_put(list);
    } else if (json_object_is_type(found, json_type_object) || change->cli->json) {
        out_object(change->cli, found);
    } else {
        puts(out_text(change->spec, strchr(key, '.') || out_path(change->spec, key) ? key : under,
                      (char[512]){ 0 }, 512));
    }
    return 0;
}

static int set(struct change *change, size_t first)
{
    int err = 0;

    for (size_t i = first; i < change->cli->parse.arg_count && !err; i++)
        err = set_pair(change->cli, change->want, cli_arg(change->cli, i));
    if (!err && first >= change->cli->parse.arg_count)
        err = CLI_FAIL(change->cli, FLT_INVALID_ARGUMENT, "set",
                       "for example: flotilla bot config BOT set levels=40",
                       "what is to be set? KEY=VALUE");
    return err ? err : apply(change);
}

/* --- edit
 * ------------------------------------------------------------------------------------------------
 */

static int write_manifest(struct change *change, int fd)
{
    FILE *file = fdopen(fd, "w");
    struct json_object *list = json_object_new_array();

    json_object_array_add(list, json_object_get(change->spec));
    if (file) {
        fprintf(file, "# %s: save and close to change it; leave it as it is to change nothing.\n",
                change->bot);
        manifest_print(file, list);
    }
    json_object_put(list);
    return file && fclose(file) == 0 ? 0 : -EIO;
}

/* As git does: the editor may be a command with arguments, so a shell reads it. */
static int run_editor(struct cli *cli, const char *path)
{
    const char *visual = getenv("VISUAL"), *plain = getenv("EDITOR");
    const char *editor = visual && *visual ? visual : plain && *plain ? plain : "vi";
    char command[512];
    int status = 0;

    snprintf(command, sizeof command, "%s \"$1\"", editor);
    fflush(stdout);
    const pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, "sh", path, (char *)NULL);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return CLI_FAIL(cli, FLT_UNAVAILABLE, "editor", "set $EDITOR to one that is here",
                    "the editor %.64s ended with an error; nothing was changed", editor);
}

/* The edited text into change->want; a refusal says the line. */
static int read_edited(struct change *change, const char *path)
{
    struct json_object *bots = NULL;
    const char *name = "";
    int err = manifest_load(change->cli, path, &bots);

    if (!err && json_object_array_length(bots) != 1)
        err = CLI_FAIL(change->cli, FLT_INVALID_ARGUMENT, "bots", "leave this one alone in it",
                       "the file has %zu bots", json_object_array_length(bots));
    struct json_object *want = err ? NULL : json_object_array_get_idx(bots, 0);

    if (!err && (!flt_json_str(want, "name", &name) || strcmp(name, change->bot) != 0))
        err = CLI_FAIL(change->cli, FLT_INVALID_ARGUMENT, "bot.name",
                       "flotilla bot clone makes one of another name", "a bot keeps its name");
    if (!err) {
        json_object_put(change->want);
        change->want = json_object_get(want);
    }
    json_object_put(bots);
    return err;
}

/* One round: the editor, then all checks. `refused`: the text was, and is worth keeping. */
static int edit_once(struct change *change, const char *path, bool *refused)
{
    struct cli *cli = change->cli;
    size_t size;
    int err = run_editor(cli, path);

    *refused = false;
    if (err)
        return err;
    json_object_put(change->rows);
    change->rows = NULL;
    err = read_edited(change, path);
    if (!err) {
        change->rows = manifest_changes(change->spec, change->want);
        err = json_object_array_length(change->rows) ? check(change) : 0;
    }
    if (!err)
        return 0;
    char *text = flt_file_read(path, MANIFEST_MAX, &size);

    if (text && cli->error.field[0] && !strstr(cli->error.message, path))
        (void)manifest_refused(cli, path, text);
    free(text);
    *refused = true;
    return err;
}

/* "Edit again?" on a terminal; elsewhere the refusal is the end of it. */
static bool once_more(struct cli *cli)
{
    char line[16];

    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return false;
    out_error(cli, &cli->error);
    fputs("Edit again? [Y/n] ", stderr);
    if (!fgets(line, sizeof line, stdin) || line[0] == 'n' || line[0] == 'N')
        return false;
    cli->error = (struct flt_error){ 0 };
    return true;
}

static int edit(struct change *change)
{
    const char *folder = getenv("TMPDIR");
    char path[CLI_DIR_MAX];
    bool refused = false;
    int err;

    snprintf(path, sizeof path, "%s/flotilla-%s-XXXXXX.yml", folder && *folder ? folder : "/tmp",
             change->bot);
    const int fd = mkstemps(path, 4);

    if (fd < 0 || write_manifest(change, fd) != 0)
        return CLI_FAIL(change->cli, FLT_UNAVAILABLE, "editor", "is $TMPDIR a folder with room?",
                        "cannot write %s: %s", path, strerror(errno));
    do {
        session_close(
            &change->session); /* an editor is open for longer than a connection need be */
        err = session_open(&change->session, change->cli);
        if (!err)
            err = edit_once(change, path, &refused);
    } while (err && refused && once_more(change->cli));
    if (!err) {
        json_object_put(change->rows);
        err = apply(change);
    }
    if (refused)
        out_note(change->cli, "your text is kept in %s", path);
    else
        unlink(path);
    return err;
}

/* --- the commands
 * ----------------------------------------------------------------------------------------- */

static bool is_word(const char *text)
{
    return text && (strcmp(text, "set") == 0 || strcmp(text, "edit") == 0 ||
                    strcmp(text, "show") == 0 || strcmp(text, "get") == 0);
}

/* `bot config BOT set K=V` and `bot config set BOT K=V` are the same. */
int cmd_bot_config(struct cli *cli)
{
    const bool swapped = is_word(cli_arg(cli, 0)) && cli_arg(cli, 1);
    const char *word = cli_arg(cli, swapped ? 0 : 1);
    struct change change = { .cli = cli, .bot = cli_arg(cli, swapped ? 1 : 0) };
    const bool known = is_word(word);

    if (word && !known && cli->parse.arg_count > 2)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "arguments",
                        "flotilla bot config BOT [KEY], ... set KEY=VALUE, ... edit",
                        "set or edit, not %.64s", word);
    if (word && !known && strchr(word, '='))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "arguments", "",
                        "did you mean: flotilla bot config %.64s set %.64s", change.bot, word);
    int err = load(&change);

    if (!err && known && strcmp(word, "set") == 0)
        err = set(&change, 2);
    else if (!err && known && strcmp(word, "edit") == 0)
        err = edit(&change);
    else if (!err)
        err = show(&change, known ? cli_arg(cli, 2) : word);
    finish(&change);
    return err;
}

int cmd_bot_clone(struct cli *cli)
{
    struct change change = { .cli = cli, .bot = cli_arg(cli, 0), .clone = true };
    const char *name = cli_arg(cli, 1), *pair;

    if (!flt_name_ok(name))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "name",
                        "small letters, digits and -, at most 32", "not a name for a bot: %.64s",
                        name);
    int err = load(&change);

    for (size_t i = 0; !err && (pair = cli_nth(cli, "set", i)); i++)
        err = set_pair(cli, change.want, pair);
    if (!err && cli_flag(cli, "node"))
        put_at(change.want, "placement.node", json_object_new_string(cli_flag(cli, "node")));
    if (!err) {
        put_at(change.want, "name", json_object_new_string(name));
        err = apply(&change);
    }
    finish(&change);
    return err;
}
