/* The command line of flotilla-sim. */
#pragma once
#include "exchanges/sim/sim.h"

struct sim_account_option {
    char key[80], secret[80];
    const char *public_key_path;
    char *balances; /* "USDT=1000,BTC=1", several joined */
    bool can_withdraw;
};

struct sim_args {
    struct sim_options options;
    const char *markets[256];
    size_t market_count;
    struct sim_account_option *accounts;
    size_t account_count;
    const char *instruments_path, *accounts_path;
};

/* 0: go on; 1: --help or --version was printed; -EINVAL: `error`. */
FLT_MUST_USE int sim_args_parse(struct sim_args *args, int argc, char **argv,
                                struct flt_error *error);
void sim_args_finish(struct sim_args *args);
/* "USDT=1000,BTC=1" into funds. */
FLT_MUST_USE int sim_balances_parse(struct funds *funds, const char *text, struct flt_error *error);
