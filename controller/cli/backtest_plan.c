#define FLT_MOD "cli"
#include "controller/cli/backtest_plan.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "backtest/import.h"
#include "controller/cli/commands.h"
#include "lib/config.h"
#include "lib/ids.h"
#include "lib/json.h"
#include "strategies/strategy.h"

struct words { /* what holds for each instrument */
    struct run_config config;
    struct flt_dec tick;
    int64_t timeframe_ms;
};

/* --- numbers
 * ------------------------------------------------------------------------------------------- */

static int read_dec(struct cli *cli, const char *flag, const char *def, bool zero,
                    struct flt_dec *out)
{
    const char *text = cli_flag(cli, flag) ? cli_flag(cli, flag) : def;

    *out = text ? flt_dec_parse(text) : FLT_DEC_ZERO;
    if (text && (!flt_dec_ok(*out) || out->coef < 0 || (out->coef == 0 && !zero)))
        return CLI_FAIL(
            cli, FLT_INVALID_ARGUMENT, flag, zero && out->coef < 0 ? "rebates are not built" : "",
            "--%s is not a number%s: %.64s", flag, zero ? ", zero or more" : " above zero", text);
    return 0;
}

static int read_rate(struct cli *cli, const char *flag, const char *def, struct flt_dec *out)
{
    const int err = read_dec(cli, flag, def, true, out);

    if (!err && flt_dec_cmp(*out, flt_dec_from_int(1)) >= 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, flag, "0.001 is a tenth of a percent",
                        "--%s is a rate below 1", flag);
    return err;
}

static int read_whole(struct cli *cli, const char *flag, int64_t def, int64_t *out)
{
    const char *text = cli_flag(cli, flag);
    char *end = NULL;

    *out = def;
    if (!text)
        return 0;
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (!*text || *end || errno || *out < 0 || *out > INT64_C(1000000000000))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, flag, "",
                        strcmp(flag, "latency") ? "--%s is not a number: %.64s"
                                                : "--%s is not a number of milliseconds: %.64s",
                        flag, text);
    return 0;
}

static int read_fees(struct cli *cli, struct run_config *config)
{
    const bool own = cli_flag(cli, "maker-fee") || cli_flag(cli, "taker-fee");
    int err = read_rate(cli, "fee", "0.001", &config->fee);

    config->costs.own_fees = own;
    if (!err && own)
        err = read_rate(cli, "maker-fee", cli_flag(cli, "fee") ? cli_flag(cli, "fee") : "0.001",
                        &config->costs.fee_maker);
    if (!err && own)
        err = read_rate(cli, "taker-fee", cli_flag(cli, "fee") ? cli_flag(cli, "fee") : "0.001",
                        &config->costs.fee_taker);
    return err;
}

/* "5" and "5bps" are hundredths of a percent of the price, "2ticks" ticks. */
static int read_slippage(struct cli *cli, struct run_costs *costs)
{
    const char *text = cli_flag(cli, "slippage");
    char number[32];

    if (!text)
        return 0;
    const size_t size = strspn(text, "0123456789.");
    const char *unit = text + size;
    const bool ticks = !strcmp(unit, "ticks") || !strcmp(unit, "tick");

    (void)snprintf(number, sizeof number, "%.*s", (int)size, text);
    const struct flt_dec value = flt_dec_parse(number);
    const bool known = ticks || !*unit || !strcmp(unit, "bps");

    if (!flt_dec_ok(value) || !known || value.scale > 12 || value.coef > 1000000000 ||
        (ticks && value.scale != 0))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "slippage", "for example 5bps or 2ticks",
                        "--slippage is not understood: %.64s", text);
    if (!ticks && flt_dec_cmp(value, (struct flt_dec){ 10000, 0 }) >= 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "slippage", "100bps are one percent",
                        "--slippage is all of the price: %.64s", text);
    if (ticks)
        costs->slip_ticks = value.coef;
    else
        costs->slip_rate = (struct flt_dec){ value.coef, (int8_t)(value.scale + 4) };
    return 0;
}

static int read_costs(struct cli *cli, struct run_config *config)
{
    struct run_costs *costs = &config->costs;
    struct flt_dec share = FLT_DEC_ZERO, queue = FLT_DEC_ZERO;
    int err = read_slippage(cli, costs);

    if (!err)
        err = read_whole(cli, "latency", 0, &costs->latency_ms);
    if (!err)
        err = read_dec(cli, "volume-share", NULL, false, &share);
    if (!err)
        err = read_dec(cli, "queue", NULL, true, &queue);
    if (err)
        return err;
    costs->share_ppm =
        share.coef > 0 ? flt_dec_units(share, (struct flt_dec){ 1, 4 }, FLT_ROUND_DOWN) : 0;
    if (share.coef > 0 && (costs->share_ppm <= 0 || costs->share_ppm > 1000000))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "volume-share", "10 is a tenth of the volume",
                        "--volume-share is a percentage from 0.0001 to 100");
    costs->own_queue = cli_flag(cli, "queue") != NULL;
    if (costs->own_queue && config->fill->tape == TAPE_NONE)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "queue", "--fill trades or --fill book",
                        "--queue means nothing to --fill %s", config->fill->name);
    costs->queue_lots = flt_dec_units(queue, config->lot, FLT_ROUND_UP);
    return 0;
}

