/* Users are logins of the broker: its dynamic-security plugin keeps passwords and enforces topics;
 * the table `users` here remembers who has which role. The plugin is asked over its control topic;
 * its answers come back by their correlationData. */
#define FLT_MOD "users"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"
#include "controller/users.h"
#include "lib/crypto.h"
#include "lib/ids.h"
#include "lib/log.h"
#include "lib/roles.h"

#define ANSWER_MS 5000
#define OWN_PASSWORD_MS 500
#define PASSWORD_BYTES 15

enum flt_role_kind user_kind_of(enum msg_role role)
{
    switch (role) {
    case MSG_ROLE_VIEWER:
        return FLT_ROLE_VIEWER;
    case MSG_ROLE_TRADER:
        return FLT_ROLE_TRADER;
    case MSG_ROLE_ADMIN:
        break;
    }
    return FLT_ROLE_ADMIN;
}

static int send_call(struct controller *controller, const struct flt_buf *payload)
{
    const struct flt_mqtt_publish publish = { .topic = FLT_DYNSEC_TOPIC,
                                              .payload = payload->data,
                                              .payload_size = payload->length,
                                              .qos = 1 };

    return payload->failed ? -ENOMEM : flt_mqtt_publish(controller->mqtt, &publish);
}

struct user_call *user_call_create(struct controller *controller, enum user_call_kind kind,
                                   const char *name, struct request *request)
{
    struct user_call *call = calloc(1, sizeof *call);

    if (!call)
        return NULL;
    flt_ulid(controller_now_ms(controller), call->id);
    call->kind = kind;
    call->request = request ? request_keep(request) : NULL;
    snprintf(call->name, sizeof call->name, "%s", name);
    call->deadline_ms = controller_mono_ms(controller) + ANSWER_MS;
    if (request && !call->request) {
        free(call);
        return NULL;
    }
    call->next = controller->user_calls;
    controller->user_calls = call;
    return call;
}

static void call_free(struct user_call *call)
{
    flt_wipe(call->password, sizeof call->password);
    if (call->later.data)
        flt_wipe(call->later.data, call->later.length);
    flt_buf_finish(&call->later);
    free(call);
}

static void call_refuse(struct controller *controller, struct user_call *call,
                        enum flt_error_code code, const char *why)
{
    struct flt_error error = { 0 };

    (void)flt_error_set(&error, code, "", "", "%s", why);
    if (call->request)
        request_refuse(call->request, &error);
    else if (call->kind == CALL_PASSWORD)
        alert_raise(controller, "password", MSG_SEVERITY_WARNING, "password_kept", call->name,
                    "the new password of %s does not hold, the old one does: %s", call->name, why);
    else
        FLT_LOG(WARN, "broker_refused", "why=\"%s\"", why);
    call_free(call);
}

static void unlink_call(struct controller *controller, struct user_call *call)
{
    struct user_call **place = &controller->user_calls;

    while (*place && *place != call)
        place = &(*place)->next;
    if (*place)
        *place = call->next;
}

/* Sends `payload`; the answer completes the request. */
int user_call_ask(struct controller *controller, struct user_call *call, struct flt_buf *payload)
{
    const int err = call ? send_call(controller, payload) : -ENOMEM;

    flt_wipe(payload->data, payload->length); /* it may carry a password */
    flt_buf_finish(payload);
    if (!err)
        return REQUEST_LATER;
    if (call) {
        unlink_call(controller, call);
        free(call->request);
        call_free(call);
    }
    return err;
}

/* --- the table
 * ------------------------------------------------------------------------------------------ */

bool user_find(struct controller *controller, const char *name, enum msg_role *role)
{
    sqlite3_stmt *stmt = store_read(&controller->store, "SELECT role FROM users WHERE name = ?");
    unsigned word = 0;

    flt_db_bind_str(stmt, 1, name);
    if (!store_next(&controller->store, stmt))
        return false;
    (void)msg_enum_parse(&msg_enum_role, flt_db_str(stmt, 0), &word);
    *role = (enum msg_role)word;
    sqlite3_reset(stmt);
    return true;
}

