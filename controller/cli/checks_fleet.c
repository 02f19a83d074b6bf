/* flotilla doctor, over the bus: is the broker fast, do all parts agree, do the books? */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/doctor.h"
#include "controller/cli/text.h"
#include "lib/json.h"

#define ROUND_TRIPS 5
#define ROUND_TRIP_US_MAX 10000 /* Nagle's algorithm would make it 40 ms and more */
#define CLOCK_WARN_MS 500
#define CLOCK_FAIL_MS 2000 /* venues refuse requests that are older than their window */
#define BACKUP_WARN_MS (48 * INT64_C(3600000))
#define LAG_WARN_MS 5000
#define SYS_WAIT_MS 300

/* One request. A verb that this controller or role does not have leaves its check out. */
static struct json_object *ask(struct session *session, const char *verb)
{
    struct json_object *result = NULL;

    if (session_ask(session, verb, NULL, &result))
        session->cli->error = (struct flt_error){ 0 };
    return result;
}

static void add_name(char *list, size_t size, const char *name)
{
    const size_t length = strlen(list);

    if (length + strlen(name) + 3 < size) {
        memcpy(list + length, ", ", length ? 2 : 0);
        strcpy(list + length + (length ? 2 : 0), name);
    }
}

/* Where the first of these numbers stands in the row; 0 when it is not there. */
static int64_t number(struct json_object *row, const char *key)
{
    int64_t value = 0;

    flt_json_int(row, key, &value);
    return value;
}

/* --- broker
 * --------------------------------------------------------------------------------------------- */

static bool check_round_trip(struct json_object *checks, struct session *session)
{
    const struct flt_clock *clock = flt_clock_system();
    int64_t best_us = INT64_MAX;

    for (int i = 0; i < ROUND_TRIPS; i++) {
        struct json_object *result = NULL;
        const int64_t start_ns = flt_mono_ns(clock);

        if (session_ask(session, "whoami", NULL, &result)) {
            check_add(checks, "controller", CHECK_FAIL, session->cli->error.hint, "%s",
                      session->cli->error.message);
            session->cli->error = (struct flt_error){ 0 };
            return false;
        }
        json_object_put(result);
        const int64_t us = (flt_mono_ns(clock) - start_ns) / 1000;

        best_us = us < best_us ? us : best_us;
    }
    check_add(checks, "controller", best_us > ROUND_TRIP_US_MAX ? CHECK_WARN : CHECK_OK,
              best_us > ROUND_TRIP_US_MAX ? "is the machine busy? is set_tcp_nodelay on?" : "",
              "a request through the broker and back takes %" PRId64 " us", best_us);
    return true;
}

struct sys {
    struct session *session;
    int64_t dropped, clients;
    char version[64];
    bool heard;
};

static void on_sys(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    struct sys *sys = ctx;

    if (strcmp(topic, "$SYS/broker/publish/messages/dropped") == 0) {
        sys->dropped = strtoll(message->payload, NULL, 10);
        sys->heard = true;
    } else if (strcmp(topic, "$SYS/broker/clients/connected") == 0) {
        sys->clients = strtoll(message->payload, NULL, 10);
    } else if (strcmp(topic, "$SYS/broker/version") == 0) {
        snprintf(sys->version, sizeof sys->version, "%s", message->payload);
    }
    if (sys->heard && *sys->version && sys->clients)
        flt_loop_stop(sys->session->loop);
}

static void on_sys_late(void *ctx)
{
    flt_loop_stop(ctx);
}

