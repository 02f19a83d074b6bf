/* flotilla account: venue keys come from a prompt or a file, never from arguments, and leave this
 * process only sealed to the controller's key. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "controller/cli/keys.h"
#include "controller/cli/session.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define KEY_FILE_MAX 65536

static void wipe_free(char *text)
{
    if (text)
        flt_wipe(text, strlen(text));
    free(text);
}

/* Base64 of the box; freed by the caller. */
static int seal(const uint8_t key[32], const char *aad, const char *text, char **out)
{
    const size_t size = strlen(text), box_size = size + FLT_SEALED_BOX_OVERHEAD;
    uint8_t *box = malloc(box_size);
    int err = -ENOMEM;

    *out = malloc(4 * ((box_size + 2) / 3) + 1);
    if (box && *out)
        err = flt_box_seal(key, aad, text, size, box);
    if (!err)
        flt_base64(box, box_size, *out);
    free(box);
    if (err) {
        free(*out);
        *out = NULL;
    }
    return err;
}

struct json_object *account_args(const char *name, const char *venue, bool sandbox)
{
    struct json_object *args = args_of("name", name, "venue", venue, NULL);

    if (sandbox)
        json_object_object_add(args, "sandbox", json_object_new_boolean(true));
    return args;
}

int account_seal(struct json_object *args, const char *tenant, const char *box_key_hex,
                 const char *credentials)
{
    const char *name = "";
    char aad[128];
    uint8_t key[32];
    char *sealed = NULL;

    flt_json_str(args, "name", &name);
    snprintf(aad, sizeof aad, "account-add:%s:%s", tenant, name);
    int err = flt_unhex(box_key_hex, key, sizeof key);

    if (!err)
        err = seal(key, aad, credentials, &sealed);
    if (!err)
        json_object_object_add(args, "credentials_sealed", json_object_new_string(sealed));
    free(sealed);
    return err;
}

static int read_key_file(struct cli *cli, const char *path, char **out)
{
    struct stat st;
    struct flt_error error = { 0 };
    const char *key, *secret;
    size_t size = 0;

    if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
        out_note(cli, "warning: others may read %s; chmod 600 it", path);
    *out = flt_file_read(path, KEY_FILE_MAX, &size);
    if (!*out)
        return CLI_FAIL(cli, flt_error_from_errno(-errno), "key-file", "", "cannot read %s: %s",
                        path, strerror(errno));
    struct json_object *tree = flt_json_parse(*out, size, &error);
    const bool fine =
        tree && flt_json_str(tree, "key", &key) && *key &&
        (flt_json_str(tree, "secret", &secret) || flt_json_str(tree, "private_key_pem", &secret));

    json_object_put(tree);
    return fine ? 0
                : CLI_FAIL(
                      cli, FLT_INVALID_ARGUMENT, "key-file",
                      "it holds {\"key\": ..., \"secret\": ...} or {\"key\", \"private_key_pem\"}",
                      "%s is not a key file%s%s", path, *error.message ? ": " : "", error.message);
}

static int prompt_keys(struct cli *cli, char **out)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char *key = cli_read_secret("API key");
    char *secret = key ? cli_read_secret("API secret") : NULL;
    int err = 0;

    if (!key || !secret || !*key || !*secret) {
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "key",
                       "two lines: the key, then the secret; or --key-file", "no key was given");
    } else {
        flt_jw_begin(&buf, NULL, '{');
        flt_jw_str(&buf, "key", key);
        flt_jw_str(&buf, "secret", secret);
        flt_jw_end(&buf, '}');
        *out = buf.data;
    }
    wipe_free(key);
    wipe_free(secret);
    return err;
}

/* --- trying keys
 * --------------------------------------------------------------------------------------- */

#define TEST_TIMEOUT_MS 15000 /* a node takes up to 8 s */

static const struct column key_columns[] = {
    { "CHECK", "check", COLUMN_TEXT },  { "STATE", "state", COLUMN_STATE },
    { "WHAT", "message", COLUMN_TEXT }, { "WHAT TO DO", "hint", COLUMN_TEXT },
    { NULL, NULL, COLUMN_TEXT },
};

/* The first check that failed is the error; a warning alone is the exit status of one. */
static int judge(struct cli *cli, struct json_object *checks)
{
    char state[16], message[256], hint[192];

    for (size_t i = 0; i < json_object_array_length(checks); i++) {
        struct json_object *row = json_object_array_get_idx(checks, i);

        out_text(row, "state", state, sizeof state);
        out_text(row, "message", message, sizeof message);
        out_text(row, "hint", hint, sizeof hint);
        if (strcmp(state, "fail") == 0)
            return CLI_FAIL(cli, FLT_VENUE_ERROR, "keys", hint, "%s", message);
        if (strcmp(state, "warn") == 0)
            cli->exit_code = CLI_EXIT_PARTLY;
    }
    return 0;
}

