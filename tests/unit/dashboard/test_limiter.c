#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include "dashboard/limiter.h"

static struct limiter *make(void)
{
    struct limiter *limiter = NULL;

    assert_int_equal(limiter_create(&limiter), 0);
    return limiter;
}

static void guessing_a_name_slows_down_to_a_minute(void **ctx)
{
    struct limiter *limiter = make();
    int64_t now = 1000, before = 0;

    (void)ctx;
    for (int i = 0; i < 3; i++)
        limiter_failed(limiter, "10.0.0.1", "ada", now);
    assert_int_equal(limiter_wait_ms(limiter, "10.0.0.1", "ada", now), 0);
    for (int i = 0; i < 10; i++) {
        limiter_failed(limiter, "10.0.0.1", "ada", now);
        const int64_t wait = limiter_wait_ms(limiter, "10.0.0.1", "ada", now);

        assert_true(wait >= before && wait > 0 && wait <= 60000);
        before = wait;
        now += wait;
        assert_int_equal(limiter_wait_ms(limiter, "10.0.0.1", "ada", now), 0);
    }
    assert_int_equal(before, 60000);
    assert_int_equal(limiter_wait_ms(limiter, "10.0.0.2", "ada", now - 1), 0); /* not for others */
    limiter_destroy(limiter);
}

static void a_good_login_forgives_its_name(void **ctx)
{
    struct limiter *limiter = make();

    (void)ctx;
    for (int i = 0; i < 6; i++)
        limiter_failed(limiter, "10.0.0.1", "ada", 1000);
    assert_true(limiter_wait_ms(limiter, "10.0.0.1", "ada", 1000) > 0);
    limiter_passed(limiter, "10.0.0.1", "ada");
    assert_int_equal(limiter_wait_ms(limiter, "10.0.0.1", "ada", 1000), 0);
    limiter_destroy(limiter);
}

static void spraying_names_slows_the_address_down(void **ctx)
{
    struct limiter *limiter = make();
    char name[16];

    (void)ctx;
    for (int i = 0; i < 25; i++) {
        snprintf(name, sizeof name, "user%d", i);
        limiter_failed(limiter, "10.0.0.1", name, 1000);
    }
    assert_true(limiter_wait_ms(limiter, "10.0.0.1", "never-tried", 1000) > 0);
    assert_int_equal(limiter_wait_ms(limiter, "10.0.0.2", "never-tried", 1000), 0);
    limiter_destroy(limiter);
}

/* A flood of other failures cannot wash away who is waiting. */
static void the_table_is_bounded_and_keeps_who_waits(void **ctx)
{
    struct limiter *limiter = make();
    char address[32];

    (void)ctx;
    for (int i = 0; i < 12; i++)
        limiter_failed(limiter, "10.0.0.1", "ada", 1000);
    for (int i = 0; i < 20000; i++) {
        snprintf(address, sizeof address, "10.%d.%d.1", i / 250, i % 250);
        limiter_failed(limiter, address, "x", 1001);
    }
    assert_true(limiter_wait_ms(limiter, "10.0.0.1", "ada", 1002) > 0);
    assert_int_equal(limiter_failures(limiter), 20012);
    limiter_destroy(limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guessing_a_name_slows_down_to_a_minute),
        cmocka_unit_test(a_good_login_forgives_its_name),
        cmocka_unit_test(spraying_names_slows_the_address_down),
        cmocka_unit_test(the_table_is_bounded_and_keeps_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