static int read_timeframe(struct cli *cli, int64_t *out)
{
    const char *word = cli_flag(cli, "timeframe");

    *out = word ? timeframe_ms(word) : 0;
    if (word && *out == 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "timeframe", "1m 5m 15m 1h 4h 1d and others",
                        "no timeframe %.64s", word);
    return 0;
}

static int find_model(struct cli *cli, struct run_config *config)
{
    const char *name = cli_flag(cli, "fill") ? cli_flag(cli, "fill") : "next-open";
    size_t count = 0, used = 0;
    const struct fill_model *const *list = fill_model_list(&count);
    char words[128] = "";

    config->fill = fill_model_find(name);
    for (size_t i = 0; i < count && used < sizeof words; i++)
        used += (size_t)snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "",
                                 list[i]->name);
    return config->fill ? 0
                        : CLI_FAIL(cli, FLT_NOT_FOUND, "fill", words, "no fill model %.64s", name);
}

static int read_numbers(struct cli *cli, struct plan *plan, struct words *words)
{
    const char *cash = cli_flag(cli, "cash") ? cli_flag(cli, "cash") : "100000";
    struct run_config *config = &words->config;
    int64_t seed = 1;
    int err = find_model(cli, config);

    if (!err)
        err = read_fees(cli, config);
    if (!err)
        err = read_dec(cli, "lot", "0.000001", false, &config->lot);
    if (!err)
        err = read_dec(cli, "tick", NULL, false, &words->tick);
    if (!err)
        err = read_costs(cli, config);
    if (!err)
        err = read_timeframe(cli, &words->timeframe_ms);
    plan->cash = config->cash = flt_amt_parse(cash);
    if (!err && (!flt_amt_ok(config->cash) || flt_amt_sign(config->cash) <= 0))
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "cash", "for example --cash 100000",
                       "--cash is not an amount above zero: %.64s", cash);
    if (!err)
        err = read_whole(cli, "seed", 1, &seed);
    plan->seed = (uint64_t)seed;
    plan->shared = !cli_has(cli, "split-cash");
    config->every_bar = cli_has(cli, "every-bar");
    return err;
}

/* --- bots and strategies
 * ------------------------------------------------------------------------------------------- */

/* A bot of the manifest for the leg. */
static int take_bot(struct cli *cli, struct json_object *bot, struct plan_leg *leg)
{
    const char *instrument = NULL;

    if (flt_json_get(bot, "legs"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "legs",
                        "several bots, or several --data, make a portfolio",
                        "no strategy trades several legs");
    leg->bot = json_object_get(bot);
    leg->config.risk = flt_json_get(bot, "risk");
    leg->params = json_object_get(flt_json_get(bot, "params"));
    (void)flt_json_str(bot, "instrument", &instrument);
    if (instrument && !*leg->instrument)
        (void)snprintf(leg->instrument, sizeof leg->instrument, "%s", instrument);
    return 0;
}

static bool is_of(struct json_object *bot, const char *key, const char *word)
{
    const char *text = NULL;

    return flt_json_str(bot, key, &text) && !strcmp(text, word);
}

/* The one bot of a manifest, or the one that --bot names, on each instrument. */
static int take_one_bot(struct cli *cli, struct plan *plan, struct json_object *bots, size_t count)
{
    const char *wanted = cli_flag(cli, "bot");
    struct json_object *chosen = NULL;
    int err = 0;

    for (size_t i = 0; i < count && !chosen; i++) {
        struct json_object *bot = json_object_array_get_idx(bots, i);

        if (wanted ? is_of(bot, "name", wanted) : count == 1)
            chosen = bot;
    }
    if (!chosen && wanted)
        return CLI_FAIL(cli, FLT_NOT_FOUND, "bot", "", "no bot %.64s in the manifest", wanted);
    if (!chosen)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bot",
                        count ? "choose one with --bot NAME, or give each --data INSTRUMENT=FILE"
                              : "",
                        "the manifest has %zu bots", count);
    for (size_t i = 0; !err && i < plan->count; i++)
        err = take_bot(cli, chosen, &plan->legs[i]);
    return err;
}

