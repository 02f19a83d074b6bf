#include "dashboard/api_route.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"
#include "lib/ids.h"

#define PATH_MAX_BYTES 512
#define PARTS_MAX 6
#define QUERY_KEYS_MAX 32

/* --- paths
 * ------------------------------------------------------------------------------------------ */

struct path { /* cut at '/' */
    char text[PATH_MAX_BYTES];
    const char *parts[PARTS_MAX];
    size_t count;
};

static bool cut_path(const char *text, struct path *out)
{
    char *at = out->text;

    out->count = 0;
    if (strlen(text) >= sizeof out->text)
        return false;
    strcpy(out->text, text);
    for (;;) {
        if (out->count == PARTS_MAX)
            return false;
        out->parts[out->count++] = at;
        at = strchr(at, '/');
        if (!at)
            break;
        *at++ = '\0';
    }
    /* One '/' at the end is forgiven. */
    if (out->count > 1 && out->parts[out->count - 1][0] == '\0')
        out->count--;
    return true;
}

/* Whether `path` is of this form; {names} go into `args` (which may be NULL) as texts. */
static bool fits(const struct path *path, const char *pattern, struct json_object *args, char *name)
{
    for (size_t i = 0; i < path->count; i++) {
        const size_t size = strcspn(pattern, "/");
        const bool last = pattern[size] == '\0';

        if (last != (i + 1 == path->count))
            return false;
        if (pattern[0] == '{') {
            char key[32];

            if (path->parts[i][0] == '\0' || strlen(path->parts[i]) >= API_NAME_MAX)
                return false;
            snprintf(key, sizeof key, "%.*s", (int)(size - 2), pattern + 1);
            if (args)
                json_object_object_add(args, key, json_object_new_string(path->parts[i]));
            if (name)
                snprintf(name, API_NAME_MAX, "%s", path->parts[i]);
        } else if (strlen(path->parts[i]) != size || strncmp(path->parts[i], pattern, size) != 0) {
            return false;
        }
        pattern += size + !last;
    }
    return true;
}

/* --- queries
 * ---------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Undoes %XX and '+'; false: bad escapes, a NUL, or too long. */
static bool decode(const char *text, size_t size, char *out, size_t room)
{
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            if (size - i < 3)
                return false;
            const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);

            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c == 0 || used + 1 >= room)
            return false;
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return true;
}

/* The next "key=value" of a query; false: there is none, or it is malformed (`bad`). */
static bool next_pair(const char **query, char *key, size_t key_size, char *value,
                      size_t value_size, bool *bad)
{
    const char *at = *query;

    if (*at == '\0')
        return false;
    const size_t size = strcspn(at, "&");
    const char *equals = memchr(at, '=', size);
    const size_t name = equals ? (size_t)(equals - at) : size;

    *query = at + size + (at[size] == '&');
    *bad = !decode(at, name, key, key_size) ||
           !decode(equals ? equals + 1 : "", equals ? size - name - 1 : 0, value, value_size);
    return !*bad;
}

bool api_query_get(const char *query, const char *key, char *out, size_t size)
{
    char name[64];
    bool bad = false;

    while (next_pair(&query, name, sizeof name, out, size, &bad))
        if (strcmp(name, key) == 0)
            return true;
    return false;
}

