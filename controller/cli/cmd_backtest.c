/* flotilla backtest: runs what the words say, writes the folder and says how it went.
 */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/lookahead.h"
#include "backtest/output_portfolio.h"
#include "backtest/report.h"
#include "controller/cli/backtest_plan.h"
#include "controller/cli/commands.h"
#include "controller/cli/results.h"
#include "lib/config.h"
#include "lib/json.h"

#define LOOKAHEAD_POINTS 24

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- result
 * ------------------------------------------------------------------------------------------ */

static int print_result(struct cli *cli, const struct output *output, const char *dir)
{
    struct flt_buf buf = FLT_BUF_INIT;

    if (!cli->json)
        return results_print(cli, dir);
    output_summary(output, &buf);
    (void)fputs(buf.data ? buf.data : "{}", stdout);
    flt_buf_finish(&buf);
    return 0;
}

/* --out, or a new folder of the fleet, named after the bot or its strategy. */
static int choose_dir(struct cli *cli, const struct plan *plan, char *out, size_t size)
{
    if (!cli_flag(cli, "out"))
        return results_make_dir(cli, plan->name, out, size);
    (void)snprintf(out, size, "%s", cli_flag(cli, "out"));
    return 0;
}

/* The page of a run, from its folder and, when they are at hand, its candles. */
static int write_report(struct cli *cli, const struct data *data, const char *dir)
{
    const struct report_candles candles = {
        .open_ticks = data ? data->columns.open_ticks : NULL,
        .high_ticks = data ? data->columns.high_ticks : NULL,
        .low_ticks = data ? data->columns.low_ticks : NULL,
        .close_ticks = data ? data->columns.close_ticks : NULL,
        .count = data ? data->count : 0,
        .tick = data ? flt_dec_to_double(data->tick) : 0,
    };

    return report_write(dir, data ? &candles : NULL, &cli->error);
}

/* `flotilla backtest report DIR`: the page again, from the files of an earlier run. */
static int remake_report(struct cli *cli)
{
    const char *dir = cli_arg(cli, 1);
    int err;

    if (strcmp(cli_arg(cli, 0), "report") != 0 || !dir)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "arguments",
                        "flotilla backtest report DIR, or --strategy NAME --data FILE --out DIR",
                        "%.64s is not understood", dir ? cli_arg(cli, 0) : "a lone word");
    err = write_report(cli, NULL, dir);
    if (!err && !cli_has(cli, "quiet"))
        printf("%s/report.html\n", dir);
    return err;
}

/* --- one instrument
 * ------------------------------------------------------------------------------------------ */

static int save(struct cli *cli, const struct plan *plan, const struct run_result *result,
                const char *dir)
{
    struct trades trades = { 0 };
    struct metrics metrics = { 0 };
    const struct output output = { &plan->legs[0].config, result, &trades, &metrics, plan->seed };
    int err = trades_make(result, &trades);

    if (!err)
        err = output_metrics(&output, &metrics);
    if (!err)
        err = output_write(&output, dir, &cli->error);
    if (!err && !cli_has(cli, "no-report"))
        err = write_report(cli, &plan->legs[0].data, dir);
    if (!err && !cli_has(cli, "quiet"))
        err = print_result(cli, &output, dir);
    trades_free(&trades);
    return err;
}

static int run_one(struct cli *cli, const struct plan *plan, const char *dir, bool *partial)
{
    struct run_result result = { 0 };
    struct run_config config = plan->legs[0].config;

    config.stop = &stopped;
    int err = run_backtest(&config, &result, &cli->error);

    if (!err)
        err = save(cli, plan, &result, dir);
    *partial = result.stopped;
    run_free(&result);
    return err;
}

/* --- several
 * ------------------------------------------------------------------------------------------ */

static struct run_config *configs_of(const struct plan *plan)
{
    struct run_config *configs = calloc(plan->count, sizeof *configs);

    for (size_t i = 0; configs && i < plan->count; i++)
        configs[i] = plan->legs[i].config;
    return configs;
}

static int write_reports(struct cli *cli, const struct plan *plan, const char *dir)
{
    char path[CLI_DIR_MAX + 128];
    int err = 0;

    for (size_t i = 0; !err && i < plan->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, plan->legs[i].instrument);
        err = write_report(cli, &plan->legs[i].data, path);
    }
    return err ? err : write_report(cli, NULL, dir);
}

static int print_portfolio(struct cli *cli, const struct portfolio_output *output, const char *dir)
{
    struct flt_buf buf = FLT_BUF_INIT;

    if (!cli->json)
        return results_print(cli, dir);
    portfolio_output_summary(output, &buf);
    (void)fputs(buf.data ? buf.data : "{}", stdout);
    flt_buf_finish(&buf);
    return 0;
}

