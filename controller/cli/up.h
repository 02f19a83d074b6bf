/* flotilla up: the whole fleet on one machine, supervised (up.c); its processes and their order
 * (services.c); what a demo adds (demo.c). */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controller/cli/bus.h"
#include "controller/cli/cli.h"
#include "controller/cli/fleet.h"
#include "controller/cli/procs.h"
#include "lib/http.h"
#include "lib/loop.h"

enum ready_kind {
    READY_BROKER,     /* a CONNECT succeeds */
    READY_HTTP,       /* `url` answers 200 */
    READY_CONTROLLER, /* it answers `status` */
    READY_NODE,       /* its heartbeat is heard */
};

struct service {
    struct up *up;
    const char *name;
    enum ready_kind kind;
    unsigned stage; /* all of a stage are ready before the next one starts */
    char url[64];
    size_t proc;
    bool asked; /* a question is under way */
    bool ready;
};

#define SERVICES_MAX 8

enum up_phase { UP_STARTING, UP_DEMO, UP_TRADING, UP_READY, UP_STOPPING };

struct up {
    struct cli *cli;
    struct fleet fleet;
    struct flt_loop *loop;
    struct procs *procs;
    struct bus *bus;
    struct flt_http *http;
    struct flt_timer *poll;
    struct flt_watchdog *watchdog; /* NULL: no service manager */
    struct service services[SERVICES_MAX];
    size_t service_count;
    unsigned stage;
    enum up_phase phase;
    bool asked;                            /* demo and trading: a request is under way */
    int64_t started_ms, phase_ms, demo_ms; /* demo_ms: it was not possible yet */
    int report_fd;                         /* --detach: where the parent waits; -1: none */
    int lock_fd;
    struct flt_error error;
    char sim_key[72], sim_secret[72]; /* the demo account's key at the simulator */
};

/* Adds broker, simulator (demo), controller, nodes, dashboard. */
FLT_MUST_USE int services_add(struct up *up, struct flt_error *error);
/* Asks what can be asked of a service that is not ready yet. */
void service_check(struct service *service);
/* A node's heartbeat, or its birth. */
void service_heard(struct up *up, const char *topic, const struct flt_mqtt_message *message);

/* The key of the demo's account: made at the first start, then read from DIR/secrets. */
FLT_MUST_USE int demo_prepare(struct up *up, struct flt_error *error);
/* The simulator's arguments for its market and its account. */
FLT_MUST_USE int demo_sim_args(struct up *up, const char **argv, size_t *count,
                               struct flt_error *error);
/* The demo's bots as manifests (schemas/bot.json); the caller puts them. */
size_t demo_bot_count(void);
struct json_object *demo_bot(size_t index);
/* Makes account and bots through the controller's verbs, once per fleet; then demo_done(). */
void demo_start(struct up *up);

void up_demo_done(struct up *up, const struct flt_error *error);
void up_fail(struct up *up, const struct flt_error *error);
