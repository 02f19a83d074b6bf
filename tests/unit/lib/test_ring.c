#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "lib/ring.h"

static bool push(struct flt_ring *ring, const void *data, size_t size)
{
    return flt_ring_push(ring, &(struct flt_ring_part){ data, size }, 1);
}

static int open_ring(void **ctx)
{
    struct flt_ring *ring = NULL;
    const int err = flt_ring_create(1, &ring); /* 4096 bytes */

    *ctx = ring;
    return err;
}

static int close_ring(void **ctx)
{
    flt_ring_destroy(*ctx);
    return 0;
}

static void records_come_out_in_order_and_whole(void **ctx)
{
    struct flt_ring *ring = *ctx;
    const struct flt_ring_part parts[] = { { "abc", 3 }, { "", 0 }, { "defgh", 5 } };
    size_t size = 99;

    assert_null(flt_ring_peek(ring, &size));
    assert_true(flt_ring_push(ring, parts, 3));
    assert_true(flt_ring_push(ring, NULL, 0));
    assert_true(push(ring, "z", 1));
    const void *record = flt_ring_peek(ring, &size);
    assert_int_equal(size, 8);
    assert_memory_equal(record, "abcdefgh", 8);
    assert_int_equal((uintptr_t)record % 8, 0);
    flt_ring_pop(ring);
    assert_non_null(flt_ring_peek(ring, &size));
    assert_int_equal(size, 0);
    flt_ring_pop(ring);
    record = flt_ring_peek(ring, &size);
    assert_memory_equal(record, "z", 1);
    flt_ring_pop(ring);
    assert_null(flt_ring_peek(ring, &size));
    flt_ring_pop(ring); /* of an empty ring: nothing happens */
    assert_int_equal(flt_ring_used(ring), 0);
}

static void a_full_ring_refuses_and_counts(void **ctx)
{
    struct flt_ring *ring = *ctx;
    char record[1000] = { 0 };
    size_t size, taken = 0;

    while (push(ring, record, sizeof record))
        taken++;
    assert_int_equal(taken, 4);
    assert_int_equal(flt_ring_dropped(ring), 1);
    assert_int_equal(flt_ring_used(ring), 4 * 1008);
    assert_non_null(flt_ring_peek(ring, &size));
    flt_ring_pop(ring);
    assert_true(push(ring, record, sizeof record)); /* over the end, behind a skip */
    assert_int_equal(flt_ring_dropped(ring), 1);
}

static void a_record_over_half_the_ring_is_refused_always(void **ctx)
{
    struct flt_ring *ring = *ctx;
    static const char record[2048];
    size_t size;

    assert_false(push(ring, record, 2041));
    for (int i = 0; i < 10; i++) { /* whatever the position */
        assert_true(push(ring, record, 2040));
        assert_non_null(flt_ring_peek(ring, &size));
        assert_int_equal(size, 2040);
        flt_ring_pop(ring);
        assert_true(push(ring, record, 8));
        flt_ring_pop(ring);
    }
}

static void every_size_survives_the_wrap(void **ctx)
{
    struct flt_ring *ring = *ctx;
    unsigned char record[700];

    for (unsigned i = 0; i < 20000; i++) {
        const size_t length = i * 31 % sizeof record;
        size_t size = 0;

        memset(record, (int)(i & 0xff), sizeof record);
        assert_true(push(ring, record, length));
        const unsigned char *const back = flt_ring_peek(ring, &size);
        assert_int_equal(size, length);
        assert_memory_equal(back, record, length);
        flt_ring_pop(ring);
    }
}

#define RECORDS 200000u

static void *produce(void *arg)
{
    struct flt_ring *ring = arg;
    uint32_t record[16];

    for (uint32_t i = 0; i < RECORDS;) {
        for (size_t k = 0; k < 16; k++)
            record[k] = i;
        if (push(ring, record, 4 * (1 + i % 16)))
            i++;
        else
            sched_yield();
    }
    return NULL;
}

static void two_threads_lose_and_tear_nothing(void **ctx)
{
    struct flt_ring *ring = *ctx;
    pthread_t producer;
    uint32_t expected = 0, wrong = 0;

    assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
    while (expected < RECORDS) {
        size_t size = 0;
        const uint32_t *const record = flt_ring_peek(ring, &size);

        if (!record) {
            sched_yield();
            continue;
        }
        wrong += size != 4 * (1 + expected % 16);
        for (size_t k = 0; k < size / 4; k++)
            wrong += record[k] != expected;
        flt_ring_pop(ring);
        expected++;
    }
    assert_int_equal(pthread_join(producer, NULL), 0);
    assert_int_equal(wrong, 0);
    assert_int_equal(flt_ring_used(ring), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_out_in_order_and_whole, open_ring, close_ring),
        cmocka_unit_test_setup_teardown(a_full_ring_refuses_and_counts, open_ring, close_ring),
        cmocka_unit_test_setup_teardown(a_record_over_half_the_ring_is_refused_always, open_ring,
                                        close_ring),
        cmocka_unit_test_setup_teardown(every_size_survives_the_wrap, open_ring, close_ring),
        cmocka_unit_test_setup_teardown(two_threads_lose_and_tear_nothing, open_ring, close_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
