#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "controller/books.h"
#include "lib/log.h"

static struct msg_ev_fill fill_of(enum side side, const char *price, const char *qty,
                                  const char *fee, const char *asset)
{
    struct msg_ev_fill fill = { .fill = { .side = side } };

    fill.fill.price = flt_dec_parse(price);
    fill.fill.qty = flt_dec_parse(qty);
    fill.fill.fee = flt_amt_parse(fee);
    snprintf(fill.fill.fee_asset, sizeof fill.fill.fee_asset, "%s", asset);
    return fill;
}

static void says(struct flt_amt amount, const char *text)
{
    char out[FLT_AMT_TEXT_MAX];

    assert_string_equal(flt_amt_format(amount, out), text);
}

static const struct book_key key = { "grid-1", "binance", "demo", "BTC-USDT", MSG_MODE_LIVE };

static void fees_leave_cash_position_or_only_their_own_row(void **ctx)
{
    struct books books = { 0 };
    struct book *book = books_get(&books, &key);
    struct msg_ev_fill fill = fill_of(SIDE_BUY, "100", "2", "0.2", "USDT");

    (void)ctx;
    assert_int_equal(book_apply(book, &fill, 1), 0);
    fill = fill_of(SIDE_BUY, "100", "1", "0.001", "BTC");
    assert_int_equal(book_apply(book, &fill, 1), 0);
    fill = fill_of(SIDE_SELL, "110", "1", "0.01", "BNB");
    assert_int_equal(book_apply(book, &fill, 1), 0);
    says(book->position, "1.999");
    says(book->cash, "-190.2");
    says(book->volume, "410");
    assert_int_equal(book->fills, 3);
    books_finish(&books);
}

static void profit_is_cash_and_the_cost_the_node_says(void **ctx)
{
    struct books books = { 0 };
    struct book *book = books_get(&books, &key);
    struct msg_ev_fill fill = fill_of(SIDE_BUY, "100", "2", "0", "USDT");

    (void)ctx;
    fill.book.position = flt_amt_from_int(2);
    fill.book.cash = flt_amt_from_int(-200);
    fill.book.cost = flt_amt_from_int(200);
    assert_int_equal(book_apply(book, &fill, 1), 0);
    assert_false(book->differs);
    says(book_realised(book), "0");
    says(book_unrealised(book, flt_dec_parse("105")), "10");
    says(book_unrealised(book, FLT_DEC_ZERO), "0"); /* no price known */
    books_finish(&books);
}

static void other_sums_than_the_nodes_are_seen(void **ctx)
{
    struct books books = { 0 };
    struct book *book = books_get(&books, &key);
    struct msg_ev_fill fill = fill_of(SIDE_BUY, "100", "2", "0", "USDT");

    (void)ctx;
    fill.book.position = flt_amt_from_int(3);
    fill.book.cash = flt_amt_from_int(-200);
    assert_int_equal(book_apply(book, &fill, 1), 0);
    assert_true(book->differs);
    books_finish(&books);
}

static struct msg_ev_fill with_book(struct msg_ev_fill fill, int64_t position, int64_t cash,
                                    int64_t cost)
{
    fill.book.position = flt_amt_from_int(position);
    fill.book.cash = flt_amt_from_int(cash);
    fill.book.cost = flt_amt_from_int(cost);
    return fill;
}

