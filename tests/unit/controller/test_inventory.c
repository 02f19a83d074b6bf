#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "controller/inventory.h"
#include "controller/request.h"

static int say(struct node *node, enum msg_n_presence_state state, int64_t incarnation,
               const char *boot, int64_t now_ms)
{
    struct msg_n_presence presence = { .state = state, .incarnation = incarnation };

    snprintf(presence.boot, sizeof presence.boot, "%s", boot);
    return node_take_presence(node, &presence, now_ms);
}

static int beat(struct node *node, int64_t incarnation, const char *boot, int64_t now_ms)
{
    struct msg_n_hb hb = { .incarnation = incarnation };

    snprintf(hb.boot, sizeof hb.boot, "%s", boot);
    return node_take_hb(node, &hb, now_ms);
}

#define UP MSG_N_PRESENCE_STATE_UP
#define LOST MSG_N_PRESENCE_STATE_LOST

static void the_greater_incarnation_holds_and_of_equals_the_death(void **ctx)
{
    struct inventory inventory = { 0 };
    struct node *node = inventory_get_node(&inventory, "a");

    (void)ctx;
    assert_int_equal(node_state(node, 0), MSG_NODE_ROW_STATE_NEVER);
    assert_int_equal(say(node, UP, 5, "b1", 1000), INVENTORY_BIRTH);
    assert_true(node_is_up(node, 1000));
    assert_int_equal(say(node, LOST, 4, "b0", 1001), INVENTORY_OLD); /* an old session's will */
    assert_true(node_is_up(node, 1001));
    assert_int_equal(say(node, UP, 5, "b1", 1002), 0); /* the retained copy again */
    assert_int_equal(say(node, LOST, 5, "b1", 1003), 0);
    assert_int_equal(node_state(node, 1003), MSG_NODE_ROW_STATE_LOST);
    assert_int_equal(say(node, UP, 5, "b1", 1004), INVENTORY_OLD);
    assert_int_equal(say(node, UP, 6, "b1", 1005), INVENTORY_BIRTH);
    assert_true(node_is_up(node, 1005));
    inventory_finish(&inventory);
}

static void heartbeats_keep_a_node_up_and_a_missed_birth_is_made_up_for(void **ctx)
{
    struct inventory inventory = { 0 };
    struct node *node = inventory_get_node(&inventory, "a");

    (void)ctx;
    assert_int_equal(beat(node, 3, "b1", 1000), INVENTORY_BIRTH);
    assert_int_equal(beat(node, 3, "b1", 2000), 0);
    assert_true(node_is_up(node, 2000 + NODE_SUSPECT_MS));
    assert_int_equal(node_state(node, 2001 + NODE_SUSPECT_MS), MSG_NODE_ROW_STATE_SUSPECT);
    assert_int_equal(beat(node, 3, "b2", 3000), INVENTORY_OLD); /* a clone */
    assert_int_equal(beat(node, 2, "b1", 3000), INVENTORY_OLD);
    assert_int_equal(say(node, LOST, 3, "b1", 3000), 0);
    assert_int_equal(beat(node, 3, "b1", 3001), INVENTORY_OLD); /* sent before it died */
    assert_int_equal(beat(node, 4, "b3", 3002), INVENTORY_BIRTH);
    inventory_finish(&inventory);
}

static struct bot *put_bot(struct inventory *inventory, const char *name, const char *node)
{
    struct bot *bot = inventory_get_bot(inventory, name);

    snprintf(bot->node, sizeof bot->node, "%s", node);
    bot->epoch = 1;
    bot->generation = 1;
    return bot;
}

static const char *chosen(struct controller *controller, const struct msg_bot *spec)
{
    const struct node *node = placement_choose(controller, spec, "binance", NULL);

    return node ? node->name : "";
}

static void a_bot_goes_where_most_room_is(void **ctx)
{
    struct flt_sim_clock clock;
    struct controller controller = { .clock = &clock.base };
    struct inventory *inventory = &controller.inventory;
    struct msg_bot spec = { .name = "new" };
    struct bot *apart;

    (void)ctx;
    flt_sim_clock_init(&clock, 0);
    flt_sim_clock_advance(&clock, 1000);
    const int64_t now = flt_mono_ms(&clock.base);

    assert_string_equal(chosen(&controller, &spec), "");
    (void)say(inventory_get_node(inventory, "a"), UP, 1, "x", now);
    (void)say(inventory_get_node(inventory, "b"), UP, 1, "y", now);
    (void)put_bot(inventory, "one", "a");
    assert_string_equal(chosen(&controller, &spec), "b");
    put_bot(inventory, "two", "b")->removed = true; /* takes no room */
    assert_string_equal(chosen(&controller, &spec), "b");
    apart = put_bot(inventory, "three", "b"); /* room matters less than who is near */
    (void)put_bot(inventory, "four", "a");
    apart->spec.has_placement = apart->spec.placement.has_apart = true;
    snprintf(apart->spec.placement.apart, sizeof apart->spec.placement.apart, "btc");
    spec.has_placement = spec.placement.has_apart = true;
    snprintf(spec.placement.apart, sizeof spec.placement.apart, "btc");
    assert_string_equal(chosen(&controller, &spec), "a");
    inventory_find_node(inventory, "a")->draining = true;
    assert_string_equal(chosen(&controller, &spec), "b");
    inventory_find_node(inventory, "a")->draining = false;
    (void)say(inventory_find_node(inventory, "b"), LOST, 1, "y", now);
    spec.has_placement = false;
    assert_string_equal(chosen(&controller, &spec), "a");
    inventory_finish(inventory);
}

