#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <string.h>
#include "dashboard/settings.h"

static void an_address_is_taken_apart(void **ctx)
{
    char host[48];
    int port;

    (void)ctx;
    assert_int_equal(settings_parse_address("127.0.0.1:8088", host, sizeof host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
    assert_int_equal(port, 8088);
    assert_int_equal(settings_parse_address("[::1]:0", host, sizeof host, &port), 0);
    assert_string_equal(host, "::1");
    assert_int_equal(settings_parse_address("localhost:1", host, sizeof host, &port), 0);
    assert_string_equal(host, "127.0.0.1");
}

static void what_is_no_address_is_refused(void **ctx)
{
    static const char *const bad[] = { "",
                                       ":8088",
                                       "127.0.0.1",
                                       "127.0.0.1:",
                                       "::1:80",
                                       "127.0.0.1:65536",
                                       "host.example:80",
                                       "1.2.3:80",
                                       "127.0.0.1:+1",
                                       "127.0.0.1:8x",
                                       "[127.0.0.1]:80",
                                       "[::1:80",
                                       "127.0.0.1:99999999999999999999" };
    char host[48];
    int port;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bad); i++)
        assert_int_not_equal(settings_parse_address(bad[i], host, sizeof host, &port), 0);
}

static void only_this_machine_is_loopback(void **ctx)
{
    (void)ctx;
    assert_true(settings_is_loopback("127.0.0.1"));
    assert_true(settings_is_loopback("127.8.8.8"));
    assert_true(settings_is_loopback("::1"));
    assert_false(settings_is_loopback("0.0.0.0"));
    assert_false(settings_is_loopback("::"));
    assert_false(settings_is_loopback("12.7.0.1"));
}

static void a_page_may_connect_to_where_it_came_from(void **ctx)
{
    (void)ctx;
    assert_true(settings_origin_ok("http://127.0.0.1:8088", "127.0.0.1:8088", true));
    assert_true(settings_origin_ok("https://Fleet.example", "fleet.example", false));
    assert_true(settings_origin_ok(NULL, "localhost:8088", true)); /* not a browser */
    assert_true(settings_origin_ok("http://[::1]:80", "[::1]:80", true));
}

static void another_page_may_not(void **ctx)
{
    (void)ctx;
    assert_false(settings_origin_ok("http://evil.example", "127.0.0.1:8088", true));
    assert_false(settings_origin_ok("http://127.0.0.1:9999", "127.0.0.1:8088", true));
    assert_false(settings_origin_ok("null", "127.0.0.1:8088", true));
    assert_false(settings_origin_ok("127.0.0.1:8088", "127.0.0.1:8088", true));
    assert_false(settings_origin_ok(NULL, NULL, true));
    assert_false(settings_origin_ok("http://x", "", false));
}

/* DNS rebinding: evil.example resolves to 127.0.0.1, so origin and host agree. */
static void a_foreign_name_for_this_machine_may_not(void **ctx)
{
    (void)ctx;
    assert_false(settings_origin_ok("http://evil.example:80", "evil.example:80", true));
    assert_false(
        settings_origin_ok("http://127.0.0.1.evil.example", "127.0.0.1.evil.example", true));
    assert_false(
        settings_origin_ok("http://localhost.evil.example", "localhost.evil.example", true));
    assert_true(settings_origin_ok("http://evil.example:80", "evil.example:80", false));
}

static struct settings of(const char *listen)
{
    struct settings settings = {
        .config = { .tenant = "main", .has_mqtt_socket = true, .mqtt_socket = "/tmp/m.sock" }
    };

    snprintf(settings.config.listen, sizeof settings.config.listen, "%s", listen);
    return settings;
}

static void beyond_loopback_needs_tls_or_a_word(void **ctx)
{
    struct flt_error error = { 0 };
    struct settings settings = of("0.0.0.0:8088");

    (void)ctx;
    assert_int_not_equal(settings_check(&settings, &error), 0);
    assert_int_equal(error.code, FLT_DENIED);
    assert_string_equal(error.field, "listen");
    settings.config.has_allow_remote = settings.config.allow_remote = true;
    assert_int_equal(settings_check(&settings, NULL), 0);
    assert_false(settings.local);
    settings = of("127.0.0.1:0");
    assert_int_equal(settings_check(&settings, NULL), 0);
    assert_true(settings.local);
}

static void the_broker_is_named_once(void **ctx)
{
    struct flt_error error = { 0 };
    struct settings settings = of("127.0.0.1:0");

    (void)ctx;
    assert_int_equal(settings_check(&settings, NULL), 0);
    assert_string_equal(settings.broker_path, "/tmp/m.sock");
    settings.config.has_mqtt_url = true;
    assert_int_not_equal(settings_check(&settings, &error), 0);
    assert_string_equal(error.field, "mqtt_socket");
    settings.config.has_mqtt_socket = false;
    snprintf(settings.config.mqtt_url, sizeof settings.config.mqtt_url, "mqtt://127.0.0.1:1883");
    memset(settings.broker_path, 0, sizeof settings.broker_path);
    assert_int_equal(settings_check(&settings, NULL), 0);
    assert_int_equal(settings.broker_port, 1883);
    snprintf(settings.config.mqtt_url, sizeof settings.config.mqtt_url, "mqtts://127.0.0.1:8883");
    assert_int_not_equal(settings_check(&settings, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_taken_apart),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(only_this_machine_is_loopback),
        cmocka_unit_test(a_page_may_connect_to_where_it_came_from),
        cmocka_unit_test(another_page_may_not),
        cmocka_unit_test(a_foreign_name_for_this_machine_may_not),
        cmocka_unit_test(beyond_loopback_needs_tls_or_a_word),
        cmocka_unit_test(the_broker_is_named_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
