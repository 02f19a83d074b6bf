/* The REST API: one table of routes, used by the WebSocket API too. */
#pragma once
#include "exchanges/sim/params.h"
#include "exchanges/sim/sim.h"

struct sim_route {
    const char *method, *path;
    const char *ws_method;             /* the WebSocket API's name of it; NULL: REST only */
    int (*run)(struct sim_call *call); /* -1: call->error */
    bool is_signed;
    bool places; /* counts against the order limits */
    int weight;
    int weight_free;                               /* of it, given back when the request succeeds */
    int (*weigh)(const struct sim_params *params); /* where it depends on them; NULL */
};

extern const struct sim_route sim_public_routes[];
extern const size_t sim_public_route_count;
extern const struct sim_route sim_private_routes[];
extern const size_t sim_private_route_count;

void sim_rest_request(void *ctx, struct flt_request *request);
void sim_rest_finish(struct sim *sim); /* drops the requests that latency or a hang keeps */
const struct sim_route *sim_route_find(const char *method, const char *path, bool *path_known);
const struct sim_route *sim_route_find_ws(const char *ws_method);
void sim_jw_error(struct flt_buf *buf, const struct sim_error *error);
void sim_jw_rate_limits(struct flt_buf *buf, const char *key, const struct sim *sim, bool counts,
                        const char *ip, const struct sim_account *account);
/* The `symbol` parameter's market. */
int sim_call_market(struct sim_call *call, struct sim_market **out);

/* --- limits.c */
struct sim_limits;
FLT_MUST_USE int sim_limits_create(struct sim_limits **out);
void sim_limits_destroy(struct sim_limits *limits);
/* Adds the weight; -1: refused with 429, or 418 for those who go on. `retry_s` for Retry-After. */
int sim_limits_weigh(struct sim *sim, const char *ip, int weight, int *retry_s,
                     struct sim_error *error);
void sim_limits_refund(struct sim *sim, const char *ip, int weight);
int sim_limits_used(const struct sim *sim, const char *ip);
int sim_limits_order(struct sim *sim, struct sim_account *account, struct sim_error *error);