static const struct msg_field *find_field(const struct msg_type *type, const char *name)
{
    for (size_t i = 0; type && i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

/* A query's text in the type that the argument has; what does not read so stays text, and the
 * controller says what is wrong with it. */
static struct json_object *typed(const struct msg_field *field, const char *text)
{
    char *end = NULL;

    if (field && field->kind == MSG_KIND_INT) {
        errno = 0;
        const long long value = strtoll(text, &end, 10);

        if (end != text && *end == '\0' && errno == 0)
            return json_object_new_int64(value);
    }
    if (field && field->kind == MSG_KIND_BOOL && strcmp(text, "true") == 0)
        return json_object_new_boolean(true);
    if (field && field->kind == MSG_KIND_BOOL && strcmp(text, "false") == 0)
        return json_object_new_boolean(false);
    return json_object_new_string(text);
}

static int add_query(const struct msg_verb *verb, const char *into, const char *query,
                     struct json_object *args, struct flt_error *error)
{
    const struct msg_field *nested = into ? find_field(verb->args, into) : NULL;
    char key[64], value[512];
    bool bad = false;

    for (unsigned i = 0; next_pair(&query, key, sizeof key, value, sizeof value, &bad); i++) {
        const struct msg_field *field = find_field(verb->args, key);
        struct json_object *where = args;

        if (i == QUERY_KEYS_MAX)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "",
                                 "the query has too many keys");
        if (strcmp(key, "ticket") == 0)
            continue;
        if (!field && nested) {
            field = find_field(nested->type, key);
            where = flt_json_get(args, into);
            if (!where) {
                where = json_object_new_object();
                json_object_object_add(args, into, where);
            }
        }
        json_object_object_add(where, key, typed(field, value));
    }
    return bad ? flt_error_set(error, FLT_INVALID_ARGUMENT, "", "encode it as %XX",
                               "the query cannot be read")
               : 0;
}

/* --- bodies
 * ----------------------------------------------------------------------------------------- */

/* The body's keys go beside those of the path, which may not be said twice. */
static int add_body(const char *body, size_t size, struct json_object *args,
                    struct flt_error *error)
{
    struct json_object *tree;

    if (size == 0)
        return 0;
    tree = flt_json_parse(body, size, error);
    if (!tree)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "send one JSON object",
                             "the body is not JSON: %.150s", error->message);
    if (!json_object_is_type(tree, json_type_object)) {
        json_object_put(tree);
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "", "send one JSON object",
                             "the body is not an object");
    }
    json_object_object_foreach(tree, key, value)
    {
        struct json_object *old;

        if (json_object_object_get_ex(args, key, &old) && !json_object_equal(old, value)) {
            (void)flt_error_set(error, FLT_INVALID_ARGUMENT, key, "",
                                "%s is in the path and, otherwise, in the body", key);
            json_object_put(tree);
            return -EINVAL;
        }
        json_object_object_add(args, key, json_object_get(value));
    }
    json_object_put(tree);
    return 0;
}

/* --- finding
 * ---------------------------------------------------------------------------------------- */

static int no_route(const char *method, const struct path *path, struct api_target *out,
                    struct flt_error *error)
{
    static const char *const allows[] = {
        "GET", "POST", "GET, POST", "DELETE", "GET, DELETE", "POST, DELETE", "GET, POST, DELETE"
    };
    const struct msg_verb *verb = path->count == 1 ? msg_verb_find(path->parts[0]) : NULL;
    unsigned methods = verb ? (verb->mutates ? 2 : 3) : 0;
    const char *names[160];
    size_t count = 0;

    for (size_t i = 0; i < api_route_count; i++)
        if (fits(path, api_routes[i].pattern, NULL, NULL))
            methods |= strcmp(api_routes[i].method, "GET") == 0    ? 1u
                       : strcmp(api_routes[i].method, "POST") == 0 ? 2u
                                                                   : 4u;
    if (methods) {
        out->allow = allows[methods - 1];
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "method", out->allow,
                             "%.10s does not fit this path", method);
    }
    for (size_t i = 0; i < msg_verb_count && count < FLT_COUNT(names); i++)
        names[count++] = msg_verbs[i].name;
    const char *near = flt_nearest(path->parts[0], names, count);

    return flt_error_set(error, FLT_NOT_FOUND, "path", near ? near : "see " API_ROOT "openapi.json",
                         "there is no %s%.64s", API_ROOT, path->parts[0]);
}

static const struct api_route *find_route(const char *method, const struct path *path,
                                          struct api_target *out)
{
    for (size_t i = 0; i < api_route_count; i++)
        if (strcmp(api_routes[i].method, method) == 0 &&
            fits(path, api_routes[i].pattern, NULL, NULL)) {
            (void)fits(path, api_routes[i].pattern, out->args, out->name);
            return &api_routes[i];
        }
    return NULL;
}