static void a_new_bot_of_a_removed_ones_name_is_compared_with_its_own_sums(void **ctx)
{
    struct books books = { 0 };
    struct book *book = books_get(&books, &key);
    struct msg_ev_fill fill = with_book(fill_of(SIDE_BUY, "100", "3", "0", "USDT"), 3, -300, 300);

    (void)ctx;
    assert_int_equal(book_apply(book, &fill, 4), 0);
    assert_false(book->differs);
    books_begin(&books, key.bot, 5); /* removed by force, 3 are left */
    assert_true(book->dirty);
    fill = with_book(fill_of(SIDE_BUY, "110", "1", "0", "USDT"), 1, -110, 110);
    assert_int_equal(book_apply(book, &fill, 5), 0);
    assert_false(book->differs);
    says(book->position, "4");
    says(book_realised(book), "0");
    says(book_unrealised(book, flt_dec_parse("120")), "70"); /* 3 * 20 + 10 */

    /* The removed one's last sale comes late: its own sums go on, the new one's are as they were.
     */
    fill = with_book(fill_of(SIDE_SELL, "120", "2", "0", "USDT"), 1, -60, 100);
    assert_int_equal(book_apply(book, &fill, 4), 0);
    assert_false(book->differs);
    says(book->position, "2");
    says(book_realised(book), "40");
    fill = with_book(fill_of(SIDE_SELL, "120", "1", "0", "USDT"), 0, 10, 0);
    assert_int_equal(book_apply(book, &fill, 5), 0);
    assert_false(book->differs);
    says(book_realised(book), "50");

    fill = with_book(fill_of(SIDE_BUY, "100", "1", "0", "USDT"), 2, -90, 100);
    assert_int_equal(book_apply(book, &fill, 6), 0); /* another owner, but one position too many */
    assert_true(book->differs);
    books_finish(&books);
}

static void a_number_that_does_not_fit_books_nothing(void **ctx)
{
    struct books books = { 0 };
    struct book *book = books_get(&books, &key);
    struct msg_ev_fill fill = fill_of(SIDE_BUY, "100", "1", "0", "USDT");

    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    fill.fill.price = (struct flt_dec){ INT64_MAX, 0 };
    fill.fill.qty = (struct flt_dec){ INT64_MAX, 0 };
    assert_int_equal(book_apply(book, &fill, 1), -ERANGE);
    assert_int_equal(book->fills, 0);
    says(book->position, "0");
    books_finish(&books);
}

static void books_are_found_by_their_whole_key(void **ctx)
{
    struct books books = { 0 };
    size_t first;

    (void)ctx;
    for (int i = 0; i < 200; i++) {
        char bot[16];

        snprintf(bot, sizeof bot, "bot-%d", i * 7 % 200);
        assert_non_null(
            books_get(&books, &(struct book_key){ bot, "v", "a", "BTC-USDT", MSG_MODE_LIVE }));
    }
    assert_non_null(
        books_get(&books, &(struct book_key){ "bot-7", "v", "a", "ETH-USDT", MSG_MODE_LIVE }));
    assert_non_null(
        books_get(&books, &(struct book_key){ "bot-7", "v", "a", "ETH-USDT", MSG_MODE_PAPER }));
    assert_int_equal(books.count, 202);
    assert_int_equal(books_of_bot(&books, "bot-7", &first), 3);
    assert_int_equal(books_of_bot(&books, "bot", &first), 0);
    assert_null(books_find(&books, &key));
    books_finish(&books);
}

static void fees_survive_their_text(void **ctx)
{
    struct book book = { .fee_count = 2,
                         .fees = { { "USDT", flt_amt_parse("1.5") },
                                   { "BNB", flt_amt_parse("0.01") } } };
    struct book again = { 0 };
    struct json_object *tree = book_fees_tree(&book);

    (void)ctx;
    assert_int_equal(book_fees_read(&again, json_object_to_json_string(tree)), 0);
    assert_int_equal(again.fee_count, 2);
    says(again.fees[1].sum, "0.01");
    assert_int_equal(book_fees_read(&again, "[]"), -EBADMSG);
    assert_int_equal(book_fees_read(&again, "{\"X\":\"one\"}"), -EBADMSG);
    json_object_put(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fees_leave_cash_position_or_only_their_own_row),
        cmocka_unit_test(profit_is_cash_and_the_cost_the_node_says),
        cmocka_unit_test(other_sums_than_the_nodes_are_seen),
        cmocka_unit_test(a_new_bot_of_a_removed_ones_name_is_compared_with_its_own_sums),
        cmocka_unit_test(a_number_that_does_not_fit_books_nothing),
        cmocka_unit_test(books_are_found_by_their_whole_key),
        cmocka_unit_test(fees_survive_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
