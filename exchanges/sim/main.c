#define FLT_MOD "sim"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/control.h"
#include "exchanges/sim/fault.h"
#include "exchanges/sim/ledger.h"
#include "exchanges/sim/options.h"
#include "exchanges/sim/rest.h"
#include "exchanges/sim/streams.h"
#include "lib/config.h"
#include "lib/crypto.h"

#define TICK_MS 5
#define STREAM_TICK_MS 100
#define NOTE_MS 500 /* how far the sources were played goes to the ledger */

/* --- time ----------------------------------------------------------------------------------------
 */

static void play(struct sim *sim)
{
    struct sim_clock *clock = &sim->clock;
    const int64_t now = flt_mono_ns(flt_loop_clock(sim->loop));
    const double passed_ms = (double)(now - clock->last_mono_ns) / 1e6;

    clock->last_mono_ns = now;
    if (clock->paused)
        return;
    clock->rest_ms += passed_ms * clock->speed;
    const int64_t whole = (int64_t)clock->rest_ms;

    clock->rest_ms -= (double)whole;
    clock->source_ms += whole;
    for (size_t i = 0; i < sim->market_count; i++)
        sim_market_play(sim->markets[i], clock->source_ms);
}

static void note_sources(const struct sim *sim)
{
    for (size_t i = 0; i < sim->market_count; i++)
        sim_market_note(sim->markets[i]);
}

static void on_tick(void *ctx)
{
    static int64_t last_streams_ms, last_note_ms;
    struct sim *sim = ctx;
    const int64_t now = flt_mono_ms(flt_loop_clock(sim->loop));

    play(sim);
    if (now - last_streams_ms >= STREAM_TICK_MS) {
        last_streams_ms = now;
        sim_fault_tick(sim);
        sim_streams_tick(sim, sim_now(sim));
        sim_sessions_ping(sim, sim_now(sim));
    }
    if (now - last_note_ms >= NOTE_MS) {
        last_note_ms = now;
        note_sources(sim);
    }
}

/* The end of a loop turn: first the ledger, then the answers. */
static void on_check(uv_check_t *check)
{
    struct sim *sim = check->data;

    (void)sim_ledger_commit(sim->ledger);
    flt_server_release(sim->server);
    if (sim->stopping)
        flt_loop_stop(sim->loop);
}

static void on_signal(void *ctx, int signal)
{
    (void)signal;
    flt_loop_stop(((struct sim *)ctx)->loop);
}

/* --- starting
 * -------------------------------------------------------------------------------------- */

static int open_account(struct sim *sim, const struct sim_account_option *option,
                        struct flt_error *error)
{
    struct sim_account *account = calloc(1, sizeof *account);
    struct sim_account **grown =
        realloc(sim->accounts, (sim->account_count + 1) * sizeof(struct sim_account *));

    if (grown)
        sim->accounts = grown;
    if (!account || !grown || funds_create(&account->funds) != 0) {
        free(account);
        return -ENOMEM;
    }
    snprintf(account->key, sizeof account->key, "%s", option->key);
    snprintf(account->secret, sizeof account->secret, "%s", option->secret);
    account->can_withdraw = option->can_withdraw;
    account->index = ++sim->account_count;
    sim->accounts[sim->account_count - 1] = account;
    if (option->public_key_path)
        account->public_pem = flt_file_read(option->public_key_path, 65536, NULL);
    if (!account->public_pem && !account->secret[0])
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "--secret",
                             "--secret or --public-key FILE", "Account %s has no secret.",
                             account->key);
    if (sim->ledger && sim_ledger_has_account(sim->ledger, account->key))
        return 0; /* the ledger knows what it has */
    const int err = sim_balances_parse(account->funds, option->balances, error);

    if (!err)
        sim_ledger_balances(sim->ledger, account);
    return err;
}

static int open_state(struct sim *sim, const struct sim_args *args, struct flt_error *error)
{
    int err = 0;

    if (sim->options.db_path)
        err = sim_ledger_open(sim->options.db_path, error, &sim->ledger);
    for (size_t i = 0; !err && i < args->account_count; i++)
        err = open_account(sim, &args->accounts[i], error);
    for (size_t i = 0; !err && i < args->market_count; i++)
        err = sim_market_open(sim, args->markets[i], args->instruments_path, error);
    if (!err && sim->ledger)
        err = sim_ledger_load(sim->ledger, sim, error);
    if (!err)
        err = sim_faults_create(&sim->faults);
    if (!err)
        err = sim_limits_create(&sim->limits);
    return err;
}

