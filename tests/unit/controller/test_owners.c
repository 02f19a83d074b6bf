/* Who may trade: the node's lease and the controller's grants together, under a clock, a wire and a
 * venue of our own. Nodes are cut off, frozen, copied, killed and started again, the controller is
 * frozen and restarted, messages are lost, delayed, repeated and overtaken, and clocks run apart by
 * up to half a percent. The venue takes a request within its receive window and one second of its
 * clock's tolerance. It must never take one of an older epoch after one of a newer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "botnode/lease.h"
#include "controller/grant.h"

#define STEP_MS 50
#define RUN_MS 240000
#define WINDOW_MS 2000
#define AHEAD_MS 1000
#define WIRE_MAX 4096
#define BEFORE_MAX 64
#define NODES 3 /* two nodes, and a copy of the first one's folder */

struct message {
    int64_t at_ms;
    bool up;  /* heartbeat, else grant */
    int node; /* heartbeat: who sent it; grant: for all of that name */
    int64_t k, ttl_ms, incarnation;
    char boot[FLT_ULID_MAX], place[GRANT_PLACE_MAX];
    int epoch; /* grant: the bot's if it is this node's, else 0 */
};

struct world {
    uint64_t seed, dice;
    int64_t now_ms; /* true time */
    struct message wire[WIRE_MAX];
    size_t wire_count;
    struct {
        bool alive;
        int64_t frozen_until, cut_until, offset_ns, beat_ms;
        double drift;
        struct lease lease;
        struct lease_claim claim;
        int epoch; /* that it holds the bot with; 0: it does not */
        int64_t k, incarnation;
        unsigned starts;
        char place[GRANT_PLACE_MAX];
        int64_t signed_ms, signed_left_ms; /* a request that is between the look and the wire */
        bool look_passed;
    } node[NODES];
    struct {
        int64_t frozen_until, tick_ms;
        struct grant grant[2];
        struct grant_policy policy;
        int owner, epoch;
    } ctl;
    int newest, trader_epoch;
    char trader[FLT_ULID_MAX], before[BEFORE_MAX][FLT_ULID_MAX];
    size_t before_count;
    unsigned taken, moves, old_refused, frozen_sends;
};

static uint32_t roll(struct world *w, uint32_t below)
{
    w->dice ^= w->dice << 13;
    w->dice ^= w->dice >> 7;
    w->dice ^= w->dice << 17;
    return (uint32_t)(w->dice >> 33) % below;
}

static int name_of(int node)
{
    return node == 2 ? 0 : node; /* the copy says that it is the first */
}

static int64_t boot_ns(const struct world *w, int node)
{
    return w->node[node].offset_ns + (int64_t)((double)w->now_ms * 1e6 * w->node[node].drift);
}

static void put(struct world *w, const struct message *message)
{
    struct message copy = *message;

    if (roll(w, 20) == 0)
        return; /* lost */
    copy.at_ms = w->now_ms + roll(w, roll(w, 30) == 0 ? 40000 : 300);
    if (w->wire_count < WIRE_MAX)
        w->wire[w->wire_count++] = copy;
    if (roll(w, 25) == 0 && w->wire_count < WIRE_MAX) { /* and again, much later */
        copy.at_ms = w->now_ms + roll(w, 30000);
        w->wire[w->wire_count++] = copy;
    }
}

static void start(struct world *w, int node, bool same_place)
{
    char boot[FLT_ULID_MAX];

    snprintf(boot, sizeof boot, "%d-%u", node, ++w->node[node].starts);
    lease_init(&w->node[node].lease, boot, LEASE_MARGIN_MS * INT64_C(1000000));
    w->node[node].claim = (struct lease_claim){ 0 };
    w->node[node].alive = true;
    w->node[node].k = 0;
    w->node[node].lease.incarnation = ++w->node[node].incarnation;
    w->node[node].look_passed = false;
    if (!same_place)
        snprintf(w->node[node].place, GRANT_PLACE_MAX, "p%d-%u", node, w->node[node].starts);
}

/* --- the venue ----------------------------------------------------------------------------------
 */

