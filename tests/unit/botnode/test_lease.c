/* The node's half of the lease: random schedules of heartbeats, grants and looks at the clock. */
#include "botnode/lease.h"
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)
#define MARGIN (LEASE_MARGIN_MS * MS)
#define BOOT "01JD8Z6M5K7Q4W2X9Y3B1C0DEF"

static int64_t answers(const struct lease *lease, const char *boot, int64_t incarnation, int64_t k)
{
    return lease_answers(lease, &(struct lease_grant){ boot, incarnation, k, LEASE_TTL_MS });
}

static void a_grant_counts_from_the_sending_of_its_heartbeat(void **ctx)
{
    struct lease lease;
    struct lease_claim claim = { 0 };

    (void)ctx;
    lease_init(&lease, BOOT, MARGIN);
    lease.incarnation = 3;
    lease_beat(&lease, 7, 1000 * MS);
    assert_int_equal(lease_right(&lease, &claim, 1000 * MS), LEASE_NOTHING);
    /* the answer is five seconds under way: the claim is no longer for it */
    lease_extend(&claim, answers(&lease, BOOT, 3, 7), LEASE_TTL_MS);
    assert_int_equal(lease_right(&lease, &claim, 6000 * MS), LEASE_ALL);
    assert_int_equal(lease_right(&lease, &claim, 1000 * MS + 7500 * MS), LEASE_EXITS);
    assert_int_equal(lease_right(&lease, &claim, 1000 * MS + 12000 * MS - 1), LEASE_EXITS);
    assert_int_equal(lease_right(&lease, &claim, 1000 * MS + 12000 * MS), LEASE_NOTHING);
    assert_int_equal(lease_deadline_ns(&lease, &claim), 13000 * MS);
}

static void what_does_not_echo_this_process_and_connection_grants_nothing(void **ctx)
{
    struct lease lease;

    (void)ctx;
    lease_init(&lease, BOOT, MARGIN);
    lease.incarnation = 3;
    lease_beat(&lease, 7, 1000 * MS);
    assert_int_equal(answers(&lease, "01JD8Z6M5K7Q4W2X9Y3B1C0DEG", 3, 7), 0);
    assert_int_equal(answers(&lease, BOOT, 2, 7), 0);
    assert_int_equal(answers(&lease, BOOT, 4, 7), 0);
    assert_int_equal(answers(&lease, BOOT, 3, 8), 0);
    assert_int_equal(answers(&lease, BOOT, 3, 0), 0);
    assert_int_equal(answers(&lease, BOOT, 3, -57), 0);
    assert_int_equal(answers(&lease, BOOT, 3, 7 + LEASE_BEATS), 0);
    assert_int_equal(lease_answers(&lease, &(struct lease_grant){ BOOT, 3, 7, 0 }), 0);
    assert_int_equal(answers(&lease, BOOT, 3, 7), 1000 * MS);
    lease_beat(&lease, 7 + LEASE_BEATS, 70000 * MS);
    assert_int_equal(answers(&lease, BOOT, 3, 7), 0); /* too long ago to be remembered */
}

static void a_late_or_shorter_grant_takes_nothing_away(void **ctx)
{
    struct lease lease;
    struct lease_claim claim = { 0 };

    (void)ctx;
    lease_init(&lease, BOOT, MARGIN);
    lease_extend(&claim, 5000 * MS, LEASE_TTL_MS);
    lease_extend(&claim, 4000 * MS, LEASE_TTL_MS);
    lease_extend(&claim, 6000 * MS, 1000);
    assert_int_equal(lease_deadline_ns(&lease, &claim), 17000 * MS);
}

/* Whatever comes in whatever order: a right is never wider than the newest grant allows, it only
 * falls between grants, and lease_next_ns() names the moment at which it falls. */
static void rights_follow_the_newest_grant_in_every_schedule(void **ctx)
{
    (void)ctx;
    for (unsigned seed = 1; seed <= 4000; seed++) {
        struct lease lease;
        struct lease_claim claim = { 0 };
        int64_t now = 1 + (int64_t)(seed * 977u % 5000u) * MS, k = 0, best_end = 0,
                sent[200] = { 0 };
        unsigned dice = seed;

        srand(seed);
        lease_init(&lease, BOOT, MARGIN);
        lease.incarnation = 1;
        for (int step = 0; step < 120; step++) {
            const enum lease_right before = lease_right(&lease, &claim, now);
            const int64_t next = lease_next_ns(&lease, &claim, now);

            if (next != INT64_MAX) {
                assert_int_equal(lease_right(&lease, &claim, next - 1), before);
                assert_true(lease_right(&lease, &claim, next) < before);
            }
            dice = (unsigned)rand();
            now += (int64_t)(dice % 2500) * MS / (dice % 7 == 0 ? 1 : 10);
            assert_true(lease_right(&lease, &claim, now) <= before);
            if (dice % 3 == 0) {
                lease_beat(&lease, ++k, now);
                sent[k] = now;
            } else if (dice % 3 == 1 && k > 0) {
                const int64_t old = 1 + (int64_t)((dice >> 8) % (unsigned)k);
                const int64_t at = answers(&lease, BOOT, 1 + (dice % 11 == 0), old);

                assert_true(at == 0 || at == sent[old]);
                if (at) {
                    lease_extend(&claim, at, LEASE_TTL_MS);
                    if (at + LEASE_TTL_MS * MS > best_end)
                        best_end = at + LEASE_TTL_MS * MS;
                }
            }
            if (now >= best_end - MARGIN)
                assert_int_equal(lease_right(&lease, &claim, now), LEASE_NOTHING);
            if (now >= best_end - LEASE_TTL_MS * MS / 2)
                assert_true(lease_right(&lease, &claim, now) <= LEASE_EXITS);
            else
                assert_int_equal(lease_right(&lease, &claim, now), LEASE_ALL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_counts_from_the_sending_of_its_heartbeat),
        cmocka_unit_test(what_does_not_echo_this_process_and_connection_grants_nothing),
        cmocka_unit_test(a_late_or_shorter_grant_takes_nothing_away),
        cmocka_unit_test(rights_follow_the_newest_grant_in_every_schedule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