/* The broker's own counters are retained, so they come at once, for admins alone. */
static void check_broker(struct json_object *checks, struct session *session)
{
    static const char *const topics[] = { "$SYS/broker/publish/messages/dropped",
                                          "$SYS/broker/clients/connected", "$SYS/broker/version" };
    struct sys sys = { .session = session };
    struct flt_timer *timer = NULL;

    session->ctx = &sys;
    session->on_message = on_sys;
    if (flt_timer_create(session->loop, on_sys_late, session->loop, &timer) == 0) {
        for (size_t i = 0; i < FLT_COUNT(topics); i++)
            if (bus_subscribe(session->bus, topics[i]))
                break;
        flt_timer_start(timer, SYS_WAIT_MS, 0);
        flt_loop_run(session->loop);
        flt_timer_destroy(timer);
    }
    session->on_message = NULL;
    char connections[40] =
        "connections not counted yet"; /* it counts every ten seconds, itself too */

    if (sys.clients)
        snprintf(connections, sizeof connections, "%" PRId64 " connections", sys.clients);
    if (sys.heard)
        check_add(checks, "broker", sys.dropped ? CHECK_WARN : CHECK_OK,
                  sys.dropped ? "a reader is too slow; flotilla health has the queues" : "",
                  "%s, %s, %" PRId64 " messages dropped", sys.version, connections, sys.dropped);
    else
        check_add(checks, "broker", CHECK_OK, "", "answers; its counters are for admins");
}

/* --- nodes
 * ---------------------------------------------------------------------------------------------- */

static void check_nodes(struct json_object *checks, struct json_object *items)
{
    char down[160] = "", name[64], state[16];
    const size_t count = items ? json_object_array_length(items) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_array_get_idx(items, i);

        if (strcmp(out_text(row, "state", state, sizeof state), "up") != 0)
            add_name(down, sizeof down, out_text(row, "node", name, sizeof name));
    }
    if (*down)
        check_add(checks, "nodes", CHECK_FAIL, "see their logs; bots there keep their own rules",
                  "not up: %s", down);
    else if (count == 0)
        check_add(checks, "nodes", CHECK_WARN, "flotilla up starts two", "there is none");
    else
        check_add(checks, "nodes", CHECK_OK, "", "all %zu up", count);
}

static void check_versions(struct json_object *checks, struct json_object *items,
                           struct json_object *status)
{
    char other[160] = "", name[64], version[64];

    if (strcmp(out_text(status, "version", version, sizeof version), FLT_VERSION) != 0)
        add_name(other, sizeof other, "controller");
    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        struct json_object *row = json_object_array_get_idx(items, i);

        out_text(row, "version", version, sizeof version);
        if (*version && strcmp(version, FLT_VERSION) != 0)
            add_name(other, sizeof other, out_text(row, "node", name, sizeof name));
    }
    check_add(checks, "versions", *other ? CHECK_WARN : CHECK_OK,
              *other ? "bring all to one version: docs/operations.md" : "",
              *other ? "this is %s; others run something else: %s" : "all run %s%s", FLT_VERSION,
              other);
}

/* Venue clocks as the nodes measure them. */
static void check_clocks(struct json_object *checks, struct json_object *items)
{
    int64_t worst = 0;
    char name[64] = "";

    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        struct json_object *row = json_object_array_get_idx(items, i);
        const int64_t offset = number(row, "clock_offset_ms");

        if (llabs(offset) > llabs(worst)) {
            worst = offset;
            out_text(row, "node", name, sizeof name);
        }
    }
    if (!*name && items && json_object_array_length(items))
        check_add(checks, "clocks", CHECK_OK, "", "none differs from its venue's");
    else if (*name)
        check_add(checks, "clocks",
                  llabs(worst) > CLOCK_FAIL_MS   ? CHECK_FAIL
                  : llabs(worst) > CLOCK_WARN_MS ? CHECK_WARN
                                                 : CHECK_OK,
                  llabs(worst) > CLOCK_WARN_MS ? "run chrony there; venues refuse late requests"
                                               : "",
                  "furthest from its venue: %s by %" PRId64 " ms", name, worst);
}