void user_save(struct controller *controller, const char *name, enum msg_role role)
{
    memset(controller->roles, 0, sizeof controller->roles);
    sqlite3_stmt *stmt = store_write(&controller->store,
                                     "INSERT INTO users (name, role, created_ms) VALUES (?, ?, ?)"
                                     " ON CONFLICT (name) DO UPDATE SET role = excluded.role");

    flt_db_bind_str(stmt, 1, name);
    flt_db_bind_str(stmt, 2, msg_role_name(role));
    flt_db_bind_int(stmt, 3, controller_now_ms(controller));
    controller_check(controller, store_run(&controller->store, stmt));
}

void user_forget(struct controller *controller, const char *name)
{
    memset(controller->roles, 0, sizeof controller->roles);
    sqlite3_stmt *stmt = store_write(&controller->store, "DELETE FROM users WHERE name = ?");

    flt_db_bind_str(stmt, 1, name);
    controller_check(controller, store_run(&controller->store, stmt));
}

/* The broker has let the request through, so the user may at least use its verb; what is known here
 * can only be the same or more, and is learned from the broker on each connect. */
enum msg_role user_role(struct controller *controller, const char *user, enum msg_role least)
{
    unsigned place = 0;
    enum msg_role role;

    for (const char *c = user; *c; c++)
        place = place * 31 + (unsigned char)*c;
    struct role_row *row = &controller->roles[place % ROLE_CACHE];

    if (strcmp(row->user, user) == 0)
        return row->role;
    if (!user_find(controller, user, &role))
        return least;
    snprintf(row->user, sizeof row->user, "%s", user);
    return row->role = role;
}

/* --- answers of the plugin
 * --------------------------------------------------------------------------- */

/* A user's kind shows in the topics its role may publish to (lib/roles.c). */
static enum msg_role role_of_acls(struct json_object *acls)
{
    enum msg_role role = MSG_ROLE_VIEWER;

    for (size_t i = 0; i < json_object_array_length(acls); i++) {
        struct json_object *acl = json_object_array_get_idx(acls, i);
        const char *type, *topic, *end;

        if (!flt_json_str(acl, "acltype", &type) || !flt_json_str(acl, "topic", &topic) ||
            strcmp(type, "publishClientSend") != 0 || !(end = strstr(topic, "/req/")))
            continue;
        if (strcmp(end, "/req/+") == 0 || strcmp(end, "/req/#") == 0)
            return MSG_ROLE_ADMIN;
        if (strcmp(end, "/req/bot-deploy") == 0)
            role = MSG_ROLE_TRADER;
    }
    return role;
}

static bool has_acl(struct json_object *acls, struct json_object *wanted)
{
    const char *type = "", *topic = "";

    (void)flt_json_str(wanted, "acltype", &type);
    (void)flt_json_str(wanted, "topic", &topic);
    for (size_t i = 0; i < json_object_array_length(acls); i++) {
        struct json_object *acl = json_object_array_get_idx(acls, i);
        const char *has_type = "", *has_topic = "";

        if (flt_json_str(acl, "acltype", &has_type) && flt_json_str(acl, "topic", &has_topic) &&
            strcmp(type, has_type) == 0 && strcmp(topic, has_topic) == 0)
            return true;
    }
    return false;
}

/* A fleet that was made by an earlier version has roles without the verbs that came later; they get
 * the rights of today, no more and no less. */
static void refresh_role(struct controller *controller, enum flt_role_kind kind, const char *name,
                         struct json_object *acls)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char id[FLT_ULID_MAX];
    struct json_object *wanted, *rights;
    bool same;

    flt_role_write(&buf, controller->config.tenant, kind, name);
    wanted = flt_json_parse(buf.data, buf.length, NULL);
    rights = flt_json_get(wanted, "acls");
    same = rights && json_object_array_length(rights) == json_object_array_length(acls);
    for (size_t i = 0; same && i < json_object_array_length(rights); i++)
        same = has_acl(acls, json_object_array_get_idx(rights, i));
    json_object_put(wanted);
    flt_buf_reset(&buf);
    if (!same) {
        flt_ulid(controller_now_ms(controller), id);
        flt_dynsec_change_kind(&buf, controller->config.tenant, kind, name, id);
        if (send_call(controller, &buf) == 0)
            FLT_LOG(INFO, "role_refreshed", "kind=%s name=%s", flt_role_kind_name(kind), name);
    }
    flt_buf_finish(&buf);
}

