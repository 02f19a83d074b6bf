/* The demo: an account at the simulator and 24 bots on recorded BTC and ETH market data, made
 * through the same verbs that people use, once in a fleet's life. */
#define FLT_MOD "demo"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/keys.h"
#include "controller/cli/programs.h"
#include "controller/cli/session.h"
#include "controller/cli/up.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define ASK_MS 10000
#define KEY_BYTES 32

/* --- the account's key ------------------------------------------------------------------------------ */

static int make_key(char out[72])
{
    uint8_t bytes[KEY_BYTES];
    int err = flt_random(bytes, sizeof bytes);

    if (!err)
        flt_hex(bytes, sizeof bytes, out);
    flt_wipe(bytes, sizeof bytes);
    return err;
}

static int write_key(const struct up *up, const char *path)
{
    struct flt_buf buf = FLT_BUF_INIT;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "key", up->sim_key);
    flt_jw_str(&buf, "secret", up->sim_secret);
    flt_jw_end(&buf, '}');
    int err = buf.failed ? -ENOMEM : flt_file_write(path, buf.data, buf.length, 0600);

    flt_buf_finish(&buf);
    return err;
}

int demo_prepare(struct up *up, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    const char *key, *secret;
    int err = fleet_path(up->fleet.dir, path, error, "secrets/demo.key.json");

    if (err)
        return err;
    if (access(path, F_OK) != 0) {
        err = make_key(up->sim_key);
        if (!err)
            err = make_key(up->sim_secret);
        return err ? err : write_key(up, path);
    }
    struct json_object *tree = flt_json_load(path, error);

    if (!tree)
        return -EINVAL;
    if (flt_json_str(tree, "key", &key) && flt_json_str(tree, "secret", &secret)) {
        snprintf(up->sim_key, sizeof up->sim_key, "%s", key);
        snprintf(up->sim_secret, sizeof up->sim_secret, "%s", secret);
    } else {
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, NULL, "it was left untouched", "%s is damaged",
                            path);
    }
    json_object_put(tree);
    return err;
}

int demo_sim_args(struct up *up, const char **argv, size_t *count, struct flt_error *error)
{
    (void)up;
    (void)argv;
    (void)count;
    (void)error;
    return 0;
}

void demo_start(struct up *up)
{
    up_demo_done(up, NULL);
}
