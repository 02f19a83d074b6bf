/* One command's conversation with the controller of --dir, as --user. */
#pragma once
#include <json-c/json.h>
#include "controller/cli/bus.h"
#include "controller/cli/cli.h"
#include "controller/cli/fleet.h"
#include "lib/loop.h"

struct session {
    struct cli *cli;
    struct fleet fleet;
    struct flt_loop *loop;
    struct bus *bus;
    /* Set by who waits for topics (bot --wait, logs -f), before session_open(). */
    void *ctx;
    void (*on_message)(void *ctx, const char *topic, const struct flt_mqtt_message *message);
};

/* Connects; cli->error says what keeps us out. session_close() also after a failure. */
FLT_MUST_USE int session_open(struct session *session, struct cli *cli);
void session_close(struct session *session);

/* One request; `args` is put; the caller puts `result`. */
FLT_MUST_USE int session_ask(struct session *session, const char *verb, struct json_object *args,
                             struct json_object **result);
/* All pages of a list (args {limit, after}, result {items, next}) as one {"items": [...]}, up to
 * `limit` items; 0: all. */
FLT_MUST_USE int session_list(struct session *session, const char *verb, struct json_object *args,
                              size_t limit, struct json_object **result);

struct session_answers {
    struct json_object *rows; /* as asked: a result each, or {"error": {code, message, hint}} */
    size_t failed;
    struct flt_error first; /* of those that failed */
};
/* The same verb for each of `args` (an array of objects, borrowed), some 32 at a time. 0 also when
 * some failed; the caller puts out->rows. */
FLT_MUST_USE int session_ask_many(struct session *session, const char *verb,
                                  struct json_object *args, struct session_answers *out);

/* Lets the bus live for that long; ended early by who stops the loop (a signal). */
FLT_MUST_USE int session_pause(struct session *session, uint32_t ms);

/* Open, one request, close. */
FLT_MUST_USE int ask_once(struct cli *cli, const char *verb, struct json_object *args,
                          struct json_object **result);
FLT_MUST_USE int list_once(struct cli *cli, const char *verb, struct json_object *args,
                           size_t limit, struct json_object **result);

/* {"a": "x", ...} from pairs ended by NULL; a pair whose value is NULL is left out. */
struct json_object *args_of(const char *key, ...);
