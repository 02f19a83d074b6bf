#include "exchanges/sim/fault.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/streams.h"

#define FAULTS_MAX 64

struct sim_faults {
    struct sim_fault items[FAULTS_MAX];
    size_t count;
    int64_t next_id;
};

int sim_faults_create(struct sim_faults **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void sim_faults_destroy(struct sim_faults *faults)
{
    free(faults);
}

static bool kind_ok(const char *kind)
{
    static const char *const kinds[] = {
        "latency",     "reject",        "http_status",        "accept_then_timeout",
        "drop_events", "repeat_events", "disconnect_streams", "skew_clock"
    };

    for (size_t i = 0; i < FLT_COUNT(kinds); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static void copy_str(struct json_object *object, const char *key, char *out, size_t size)
{
    const char *text = "";

    (void)flt_json_str(object, key, &text);
    snprintf(out, size, "%s", text);
}

static void read_params(struct json_object *params, struct sim_fault *fault)
{
    int64_t number = 0;
    const char *streams = "all";

    (void)flt_json_int(params, "ms", &fault->ms);
    if (flt_json_int(params, "status", &number))
        fault->status = (int)number;
    if (flt_json_int(params, "code", &number))
        fault->code = (int)number;
    (void)flt_json_bool(params, "hang", &fault->hang);
    copy_str(params, "msg", fault->msg, sizeof fault->msg);
    (void)flt_json_str(params, "streams", &streams);
    fault->market = strcmp(streams, "user") != 0;
    fault->user = strcmp(streams, "market") != 0;
}

static void set_defaults(struct sim_fault *fault)
{
    if (strcmp(fault->kind, "http_status") == 0 && fault->status == 0)
        fault->status = 503;
    if (strcmp(fault->kind, "reject") == 0 && fault->code == 0) {
        fault->code = -2010;
        snprintf(fault->msg, sizeof fault->msg,
                 "Account has insufficient balance for requested action.");
    }
}

int sim_fault_add(struct sim *sim, struct json_object *object, int64_t *id, struct flt_error *error)
{
    struct sim_faults *faults = sim->faults;
    struct sim_fault fault = { .count = -1, .market = true, .user = true };
    struct json_object *match = flt_json_get(object, "match");
    struct json_object *params = flt_json_get(object, "params");
    int64_t duration = 0;

    copy_str(object, "kind", fault.kind, sizeof fault.kind);
    if (!kind_ok(fault.kind))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "kind", "See flotilla-sim --help.",
                             "There is no such fault.");
    if (faults->count == FAULTS_MAX)
        return flt_error_set(error, FLT_CONFLICT, "", "DELETE /fault", "Too many faults.");
    if (match) {
        copy_str(match, "path", fault.path, sizeof fault.path);
        copy_str(match, "symbol", fault.symbol, sizeof fault.symbol);
        copy_str(match, "method", fault.method, sizeof fault.method);
    }
    if (params)
        read_params(params, &fault);
    set_defaults(&fault);
    (void)flt_json_int(object, "count", &fault.count);
    if (flt_json_int(object, "duration_ms", &duration) && duration > 0)
        fault.until_ms = flt_wall_ms(flt_loop_clock(sim->loop)) + duration;
    *id = fault.id = ++faults->next_id;
    if (strcmp(fault.kind, "disconnect_streams") == 0) {
        sim_sessions_disconnect(sim, fault.market, fault.user);
        return 0;
    }
    faults->items[faults->count++] = fault;
    sim_fault_tick(sim);
    return 0;
}

void sim_fault_clear(struct sim *sim)
{
    sim->faults->count = 0;
    sim_fault_tick(sim);
}

static void drop(struct sim_faults *faults, size_t at)
{
    memmove(&faults->items[at], &faults->items[at + 1],
            (faults->count - at - 1) * sizeof faults->items[0]);
    faults->count--;
}

void sim_fault_tick(struct sim *sim)
{
    const int64_t now = flt_wall_ms(flt_loop_clock(sim->loop));
    struct sim_faults *faults = sim->faults;

    sim->skew_ms = 0;
    for (size_t i = 0; i < faults->count;) {
        const struct sim_fault *fault = &faults->items[i];

        if (fault->count == 0 || (fault->until_ms && fault->until_ms <= now)) {
            drop(faults, i);
            continue;
        }
        if (strcmp(fault->kind, "skew_clock") == 0)
            sim->skew_ms += fault->ms;
        i++;
    }
}

static bool fits(const struct sim_fault *fault, const char *method, const char *path,
                 const char *symbol)
{
    return (!fault->path[0] || strstr(path, fault->path)) &&
           (!fault->method[0] || strcmp(method, fault->method) == 0) &&
           (!fault->symbol[0] || (symbol && strcmp(symbol, fault->symbol) == 0));
}

const struct sim_fault *sim_fault_take(struct sim *sim, const char *kind, const char *method,
                                       const char *path, const char *symbol)
{
    struct sim_faults *faults = sim->faults;

    if (faults->count == 0)
        return NULL;
    sim_fault_tick(sim);
    for (size_t i = 0; i < faults->count; i++) {
        struct sim_fault *fault = &faults->items[i];

        if (strcmp(fault->kind, kind) != 0 || !fits(fault, method, path, symbol))
            continue;
        if (fault->count > 0)
            fault->count--;
        return fault;
    }
    return NULL;
}

int sim_fault_copies(struct sim *sim, bool user)
{
    struct sim_faults *faults = sim->faults;

    for (size_t i = 0; i < faults->count; i++) {
        struct sim_fault *fault = &faults->items[i];
        const bool drops = strcmp(fault->kind, "drop_events") == 0;

        if ((!drops && strcmp(fault->kind, "repeat_events") != 0) || fault->count == 0 ||
            !(user ? fault->user : fault->market))
            continue;
        if (fault->count > 0)
            fault->count--;
        return drops ? 0 : 2;
    }
    return 1;
}

void sim_jw_faults(struct flt_buf *buf, const char *key, const struct sim *sim)
{
    flt_jw_begin(buf, key, '[');
    for (size_t i = 0; i < sim->faults->count; i++) {
        const struct sim_fault *fault = &sim->faults->items[i];

        flt_jw_begin(buf, NULL, '{');
        flt_jw_int(buf, "id", fault->id);
        flt_jw_str(buf, "kind", fault->kind);
        flt_jw_int(buf, "count", fault->count);
        flt_jw_int(buf, "until_ms", fault->until_ms);
        flt_jw_end(buf, '}');
    }
    flt_jw_end(buf, ']');
}