static void take_roles(struct controller *controller, struct json_object *data)
{
    struct json_object *roles = flt_json_get(data, "roles");
    size_t count =
        json_object_is_type(roles, json_type_array) ? json_object_array_length(roles) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *role = json_object_array_get_idx(roles, i);
        struct json_object *acls = flt_json_get(role, "acls");
        const char *name;
        enum msg_role is, was;

        if (!flt_json_str(role, "rolename", &name) || !json_object_is_type(acls, json_type_array))
            continue;
        if (strncmp(name, "node-", 5) == 0 && flt_name_ok(name + 5))
            refresh_role(controller, FLT_ROLE_NODE, name + 5, acls);
        if (strncmp(name, "user-", 5) != 0 || !flt_name_ok(name + 5))
            continue;
        is = role_of_acls(acls);
        refresh_role(controller, user_kind_of(is), name + 5, acls);
        if (!user_find(controller, name + 5, &was) || was != is)
            user_save(controller, name + 5, is);
    }
}

static void finish_added(struct controller *controller, struct user_call *call)
{
    struct msg_user_add_result out = { .role = call->role };

    snprintf(out.name, sizeof out.name, "%s", call->name);
    snprintf(out.password, sizeof out.password, "%s", call->password);
    user_save(controller, call->name, call->role);
    request_answer(call->request, &out);
    flt_wipe(&out, sizeof out);
}

static void finish_password(struct user_call *call)
{
    struct msg_user_passwd_result out = { 0 };

    if (!call->request)
        return; /* its user has the answer already */
    snprintf(out.name, sizeof out.name, "%s", call->name);
    snprintf(out.password, sizeof out.password, "%s", call->password);
    request_answer(call->request, &out);
    flt_wipe(&out, sizeof out);
}

static void finish_removed(struct controller *controller, struct user_call *call)
{
    struct msg_user_rm_result out = { 0 };

    snprintf(out.name, sizeof out.name, "%s", call->name);
    user_forget(controller, call->name);
    tokens_above(controller, call->name, NULL);
    request_answer(call->request, &out);
}

static void finish_login(struct user_call *call)
{
    struct msg_login_add_result out = { .kind = call->bridge ? MSG_LOGIN_ADD_RESULT_KIND_BRIDGE
                                                             : MSG_LOGIN_ADD_RESULT_KIND_NODE };

    snprintf(out.name, sizeof out.name, "%s", call->name);
    snprintf(out.password, sizeof out.password, "%s", call->password);
    request_answer(call->request, &out);
    flt_wipe(&out, sizeof out);
}

static void finish_logout(struct user_call *call)
{
    struct msg_login_rm_result out = { 0 };

    snprintf(out.name, sizeof out.name, "%s", call->name);
    request_answer(call->request, &out);
}

static void finish_call(struct controller *controller, struct user_call *call,
                        struct json_object *data)
{
    switch (call->kind) {
    case CALL_LIST:
        take_roles(controller, data);
        break;
    case CALL_ADD:
        finish_added(controller, call);
        break;
    case CALL_PASSWORD:
        finish_password(call);
        break;
    case CALL_REMOVE:
        finish_removed(controller, call);
        break;
    case CALL_LOGIN:
        finish_login(call);
        break;
    case CALL_LOGOUT:
        finish_logout(call);
        break;
    case CALL_OTHER:
        call->done(controller, call);
        break;
    }
    call_free(call);
}

static struct user_call *find_call(struct controller *controller, const char *id)
{
    struct user_call *call = controller->user_calls;

    while (call && strcmp(call->id, id) != 0)
        call = call->next;
    return call;
}

/* One payload of ours makes several responses with the same id: an error in any of them is the
 * answer, else the last one. "already exists" and "not found" are what was wanted. */
static bool is_fine(const char *error)
{
    return strstr(error, "already exists") || strstr(error, "not found") ||
           strstr(error, "already in this");
}