static void arrive(struct world *w, int node, int64_t signed_ms)
{
    const int epoch = w->node[node].epoch;
    const char *boot = w->node[node].lease.boot;

    if (w->now_ms > signed_ms + WINDOW_MS || signed_ms > w->now_ms + AHEAD_MS) {
        w->old_refused++;
        return;
    }
    if (epoch < w->newest)
        printf("# seed %llu: epoch %d of node %d after epoch %d, at %lld ms\n",
               (unsigned long long)w->seed, epoch, node, w->newest, (long long)w->now_ms);
    assert_true(epoch >= w->newest); /* the promise */
    w->newest = epoch;
    if (strcmp(w->trader, boot) != 0) { /* and of one epoch, one process after the other */
        for (size_t i = 0; i < w->before_count; i++)
            if (strcmp(w->before[i], boot) == 0)
                printf("# seed %llu: %s trades again after %s, at %lld ms\n",
                       (unsigned long long)w->seed, boot, w->trader, (long long)w->now_ms);
        for (size_t i = 0; i < w->before_count; i++)
            assert_string_not_equal(w->before[i], boot);
        if (w->trader_epoch == epoch && w->before_count < BEFORE_MAX)
            snprintf(w->before[w->before_count++], FLT_ULID_MAX, "%s", w->trader);
        if (w->trader_epoch != epoch)
            w->before_count = 0;
        snprintf(w->trader, sizeof w->trader, "%s", boot);
        w->trader_epoch = epoch;
    }
    w->taken++;
}

/* --- nodes
 * ---------------------------------------------------------------------------------------- */

/* A request as transport/rest.c makes it: the time to sign first, then the look at the lease. A
 * freeze may come between any two of the three steps. */
static void trade(struct world *w, int node)
{
    const int64_t wall_ms = w->now_ms + (int64_t)roll(w, 900); /* a clock that is ahead */

    if (w->node[node].look_passed) {
        arrive(w, node, w->node[node].signed_ms);
        w->node[node].look_passed = false;
        return;
    }
    if (w->node[node].epoch == 0)
        return;
    if (w->node[node].signed_ms == 0) {
        w->node[node].signed_ms = wall_ms;
        if (roll(w, 4) == 0)
            return; /* the next step comes later, maybe much later */
    }
    if (lease_right(&w->node[node].lease, &w->node[node].claim, boot_ns(w, node)) !=
        LEASE_NOTHING) {
        w->node[node].look_passed = true;
        if (roll(w, 2)) {
            arrive(w, node, w->node[node].signed_ms);
            w->node[node].look_passed = false;
        }
    }
    if (!w->node[node].look_passed)
        w->node[node].signed_ms = 0;
}

static void beat(struct world *w, int node)
{
    struct message message = { .up = true, .node = node };

    message.k = ++w->node[node].k;
    message.incarnation = w->node[node].lease.incarnation;
    snprintf(message.boot, sizeof message.boot, "%s", w->node[node].lease.boot);
    snprintf(message.place, sizeof message.place, "%s", w->node[node].place);
    lease_beat(&w->node[node].lease, message.k, boot_ns(w, node));
    w->node[node].beat_ms = w->now_ms;
    if (w->now_ms >= w->node[node].cut_until)
        put(w, &message);
}

static void take_grant(struct world *w, int node, const struct message *message)
{
    const struct lease_grant grant = { message->boot, message->incarnation, message->k,
                                       message->ttl_ms };
    const int64_t sent_ns = lease_answers(&w->node[node].lease, &grant);

    if (message->epoch > w->node[node].epoch) { /* its document came with it */
        w->node[node].epoch = message->epoch;
        w->node[node].claim = (struct lease_claim){ 0 };
        w->node[node].signed_ms = 0;
        w->node[node].look_passed = false;
    }
    if (sent_ns && message->epoch && message->epoch == w->node[node].epoch)
        lease_extend(&w->node[node].claim, sent_ns, message->ttl_ms);
}

/* --- the controller
 * ------------------------------------------------------------------------------- */

static void take_beat(struct world *w, const struct message *message)
{
    const int name = name_of(message->node);
    struct grant_process process = { .incarnation = message->incarnation, .k = message->k };
    struct message answer = *message;
    enum grant_answer given;

    snprintf(process.boot, sizeof process.boot, "%s", message->boot);
    snprintf(process.place, sizeof process.place, "%s", message->place);
    given = grant_ask(&w->ctl.grant[name], &w->ctl.policy, &process, w->now_ms);
    if (given == GRANT_NEW_HOLDER && grant_changes_place(&w->ctl.grant[name], &process) &&
        w->ctl.owner == name)
        w->ctl.epoch++;
    if (given == GRANT_NEW_HOLDER)
        grant_take(&w->ctl.grant[name], &process, w->now_ms);
    else if (given != GRANT_GIVEN)
        return;
    answer.up = false;
    answer.node = name;
    answer.ttl_ms = GRANT_TTL_MS;
    answer.epoch = w->ctl.owner == name ? w->ctl.epoch : 0;
    put(w, &answer);
}

