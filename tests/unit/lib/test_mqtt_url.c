#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "lib/log.h"
#include "lib/mqtt_url.h"

static void topics_match_as_the_standard_says(void **ctx)
{
    static const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {
        /* MQTT 5.0 sections 4.7.1.2 and 4.7.1.3, their examples */
        { "sport/tennis/player1/#", "sport/tennis/player1", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/ranking", true },
        { "sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true },
        { "sport/#", "sport", true },
        { "#", "a", true },
        { "#", "a/b/c", true },
        { "sport/tennis/+", "sport/tennis/player1", true },
        { "sport/tennis/+", "sport/tennis/player1/ranking", false },
        { "sport/+", "sport", false },
        { "sport/+", "sport/", true },
        { "+/+", "/finance", true },
        { "/+", "/finance", true },
        { "+", "/finance", false },
        /* 4.7.2: $SYS is not for wildcards at the start */
        { "#", "$SYS/x", false },
        { "+/monitor/Clients", "$SYS/monitor/Clients", false },
        { "$SYS/#", "$SYS/", true },
        { "$SYS/monitor/+", "$SYS/monitor/Clients", true },
        /* ours */
        { "flt/v1/main/n/+/b/+/state", "flt/v1/main/n/node-1/b/grid-1/state", true },
        { "flt/v1/main/n/+/b/+/state", "flt/v1/main/n/node-1/b/grid-1/order", false },
        { "flt/v1/main/c/node-1/#", "flt/v1/main/c/node-10/cmd", false },
        { "a/b", "a/b", true },
        { "a/b", "a/b/", false },
        { "a/b", "a", false },
        { "a/b", "a/bc", false },
        { "a/bc", "a/b", false },
        { "a/+/c", "a//c", true },
        { "", "", true },
        { "", "a", false },
        { "a/#", "ab", false },
    };

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(cases); i++)
        if (flt_topic_matches(cases[i].filter, cases[i].topic) != cases[i].matches)
            fail_msg("%s against %s is not %d", cases[i].filter, cases[i].topic, cases[i].matches);
}

static void urls_of_all_kinds_are_understood(void **ctx)
{
    struct mqtt_url url;

    (void)ctx;
    assert_int_equal(0, mqtt_url_parse("mqtt://broker.example", &url));
    assert_string_equal("broker.example", url.host);
    assert_int_equal(1883, url.port);
    assert_false(url.is_tls || url.is_unix);
    assert_int_equal(0, mqtt_url_parse("mqtts://10.0.0.7:8884/", &url));
    assert_string_equal("10.0.0.7", url.host);
    assert_int_equal(8884, url.port);
    assert_true(url.is_tls);
    assert_int_equal(0, mqtt_url_parse("mqtt://[::1]:1884", &url));
    assert_string_equal("::1", url.host);
    assert_int_equal(1884, url.port);
    assert_int_equal(0, mqtt_url_parse("unix:/run/flotilla/mosquitto.sock", &url));
    assert_string_equal("/run/flotilla/mosquitto.sock", url.host);
    assert_true(url.is_unix);
    assert_int_equal(0, url.port);
}

static void bad_urls_are_refused(void **ctx)
{
    static const char *const bad[] = {
        NULL,
        "",
        "localhost:1883",
        "http://x",
        "mqtt://",
        "mqtt://:1883",
        "mqtt://x:0",
        "mqtt://x:65536",
        "mqtt://x:18a",
        "mqtt://x:-1",
        "mqtt://x:",
        "mqtt://x/path",
        "mqtt://user:pass@x",
        "mqtt://[::1",
        "unix:",
        "unix:relative.sock",
        "unix:/"
        "a-path-that-is-longer-than-the-107-bytes-which-the-kernel-has-room-for-in-the-address-of-"
        "a-"
        "socket-in-the-file-system",
    };
    struct mqtt_url url;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        assert_int_equal(-EINVAL, mqtt_url_parse(bad[i], &url));
}

static void a_refusal_is_told_from_a_broker_in_trouble(void **ctx)
{
    (void)ctx;
    assert_true(mqtt_connack_is_refusal(FLT_MQTT_311, 5));
    assert_false(mqtt_connack_is_refusal(FLT_MQTT_311, 3));
    assert_true(mqtt_connack_is_refusal(FLT_MQTT_5, 0x87));
    assert_false(mqtt_connack_is_refusal(FLT_MQTT_5, 0x89));
    assert_string_equal(mqtt_connack_text(FLT_MQTT_311, 5), mqtt_connack_text(FLT_MQTT_5, 0x87));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(topics_match_as_the_standard_says),
        cmocka_unit_test(urls_of_all_kinds_are_understood),
        cmocka_unit_test(bad_urls_are_refused),
        cmocka_unit_test(a_refusal_is_told_from_a_broker_in_trouble),
    };

    flt_log_set_level(FLT_LOG_OFF);
    return cmocka_run_group_tests_name("mqtt_url", tests, NULL, NULL);
}