static void rebalancing_moves_as_few_as_it_takes_and_none_that_is_pinned(void **ctx)
{
    struct flt_sim_clock clock;
    struct controller controller = { .clock = &clock.base };
    struct inventory *inventory = &controller.inventory;
    struct msg_move moves[16];
    char name[8];

    (void)ctx;
    flt_sim_clock_init(&clock, 0);
    (void)say(inventory_get_node(inventory, "a"), UP, 1, "x", flt_mono_ms(&clock.base));
    (void)say(inventory_get_node(inventory, "b"), UP, 1, "y", flt_mono_ms(&clock.base));
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "bot-%d", i);
        struct bot *bot = put_bot(inventory, name, "a");

        if (i < 2) {
            bot->spec.has_placement = bot->spec.placement.has_node = true;
            snprintf(bot->spec.placement.node, sizeof bot->spec.placement.node, "a");
        }
    }
    assert_int_equal(placement_plan(&controller, moves, 16), 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(moves[i].to, "b");
        assert_true(strcmp(moves[i].bot, "bot-1") > 0);
    }
    inventory_finish(inventory);
}

static void the_hash_covers_the_nodes_own_bots(void **ctx)
{
    struct inventory inventory = { 0 };
    char one[MSG_HASH_MAX], two[MSG_HASH_MAX];
    size_t count;

    (void)ctx;
    (void)put_bot(&inventory, "b", "n");
    (void)put_bot(&inventory, "a", "n");
    (void)put_bot(&inventory, "c", "other");
    assert_int_equal(inventory_hash(&inventory, "n", true, &count, one), 0);
    assert_int_equal(count, 2);
    inventory_find_bot(&inventory, "c")->generation++;
    assert_int_equal(inventory_hash(&inventory, "n", true, &count, two), 0);
    assert_string_equal(one, two);
    inventory_find_bot(&inventory, "a")->generation++;
    assert_int_equal(inventory_hash(&inventory, "n", true, &count, two), 0);
    assert_string_not_equal(one, two);
    inventory_find_bot(&inventory, "a")->release = true;
    assert_int_equal(inventory_hash(&inventory, "n", false, &count, two), 0);
    assert_int_equal(count, 1);
    inventory_finish(&inventory);
}

static void a_bots_word_counts_only_from_its_node_and_epoch(void **ctx)
{
    struct inventory inventory = { 0 };
    struct bot *bot = put_bot(&inventory, "a", "n");
    struct msg_n_state state = { .env = { .has_epoch = true, .epoch = 1 }, .generation = 1 };

    (void)ctx;
    bot->epoch = 2;
    assert_false(bot_take_state(bot, "n", &state, 5));
    state.env.epoch = 2;
    assert_false(bot_take_state(bot, "m", &state, 5));
    assert_true(bot_take_state(bot, "n", &state, 5));
    assert_int_equal(bot->heard_ms, 5);
    inventory_finish(&inventory);
}

static void a_heartbeat_is_late_beside_the_quickest_of_its_process(void **ctx)
{
    struct inventory inventory = { 0 };
    struct node *node = inventory_get_node(&inventory, "n");
    struct msg_n_hb hb = { .mono_ms = 1000, .boot = "one" };

    (void)ctx;
    node_measure(node, &hb, 500); /* clocks of two machines have nothing to do with each other */
    assert_int_equal(node->late_ms, 0);
    node->hb = hb;
    node->has_hb = true;
    hb.mono_ms = 2000;
    node_measure(node, &hb, 4000);
    assert_int_equal(node->late_ms, 2500);
    hb.mono_ms = 6000;
    node_measure(node, &hb, 5400); /* quicker than any before */
    assert_int_equal(node->late_ms, 0);
    for (int64_t s = 7; s < 300; s++) { /* it runs slower by 0.05 %: that is no delay */
        hb.mono_ms = s * 1000 - s / 2;
        node_measure(node, &hb, s * 1000 - 600);
        assert_in_range(node->late_ms, 0, 100);
    }
    snprintf(hb.boot, sizeof hb.boot, "two"); /* another machine's clock */
    hb.mono_ms = 5;
    node_measure(node, &hb, 400000);
    assert_int_equal(node->late_ms, 0);
    inventory_finish(&inventory);
}

static void every_verb_has_a_schema_and_a_handler(void **ctx)
{
    (void)ctx;
    assert_int_equal(handler_count, msg_verb_count);
    for (size_t i = 0; i < handler_count; i++)
        if (!msg_verb_find(handlers[i].verb))
            fail_msg("no schema for %s", handlers[i].verb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_greater_incarnation_holds_and_of_equals_the_death),
        cmocka_unit_test(heartbeats_keep_a_node_up_and_a_missed_birth_is_made_up_for),
        cmocka_unit_test(a_bot_goes_where_most_room_is),
        cmocka_unit_test(rebalancing_moves_as_few_as_it_takes_and_none_that_is_pinned),
        cmocka_unit_test(the_hash_covers_the_nodes_own_bots),
        cmocka_unit_test(a_bots_word_counts_only_from_its_node_and_epoch),
        cmocka_unit_test(a_heartbeat_is_late_beside_the_quickest_of_its_process),
        cmocka_unit_test(every_verb_has_a_schema_and_a_handler),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