/* Each instrument's own bot. */
static int take_bots(struct cli *cli, struct plan *plan, struct json_object *bots, size_t count)
{
    int err = 0;

    for (size_t i = 0; !err && i < plan->count; i++) {
        struct plan_leg *leg = &plan->legs[i];

        for (size_t k = 0; !err && k < count; k++) {
            struct json_object *bot = json_object_array_get_idx(bots, k);

            if (!is_of(bot, "instrument", leg->instrument))
                continue;
            if (leg->bot)
                return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bot", "choose one with --bot NAME",
                                "several bots trade %.32s", leg->instrument);
            err = take_bot(cli, bot, leg);
        }
        if (!err && !leg->bot)
            err = CLI_FAIL(cli, FLT_NOT_FOUND, "data", "--data INSTRUMENT=FILE",
                           "no bot of the manifest trades %.32s", leg->instrument);
    }
    return err;
}

static int read_manifest(struct cli *cli, struct plan *plan)
{
    const char *path = cli_flag(cli, "file");
    struct json_object *manifest = path ? flt_config_load(path, &cli->error) : NULL;

    if (!path && cli_flag(cli, "bot"))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "bot", "-f MANIFEST",
                        "--bot names one of a manifest, and there is none");
    if (!path)
        return 0;
    if (!manifest)
        return cli->error.code == FLT_OK ? -EIO : -EINVAL;
    struct json_object *bots = flt_json_get(manifest, "bots");
    const size_t count =
        json_object_is_type(bots, json_type_array) ? json_object_array_length(bots) : 0;
    const bool each = count > 1 && plan->count > 1 && !cli_flag(cli, "bot");
    const int err = each ? take_bots(cli, plan, bots, count) : take_one_bot(cli, plan, bots, count);

    json_object_put(manifest);
    return err;
}

/* --param over those of the manifest; text stays text, the tables know the types. */
static int read_params(struct cli *cli, struct plan_leg *leg)
{
    const char *text;

    if (!leg->params)
        leg->params = json_object_new_object();
    for (size_t i = 0; (text = cli_nth(cli, "param", i)); i++) {
        const char *equals = strchr(text, '=');
        char name[64];

        if (!equals || equals == text || (size_t)(equals - text) >= sizeof name)
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "param", "for example --param fast=10",
                            "--param is key=value, not %.64s", text);
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        const bool truth = !strcmp(equals + 1, "true") || !strcmp(equals + 1, "false");
        json_object_object_add(leg->params, name,
                               truth ? json_object_new_boolean(equals[1] == 't')
                                     : json_object_new_string(equals + 1));
    }
    leg->config.params = leg->params;
    return 0;
}

static int find_strategy(struct cli *cli, struct plan_leg *leg)
{
    const char *names[64], *near, *wanted = cli_flag(cli, "strategy");
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);

    if (!wanted && leg->bot)
        (void)flt_json_str(leg->bot, "strategy", &wanted);
    if (!wanted)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "strategy", "or -f MANIFEST",
                        "a backtest needs --strategy NAME");
    leg->config.strategy = strategy_find(wanted);
    if (leg->config.strategy)
        return 0;
    for (size_t i = 0; i < count && i < FLT_COUNT(names); i++)
        names[i] = list[i]->name;
    near = flt_nearest(wanted, names, count);
    return CLI_FAIL(cli, FLT_NOT_FOUND, "strategy",
                    near ? near : "sma_cross, rsi, hold, grid_lines", "no strategy %.64s", wanted);
}

/* --- data
 * ------------------------------------------------------------------------------------------- */

/* "BTC-USDT=FILE" gives the instrument; else NULL. */
static const char *named(const char *text, char *instrument, size_t size)
{
    const char *equals = strchr(text, '=');

    if (!equals || memchr(text, '/', (size_t)(equals - text)) || (size_t)(equals - text) >= size ||
        equals == text)
        return NULL;
    (void)snprintf(instrument, size, "%.*s", (int)(equals - text), text);
    return equals + 1;
}

/* Of several without a name: the store's instrument, or the file's name up to its first point. */
static void name_after_data(const char *text, char *out, size_t size)
{
    const char *slash = strrchr(text, '/');
    struct store_id id;

    if (store_id_parse(&id, text, true, NULL) == 0) {
        (void)snprintf(out, size, "%s", id.instrument);
        return;
    }
    text = slash ? slash + 1 : text;
    (void)snprintf(out, size, "%.*s", (int)strcspn(text, "."), text);
}