static int fill(const char *method, const struct path *path, const char *query, const char *body,
                size_t body_size, struct api_target *out, struct flt_error *error)
{
    const struct api_route *route = find_route(method, path, out);
    const bool gets = strcmp(method, "GET") == 0;
    int err = 0;

    if (route) {
        out->kind = route->kind;
        out->verb = route->verb ? msg_verb_find(route->verb) : NULL;
        if (route->fixed)
            err = add_body(route->fixed, strlen(route->fixed), out->args, error);
    } else {
        out->kind = API_VERB;
        out->verb = path->count == 1 ? msg_verb_find(path->parts[0]) : NULL;
        if (!out->verb || (strcmp(method, "POST") != 0 && (!gets || out->verb->mutates)))
            return no_route(method, path, out, error);
    }
    if (!err && out->verb)
        err = add_query(out->verb, route ? route->into : NULL, query, out->args, error);
    if (!err && out->verb)
        err = add_body(body, body_size, out->args, error);
    return err;
}

int api_find(const char *method, const char *path, const char *query, const char *body,
             size_t body_size, struct api_target *out, struct flt_error *error)
{
    struct path cut;
    int err;

    *out = (struct api_target){ 0 };
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    if (strncmp(path, API_ROOT, sizeof API_ROOT - 1) != 0 ||
        !cut_path(path + sizeof API_ROOT - 1, &cut))
        return flt_error_set(error, FLT_NOT_FOUND, "path", "see " API_ROOT "openapi.json",
                             "there is no such path");
    out->args = json_object_new_object();
    err = out->args ? fill(method, &cut, query, body, body_size, out, error) : -ENOMEM;
    if (err) {
        json_object_put(out->args);
        out->args = NULL;
    }
    return err;
}

/* --- logins and statuses
 * ---------------------------------------------------------------------------- */

static bool basic_login(const char *text, char *user, size_t user_size, char *password,
                        size_t password_size)
{
    uint8_t plain[256];
    const size_t length = strlen(text);
    const int size = length <= 340 ? flt_unbase64(text, length, plain, sizeof plain - 1) : -1;
    bool ok = false;

    if (size > 0) {
        plain[size] = '\0';
        char *colon = memchr(plain, ':', (size_t)size);

        if (colon && !memchr(plain, '\0', (size_t)size)) {
            *colon = '\0';
            ok = strlen((char *)plain) < user_size && strlen(colon + 1) < password_size;
            if (ok) {
                snprintf(user, user_size, "%s", (char *)plain);
                snprintf(password, password_size, "%s", colon + 1);
            }
        }
    }
    flt_wipe(plain, sizeof plain);
    return ok;
}

bool api_login(const char *header, char *user, size_t user_size, char *password,
               size_t password_size)
{
    if (!header)
        return false;
    if (strncmp(header, "Basic ", 6) == 0)
        return basic_login(header + 6, user, user_size, password, password_size) &&
               flt_name_ok(user);
    if (strncmp(header, "Bearer flt_", 11) != 0)
        return false;
    const char *name = header + 11, *end = strchr(name, '_');

    if (!end || strlen(end + 1) >= password_size || (size_t)(end - name) + 7 > user_size)
        return false;
    snprintf(user, user_size, "token-%.*s", (int)(end - name), name);
    snprintf(password, password_size, "%s", end + 1);
    return flt_name_ok(user);
}

int api_status(enum flt_error_code code)
{
    static const int statuses[] = {
        [FLT_OK] = 200,
        [FLT_NOT_FOUND] = 404,
        [FLT_INVALID_ARGUMENT] = 400,
        [FLT_CONFLICT] = 409,
        [FLT_DENIED] = 403,
        [FLT_STALE] = 409,
        [FLT_EXPIRED] = 408,
        [FLT_INSUFFICIENT_FUNDS] = 422,
        [FLT_RATE_LIMITED] = 429,
        [FLT_VENUE_ERROR] = 502,
        [FLT_UNAVAILABLE] = 503,
        [FLT_INTERNAL] = 500,
    };

    return (size_t)code < FLT_COUNT(statuses) && statuses[code] ? statuses[code] : 500;
}