void users_on_response(struct controller *controller, const char *text, size_t size)
{
    struct json_object *tree = flt_json_parse(text, size, NULL);
    struct json_object *responses = flt_json_get(tree, "responses");
    const size_t count =
        json_object_is_type(responses, json_type_array) ? json_object_array_length(responses) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *response = json_object_array_get_idx(responses, i);
        const char *id, *why = NULL, *next_id = NULL;
        struct user_call *call;

        if (!flt_json_str(response, "correlationData", &id) || !(call = find_call(controller, id)))
            continue;
        if (flt_json_str(response, "error", &why) && !is_fine(why)) {
            unlink_call(controller, call);
            call_refuse(controller, call, FLT_INTERNAL, why);
            continue;
        }
        if (i + 1 < count)
            (void)flt_json_str(json_object_array_get_idx(responses, i + 1), "correlationData",
                               &next_id);
        if (next_id && strcmp(next_id, id) == 0)
            continue; /* more of the same payload follows */
        unlink_call(controller, call);
        finish_call(controller, call, flt_json_get(response, "data"));
    }
    json_object_put(tree);
}

void users_on_tick(struct controller *controller)
{
    const int64_t now = controller_mono_ms(controller);

    for (struct user_call *call = controller->user_calls, *next; call; call = next) {
        next = call->next;
        if (call->later.data && now >= call->send_ms) {
            (void)!send_call(controller,
                             &call->later); /* away: the deadline ends it, and says so */
            flt_wipe(call->later.data, call->later.length);
            flt_buf_finish(&call->later);
        }
        if (now < call->deadline_ms)
            continue;
        unlink_call(controller, call);
        call_refuse(controller, call, FLT_UNAVAILABLE, "the broker's login plugin did not answer");
    }
}

void users_finish(struct controller *controller)
{
    while (controller->user_calls) {
        struct user_call *call = controller->user_calls;

        controller->user_calls = call->next;
        free(call->request);
        call_free(call);
    }
}

int users_start(struct controller *controller)
{
    struct user_call *call = user_call_create(controller, CALL_LIST, "", NULL);
    struct flt_buf payload = FLT_BUF_INIT;
    int outcome;

    flt_jw_begin(&payload, NULL, '{');
    flt_jw_begin(&payload, "commands", '[');
    flt_jw_begin(&payload, NULL, '{');
    flt_jw_str(&payload, "command", "listRoles");
    flt_jw_bool(&payload, "verbose", true);
    flt_jw_str(&payload, "correlationData", call ? call->id : "");
    flt_jw_end(&payload, '}');
    flt_jw_end(&payload, ']');
    flt_jw_end(&payload, '}');
    outcome = user_call_ask(controller, call, &payload);
    return outcome == REQUEST_LATER ? 0 : outcome;
}

/* --- verbs
 * -------------------------------------------------------------------------------------------- */

int user_new_password(char out[32])
{
    uint8_t bytes[PASSWORD_BYTES];
    const int err = flt_random(bytes, sizeof bytes);

    flt_base64(bytes, sizeof bytes, out);
    for (char *c = out; *c; c++)
        *c = *c == '+' ? 'x' : *c == '/' ? 'y' : *c; /* easy to type and to quote */
    return err;
}

/* Names that programs of the fleet sign in with. */
static bool is_reserved(const char *name)
{
    static const char *const whole[] = { "controller", "dashboard", "up" };

    for (size_t i = 0; i < FLT_COUNT(whole); i++)
        if (strcmp(name, whole[i]) == 0)
            return true;
    return strncmp(name, "token-", 6) == 0;
}

HANDLER(verb_user_add)
{
    const struct msg_user_add_args *in = args;
    struct controller *controller = request->controller;
    struct user_call *call;
    struct flt_buf payload = FLT_BUF_INIT;
    enum msg_role was;

    (void)result;
    if (is_reserved(in->name))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "name", "choose another name",
                             "%s is a name of the fleet's own logins", in->name);
    if (user_find(controller, in->name, &was))
        return flt_error_set(error, FLT_CONFLICT, "name", "choose another name",
                             "there is a user %s", in->name);
    request_changed(request, NULL, "role", NULL, msg_role_name(in->role));
    call = user_call_create(controller, CALL_ADD, in->name, request);
    if (!call || user_new_password(call->password) != 0)
        return -ENOMEM;
    call->role = in->role;
    flt_dynsec_create(&payload, controller->config.tenant, user_kind_of(in->role), in->name,
                      call->password, call->id);
    return user_call_ask(controller, call, &payload);
}