static void control(struct world *w)
{
    const bool paused = w->now_ms - w->ctl.tick_ms > 2000;

    w->ctl.tick_ms = w->now_ms;
    if (paused)
        w->ctl.policy.attentive_ms = w->now_ms;
    if (!grant_may_take_over(&w->ctl.grant[w->ctl.owner], &w->ctl.policy, w->now_ms))
        return;
    const struct grant *other = &w->ctl.grant[!w->ctl.owner];

    if (other->heard_ms < 0 || w->now_ms - other->heard_ms > 3500)
        return; /* it goes only to a node that is up */
    w->ctl.owner = !w->ctl.owner;
    w->ctl.epoch++;
    w->moves++;
}

/* A new process: what is on disk is who holds, what is not is when the last grant was. */
static void restart_controller(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        w->ctl.grant[i].granted_ms = w->ctl.grant[i].heard_ms = w->ctl.grant[i].rival_ms = -1;
        w->ctl.grant[i].holder.k = 0;
        w->ctl.grant[i].rival = (struct grant_process){ 0 };
    }
    w->ctl.policy.foreign_until_ms = w->now_ms + w->ctl.policy.guard_ms;
    w->ctl.policy.attentive_ms = w->now_ms;
}

/* --- trouble
 * -------------------------------------------------------------------------------------- */

static void trouble(struct world *w)
{
    const int node = (int)roll(w, 2);
    const int64_t until = w->now_ms + 500 + roll(w, 45000);

    switch (roll(w, 7)) {
    case 0:
    case 1:
        w->node[node].cut_until = until;
        break;
    case 2:
        w->node[node].frozen_until = until;
        break;
    case 3: /* killed, and started again in its folder */
        start(w, node, true);
        break;
    case 4: /* its machine starts anew: nothing proves the old process dead */
        start(w, node, false);
        break;
    case 5:
        w->ctl.frozen_until = w->now_ms + roll(w, 30000);
        break;
    default:
        if (roll(w, 2))
            restart_controller(w);
        else if (!w->node[2].alive) { /* the first node's folder, copied, with what it holds */
            w->node[2].epoch = w->node[0].epoch;
            w->node[2].incarnation = w->node[0].incarnation + roll(w, 3);
            start(w, 2, false);
        }
    }
}

static void deliver(struct world *w)
{
    for (size_t i = 0; i < w->wire_count;) {
        const struct message message = w->wire[i];

        if (message.at_ms > w->now_ms ||
            (message.up && w->now_ms < w->ctl.frozen_until)) { /* waits in its socket */
            i++;
            continue;
        }
        w->wire[i] = w->wire[--w->wire_count];
        if (message.up)
            take_beat(w, &message);
        for (int node = 0; !message.up && node < NODES; node++)
            if (w->node[node].alive && name_of(node) == message.node &&
                w->now_ms >= w->node[node].cut_until && w->now_ms >= w->node[node].frozen_until)
                take_grant(w, node, &message);
    }
}

static void turn(struct world *w)
{
    w->now_ms += STEP_MS;
    deliver(w);
    if (w->now_ms >= w->ctl.frozen_until)
        control(w);
    for (int node = 0; node < NODES; node++) {
        if (!w->node[node].alive || w->now_ms < w->node[node].frozen_until)
            continue;
        if (w->now_ms - w->node[node].beat_ms >= 1000)
            beat(w, node);
        trade(w, node);
    }
    if (roll(w, 160) == 0)
        trouble(w);
}

static void run(uint64_t seed, struct world *w)
{
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->dice = seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    w->now_ms = 1000000;
    w->ctl.tick_ms = w->now_ms;
    w->ctl.policy.ttl_ms = GRANT_TTL_MS;
    w->ctl.policy.guard_ms = grant_guard_ms(GRANT_TTL_MS, GRANT_SLACK_MS);
    w->ctl.epoch = 1;
    for (int i = 0; i < 2; i++)
        grant_init(&w->ctl.grant[i]);
    w->ctl.policy.foreign_until_ms = w->ctl.policy.attentive_ms = w->now_ms;
    for (int node = 0; node < NODES; node++) {
        w->node[node].drift = 0.995 + 0.01 * roll(w, 1000) / 1000.0;
        w->node[node].offset_ns = (int64_t)roll(w, 1000000) * 1000000;
        start(w, node, false);
    }
    w->node[2].alive = false;
    while (w->now_ms < 1000000 + RUN_MS)
        turn(w);
}

