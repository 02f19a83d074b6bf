/* Faults on demand: what a test makes the venue do wrong. */
#pragma once
#include "exchanges/sim/sim.h"

struct sim_faults;

struct sim_fault {
    int64_t id;
    char kind[24];    /* latency, reject, http_status, accept_then_timeout, drop_events,
                         repeat_events, disconnect_streams, skew_clock */
    char path[64];    /* part of a request's path (or WebSocket API method); "": any */
    char symbol[32];  /* "": any */
    char method[8];   /* "": any */
    int64_t count;    /* how often still; < 0: no limit */
    int64_t until_ms; /* 0: no limit */
    int64_t ms;       /* latency, skew, how long a request hangs */
    bool hang;        /* accept_then_timeout: the connection stays open */
    int status, code; /* http_status, reject */
    char msg[160];
    bool market, user; /* which streams */
};

FLT_MUST_USE int sim_faults_create(struct sim_faults **out);
void sim_faults_destroy(struct sim_faults *faults);
/* From the control API; -1 and `error`. */
int sim_fault_add(struct sim *sim, struct json_object *object, int64_t *id,
                  struct flt_error *error);
void sim_fault_clear(struct sim *sim);
void sim_jw_faults(struct flt_buf *buf, const char *key, const struct sim *sim);
/* The first fault of `kind` that fits this request, counted down; NULL: none. */
const struct sim_fault *sim_fault_take(struct sim *sim, const char *kind, const char *method,
                                       const char *path, const char *symbol);
int sim_fault_copies(struct sim *sim, bool user); /* 0 dropped, 1, 2 repeated */
void sim_fault_tick(struct sim *sim);             /* ends skews and such */