static int check_user(struct controller *controller, const char *name, struct flt_error *error)
{
    enum msg_role role;

    return user_find(controller, name, &role)
               ? 0
               : flt_error_set(error, FLT_NOT_FOUND, "name", "list them with user-ls",
                               "there is no user %s", name);
}

/* The broker ends a user's connections with the change: who changes the own password is told the
 * new one first, and it holds half a second later. */
static int own_password(struct controller *controller, const char *name,
                        struct msg_user_passwd_result *out)
{
    struct user_call *call = user_call_create(controller, CALL_PASSWORD, name, NULL);

    if (!call || user_new_password(call->password) != 0)
        return -ENOMEM;
    call->send_ms = controller_mono_ms(controller) + OWN_PASSWORD_MS;
    call->deadline_ms += OWN_PASSWORD_MS;
    flt_dynsec_password(&call->later, name, call->password, call->id);
    snprintf(out->name, sizeof out->name, "%s", name);
    snprintf(out->password, sizeof out->password, "%s", call->password);
    return 0;
}

HANDLER(verb_user_passwd)
{
    const struct msg_user_passwd_args *in = args;
    struct controller *controller = request->controller;
    struct user_call *call;
    struct flt_buf payload = FLT_BUF_INIT;
    const int err = check_user(controller, in->name, error);

    if (err)
        return err;
    request_changed(request, NULL, "password", "old", "new");
    if (strcmp(in->name, request->user) == 0)
        return own_password(controller, in->name, result);
    call = user_call_create(controller, CALL_PASSWORD, in->name, request);
    if (!call || user_new_password(call->password) != 0)
        return -ENOMEM;
    flt_dynsec_password(&payload, in->name, call->password, call->id);
    return user_call_ask(controller, call, &payload);
}

HANDLER(verb_user_rm)
{
    const struct msg_user_rm_args *in = args;
    struct controller *controller = request->controller;
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call;
    enum msg_role role = MSG_ROLE_VIEWER;
    int err = check_user(controller, in->name, error);

    (void)result;
    if (err)
        return err;
    if (strcmp(in->name, request->user) == 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "ask another admin",
                             "nobody removes themselves");
    (void)user_find(controller, in->name, &role);
    request_changed(request, NULL, "role", msg_role_name(role), NULL);
    call = user_call_create(controller, CALL_REMOVE, in->name, request);
    if (!call)
        return -ENOMEM;
    flt_dynsec_remove(&payload, user_kind_of(role), in->name, call->id);
    return user_call_ask(controller, call, &payload);
}

