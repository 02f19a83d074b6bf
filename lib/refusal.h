/* What a process refused of what it heard, by kind: counted, never silent. The names are those of
 * `refused_total{kind="..."}`, of the verb health and of a heartbeat's `refused`. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/json.h"

enum flt_refusal {
    FLT_REFUSED_MALFORMED,    /* not JSON, or not as the schema says */
    FLT_REFUSED_OVERSIZED,    /* more bytes than its kind may have */
    FLT_REFUSED_DEEP,         /* nested deeper than FLT_JSON_DEPTH_MAX */
    FLT_REFUSED_BINARY,       /* control bytes or no UTF-8 */
    FLT_REFUSED_TOPIC,        /* none of the contract's */
    FLT_REFUSED_TENANT,       /* another tenant's */
    FLT_REFUSED_FORGED,       /* its sender says to be another than its topic says */
    FLT_REFUSED_UNKNOWN_NODE, /* a message that only an unknown node could send */
    FLT_REFUSED_OLD_TERM,
    FLT_REFUSED_OLD_EPOCH,
    FLT_REFUSED_OLD_NUMBER, /* of halts, generations, incarnations */
    FLT_REFUSED_REPEATED,   /* an id that was there: answered, not carried out again */
    FLT_REFUSED_OUT_OF_ORDER,
    FLT_REFUSED_EXPIRED,
    FLT_REFUSED_FUTURE,   /* from a clock that is ahead */
    FLT_REFUSED_RETAINED, /* a command or request that was kept at the broker */
    FLT_REFUSED_DENIED,
    FLT_REFUSED_DIFFERS,    /* a number of a stream with other content than before */
    FLT_REFUSED_CLOCK_STEP, /* our own wall clock jumped */
    FLT_REFUSED_COUNT
};

struct flt_refusals {
    uint64_t count[FLT_REFUSED_COUNT];
};

const char *flt_refusal_name(enum flt_refusal kind); /* "old_term" */
void flt_refuse(struct flt_refusals *refusals, enum flt_refusal kind);
uint64_t flt_refusals_total(const struct flt_refusals *refusals);
/* {"old_term":2}: those above zero; a new tree, NULL when there are none. */
struct json_object *flt_refusals_tree(const struct flt_refusals *refusals);
/* Why a payload could not be read as JSON. */
enum flt_refusal flt_refusal_of(const void *payload, size_t size, size_t size_max);

/* Steps of the wall clock against the monotonic one. Called about once a second: the step in ms
 * when it is above a second (negative: back), else 0. */
struct flt_step_watch {
    int64_t wall_ms, mono_ms;
    bool begun;
};
int64_t flt_step_seen(struct flt_step_watch *watch, int64_t wall_ms, int64_t mono_ms);