static void check_venues(struct json_object *checks, struct json_object *items)
{
    char down[200] = "", name[64], venue[33], reason[100], line[200];
    size_t links = 0;

    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        struct json_object *row = json_object_array_get_idx(items, i);
        struct json_object *venues = flt_json_get(row, "venues");

        for (size_t k = 0; venues && k < json_object_array_length(venues); k++) {
            struct json_object *link = json_object_array_get_idx(venues, k);
            bool up = false;

            links++;
            flt_json_bool(link, "up", &up);
            if (up)
                continue;
            snprintf(line, sizeof line, "%s at %s%s%.100s",
                     out_text(link, "venue", venue, sizeof venue),
                     out_text(row, "node", name, sizeof name),
                     *out_text(link, "reason", reason, sizeof reason) ? ": " : "", reason);
            add_name(down, sizeof down, line);
        }
    }
    if (*down)
        check_add(checks, "venues", CHECK_FAIL, "flotilla log --level warn says since when",
                  "no connection: %s", down);
    else if (links)
        check_add(checks, "venues", CHECK_OK, "", "%zu connections, all up", links);
}

/* --- bots, halts, alerts
 * ----------------------------------------------------------------------------------- */

static void check_bots(struct json_object *checks, struct session *session)
{
    struct json_object *result = NULL;
    char bad[192] = "", lost[192] = "", name[64], phase[16];
    size_t count = 0;

    if (session_list(session, "bot-ls", json_object_new_object(), 0, &result))
        return;
    struct json_object *items = flt_json_get(result, "items");

    for (size_t i = 0; i < json_object_array_length(items); i++, count++) {
        struct json_object *row = json_object_array_get_idx(items, i);
        bool claimed = true;

        out_text(row, "bot", name, sizeof name);
        flt_json_bool(row, "claimed", &claimed);
        if (strcmp(out_text(row, "phase", phase, sizeof phase), "error") == 0)
            add_name(bad, sizeof bad, name);
        if (!claimed)
            add_name(lost, sizeof lost, name);
    }
    json_object_put(result);
    if (*lost)
        check_add(checks, "claims", CHECK_FAIL, "flotilla bot show BOT; docs/operations.md",
                  "run where the controller does not list them: %s", lost);
    if (*bad)
        check_add(checks, "bots", CHECK_WARN, "flotilla bot show BOT says why", "in error: %s",
                  bad);
    else
        check_add(checks, "bots", CHECK_OK, "", "%zu, none in error", count);
}

static void check_halts(struct json_object *checks, struct session *session)
{
    struct json_object *result = ask(session, "halt-ls");
    struct json_object *halts = flt_json_get(result, "halts");
    const size_t count = halts ? json_object_array_length(halts) : 0;

    if (count)
        check_add(checks, "halts", CHECK_WARN, "flotilla halts; flotilla resume", "%zu in force",
                  count);
    json_object_put(result);
}

static void check_alerts(struct json_object *checks, struct json_object *status)
{
    struct json_object *alerts = flt_json_get(status, "alerts");
    const size_t count = alerts ? json_object_array_length(alerts) : 0;
    char message[256];

    if (count)
        check_add(
            checks, "alerts", CHECK_WARN, "flotilla alert ls --active", "%zu in force: %s", count,
            out_text(json_object_array_get_idx(alerts, 0), "message", message, sizeof message));
}

/* --- books and figures
 * ------------------------------------------------------------------------------------- */

static void check_accounts(struct json_object *checks, struct session *session)
{
    struct json_object *accounts = ask(session, "account-ls"),
                       *check = ask(session, "account-check");
    struct json_object *rows = flt_json_get(accounts, "items"),
                       *states = flt_json_get(check, "items");
    char bare[160] = "", shorts[160] = "", name[64], state[16];

    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        bool keyed = true;

        flt_json_bool(row, "keyed", &keyed);
        if (!keyed)
            add_name(bare, sizeof bare, out_text(row, "name", name, sizeof name));
    }
    for (size_t i = 0; states && i < json_object_array_length(states); i++) {
        struct json_object *row = json_object_array_get_idx(states, i);

        if (strcmp(out_text(row, "state", state, sizeof state), "short") == 0)
            add_name(shorts, sizeof shorts, out_text(row, "account", name, sizeof name));
    }
    if (rows && json_object_array_length(rows))
        check_add(checks, "accounts", *bare ? CHECK_WARN : CHECK_OK,
                  *bare ? "flotilla account add NAME --venue VENUE" : "",
                  *bare ? "without keys: %s" : "%s%zu, all with keys", bare,
                  json_object_array_length(rows));
    if (*shorts)
        check_add(checks, "books", CHECK_FAIL, "flotilla account check; flotilla bot reconcile BOT",
                  "the venue holds less than the bots' books say: %s", shorts);
    else if (states && json_object_array_length(states))
        check_add(checks, "books", CHECK_OK, "", "agree with the venues as last compared");
    json_object_put(accounts);
    json_object_put(check);
}

