/* flotilla backtest: reads the words, loads the data, runs, writes the folder and says how it went.
 */
#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "backtest/lookahead.h"
#include "backtest/output.h"
#include "backtest/report.h"
#include "controller/cli/commands.h"
#include "controller/cli/results.h"
#include "lib/config.h"
#include "lib/ids.h"
#include "lib/json.h"
#include "strategies/strategy.h"

#define LOOKAHEAD_POINTS 24

struct backtest {
    struct run_config config;
    struct data data;
    struct json_object *bot; /* of the manifest; owned */
    struct json_object *params;
    const char *strategy;
    uint64_t seed;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* --- words
 * ------------------------------------------------------------------------------------------- */

static int read_dec(struct cli *cli, const char *flag, const char *def, bool zero,
                    struct flt_dec *out)
{
    const char *text = cli_flag(cli, flag) ? cli_flag(cli, flag) : def;

    *out = text ? flt_dec_parse(text) : FLT_DEC_ZERO;
    if (text && (!flt_dec_ok(*out) || out->coef < 0 || (out->coef == 0 && !zero)))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, flag, "",
                        "--%s is not a number above zero: %.64s", flag, text);
    return 0;
}

static int read_numbers(struct cli *cli, struct backtest *b, struct flt_dec *tick)
{
    const char *cash = cli_flag(cli, "cash") ? cli_flag(cli, "cash") : "100000";
    const char *seed = cli_flag(cli, "seed");
    char *end = NULL;
    int err = read_dec(cli, "fee", "0.001", true, &b->config.fee);

    if (!err)
        err = read_dec(cli, "lot", "0.000001", false, &b->config.lot);
    if (!err)
        err = read_dec(cli, "tick", NULL, false, tick);
    if (!err && flt_dec_cmp(b->config.fee, flt_dec_from_int(1)) >= 0)
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "fee", "0.001 is a tenth of a percent",
                       "--fee is a rate below 1");
    b->config.cash = flt_amt_parse(cash);
    if (!err && (!flt_amt_ok(b->config.cash) || flt_amt_sign(b->config.cash) <= 0))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "cash", "for example --cash 100000",
                       "--cash is not an amount above zero: %.64s", cash);
    b->seed = seed ? strtoull(seed, &end, 10) : 1;
    if (!err && seed && (!*seed || *end))
        err =
            CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "seed", "", "--seed is not a number: %.64s", seed);
    return err;
}

/* The one bot of a manifest, or the one that --bot names. */
static int choose_bot(struct cli *cli, struct json_object *bots, struct json_object **out)
{
    const char *wanted = cli_flag(cli, "bot");
    const size_t count =
        json_object_is_type(bots, json_type_array) ? json_object_array_length(bots) : 0;

    for (size_t i = 0; i < count; i++) {
        struct json_object *bot = json_object_array_get_idx(bots, i);
        const char *name = "";

        (void)flt_json_str(bot, "name", &name);
        if (wanted ? !strcmp(name, wanted) : count == 1) {
            *out = json_object_get(bot);
            return 0;
        }
    }
    if (wanted)
        return CLI_FAIL(cli, FLT_NOT_FOUND, "bot", "", "no bot %.64s in the manifest", wanted);
    return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bot", count ? "choose one with --bot NAME" : "",
                    "the manifest has %zu bots", count);
}

static int read_manifest(struct cli *cli, struct backtest *b)
{
    const char *path = cli_flag(cli, "file");
    struct json_object *manifest = path ? flt_config_load(path, &cli->error) : NULL;

    if (!path)
        return 0;
    if (!manifest)
        return cli->error.code == FLT_OK ? -EIO : -EINVAL;
    const int err = choose_bot(cli, flt_json_get(manifest, "bots"), &b->bot);

    json_object_put(manifest);
    if (err)
        return err;
    if (flt_json_get(b->bot, "legs"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "legs", "", "a backtest has one instrument");
    (void)flt_json_str(b->bot, "strategy", &b->strategy);
    (void)flt_json_str(b->bot, "instrument", &b->config.instrument);
    b->config.risk = flt_json_get(b->bot, "risk");
    b->params = json_object_get(flt_json_get(b->bot, "params"));
    return 0;
}

/* --param over those of the manifest; text stays text, the tables know the types. */
static int read_params(struct cli *cli, struct backtest *b)
{
    const char *text;

    if (!b->params)
        b->params = json_object_new_object();
    for (size_t i = 0; (text = cli_nth(cli, "param", i)); i++) {
        const char *equals = strchr(text, '=');
        char name[64];

        if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "param", "for example --param fast=10",
                            "--param is key=value, not %.64s", text);
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        const bool truth = !strcmp(equals + 1, "true") || !strcmp(equals + 1, "false");
        json_object_object_add(b->params, name,
                               truth ? json_object_new_boolean(equals[1] == 't')
                                     : json_object_new_string(equals + 1));
    }
    b->config.params = b->params;
    return 0;
}

