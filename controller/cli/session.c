#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/session.h"
#include "controller/cli/settings.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

#define PAGE 500

/* $FLOTILLA_PASSWORD, else the file that the settings name, else DIR/secrets/<user>.password. */
static int find_password(struct cli *cli, char **out)
{
    const char *given = getenv("FLOTILLA_PASSWORD");
    const char *path = setting_get(SETTING_PASSWORD_FILE);
    size_t size;

    if (given && *given) {
        *out = strdup(given);
        return *out ? 0 : -ENOMEM;
    }
    if (path) {
        *out = flt_file_read(path, 512, &size);
        if (!*out)
            return CLI_FAIL(cli, flt_error_from_errno(-errno), "password_file",
                            "flotilla config show --origin says who names it",
                            "cannot read %.200s: %s", path, strerror(errno));
        (*out)[strcspn(*out, "\r\n")] = 0;
        return 0;
    }
    if (cli->url)
        return CLI_FAIL(cli, FLT_DENIED, "user",
                        "$FLOTILLA_PASSWORD, or a context with --password-file",
                        "no password of %.64s for %.128s", cli->user, cli->url);
    return fleet_password(cli->dir, cli->user, out, &cli->error);
}

/* A broker elsewhere needs no folder: the settings say the tenant. */
static int find_fleet(struct cli *cli, struct fleet *fleet)
{
    const char *tenant = setting_get(SETTING_TENANT);

    if (!cli->url)
        return fleet_load(cli->dir, fleet, &cli->error);
    if (tenant && !flt_name_ok(tenant))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "tenant", "", "not a tenant's name: %.64s",
                        tenant);
    snprintf(fleet->tenant, sizeof fleet->tenant, "%s", tenant ? tenant : "main");
    return 0;
}

static void on_topic(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    const struct session *session = ctx;

    if (session->on_message)
        session->on_message(session->ctx, topic, message);
}

int session_open(struct session *session, struct cli *cli)
{
    const struct bus_events events = { .ctx = session, .on_message = on_topic };
    char url[CLI_DIR_MAX + 32];
    char *password = NULL;
    int err = find_fleet(cli, &session->fleet);

    session->cli = cli;
    if (!err && !flt_name_ok(cli->user))
        err =
            CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "user", "", "not a user's name: %.64s", cli->user);
    if (!err)
        err = find_password(cli, &password);
    if (!err)
        err = flt_loop_create(flt_clock_system(), &session->loop);
    if (err)
        return err;
    if (cli->url)
        snprintf(url, sizeof url, "%s", cli->url);
    else
        snprintf(url, sizeof url, "unix:%s/broker/mosquitto.sock", cli->dir);
    const struct bus_config config = { url, session->fleet.tenant, cli->user, password,
                                       setting_get(SETTING_CA_FILE) };

    err = bus_open(session->loop, &config, &events, &session->bus);
    flt_wipe(password, strlen(password));
    free(password);
    return err ? err : bus_wait_up(session->bus, cli->timeout_ms, &cli->error);
}

void session_close(struct session *session)
{
    bus_close(session->bus);
    if (session->loop) {
        flt_loop_run(session->loop); /* until the connection is closed */
        flt_loop_destroy(session->loop);
    }
    *session = (struct session){ 0 };
}

int session_ask(struct session *session, const char *verb, struct json_object *args,
                struct json_object **result)
{
    return bus_ask(session->bus, verb, args, session->cli->timeout_ms, result,
                   &session->cli->error);
}

static void on_paused(void *ctx)
{
    flt_loop_stop(ctx);
}

int session_pause(struct session *session, uint32_t ms)
{
    struct flt_timer *timer = NULL;
    int err = flt_timer_create(session->loop, on_paused, session->loop, &timer);

    if (err)
        return err;
    flt_timer_start(timer, ms, 0);
    flt_loop_run(session->loop);
    flt_timer_destroy(timer);
    return 0;
}

static size_t take_items(struct json_object *page, struct json_object *all, size_t limit)
{
    struct json_object *items = flt_json_get(page, "items");
    const size_t count = items ? json_object_array_length(items) : 0;

    for (size_t i = 0; i < count; i++)
        if (limit == 0 || json_object_array_length(all) < limit)
            json_object_array_add(all, json_object_get(json_object_array_get_idx(items, i)));
    return json_object_array_length(all);
}

int session_list(struct session *session, const char *verb, struct json_object *args, size_t limit,
                 struct json_object **result)
{
    struct json_object *all = json_object_new_array();
    struct json_object *after = NULL;
    int err = 0;

    do {
        struct json_object *page = NULL;
        struct json_object *page_args = NULL;

        json_object_deep_copy(args, &page_args, NULL);
        json_object_object_add(
            page_args, "limit",
            json_object_new_int64(limit && limit < PAGE ? (int64_t)limit : PAGE));
        if (after)
            json_object_object_add(page_args, "after", after);
        after = NULL;
        err = session_ask(session, verb, page_args, &page);
        if (!err && (take_items(page, all, limit) < limit || limit == 0))
            after = json_object_get(flt_json_get(page, "next"));
        json_object_put(page);
    } while (after && !err);
    json_object_put(args);
    if (err) {
        json_object_put(all);
        return err;
    }
    *result = json_object_new_object();
    json_object_object_add(*result, "items", all);
    return 0;
}

int ask_once(struct cli *cli, const char *verb, struct json_object *args,
             struct json_object **result)
{
    struct session session = { 0 };
    int err = session_open(&session, cli);

    if (err)
        json_object_put(args);
    else
        err = session_ask(&session, verb, args, result);
    session_close(&session);
    return err;
}

int list_once(struct cli *cli, const char *verb, struct json_object *args, size_t limit,
              struct json_object **result)
{
    struct session session = { 0 };
    int err = session_open(&session, cli);

    if (err)
        json_object_put(args);
    else
        err = session_list(&session, verb, args, limit, result);
    session_close(&session);
    return err;
}

struct json_object *args_of(const char *key, ...)
{
    struct json_object *args = json_object_new_object();
    va_list list;

    va_start(list, key);
    while (key) {
        const char *value = va_arg(list, const char *);

        if (value)
            json_object_object_add(args, key, json_object_new_string(value));
        key = va_arg(list, const char *);
    }
    va_end(list);
    return args;
}