static int name_legs(struct cli *cli, struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        struct plan_leg *leg = &plan->legs[i];
        const char *text = cli_nth(cli, "data", i);

        if (!named(text, leg->instrument, sizeof leg->instrument) && plan->count > 1)
            name_after_data(text, leg->instrument, sizeof leg->instrument);
        if (strchr(leg->instrument, '/') || leg->instrument[0] == '.')
            return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data", "--data BTC-USDT=FILE",
                            "this is no instrument: %.32s", leg->instrument);
        for (size_t k = 0; k < i && plan->count > 1; k++)
            if (!strcmp(plan->legs[k].instrument, leg->instrument))
                return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data",
                                "name them: --data BTC-USDT=FILE --data ETH-USDT=FILE",
                                "two --data are of %.32s", leg->instrument);
    }
    return 0;
}

/* The --trades or --quotes of that instrument: named, or the i-th. */
static const char *tape_of(struct cli *cli, const char *flag, const struct plan_leg *leg, size_t i)
{
    const char *text;

    for (size_t k = 0; (text = cli_nth(cli, flag, k)); k++) {
        char instrument[INSTRUMENT_NAME_MAX];
        const char *file = named(text, instrument, sizeof instrument);

        if (file ? !strcmp(instrument, leg->instrument) : k == i)
            return file ? file : text;
    }
    return NULL;
}

static int load_bars(struct cli *cli, const struct words *words, const char *file,
                     struct plan_leg *leg)
{
    const int64_t step_ms = words->timeframe_ms ? words->timeframe_ms : 60000;

    if (data_is_tape(file))
        return data_load_tape(cli->dir, file, words->tick, leg->config.lot, step_ms, &leg->data,
                              &cli->error);
    leg->config.strategy_ms = words->timeframe_ms;
    return data_load(cli->dir, file, words->tick, &leg->data, &cli->error);
}

static int load(struct cli *cli, const struct words *words, size_t i, struct plan_leg *leg)
{
    static const char *const flags[] = { "trades", "quotes" };
    char instrument[INSTRUMENT_NAME_MAX];
    const char *text = cli_nth(cli, "data", i);
    const char *file = named(text, instrument, sizeof instrument);
    int err = load_bars(cli, words, file ? file : text, leg);

    for (size_t k = 0; !err && k < FLT_COUNT(flags); k++) {
        const char *tape = tape_of(cli, flags[k], leg, i);

        if (tape)
            err = data_add_tape(cli->dir, tape, leg->config.lot, &leg->data, &cli->error);
    }
    leg->config.data = &leg->data;
    return err;
}

/* --- the plan
 * ------------------------------------------------------------------------------------------- */

static int make_leg(struct cli *cli, const struct words *words, size_t i, struct plan_leg *leg)
{
    struct json_object *const risk = leg->config.risk;
    int err = find_strategy(cli, leg);
    const struct strategy_ops *const strategy = leg->config.strategy;

    leg->config = words->config;
    leg->config.strategy = strategy;
    leg->config.risk = risk;
    leg->config.instrument = *leg->instrument ? leg->instrument : NULL;
    if (!err)
        err = read_params(cli, leg);
    return err ? err : load(cli, words, i, leg);
}

static void name_plan(struct plan *plan)
{
    const char *name = plan->legs[0].config.strategy->name;

    plan->strategy = name;
    if (plan->legs[0].bot && (plan->count == 1 || plan->legs[0].bot == plan->legs[1].bot))
        (void)flt_json_str(plan->legs[0].bot, "name", &name);
    (void)snprintf(plan->name, sizeof plan->name, "%s", flt_name_ok(name) ? name : plan->strategy);
}

int plan_make(struct cli *cli, struct plan *out)
{
    struct words words = { 0 };
    int err;

    *out = (struct plan){ 0 };
    while (out->count <= PLAN_LEGS_MAX && cli_nth(cli, "data", out->count))
        out->count++;
    if (out->count > PLAN_LEGS_MAX)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data", "", "more than %d instruments",
                        PLAN_LEGS_MAX);
    if (out->count == 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "data",
                        "a file ts_ms,open,high,low,close,volume",
                        "a backtest needs --data FILE.csv");
    out->legs = calloc(out->count, sizeof *out->legs);
    if (!out->legs)
        return -ENOMEM;
    err = name_legs(cli, out);
    if (!err)
        err = read_manifest(cli, out);
    if (!err)
        err = read_numbers(cli, out, &words);
    for (size_t i = 0; !err && i < out->count; i++)
        err = make_leg(cli, &words, i, &out->legs[i]);
    if (!err)
        name_plan(out);
    return err;
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; plan->legs && i < plan->count; i++) {
        data_free(&plan->legs[i].data);
        json_object_put(plan->legs[i].params);
        json_object_put(plan->legs[i].bot);
    }
    free(plan->legs);
    *plan = (struct plan){ 0 };
}
