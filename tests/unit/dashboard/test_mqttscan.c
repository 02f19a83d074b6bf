#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include "dashboard/mqttscan.h"

/* MQTT 5 with properties and a will, user "bob"; then PINGREQ. */
static const uint8_t five[] = { 0x10, 0x2b, 0,   4, 'M', 'Q', 'T', 'T', 5,   0xc6, 0, 60,
                                5,    0x11, 0,   0, 0,   9,   0,   1,   'a', 0,    0, 3,
                                'w',  '/',  't', 0, 4,   'g', 'o', 'n', 'e', 0,    3, 'b',
                                'o',  'b',  0,   5, 's', 'e', 'c', 'r', 't', 0xc0, 0 };

static void who_signs_in_is_read_in_any_pieces(void **ctx)
{
    char name[64];

    (void)ctx;
    for (size_t piece = 1; piece <= sizeof five; piece++) {
        struct mqttscan scan = { 0 };
        size_t at = 0, used;
        int seen[8] = { 0 }, count = 0;

        while (at < sizeof five) {
            const size_t size = sizeof five - at < piece ? sizeof five - at : piece;
            const int type = mqttscan_next(&scan, five + at, size, &used);

            assert_true(type >= 0);
            at += used;
            if (type == MQTT_CONNECT) {
                assert_true(mqttscan_user(&scan, name, sizeof name));
                assert_string_equal(name, "bob");
            }
            if (type)
                seen[count++] = type;
        }
        assert_int_equal(count, 2);
        assert_int_equal(seen[0], MQTT_CONNECT);
        assert_int_equal(seen[1], MQTT_PINGREQ);
    }
}

static void the_answer_of_the_broker_is_read(void **ctx)
{
    static const uint8_t refused[] = { 0x20, 3, 0, 0x87, 0 }, fine[] = { 0x20, 2, 0, 0 };
    struct mqttscan scan = { 0 };
    size_t used;

    (void)ctx;
    assert_int_equal(mqttscan_next(&scan, refused, sizeof refused, &used), MQTT_CONNACK);
    assert_int_equal(mqttscan_connack(&scan), 0x87);
    assert_int_equal(mqttscan_next(&scan, fine, sizeof fine, &used), MQTT_CONNACK);
    assert_int_equal(mqttscan_connack(&scan), 0);
}

static void what_is_no_mqtt_is_bad_and_stays_bad(void **ctx)
{
    static const uint8_t endless[] = { 0x30, 0x80, 0x80, 0x80, 0x80, 1 };
    struct mqttscan scan = { 0 };
    size_t used;

    (void)ctx;
    assert_int_equal(mqttscan_next(&scan, (const uint8_t *)"\0x", 2, &used), -1);
    assert_int_equal(mqttscan_next(&scan, five, sizeof five, &used), -1);
    scan = (struct mqttscan){ 0 };
    assert_int_equal(mqttscan_next(&scan, endless, sizeof endless, &used), -1);
}

static void a_connect_that_lies_about_lengths_has_no_user(void **ctx)
{
    uint8_t lies[sizeof five];
    struct mqttscan scan = { 0 };
    char name[64];
    size_t used;

    (void)ctx;
    memcpy(lies, five, sizeof lies);
    lies[33] = 0xff; /* the user name would be 65 kB */
    assert_int_equal(mqttscan_next(&scan, lies, sizeof lies, &used), MQTT_CONNECT);
    assert_false(mqttscan_user(&scan, name, sizeof name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_signs_in_is_read_in_any_pieces),
        cmocka_unit_test(the_answer_of_the_broker_is_read),
        cmocka_unit_test(what_is_no_mqtt_is_bad_and_stays_bad),
        cmocka_unit_test(a_connect_that_lies_about_lengths_has_no_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
