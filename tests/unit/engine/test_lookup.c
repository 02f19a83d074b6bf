/* The table of rows by hash, against a list that is searched from end to end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "engine/lookup.h"

#define ROWS 48

static bool has(const struct lookup *lookup, uint32_t hash, uint32_t row)
{
    uint32_t at = hash, found;

    while ((found = lookup_next(lookup, hash, &at)) != LOOKUP_NONE)
        if (found == row)
            return true;
    return false;
}

static void a_row_is_found_until_it_is_removed(void **ctx)
{
    struct lookup lookup;

    (void)ctx;
    assert_int_equal(lookup_init(&lookup, ROWS), 0);
    assert_false(has(&lookup, 7, 1));
    lookup_put(&lookup, 7, 1);
    lookup_put(&lookup, 7, 2);
    lookup_remove(&lookup, 7, 1);
    lookup_remove(&lookup, 7, 1); /* again: nothing */
    assert_false(has(&lookup, 7, 1));
    assert_true(has(&lookup, 7, 2));
    lookup_finish(&lookup);
}

/* Hashes of a small range, some at the table's end, so that runs collide and wrap around. */
static void rows_come_and_go_in_any_order(void **ctx)
{
    struct lookup lookup;
    uint32_t hashes[ROWS] = { 0 };
    bool there[ROWS] = { false };

    (void)ctx;
    srand(20261121);
    assert_int_equal(lookup_init(&lookup, ROWS), 0);
    for (int round = 0; round < 20000; round++) {
        const uint32_t row = (uint32_t)rand() % ROWS;

        if (there[row]) {
            lookup_remove(&lookup, hashes[row], row);
        } else {
            hashes[row] = UINT32_MAX - 10 + (uint32_t)rand() % 24;
            lookup_put(&lookup, hashes[row], row);
        }
        there[row] = !there[row];
        for (uint32_t i = 0; i < ROWS; i++)
            if (has(&lookup, hashes[i], i) != there[i])
                fail_msg("round %d, row %u", round, i);
    }
    lookup_finish(&lookup);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_found_until_it_is_removed),
        cmocka_unit_test(rows_come_and_go_in_any_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