/* Asks a node to try the keys (`sealed` NULL: those that are kept). */
static int try_keys(struct session *session, const char *sealed, struct json_object **result)
{
    struct cli *cli = session->cli;
    const uint32_t was = cli->timeout_ms;

    out_note(cli, "trying the keys at the venue ...");
    if (cli->timeout_ms < TEST_TIMEOUT_MS)
        cli->timeout_ms = TEST_TIMEOUT_MS;
    const int err =
        session_ask(session, "account-test",
                    args_of("name", cli_arg(cli, 0), "venue", cli_flag(cli, "venue"), "node",
                            cli_flag(cli, "node"), "credentials_sealed", sealed, NULL),
                    result);

    cli->timeout_ms = was;
    return err;
}

int cmd_account_test(struct cli *cli)
{
    struct session session = { 0 };
    struct json_object *result = NULL;
    int err = session_open(&session, cli);

    if (!err)
        err = try_keys(&session, NULL, &result);
    session_close(&session);
    if (!err) {
        out_list(cli, result, flt_json_get(result, "checks"), key_columns);
        err = judge(cli, flt_json_get(result, "checks"));
    }
    json_object_put(result);
    return err;
}

/* With --test: keys that the venue does not take are not kept; warnings are said. */
static int test_first(struct session *session, struct json_object *args)
{
    struct cli *cli = session->cli;
    struct json_object *result = NULL;
    const char *sealed = NULL;
    char check[16], state[16], message[256], hint[192];

    flt_json_str(args, "credentials_sealed", &sealed);
    int err = try_keys(session, sealed, &result);
    struct json_object *checks = flt_json_get(result, "checks");

    for (size_t i = 0; checks && i < json_object_array_length(checks); i++) {
        struct json_object *row = json_object_array_get_idx(checks, i);

        out_text(row, "hint", hint, sizeof hint);
        out_note(cli, "  %-9s %-5s %s%s%s", out_text(row, "check", check, sizeof check),
                 out_text(row, "state", state, sizeof state),
                 out_text(row, "message", message, sizeof message), *hint ? ": " : "", hint);
    }
    if (!err)
        err = judge(cli, checks);
    cli->exit_code = 0; /* a warning was said; the account is added all the same */
    if (err && checks)
        out_note(cli, "the keys were not kept");
    json_object_put(result);
    return err;
}

static int add_account(struct session *session, const char *venue, const char *credentials)
{
    struct cli *cli = session->cli;
    struct json_object *key = NULL, *result = NULL;
    const char *box_key;
    struct json_object *args = account_args(cli_arg(cli, 0), venue, cli_has(cli, "sandbox"));
    int err = session_ask(session, "account-key", NULL, &key);

    if (!err && !flt_json_str(key, "box_key", &box_key))
        err = CLI_FAIL(cli, FLT_INTERNAL, "", "", "the controller gave no key to seal to");
    if (!err)
        err = account_seal(args, session->fleet.tenant, box_key, credentials);
    json_object_put(key);
    if (!err && cli_has(cli, "test"))
        err = test_first(session, args);
    if (err) {
        json_object_put(args);
        return err;
    }
    err = session_ask(session, "account-add", args, &result);
    if (!err)
        out_object(cli, cli->json ? result : flt_json_get(result, "account"));
    json_object_put(result);
    return err;
}

int cmd_account_add(struct cli *cli)
{
    const char *file = cli_flag(cli, "key-file");
    struct session session = { 0 };
    char *credentials = NULL;
    int err;

    if (!flt_name_ok(cli_arg(cli, 0)))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "name",
                        "small letters, digits and -, at most 32",
                        "not a name for an account: %.64s", cli_arg(cli, 0));
    if (!cli_flag(cli, "venue"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "venue", "for example --venue binance",
                        "an account needs --venue");
    err = file ? read_key_file(cli, file, &credentials) : prompt_keys(cli, &credentials);
    if (!err)
        err = session_open(&session, cli);
    if (!err)
        err = add_account(&session, cli_flag(cli, "venue"), credentials);
    session_close(&session);
    wipe_free(credentials);
    return err;
}

/* --- one of them
 * --------------------------------------------------------------------------------------- */

