#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/rest.h"

#define CLIENTS_MAX 256
#define BAN_AFTER 10 /* requests in spite of 429 */
#define BAN_MS 120000

struct client {
    char ip[48];
    int64_t minute;
    int used, ignored; /* weight; requests after the limit was told */
    int64_t banned_until_ms;
};

struct sim_limits {
    struct client clients[CLIENTS_MAX];
};

int sim_limits_create(struct sim_limits **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void sim_limits_destroy(struct sim_limits *limits)
{
    free(limits);
}

/* The client of this address; when the table is full, the last place is shared. */
static struct client *client_of(struct sim_limits *limits, const char *ip)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &limits->clients[i];

        if (!client->ip[0])
            snprintf(client->ip, sizeof client->ip, "%s", ip);
        if (strcmp(client->ip, ip) == 0)
            return client;
    }
    return &limits->clients[CLIENTS_MAX - 1];
}

int sim_limits_weigh(struct sim *sim, const char *ip, int weight, int *retry_s,
                     struct sim_error *error)
{
    struct client *client = client_of(sim->limits, ip);
    const int64_t now = flt_wall_ms(flt_loop_clock(sim->loop)), minute = now / 60000;
    const int limit = sim->options.limit_weight;

    if (client->minute != minute) {
        client->minute = minute;
        client->used = client->ignored = 0;
    }
    if (client->banned_until_ms > now) {
        *retry_s = (int)((client->banned_until_ms - now) / 1000) + 1;
        return sim_fail(error, 418, -1003,
                        "Way too much request weight used; IP banned until %" PRId64 ". Please use "
                        "WebSocket Streams for live updates to avoid bans.",
                        client->banned_until_ms);
    }
    client->used += weight;
    if (client->used <= limit)
        return 0;
    *retry_s = (int)(60 - now / 1000 % 60);
    if (++client->ignored > BAN_AFTER)
        client->banned_until_ms = now + BAN_MS;
    return sim_fail(
        error, 429, -1003,
        "Too much request weight used; current limit is %d request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API.",
        limit);
}

void sim_limits_refund(struct sim *sim, const char *ip, int weight)
{
    struct client *client = client_of(sim->limits, ip);

    client->used = client->used > weight ? client->used - weight : 0;
}

int sim_limits_used(const struct sim *sim, const char *ip)
{
    return client_of(sim->limits, ip)->used;
}

int sim_limits_order(struct sim *sim, struct sim_account *account, struct sim_error *error)
{
    const int64_t now = flt_wall_ms(flt_loop_clock(sim->loop));

    if (account->window_10s != now / 10000)
        account->orders_10s = 0;
    if (account->window_day != now / 86400000)
        account->orders_day = 0;
    account->window_10s = now / 10000;
    account->window_day = now / 86400000;
    if (account->orders_10s >= sim->options.limit_orders_10s)
        return sim_fail(error, 429, -1015,
                        "Too many new orders; current limit is %d orders per 10 SECOND.",
                        sim->options.limit_orders_10s);
    if (account->orders_day >= sim->options.limit_orders_day)
        return sim_fail(error, 429, -1015,
                        "Too many new orders; current limit is %d orders per 1 DAY.",
                        sim->options.limit_orders_day);
    account->orders_10s++;
    account->orders_day++;
    return 0;
}
