/* The words of `flotilla backtest` as runs that can go: one for each instrument, with its data. */
#pragma once
#include "backtest/run.h"
#include "controller/cli/cli.h"

#define PLAN_LEGS_MAX 256

struct plan_leg {
    struct run_config config; /* points into this leg and the plan */
    struct data data;
    char instrument[INSTRUMENT_NAME_MAX]; /* "": nobody said */
    struct json_object *bot, *params;     /* of the manifest, NULL: none; owned */
};

struct plan {
    struct plan_leg *legs;
    size_t count;
    bool shared; /* one account for all */
    struct flt_amt cash;
    uint64_t seed;
    const char *strategy; /* the first one's */
    char name[64];        /* of the bot, or the strategy: for a result's folder */
};

/* The failure is in cli->error. To be freed in any case. */
FLT_MUST_USE int plan_make(struct cli *cli, struct plan *out);
void plan_free(struct plan *plan);
