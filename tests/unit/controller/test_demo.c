/* The demo's bots are such as the fleet accepts: known strategies, parameters within their tables,
 * steps and spreads that cover the simulator's fees, decodable by the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/up.h"
#include "lib/json.h"
#include "lib/market.h"
#include "schemas_msg.h"
#include "strategies/params.h"
#include "strategies/strategy.h"

static struct instrument instrument_of(const char *name)
{
    struct instrument instrument = { .tick = flt_dec_parse("0.01"),
                                     .lot = flt_dec_parse(name[0] == 'B' ? "0.00001" : "0.0001"),
                                     .notional_min = flt_dec_parse("5"),
                                     .fee_maker = flt_dec_parse("0.001"),
                                     .fee_taker = flt_dec_parse("0.001") };

    snprintf(instrument.name, sizeof instrument.name, "%s", name);
    return instrument;
}

static void every_bot_of_the_demo_passes_the_contract_and_its_strategys_checks(void **ctx)
{
    (void)ctx;
    for (size_t i = 0; i < demo_bot_count(); i++) {
        struct json_object *tree = demo_bot(i);
        struct flt_error error = { 0 };
        struct msg_bot bot;

        if (msg_bot_decode(tree, MSG_PEOPLE, &bot, &error))
            fail_msg("bot %zu: %s (%s)", i, error.message, error.field);
        const struct strategy_ops *strategy = strategy_find(bot.strategy);

        assert_non_null(strategy);
        const struct instrument instrument = instrument_of(bot.instrument);
        const struct instrument *const legs[] = { &instrument };
        void *params = calloc(1, strategy->params_size);

        if (params_parse(strategy->params, bot.params, params, strategy->params_size, &error) ||
            (strategy->check && strategy->check(params, legs, 1, &error)))
            fail_msg("%s: %s (%s)", bot.name, error.message, error.field);
        free(params);
        msg_bot_finish(&bot);
        json_object_put(tree);
    }
}

static void the_demo_has_24_bots_with_names_of_their_own_on_both_nodes(void **ctx)
{
    size_t on_first = 0;

    (void)ctx;
    assert_int_equal(demo_bot_count(), 24);
    for (size_t i = 0; i < 24; i++) {
        struct json_object *bot = demo_bot(i), *other;
        const char *name, *node, *other_name;

        assert_true(flt_json_str(bot, "name", &name));
        assert_true(flt_json_str(flt_json_get(bot, "placement"), "node", &node));
        on_first += strcmp(node, "node-1") == 0;
        for (size_t k = 0; k < i; k++) {
            other = demo_bot(k);
            assert_true(flt_json_str(other, "name", &other_name));
            assert_string_not_equal(name, other_name);
            json_object_put(other);
        }
        json_object_put(bot);
    }
    assert_int_equal(on_first, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bot_of_the_demo_passes_the_contract_and_its_strategys_checks),
        cmocka_unit_test(the_demo_has_24_bots_with_names_of_their_own_on_both_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
