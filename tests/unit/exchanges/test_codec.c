#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include "exchanges/codec.h"

static void names_of_operations_and_errors_go_both_ways(void **ctx)
{
    enum exchange_error error;
    enum op op;

    (void)ctx;
    for (int i = 0; i < OP_COUNT; i++)
        assert_true(op_parse(op_name((enum op)i), &op) && (int)op == i);
    assert_false(op_parse("buy", &op));
    for (int i = 0; i < EXCHANGE_ERROR_COUNT; i++)
        assert_true(exchange_error_parse(exchange_error_name((enum exchange_error)i), &error) &&
                    (int)error == i);
    assert_string_equal(exchange_error_name(EXCHANGE_VENUE_BUSY), "EXCHANGE_BUSY");
}

static void cancels_go_first_and_data_last(void **ctx)
{
    const struct op_args none = { 0 }, closing = { .reduce_only = true };

    (void)ctx;
    assert_int_equal(op_priority(OP_CANCEL, &none), PRIORITY_CANCEL);
    assert_int_equal(op_priority(OP_CANCEL_ALL, &none), PRIORITY_CANCEL);
    assert_int_equal(op_priority(OP_PLACE_ORDER, &closing), PRIORITY_CLOSE);
    assert_int_equal(op_priority(OP_PLACE_ORDER, &none), PRIORITY_ENTRY);
    assert_int_equal(op_priority(OP_KLINES, &none), PRIORITY_DATA);
}

/* Of 1,000 new bots 300 stayed in `recovering` for minutes: the first ones' entries took 85 % of
 * the weight, and the others' lists were data, which ends at 60 %. */
static void what_a_bot_must_know_goes_before_entries_of_others(void **ctx)
{
    const struct instrument instrument = { .name = "BTC-USDT" };
    const struct op_args one = { .instrument = &instrument }, whole = { 0 };

    (void)ctx;
    assert_true(op_priority(OP_OPEN_ORDERS, &one) < op_priority(OP_PLACE_ORDER, &one));
    assert_true(op_priority(OP_MY_TRADES, &one) < op_priority(OP_PLACE_ORDER, &one));
    assert_true(op_priority(OP_OPEN_ORDERS, &one) > PRIORITY_CLOSE);
    assert_int_equal(op_priority(OP_OPEN_ORDERS, &whole), PRIORITY_DATA); /* 80 of weight */
}

static void only_reading_may_be_repeated(void **ctx)
{
    (void)ctx;
    assert_true(op_mutates(OP_PLACE_ORDER) && op_mutates(OP_CANCEL) && op_mutates(OP_AMEND_ORDER));
    assert_false(op_mutates(OP_QUERY_ORDER) || op_mutates(OP_OPEN_ORDERS) || op_mutates(OP_KLINES));
    assert_true(op_is_private(OP_QUERY_ORDER) && !op_is_private(OP_DEPTH));
}

static void a_grid_begins_at_its_lowest_value(void **ctx)
{
    const struct instrument odd = { .name = "ODD-USDT",
                                    .tick = { 5, 1 },
                                    .lot = { 1, 0 },
                                    .price_min = { 3, 1 },
                                    .qty_min = { 2, 0 },
                                    .qty_max = { 9, 0 } };
    struct op_args args = { .instrument = &odd, .type = ORDER_LIMIT };
    struct flt_error error = { 0 };

    (void)ctx;
    args.qty = flt_dec_parse("2.000");
    args.price = flt_dec_parse("1.3");
    assert_int_equal(op_check_order(&args, &error), 0);
    args.price = flt_dec_parse("1.5");
    assert_true(op_check_order(&args, &error) < 0);
    assert_string_equal(error.field, "price");
    error = (struct flt_error){ 0 };
    args.price = flt_dec_parse("1.3");
    args.qty = flt_dec_parse("10");
    assert_true(op_check_order(&args, &error) < 0);
    assert_string_equal(error.field, "qty");
    args.qty = FLT_DEC_BAD;
    assert_true(op_check_order(&args, NULL) < 0);
}

struct seen {
    enum stream_kind kinds[8];
    size_t count;
    struct stream_event last;
};

static void keep(void *ctx, const struct stream_event *event)
{
    struct seen *seen = ctx;

    assert_true(seen->count < FLT_COUNT(seen->kinds));
    seen->kinds[seen->count++] = event->kind;
    seen->last = *event;
}

static struct seen frame(const char *text, struct stream_scratch *scratch)
{
    struct seen seen = { 0 };

    codec_find("binance")->frame(NULL, text, strlen(text), scratch, keep, &seen);
    return seen;
}

