/* Any JSON as the parameters of each strategy and as its limits; and as the saved state of a bot,
 * which comes from a disk or, with a new epoch, over the bus. What is accepted must then live: a
 * start, prices, seconds, and a snapshot that is well-formed. The first byte chooses. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "engine/bot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t sequence;

static int on_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    (void)ctx;
    (void)bot;
    intent->id.sequence = ++sequence;
    return 0;
}

static int on_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    (void)ctx;
    (void)bot;
    assert(flt_dec_ok(request->qty) && request->qty.coef > 0);
    return 0;
}

static int on_id(void *ctx, struct bot *bot, const struct instrument *instrument, const char *coid)
{
    (void)ctx;
    (void)bot;
    (void)instrument;
    (void)coid;
    return 0;
}

static int on_fetch(void *ctx, struct bot *bot, const struct instrument *instrument,
                    const char *order_id, const char *coid)
{
    (void)order_id;
    return on_id(ctx, bot, instrument, coid);
}

static int on_list(void *ctx, struct bot *bot, unsigned leg)
{
    (void)ctx;
    (void)bot;
    (void)leg;
    return 0;
}

static void live(struct bot *bot, struct flt_sim_clock *clock)
{
    const struct exchange_failure ok = { .error = EXCHANGE_OK };
    struct flt_buf buf = FLT_BUF_INIT;

    bot_set_halt(bot, BOT_HALT_NONE, "");
    bot_set_desired(bot, BOT_RUN_RUNNING, BOT_STOP_CANCEL);
    bot_start(bot);
    bot_on_link(bot, true, "");
    bot_on_open_orders(bot, 0, &ok, NULL, 0);
    for (int i = 0; i < 5; i++) {
        const struct quote quote = { clock->wall_now_ms, 9000 + i * 300, 9002 + i * 300, 10, 10 };

        bot_on_quote(bot, 0, &quote, clock->mono_now_ns);
        flt_sim_clock_advance(clock, 1000);
        bot_on_second(bot);
    }
    bot_save(bot, &buf);
    struct json_object *tree = buf.failed ? NULL : flt_json_parse(buf.data, buf.length, NULL);
    assert(tree || buf.failed);
    json_object_put(tree);
    flt_buf_finish(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct instrument btc = {
        .name = "BTC-USDT",
        .base = "BTC",
        .quote = "USDT",
        .tick = { 1, 2 },
        .lot = { 1, 4 },
        .qty_min = { 1, 4 },
        .notional_min = { 5, 0 },
        .contract_size = { 1, 0 },
        .fee_maker = { 1, 3 },
        .fee_taker = { 1, 3 },
    };
    const struct instrument *instruments[] = { &btc };
    const struct engine_port port = { NULL,    on_intend, on_place, on_id, on_id, on_fetch,
                                      on_list, NULL,      NULL,     false, NULL };
    struct flt_sim_clock clock;
    size_t count = 0;
    const struct strategy_ops *const *list = strategy_list(&count);
    struct flt_error error = { 0 };

    if (size < 2)
        return 0;
    flt_sim_clock_init(&clock, INT64_C(1772323200000));
    clock.mono_now_ns = INT64_C(1000000000);
    struct json_object *tree = flt_json_parse((const char *)data + 1, size - 1, &error);
    if (!tree)
        return 0;
    const bool restore = data[0] % 8 == 7, limits = data[0] % 8 == 6;
    static const char grid_text[] = "{\"lower\":90,\"upper\":110,\"budget\":200}";
    struct json_object *grid = flt_json_parse(grid_text, sizeof grid_text - 1, NULL);
    struct bot_config config = {
        .fleet = "fuzz",
        .name = "bot",
        .epoch = 1,
        .instruments = instruments,
        .leg_count = 1,
        .clock = &clock.base,
        .request_life_ms = 3000,
        .strategy = restore || limits ? strategy_find("grid") : list[data[0] % 8 % count],
        .params = restore || limits ? grid : tree,
        .risk = limits ? tree : NULL,
    };
    struct bot *bot = NULL;
    error = (struct flt_error){ 0 };
    if (!bot_create(&config, &port, &error, &bot)) {
        if (!restore || !bot_restore(bot, tree, &error))
            live(bot, &clock);
        bot_destroy(bot);
    } else {
        assert(error.code != FLT_OK && *error.message);
    }
    json_object_put(grid);
    json_object_put(tree);
    return 0;
}
