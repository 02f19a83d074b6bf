/* flotilla account: venue keys come from a prompt or a file, never from arguments, and leave this
 * process only sealed to the controller's key. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
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

static int add_account(struct session *session, const char *credentials)
{
    struct cli *cli = session->cli;
    struct json_object *key = NULL, *result = NULL;
    const char *box_key;
    struct json_object *args =
        account_args(cli_arg(cli, 0), cli_flag(cli, "venue"), cli_has(cli, "sandbox"));
    int err = session_ask(session, "account-key", NULL, &key);

    if (!err && !flt_json_str(key, "box_key", &box_key))
        err = CLI_FAIL(cli, FLT_INTERNAL, "", "", "the controller gave no key to seal to");
    if (!err)
        err = account_seal(args, session->fleet.tenant, box_key, credentials);
    json_object_put(key);
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
        err = add_account(&session, credentials);
    session_close(&session);
    wipe_free(credentials);
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