/* The row of account-ls; the nearest name when there is none. */
static int find_account(struct session *session, const char *name, struct json_object **out)
{
    struct cli *cli = session->cli;
    struct json_object *list = NULL, *items;
    const char *names[200], *own = "";
    char hint[96] = "see: flotilla account ls";
    size_t count = 0;
    int err = session_list(session, "account-ls", json_object_new_object(), 0, &list);

    *out = NULL;
    items = flt_json_get(list, "items");
    for (size_t i = 0; !err && !*out && i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);

        if (flt_json_str(item, "name", &own) && strcmp(own, name) == 0)
            *out = json_object_get(item);
        else if (count < FLT_COUNT(names))
            names[count++] = own;
    }
    if (!err && !*out) {
        const char *near = flt_nearest(name, names, count);

        if (near)
            snprintf(hint, sizeof hint, "did you mean %s? see: flotilla account ls", near);
        err = CLI_FAIL(cli, FLT_NOT_FOUND, "name", hint, "there is no account %.64s", name);
    }
    json_object_put(list);
    return err;
}

/* {account, checks, bots}: the account, what each node found of it at the venue, who trades on it.
 */
int cmd_account_show(struct cli *cli)
{
    const char *name = cli_arg(cli, 0);
    struct session session = { 0 };
    struct json_object *account = NULL, *checks = NULL, *bots = NULL, *filter;
    int err = session_open(&session, cli);

    if (!err)
        err = find_account(&session, name, &account);
    if (!err)
        err = session_ask(&session, "account-check", args_of("account", name, NULL), &checks);
    if (!err) {
        filter = json_object_new_object();
        json_object_object_add(filter, "filter", args_of("account", name, NULL));
        err = session_list(&session, "bot-ls", filter, 0, &bots);
    }
    session_close(&session);
    struct json_object *document = json_object_new_object();

    json_object_object_add(document, "account", account);
    json_object_object_add(document, "checks", json_object_get(flt_json_get(checks, "items")));
    json_object_object_add(document, "missing", json_object_get(flt_json_get(checks, "missing")));
    json_object_object_add(document, "bots", json_object_get(flt_json_get(bots, "items")));
    if (!err && (cli->json || cli->format == OUT_NAME)) {
        out_object(cli, cli->json ? document : account);
    } else if (!err) {
        out_object(cli, account);
        struct json_object *items = flt_json_get(checks, "items");

        for (size_t i = 0; cli->people && i < json_object_array_length(items); i++) {
            putchar('\n');
            out_object(cli, json_object_array_get_idx(items, i));
        }
        if (cli->people && json_object_array_length(flt_json_get(bots, "items"))) {
            puts("\nbots:");
            out_list(cli, bots, flt_json_get(bots, "items"), bot_columns);
        }
    }
    json_object_put(document);
    json_object_put(checks);
    json_object_put(bots);
    return err;
}

/* New keys for an account that is there: its venue and kind stay. */
int cmd_account_rotate(struct cli *cli)
{
    const char *file = cli_flag(cli, "key-file"), *venue = "";
    struct session session = { 0 };
    struct json_object *account = NULL;
    char *credentials = NULL;
    int err = session_open(&session, cli);

    if (!err)
        err = find_account(&session, cli_arg(cli, 0), &account);
    session_close(&session); /* a prompt may take its time */
    if (!err)
        err = file ? read_key_file(cli, file, &credentials) : prompt_keys(cli, &credentials);
    if (!err)
        err = session_open(&session, cli);
    if (!err && flt_json_str(account, "venue", &venue))
        err = add_account(&session, venue, credentials);
    session_close(&session);
    wipe_free(credentials);
    json_object_put(account);
    return err;
}

int cmd_account_ls(struct cli *cli)
{
    static const struct column columns[] = {
        { "ACCOUNT", "name", COLUMN_TEXT },    { "VENUE", "venue", COLUMN_TEXT },
        { "SANDBOX", "sandbox", COLUMN_TEXT }, { "KEYED", "keyed", COLUMN_TEXT },
        { "BOTS", "bots", COLUMN_NUMBER },     { "SINCE", "created_ms", COLUMN_TIME },
        { NULL, NULL, COLUMN_TEXT },
    };
    struct json_object *result = NULL;
    int err = list_once(cli, "account-ls", json_object_new_object(), 0, &result);

    if (!err)
        out_list(cli, result, flt_json_get(result, "items"), columns);
    json_object_put(result);
    return err;
}

int cmd_account_rm(struct cli *cli)
{
    struct json_object *result = NULL;
    int err = cli_confirm(cli, "Remove the account and wipe its keys everywhere?");

    if (!err)
        err = ask_once(cli, "account-rm", args_of("name", cli_arg(cli, 0), NULL), &result);
    if (!err)
        out_object(cli, result);
    json_object_put(result);
    return err;
}