/* Shapes that the recorded frames do not have. */
static void books_and_answers_of_streams_are_read(void **ctx)
{
    struct stream_scratch scratch = { 0 };
    struct seen seen =
        frame("{\"stream\":\"btcusdt@depth5\",\"data\":{\"lastUpdateId\":160,\"bids\":"
              "[[\"1.5\",\"2\"],[\"1.4\",3]],\"asks\":[]}}",
              &scratch);

    (void)ctx;
    assert_int_equal(seen.kinds[0], STREAM_BOOK);
    assert_int_equal(seen.last.book.bid_count, 2);
    assert_int_equal(seen.last.symbol_size, 7);
    seen = frame("{\"e\":\"depthUpdate\",\"E\":9,\"s\":\"BTCUSDT\",\"U\":157,\"u\":160,\"b\":[["
                 "\"1\",\"0\"]],"
                 "\"a\":[]}",
                 &scratch);
    assert_int_equal(seen.kinds[0], STREAM_BOOK_DELTA);
    assert_int_equal(seen.last.book.first_sequence, 157);
    seen = frame("{\"id\":\"u1\",\"status\":400,\"error\":{\"code\":-2035,\"msg\":\"twice\"}}",
                 &scratch);
    assert_int_equal(seen.kinds[0], STREAM_ERROR);
    assert_int_equal(seen.last.failure.error, EXCHANGE_NOT_MODIFIED);
    seen = frame("{\"subscriptionId\":0,\"event\":{\"e\":\"eventStreamTerminated\",\"E\":1}}",
                 &scratch);
    assert_int_equal(seen.kinds[0], STREAM_END);
    seen = frame("{\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"x\",\"q\":\"1\"}", &scratch);
    assert_int_equal(seen.kinds[0], STREAM_UNKNOWN);
    seen = frame("[1,2]", &scratch);
    assert_int_equal(seen.kinds[0], STREAM_UNKNOWN);
    seen = frame(
        "{\"stream\":\"!miniTicker@arr\",\"data\":[{\"e\":\"24hrMiniTicker\",\"s\":\"A\",\"c\":1},"
        "{\"e\":\"24hrMiniTicker\",\"s\":\"B\",\"c\":\"2\"}]}",
        &scratch);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.kinds[1], STREAM_TICKER);
    stream_scratch_finish(&scratch);
}

static enum exchange_error class_of(enum op op, int status, const char *body, int64_t *retry_ms)
{
    const struct codec_reply reply = {
        .http_status = status, .body = body, .size = strlen(body), .now_ms = 1700000000000
    };
    struct result result = { 0 };

    codec_find("binance")->parse(NULL, op, NULL, &reply, &result);
    const enum exchange_error error = result.failure.error;

    *retry_ms = result.failure.retry_after_ms;
    result_finish(&result);
    return error;
}

static void a_ban_ends_when_its_message_says_so(void **ctx)
{
    int64_t retry_ms = 0;

    (void)ctx;
    assert_int_equal(class_of(OP_KLINES, 418,
                              "{\"code\":-1003,\"msg\":\"IP banned until 1700000120000.\"}",
                              &retry_ms),
                     EXCHANGE_IP_BANNED);
    assert_int_equal(retry_ms, 120000);
}

static void a_half_done_replacement_says_its_cause(void **ctx)
{
    int64_t retry_ms = 0;

    (void)ctx;
    assert_int_equal(
        class_of(
            OP_AMEND_ORDER, 409,
            "{\"code\":-2021,\"msg\":\"Order cancel-replace partially failed.\",\"data\":{"
            "\"cancelResult\":\"SUCCESS\",\"newOrderResult\":\"FAILURE\",\"cancelResponse\":{},"
            "\"newOrderResponse\":{\"code\":-2010,\"msg\":\"Account has insufficient balance for "
            "requested action.\"}}}",
            &retry_ms),
        EXCHANGE_INSUFFICIENT_FUNDS);
    assert_int_equal(class_of(OP_PLACE_ORDER, 502, "<html>", &retry_ms), EXCHANGE_UNKNOWN_OUTCOME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_operations_and_errors_go_both_ways),
        cmocka_unit_test(cancels_go_first_and_data_last),
        cmocka_unit_test(what_a_bot_must_know_goes_before_entries_of_others),
        cmocka_unit_test(only_reading_may_be_repeated),
        cmocka_unit_test(a_grid_begins_at_its_lowest_value),
        cmocka_unit_test(books_and_answers_of_streams_are_read),
        cmocka_unit_test(a_ban_ends_when_its_message_says_so),
        cmocka_unit_test(a_half_done_replacement_says_its_cause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
