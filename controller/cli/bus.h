/* Requests of one user over the bus: u/<user>/req/<verb> out, the answer by its id back.
 *
 * Asynchronous for `flotilla up`; bus_ask() runs the loop until the answer is there, for commands
 * that do one thing and end. A request that gets no answer in its time ends with `unavailable` or
 * `expired`: it may still have been carried out. Thread: the loop's. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/loop.h"
#include "lib/mqtt.h"

struct bus;

struct bus_config {
    const char *url; /* "unix:/dir/broker/mosquitto.sock" */
    const char *tenant;
    const char *user, *password;
    const char *ca_file; /* NULL: the system's */
};

struct bus_events {
    void *ctx; /* each may be NULL */
    void (*on_up)(void *ctx);
    void (*on_down)(void *ctx, const char *reason);
    /* What was subscribed with bus_subscribe; `topic` is below the tenant's root. */
    void (*on_message)(void *ctx, const char *topic, const struct flt_mqtt_message *message);
};

/* `result` is borrowed; NULL when `error` says why. */
typedef void bus_fn(void *ctx, struct json_object *result, const struct flt_error *error);

FLT_MUST_USE int bus_open(struct flt_loop *loop, const struct bus_config *config,
                          const struct bus_events *events, struct bus **out);
bool bus_is_up(const struct bus *bus);
/* Below the tenant's root, or the broker's own ("$SYS/..."). Again after each reconnect by itself.
 * The same filter once more brings its retained messages anew. */
FLT_MUST_USE int bus_subscribe(struct bus *bus, const char *filter);
/* `args` (may be NULL) is put by the bus. `fn` is called once, never inside this call, and not
 * after bus_close(). */
void bus_request(struct bus *bus, const char *verb, struct json_object *args, uint32_t timeout_ms,
                 bus_fn *fn, void *ctx);
void bus_close(struct bus *bus); /* NULL is fine */

/* Runs the loop until connected: 0, or `error` says what keeps us out. */
FLT_MUST_USE int bus_wait_up(struct bus *bus, uint32_t timeout_ms, struct flt_error *error);
/* One request to its end; the caller puts `result`. */
FLT_MUST_USE int bus_ask(struct bus *bus, const char *verb, struct json_object *args,
                         uint32_t timeout_ms, struct json_object **result, struct flt_error *error);
