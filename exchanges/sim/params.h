/* The parameters of a request, from a query and a form body or from the JSON of the WebSocket API,
 * and the signature over them. */
#pragma once
#include "exchanges/sim/sim.h"

#define SIM_PARAMS_MAX 64

struct sim_param {
    char name[32];
    char *value;    /* decoded */
    bool is_string; /* JSON only */
};

struct sim_params {
    struct sim_param items[SIM_PARAMS_MAX];
    size_t count;
    char *payload;   /* what was signed */
    char *signature; /* NULL: none */
};

/* -1 and `error`: malformed. Finish in any case. */
FLT_MUST_USE int sim_params_parse(struct sim_params *params, const char *query, const char *body,
                                  struct sim_error *error);
FLT_MUST_USE int sim_params_parse_json(struct sim_params *params, struct json_object *object,
                                       struct sim_error *error);
void sim_params_finish(struct sim_params *params);

const char *sim_param(const struct sim_params *params, const char *name); /* NULL: none or empty */
/* Readers: 0 fine, also when it is missing and not mandatory (out is untouched); -1 refused. */
int sim_param_int(const struct sim_params *params, const char *name, bool mandatory, int64_t *out,
                  struct sim_error *error);
int sim_param_dec(const struct sim_params *params, const char *name, bool mandatory,
                  struct flt_amt *out, struct sim_error *error);
int sim_param_missing(struct sim_error *error, const char *name);

/* Key, timestamp, recvWindow and signature, in the venue's order of checks. `session` is the
 * account of a logged-on WebSocket session, whose requests need no signature; else NULL. */
int sim_authorize(struct sim *sim, const struct sim_params *params, const char *key,
                  struct sim_account *session, struct sim_account **out, struct sim_error *error);
