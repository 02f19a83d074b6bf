#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "exchanges/instruments.h"

static struct instrument make(int number)
{
    struct instrument made = { .tick = { 1, 2 }, .lot = { 1, 5 } };

    snprintf(made.name, sizeof made.name, "A%d-USDT", number);
    snprintf(made.venue_symbol, sizeof made.venue_symbol, "A%dUSDT", number);
    return made;
}

static void each_is_found_by_name_and_symbol(void **ctx)
{
    enum { COUNT = 3000 };
    static struct instrument list[COUNT];
    struct instruments table;

    (void)ctx;
    instruments_init(&table);
    for (int i = 0; i < COUNT; i++)
        list[i] = make(i);
    assert_int_equal(instruments_load(&table, list, COUNT), 0);
    for (int i = 0; i < COUNT; i++) {
        const struct instrument *found = instruments_find(&table, list[i].name);

        assert_non_null(found);
        assert_ptr_equal(found, instruments_by_symbol(&table, list[i].venue_symbol,
                                                      strlen(list[i].venue_symbol)));
    }
    assert_null(instruments_find(&table, "A1-USD"));
    assert_null(instruments_by_symbol(&table, "A1USDTX", 7));
    assert_null(instruments_by_symbol(&table, "A1USDT", 5));
    assert_null(instruments_by_symbol(&table, "", 0));
    instruments_finish(&table);
}

static void a_reload_keeps_addresses_and_marks_what_is_gone(void **ctx)
{
    struct instrument first[] = { make(1), make(2) }, second[] = { make(3), make(2) };
    struct instruments table;

    (void)ctx;
    instruments_init(&table);
    assert_int_equal(instruments_load(&table, first, 2), 0);
    const struct instrument *one = instruments_find(&table, "A1-USDT");
    const struct instrument *two = instruments_find(&table, "A2-USDT");

    second[1].tick = flt_dec_parse("0.5");
    assert_int_equal(instruments_load(&table, second, 2), 0);
    assert_ptr_equal(instruments_find(&table, "A2-USDT"), two);
    assert_int_equal(flt_dec_cmp(two->tick, flt_dec_parse("0.5")), 0);
    assert_int_equal(one->status, INSTRUMENT_DELISTED);
    assert_int_equal(two->status, INSTRUMENT_TRADING);
    assert_int_equal(table.count, 3);
    instruments_finish(&table);
}

static void an_empty_table_finds_nothing(void **ctx)
{
    struct instruments table;

    (void)ctx;
    instruments_init(&table);
    assert_null(instruments_find(&table, "A1-USDT"));
    assert_null(instruments_by_symbol(&table, "A1USDT", 6));
    assert_null(instruments_by_symbol(NULL, "A1USDT", 6));
    instruments_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_found_by_name_and_symbol),
        cmocka_unit_test(a_reload_keeps_addresses_and_marks_what_is_gone),
        cmocka_unit_test(an_empty_table_finds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