static void no_request_of_an_old_epoch_is_taken_after_one_of_a_newer(void **ctx)
{
    const char *only = getenv("FLOTILLA_SEED");
    const uint64_t first = only ? strtoull(only, NULL, 10) : 1, last = only ? first : 1000;
    static struct world world;
    unsigned taken = 0, moves = 0, refused = 0;

    (void)ctx;
    for (uint64_t seed = first; seed <= last; seed++) {
        run(seed, &world);
        taken += world.taken;
        moves += world.moves;
        refused += world.old_refused;
    }
    printf("# seeds %llu: taken %u moves %u refused for their age %u\n",
           (unsigned long long)(last - first + 1), taken, moves, refused);
    assert_true(only || taken > 1000000); /* it trades, */
    assert_true(only || moves > 1000);    /* it moves, */
    assert_true(only || refused > 100);   /* and the venue's window is needed */
}

static void a_copy_is_told_so_and_the_holder_goes_on(void **ctx)
{
    const struct grant_policy policy = { .ttl_ms = 15000, .guard_ms = 17150 };
    struct grant_process holder = { "A", "place-a", 1, 1 }, copy = { "B", "place-b", 5, 1 };
    struct grant grant;

    (void)ctx;
    grant_init(&grant);
    assert_int_equal(grant_ask(&grant, &policy, &holder, 20000), GRANT_NEW_HOLDER);
    grant_take(&grant, &holder, 20000);
    assert_int_equal(grant_ask(&grant, &policy, &copy, 20500), GRANT_WAIT);
    for (int i = 2; i < 6; i++) {
        holder.k = i;
        assert_int_equal(grant_ask(&grant, &policy, &holder, 20000 + 1000 * i), GRANT_GIVEN);
    }
    copy.k = 2;
    assert_int_equal(grant_ask(&grant, &policy, &copy, 26000), GRANT_CLONED);
    holder.k = 5; /* answered before */
    assert_int_equal(grant_ask(&grant, &policy, &holder, 26500), GRANT_REPEATED);
}

static void a_new_process_in_the_same_place_waits_for_nothing(void **ctx)
{
    const struct grant_policy policy = { .ttl_ms = 15000, .guard_ms = 17150 };
    struct grant_process old = { "A", "place-a", 1, 900 }, next = { "B", "place-a", 2, 1 },
                         other = { "C", "place-c", 3, 1 };
    struct grant grant;

    (void)ctx;
    grant_init(&grant);
    grant_take(&grant, &old, 20000);
    assert_int_equal(grant_ask(&grant, &policy, &next, 20100), GRANT_NEW_HOLDER);
    grant_take(&grant, &next, 20100);
    assert_int_equal(grant_ask(&grant, &policy, &other, 30000), GRANT_WAIT);
    assert_int_equal(grant_ask(&grant, &policy, &other, 20100 + 17149), GRANT_WAIT);
    assert_int_equal(grant_ask(&grant, &policy, &other, 20100 + 17150), GRANT_NEW_HOLDER);
}

static void nothing_moves_within_the_guard_of_our_own_start(void **ctx)
{
    struct grant_policy policy = {
        .ttl_ms = 15000, .guard_ms = 17150, .foreign_until_ms = 67150, .attentive_ms = 50000
    };
    struct grant grant;

    (void)ctx;
    grant_init(&grant);
    assert_false(grant_may_take_over(&grant, &policy, 67149));
    assert_true(grant_may_take_over(&grant, &policy, 67150));
    policy.attentive_ms = 60000; /* it was deaf meanwhile */
    assert_true(grant_is_over(&grant, &policy, 67150));
    assert_false(grant_may_take_over(&grant, &policy, 77149));
    assert_true(grant_may_take_over(&grant, &policy, 77150));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_request_of_an_old_epoch_is_taken_after_one_of_a_newer),
        cmocka_unit_test(a_copy_is_told_so_and_the_holder_goes_on),
        cmocka_unit_test(a_new_process_in_the_same_place_waits_for_nothing),
        cmocka_unit_test(nothing_moves_within_the_guard_of_our_own_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