static int find_strategy(struct cli *cli, struct backtest *b)
{
    const char *names[64], *near;
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);

    if (cli_flag(cli, "strategy"))
        b->strategy = cli_flag(cli, "strategy");
    if (!b->strategy)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "strategy", "or -f MANIFEST",
                        "a backtest needs --strategy NAME");
    b->config.strategy = strategy_find(b->strategy);
    if (b->config.strategy)
        return 0;
    for (size_t i = 0; i < count && i < FLT_COUNT(names); i++)
        names[i] = list[i]->name;
    near = flt_nearest(b->strategy, names, count);
    return CLI_FAIL(cli, FLT_NOT_FOUND, "strategy",
                    near ? near : "sma_cross, rsi, hold, grid_lines", "no strategy %.64s",
                    b->strategy);
}

static int find_model(struct cli *cli, struct backtest *b)
{
    const char *name = cli_flag(cli, "fill") ? cli_flag(cli, "fill") : "next-open";
    size_t count = 0, used = 0;
    const struct fill_model *const *list = fill_model_list(&count);
    char words[128] = "";

    b->config.fill = fill_model_find(name);
    for (size_t i = 0; i < count && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "",
                                 list[i]->name);
    return b->config.fill
               ? 0
               : CLI_FAIL(cli, FLT_NOT_FOUND, "fill", words, "no fill model %.64s", name);
}

static int read_words(struct cli *cli, struct backtest *b)
{
    struct flt_dec tick;
    int err = read_manifest(cli, b);

    if (!err)
        err = find_strategy(cli, b);
    if (!err)
        err = read_params(cli, b);
    if (!err)
        err = find_model(cli, b);
    if (!err)
        err = read_numbers(cli, b, &tick);
    if (!err && !cli_flag(cli, "data"))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data", "a file ts_ms,open,high,low,close,volume",
                       "a backtest needs --data FILE.csv");
    if (!err)
        err = data_load(cli->dir, cli_flag(cli, "data"), tick, &b->data, &cli->error);
    b->config.data = &b->data;
    b->config.stop = &stopped;
    b->config.every_bar = cli_has(cli, "every-bar");
    return err;
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
static int choose_dir(struct cli *cli, const struct backtest *b, char *out, size_t size)
{
    const char *name = b->strategy;

    if (b->bot)
        (void)flt_json_str(b->bot, "name", &name);
    if (!cli_flag(cli, "out"))
        return results_make_dir(cli, flt_name_ok(name) ? name : b->strategy, out, size);
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

static int save(struct cli *cli, const struct backtest *b, const struct run_result *result,
                const char *dir)
{
    struct trades trades = { 0 };
    struct metrics metrics = { 0 };
    const struct output output = { &b->config, result, &trades, &metrics, b->seed };
    int err = trades_make(result, &trades);

    if (!err)
        err = output_metrics(&output, &metrics);
    if (!err)
        err = output_write(&output, dir, &cli->error);
    if (!err && !cli_has(cli, "no-report"))
        err = write_report(cli, &b->data, dir);
    if (!err && !cli_has(cli, "quiet"))
        err = print_result(cli, &output, dir);
    trades_free(&trades);
    return err;
}

/* Found: exit code 4, as books that differ. */
static int check_lookahead(struct cli *cli, const struct backtest *b)
{
    struct lookahead found;
    const int err = lookahead_check(&b->config, LOOKAHEAD_POINTS, &found, &cli->error);

    if (err)
        return err;
    if (found.found)
        return CLI_FAIL(cli, FLT_CONFLICT, "strategy", "it, or an indicator, sees the future",
                        "%s looks ahead: %s", b->strategy, found.what);
    if (cli->json)
        printf("{\"lookahead\":false,\"points\":%zu,\"runs\":%zu,\"decisions\":%zu}\n",
               found.points, found.runs, found.decisions);
    else if (!cli_has(cli, "quiet"))
        printf("no look-ahead: %zu points, %zu runs, %zu past decisions compared%s\n", found.points,
               found.runs, found.decisions,
               found.decisions ? "" : " (the strategy never traded: nothing is shown by this)");
    return 0;
}

int cmd_backtest(struct cli *cli)
{
    struct backtest b = { 0 };
    struct run_result result = { 0 };
    char dir[CLI_DIR_MAX + 64] = "";
    int err = cli_arg(cli, 0) ? 0 : read_words(cli, &b);

    if (cli_arg(cli, 0))
        return remake_report(cli);
    if (!err && cli_has(cli, "check-lookahead")) {
        err = check_lookahead(cli, &b);
        goto done;
    }
    if (!err)
        err = choose_dir(cli, &b, dir, sizeof dir);
    if (!err) {
        (void)signal(SIGINT, on_signal);
        (void)signal(SIGTERM, on_signal);
        err = run_backtest(&b.config, &result, &cli->error);
    }
    if (!err)
        err = save(cli, &b, &result, dir);
    if (!err && result.stopped)
        cli->exit_code = 130;
    if (err && *dir && !cli_flag(cli, "out"))
        (void)rmdir(dir); /* nothing is in it */
done:
    run_free(&result);
    data_free(&b.data);
    json_object_put(b.params);
    json_object_put(b.bot);
    return err;
}