static void check_refused(struct json_object *checks, struct json_object *refused)
{
    char list[440] = "", line[64]; /* all kinds there are */

    if (!refused)
        return;
    json_object_object_foreach(refused, kind, count)
    {
        if (json_object_get_int64(count) == 0)
            continue;
        snprintf(line, sizeof line, "%.40s %" PRId64, kind, json_object_get_int64(count));
        add_name(list, sizeof list, line);
    }
    check_add(checks, "refused", *list ? CHECK_WARN : CHECK_OK,
              *list ? "flotilla log --level warn; flotilla audit --failed" : "",
              *list ? "since the controller started: %s" : "nothing since the controller started%s",
              list);
}

static void check_figures(struct json_object *checks, struct session *session)
{
    struct json_object *health = ask(session, "health");
    struct json_object *controller = flt_json_get(health, "controller");

    if (controller) {
        const int64_t lag_ms = number(controller, "fills_lag_ms");
        const int64_t queue = number(controller, "queue_out");
        const int64_t dropped = number(controller, "messages_dropped");
        const bool bad = lag_ms > LAG_WARN_MS || queue > 1000 || dropped;

        check_add(checks, "queues", bad ? CHECK_WARN : CHECK_OK,
                  bad ? "is the machine busy? flotilla health has all figures" : "",
                  "fills booked %" PRId64 " ms after the trade, %" PRId64 " messages wait, %" PRId64
                  " dropped",
                  lag_ms, queue, dropped);
        check_refused(checks, flt_json_get(health, "refused"));
    }
    json_object_put(health);
}

static void check_backups(struct json_object *checks, struct session *session)
{
    struct json_object *result = ask(session, "backup-ls");
    struct json_object *items = flt_json_get(result, "items");
    int64_t newest_ms = 0;
    char age[24];

    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        const int64_t ms = number(json_object_array_get_idx(items, i), "created_ms");

        newest_ms = ms > newest_ms ? ms : newest_ms;
    }
    const int64_t age_ms = flt_wall_ms(flt_clock_system()) - newest_ms;

    if (items && !newest_ms)
        check_add(checks, "backups", CHECK_WARN, "flotilla backup create", "there is none");
    else if (items)
        check_add(checks, "backups", age_ms > BACKUP_WARN_MS ? CHECK_WARN : CHECK_OK,
                  age_ms > BACKUP_WARN_MS ? "flotilla backup create; why did the daily one not run?"
                                          : "",
                  "the newest is %s old", text_age(age_ms, age, sizeof age));
    json_object_put(result);
}

void check_fleet(struct json_object *checks, struct session *session)
{
    struct json_object *nodes = NULL, *status, *items;

    check_broker(checks, session);
    if (!check_round_trip(checks, session))
        return;
    status = ask(session, "status");
    if (session_list(session, "node-ls", json_object_new_object(), 0, &nodes))
        session->cli->error = (struct flt_error){ 0 };
    items = flt_json_get(nodes, "items");
    check_nodes(checks, items);
    check_versions(checks, items, status);
    check_clocks(checks, items);
    check_venues(checks, items);
    check_bots(checks, session);
    check_halts(checks, session);
    check_alerts(checks, status);
    check_accounts(checks, session);
    check_figures(checks, session);
    check_backups(checks, session);
    json_object_put(status);
    json_object_put(nodes);
}