static int listen_there(struct sim *sim, struct flt_error *error)
{
    const struct flt_listener_config venue = { .host = sim->options.listen_host,
                                               .port = sim->options.listen_port };
    const struct flt_listener_config control = { .host = sim->options.control_host,
                                                 .port = sim->options.control_port };
    const struct flt_listener_events venue_events = {
        .ctx = sim,
        .on_request = sim_rest_request,
        .on_accept = sim_session_accept,
        .on_message = sim_session_message,
        .on_gone = sim_session_gone,
    };
    const struct flt_listener_events control_events = { .ctx = sim,
                                                        .on_request = sim_control_request };
    int err = flt_server_create(sim->loop, &sim->server);

    if (!err)
        err = flt_server_listen(sim->server, &venue, &venue_events, &sim->listener);
    if (!err)
        err = flt_server_listen(sim->server, &control, &control_events, &sim->control);
    if (err)
        return flt_error_set(error, FLT_UNAVAILABLE, "--listen", "Is the port taken?",
                             "Cannot listen on %s:%d and %s:%d.", venue.host, venue.port,
                             control.host, control.port);
    flt_server_hold(sim->server);
    return 0;
}

static int start(struct sim *sim, const struct sim_args *args, struct flt_error *error)
{
    int err = flt_loop_create(flt_clock_system(), &sim->loop);

    if (!err)
        err = open_state(sim, args, error);
    if (!err)
        err = listen_there(sim, error);
    if (!err)
        err = flt_loop_on_signal(sim->loop, on_signal, sim);
    if (!err)
        err = flt_timer_create(sim->loop, on_tick, sim, &sim->timer);
    if (err)
        return err;
    uv_check_init(flt_loop_uv(sim->loop), &sim->check);
    sim->check.data = sim;
    uv_check_start(&sim->check, on_check);
    sim->clock.speed = sim->options.speed;
    sim->clock.last_mono_ns = flt_mono_ns(flt_loop_clock(sim->loop));
    flt_timer_start(sim->timer, TICK_MS, TICK_MS);
    (void)sim_ledger_commit(sim->ledger);
    return 0;
}

static void finish(struct sim *sim)
{
    sim_rest_finish(sim);
    if (sim->server) {
        flt_server_release(sim->server);
        flt_server_destroy(sim->server);
    }
    if (sim->timer) /* it was started: else the file stays as it is */
        note_sources(sim);
    sim_ledger_close(sim->ledger);
    for (size_t i = 0; i < sim->order_count; i++)
        free(sim->orders[i]);
    free(sim->orders);
    free(sim->fills);
    free(sim->buckets);
    for (size_t i = 0; i < sim->market_count; i++)
        sim_market_close(sim->markets[i]);
    free(sim->markets);
    for (size_t i = 0; i < sim->account_count; i++) {
        funds_destroy(sim->accounts[i]->funds);
        free(sim->accounts[i]->public_pem);
        flt_wipe(sim->accounts[i], sizeof *sim->accounts[i]);
        free(sim->accounts[i]);
    }
    free(sim->accounts);
    sim_faults_destroy(sim->faults);
    sim_limits_destroy(sim->limits);
    flt_timer_destroy(sim->timer);
    if (sim->check.data)
        uv_close((uv_handle_t *)&sim->check, NULL);
    flt_loop_destroy(sim->loop);
}

static int say(const struct flt_error *error, int err)
{
    fprintf(stderr, "flotilla-sim: %s%s%s%s\n", error->message[0] ? error->message : strerror(-err),
            error->field[0] ? " At " : "", error->field, error->field[0] ? "." : "");
    if (error->hint[0])
        fprintf(stderr, "hint: %s\n", error->hint);
    return 2;
}

int main(int argc, char **argv)
{
    struct sim sim = { 0 };
    struct sim_args args;
    struct flt_error error = { 0 };
    int err = sim_args_parse(&args, argc, argv, &error), code = 0;

    if (err == 0) {
        sim.options = args.options;
        err = start(&sim, &args, &error);
        if (err == 0) {
            const char *host = sim.options.listen_host;

            printf("ready rest=http://%s:%d stream=ws://%s:%d control=http://%s:%d\n", host,
                   flt_listener_port(sim.listener), host, flt_listener_port(sim.listener),
                   sim.options.control_host, flt_listener_port(sim.control));
            fflush(stdout);
            err = flt_loop_run(sim.loop);
        }
        finish(&sim);
    }
    if (err < 0)
        code = say(&error, err);
    sim_args_finish(&args);
    return code;
}
