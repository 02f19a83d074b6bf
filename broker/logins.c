/* dynsec.json, the plugin's own file: roles, clients and what is allowed without either.
 *
 * A password is PBKDF2-HMAC-SHA512 with 101 iterations over a 12-byte salt, both in base64, as
 * `mosquitto_ctrl dynsec init` of 2.0.11 writes it (tests compare). So few iterations protect only
 * long random passwords: ours are generated. */
#define FLT_MOD "broker"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "broker/broker.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define ITERATIONS 101
#define SALT_SIZE 12
#define HASH_SIZE 64

struct hashed {
    char salt[4 * ((SALT_SIZE + 2) / 3) + 1];
    char hash[4 * ((HASH_SIZE + 2) / 3) + 1];
};

int broker_password(char out[BROKER_PASSWORD_MAX])
{
    static const char alphabet[] = "abcdefghjkmnpqrstuvwxyz123456789"; /* no i, l, o, 0 */
    uint8_t bytes[BROKER_PASSWORD_MAX - 1];
    int err = flt_random(bytes, sizeof bytes);

    _Static_assert(sizeof alphabet == 33, "five bits a character");
    if (err)
        return err;
    for (size_t i = 0; i < sizeof bytes; i++)
        out[i] = alphabet[bytes[i] % 32];
    out[sizeof bytes] = 0;
    flt_wipe(bytes, sizeof bytes);
    return 0;
}

static int hash_password(const char *password, struct hashed *out)
{
    uint8_t salt[SALT_SIZE], hash[HASH_SIZE];
    int err = flt_random(salt, sizeof salt);

    if (!err)
        err = flt_pbkdf2_sha512(password, salt, sizeof salt, ITERATIONS, hash);
    if (err)
        return err;
    flt_base64(salt, sizeof salt, out->salt);
    flt_base64(hash, sizeof hash, out->hash);
    return 0;
}

static int write_client(struct flt_buf *buf, const struct broker_login *login)
{
    struct hashed hashed;
    char role[FLT_ROLE_NAME_MAX];
    int err = hash_password(login->password, &hashed);

    if (err)
        return err;
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "username", login->name);
    flt_jw_str(buf, "password", hashed.hash);
    flt_jw_str(buf, "salt", hashed.salt);
    flt_jw_int(buf, "iterations", ITERATIONS);
    flt_jw_begin(buf, "roles", '[');
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "rolename", flt_role_name(login->kind, login->name, role));
    flt_jw_end(buf, '}');
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
    return 0;
}

static int write_document(struct flt_buf *buf, const char *tenant,
                          const struct broker_login *logins, size_t count)
{
    int err = 0;

    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "clients", '[');
    for (size_t i = 0; i < count && !err; i++)
        err = write_client(buf, &logins[i]);
    flt_jw_end(buf, ']');
    flt_jw_begin(buf, "roles", '[');
    for (size_t i = 0; i < count; i++)
        flt_role_write(buf, tenant, logins[i].kind, logins[i].name);
    flt_jw_end(buf, ']');
    flt_jw_begin(buf, "defaultACLAccess", '{');
    flt_jw_bool(buf, "publishClientSend", false);
    flt_jw_bool(buf, "publishClientReceive", false); /* mosquitto_ctrl would leave this open */
    flt_jw_bool(buf, "subscribe", false);
    flt_jw_bool(buf, "unsubscribe", true);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, '}');
    return err ? err : buf->failed ? -ENOMEM : 0;
}

static int write_error(struct flt_error *error, int err, const char *path)
{
    return err ? flt_error_set(error, flt_error_from_errno(err), "dir", "", "cannot write %s: %s",
                               path, strerror(-err))
               : 0;
}

int broker_write_logins(const char *dir, const char *tenant, const struct broker_login *logins,
                        size_t count, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char path[BROKER_PATH_MAX];
    int err = flt_path_join(path, sizeof path, dir, "dynsec.json");

    if (err)
        return write_error(error, err, dir);
    if (access(path, F_OK) == 0)
        return -EEXIST;
    err = write_document(&buf, tenant, logins, count);
    if (!err)
        err = flt_file_write(path, buf.data, buf.length, 0600);
    flt_buf_finish(&buf);
    return write_error(error, err, path);
}

static struct json_object *find_client(struct json_object *document, const char *name)
{
    struct json_object *clients = flt_json_get(document, "clients");
    const char *username;

    if (!json_object_is_type(clients, json_type_array))
        return NULL;
    for (size_t i = 0; i < json_object_array_length(clients); i++) {
        struct json_object *client = json_object_array_get_idx(clients, i);

        if (flt_json_str(client, "username", &username) && strcmp(username, name) == 0)
            return client;
    }
    return NULL;
}

int broker_reset_password(const char *dir, const char *name, const char *password,
                          struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    struct hashed hashed;
    int err = flt_path_join(path, sizeof path, dir, "dynsec.json");
    struct json_object *document = err ? NULL : flt_json_load(path, error);
    struct json_object *client = document ? find_client(document, name) : NULL;

    if (!client) {
        json_object_put(document);
        return flt_error_set(error, FLT_NOT_FOUND, "name", "", "no login %s in %s", name, path);
    }
    err = hash_password(password, &hashed);
    if (!err) {
        json_object_object_add(client, "password", json_object_new_string(hashed.hash));
        json_object_object_add(client, "salt", json_object_new_string(hashed.salt));
        json_object_object_add(client, "iterations", json_object_new_int(ITERATIONS));
        const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);

        err = flt_file_write(path, text, strlen(text), 0600);
    }
    json_object_put(document);
    return write_error(error, err, path);
}