HANDLER(verb_user_ls)
{
    const struct msg_user_ls_args *in = args;
    struct msg_user_ls_result *out = result;
    struct store *store = &request->controller->store;
    const int64_t limit = in->has_limit ? in->limit : 200;
    sqlite3_stmt *stmt = store_read(store, "SELECT name, role, created_ms FROM users"
                                           " WHERE name > ? AND name NOT LIKE 'token-%'"
                                           " ORDER BY name LIMIT ?");

    (void)error;
    out->items = calloc((size_t)limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_str(stmt, 1, in->has_after ? in->after : "");
    flt_db_bind_int(stmt, 2, limit);
    while (store_next(store, stmt)) {
        struct msg_user_row *row = &out->items[out->items_count++];
        unsigned role = 0;

        flt_db_copy(stmt, 0, row->name, sizeof row->name);
        (void)msg_enum_parse(&msg_enum_role, flt_db_str(stmt, 1), &role);
        row->role = (enum msg_role)role;
        row->created_ms = flt_db_int(stmt, 2);
    }
    out->has_next = out->items_count == (size_t)limit;
    if (out->has_next)
        snprintf(out->next, sizeof out->next, "%s", out->items[limit - 1].name);
    return 0;
}

/* --- logins of nodes and bridges: the same plugin, but nobody who asks for things
 * --------------------------------------------------------------------- */

#define BRIDGE_NODES_MAX 256

static int check_bridge(const struct msg_login_add_args *in, struct flt_error *error)
{
    if (in->kind == MSG_LOGIN_ADD_ARGS_KIND_NODE && in->nodes_count > 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "nodes", "leave them out",
                             "only a bridge carries nodes");
    if (in->kind == MSG_LOGIN_ADD_ARGS_KIND_BRIDGE && in->nodes_count == 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "nodes", "name each node behind it",
                             "a bridge speaks for nodes: which ones?");
    return 0;
}

/* A name that is there already gets a new password. */
HANDLER(verb_login_add)
{
    const struct msg_login_add_args *in = args;
    struct controller *controller = request->controller;
    const char *nodes[BRIDGE_NODES_MAX];
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call;
    enum msg_role role;
    const int err = check_bridge(in, error);

    (void)result;
    if (err)
        return err;
    if (user_find(controller, in->name, &role) || strcmp(in->name, "controller") == 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "choose another name",
                             "%s is a login of people or of the controller", in->name);
    request_changed(request, NULL, "login", NULL, msg_login_add_args_kind_name(in->kind));
    call = user_call_create(controller, CALL_LOGIN, in->name, request);
    if (!call || user_new_password(call->password) != 0)
        return -ENOMEM;
    call->bridge = in->kind == MSG_LOGIN_ADD_ARGS_KIND_BRIDGE;
    for (size_t i = 0; i < in->nodes_count && i < BRIDGE_NODES_MAX; i++)
        nodes[i] = in->nodes[i];
    if (call->bridge)
        flt_dynsec_create_bridge(&payload, controller->config.tenant, in->name, nodes,
                                 in->nodes_count, call->password, call->id);
    else
        flt_dynsec_create(&payload, controller->config.tenant, FLT_ROLE_NODE, in->name,
                          call->password, call->id);
    return user_call_ask(controller, call, &payload);
}

HANDLER(verb_login_rm)
{
    const struct msg_login_rm_args *in = args;
    struct controller *controller = request->controller;
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call;
    enum msg_role role;

    (void)result;
    if (user_find(controller, in->name, &role) || strcmp(in->name, "controller") == 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "user-rm removes people",
                             "%s is a login of people or of the controller", in->name);
    request_changed(request, NULL, "login", msg_login_rm_args_kind_name(in->kind), NULL);
    call = user_call_create(controller, CALL_LOGOUT, in->name, request);
    if (!call)
        return -ENOMEM;
    flt_dynsec_remove(&payload,
                      in->kind == MSG_LOGIN_RM_ARGS_KIND_BRIDGE ? FLT_ROLE_BRIDGE : FLT_ROLE_NODE,
                      in->name, call->id);
    return user_call_ask(controller, call, &payload);
}

static void finish_role(struct controller *controller, struct user_call *call)
{
    struct msg_user_role_result out = { .role = call->role };

    snprintf(out.name, sizeof out.name, "%s", call->name);
    user_save(controller, call->name, call->role);
    tokens_above(controller, call->name, &call->role);
    request_answer(call->request, &out);
}

HANDLER(verb_user_role)
{
    const struct msg_user_role_args *in = args;
    struct controller *controller = request->controller;
    struct flt_buf payload = FLT_BUF_INIT;
    struct user_call *call;
    enum msg_role was = MSG_ROLE_VIEWER;
    const int err = check_user(controller, in->name, error);

    (void)result;
    if (err)
        return err;
    if (strcmp(in->name, request->user) == 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "ask another admin",
                             "nobody changes their own role");
    if (strncmp(in->name, "token-", 6) == 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "make another token",
                             "a token keeps its role");
    (void)user_find(controller, in->name, &was);
    request_changed(request, NULL, "role", msg_role_name(was), msg_role_name(in->role));
    call = user_call_create(controller, CALL_OTHER, in->name, request);
    if (!call)
        return -ENOMEM;
    call->role = in->role;
    call->done = finish_role;
    flt_dynsec_change_kind(&payload, controller->config.tenant, user_kind_of(in->role), in->name,
                           call->id);
    return user_call_ask(controller, call, &payload);
}