static int save_portfolio(struct cli *cli, const struct plan *plan,
                          const struct portfolio_result *result, const char *dir)
{
    struct portfolio_output output = { 0 };
    int err = portfolio_output_make(result, plan->seed, plan->shared, &output);

    if (!err)
        err = portfolio_output_write(&output, dir, &cli->error);
    if (!err && !cli_has(cli, "no-report"))
        err = write_reports(cli, plan, dir);
    if (!err && !cli_has(cli, "quiet"))
        err = print_portfolio(cli, &output, dir);
    portfolio_output_free(&output);
    return err;
}

static int run_all(struct cli *cli, const struct plan *plan, const char *dir, bool *partial)
{
    struct portfolio_result result = { 0 };
    struct run_config *configs = configs_of(plan);
    const struct portfolio_config config = { configs, plan->count, plan->cash, plan->shared,
                                             &stopped };
    int err = configs ? 0 : -ENOMEM;

    if (!err)
        err = portfolio_run(&config, &result, &cli->error);
    if (!err)
        err = save_portfolio(cli, plan, &result, dir);
    *partial = result.stopped;
    portfolio_free(&result);
    free(configs);
    return err;
}

/* --- the command
 * ------------------------------------------------------------------------------------------ */

/* Found: exit code 4, as books that differ. */
static int print_lookahead(struct cli *cli, const struct plan *plan, const struct lookahead *found)
{
    if (found->found)
        return CLI_FAIL(cli, FLT_CONFLICT, "strategy", "it, or an indicator, sees the future",
                        "%s looks ahead: %s", plan->strategy, found->what);
    if (cli->json)
        printf("{\"lookahead\":false,\"instruments\":%zu,\"points\":%zu,\"runs\":%zu,"
               "\"decisions\":%zu}\n",
               plan->count, found->points, found->runs, found->decisions);
    else if (!cli_has(cli, "quiet"))
        printf("no look-ahead: %zu points, %zu runs%s, %zu past decisions compared%s\n",
               found->points, found->runs, plan->count > 1 ? " of all instruments" : "",
               found->decisions,
               found->decisions ? "" : " (the strategy never traded: nothing is shown by this)");
    return 0;
}

static int check_plan(struct cli *cli, const struct plan *plan)
{
    struct run_config *configs = configs_of(plan);
    const struct portfolio_config config = { configs, plan->count, plan->cash, plan->shared, NULL };
    struct lookahead found;
    int err =
        configs ? lookahead_check_all(&config, LOOKAHEAD_POINTS, &found, &cli->error) : -ENOMEM;

    free(configs);
    return err ? err : print_lookahead(cli, plan, &found);
}

static int run_plan(struct cli *cli, const struct plan *plan)
{
    char dir[CLI_DIR_MAX + 64] = "";
    bool partial = false;
    int err = choose_dir(cli, plan, dir, sizeof dir);

    if (!err) {
        (void)signal(SIGINT, on_signal);
        (void)signal(SIGTERM, on_signal);
        err =
            plan->count > 1 ? run_all(cli, plan, dir, &partial) : run_one(cli, plan, dir, &partial);
    }
    if (!err && partial)
        cli->exit_code = 130;
    if (err && *dir && !cli_flag(cli, "out"))
        (void)rmdir(dir); /* nothing is in it */
    return err;
}

/* Refused rows can often be repaired; say so. */
static void hint_repair(struct cli *cli)
{
    if (cli_error_in_rows(cli))
        (void)snprintf(cli->error.hint, sizeof cli->error.hint,
                       "flotilla data import FILE STORE --repair makes a corrected copy and lists "
                       "each change");
    else if (strstr(cli->error.message, strerror(EISDIR)) && !cli->error.hint[0])
        (void)snprintf(cli->error.hint, sizeof cli->error.hint,
                       "--data is a file, or a store by its name VENUE/INSTRUMENT/TIMEFRAME");
}

int cmd_backtest(struct cli *cli)
{
    struct plan plan = { 0 };

    if (cli_arg(cli, 0))
        return remake_report(cli);
    (void)signal(SIGINT, on_signal);
    (void)signal(SIGTERM, on_signal);
    int err = plan_make(cli, &plan);

    if (err)
        hint_repair(cli);
    if (!err && cli_has(cli, "check-lookahead"))
        err = check_plan(cli, &plan);
    else if (!err)
        err = run_plan(cli, &plan);
    plan_free(&plan);
    return err;
}
