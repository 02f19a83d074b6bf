/* What lib/mqtt.h promises, over each backend, against a real mosquitto.
 * Usage: test_mqtt_conformance LIBRARY tcp|unix 5|311 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <dlfcn.h>
#include "lib/log.h"
#include "lib/mqtt.h"
#include "tests/support/broker.h"

#define TOKEN_READY UINT64_MAX

enum { LIMIT_MS = 90000, TEXT_MAX = 64 * 1024, ROUND_TRIPS = 50, SLOW_MS = 400 };

static const char *library;
static bool use_unix;
static enum flt_mqtt_version version;

struct rig;
typedef bool goal(const struct rig *rig);

struct client {
    struct rig *rig;
    struct flt_mqtt *mqtt;
    const char *filter; /* subscribed at each on_up */
    const char *will;
    bool close_inside, echo, slow;
    int wills, ups, downs, messages, oks, lost, closed;
    int64_t down_ns[8];
    char reason[256], text[TEXT_MAX]; /* text: "topic=payload;" of each message */
    char response[64], correlation[16];
    bool retained;
    int64_t last_number;
    bool out_of_order;
};

struct rig {
    struct broker broker;
    struct flt_loop *loop;
    struct flt_timer *limit;
    struct client a, b;
    goal *goal;
};

/* A write that fails once armed: how a broker dies while Paho is writing. Paho is the only user of
 * writev() here (libuv's are pipes of its own). */
static atomic_bool fail_writes; /* Paho writes from its own thread */

ssize_t writev(int fd, const struct iovec *vector, int count)
{
    static ssize_t (*real)(int, const struct iovec *, int);

    if (!real)
        *(void **)(&real) = dlsym(RTLD_NEXT, "writev");
    if (fail_writes) {
        errno = EPIPE;
        return -1;
    }
    return real(fd, vector, count);
}

/* Paho leaks what waits for a full socket when its client is destroyed. Ours are still looked for.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpaho-mqtt3as\n";
}

/* ---- the rig ---- */

static void check(struct rig *rig)
{
    if (rig->goal && rig->goal(rig))
        flt_loop_stop(rig->loop);
}

static void run_until(struct rig *rig, goal *reached)
{
    rig->goal = reached;
    if (!reached(rig))
        flt_loop_run(rig->loop);
    rig->goal = NULL;
}

static void on_limit(void *ctx)
{
    const struct rig *rig = ctx;

    fail_msg("not reached in %d ms: a up %d down %d (%s) messages %d ok %d lost %d, b messages %d",
             LIMIT_MS, rig->a.ups, rig->a.downs, rig->a.reason, rig->a.messages, rig->a.oks,
             rig->a.lost, rig->b.messages);
}

static bool on_will(void *ctx, const char **topic, const char **payload, size_t *size,
                    bool *retained)
{
    struct client *client = ctx;

    client->wills++;
    *topic = "t/will";
    *payload = client->will;
    *size = client->will ? strlen(client->will) : 0;
    *retained = false;
    return client->will != NULL;
}

static void on_closed(void *ctx)
{
    struct client *client = ctx;

    client->mqtt = NULL;
    client->closed++;
    check(client->rig);
}

static int publish(struct client *client, const char *topic, const char *payload, int qos,
                   uint64_t token)
{
    const struct flt_mqtt_publish publish = { .topic = topic,
                                              .payload = payload,
                                              .payload_size = strlen(payload),
                                              .qos = qos,
                                              .token = token };

    return flt_mqtt_publish(client->mqtt, &publish);
}

/* It counts as up with the PUBACK of a publish behind the SUBSCRIBE: then that is in force, too. */
static void on_up(void *ctx)
{
    struct client *client = ctx;

    if (client->filter)
        assert_int_equal(0, flt_mqtt_subscribe(client->mqtt, client->filter, 1));
    assert_int_equal(0, publish(client, "ready", "", 1, TOKEN_READY));
    if (client->close_inside)
        flt_mqtt_close(client->mqtt, 100, on_closed, client);
}

static void on_down(void *ctx, const char *reason)
{
    struct client *client = ctx;

    if (client->downs < (int)FLT_COUNT(client->down_ns))
        client->down_ns[client->downs] = flt_mono_ns(flt_clock_system());
    client->downs++;
    snprintf(client->reason, sizeof client->reason, "%s", reason);
    check(client->rig);
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct client *client = ctx;
    const int64_t number = atoll(message->payload);
    const size_t used = strlen(client->text);

    assert_int_equal(message->payload_size, strlen(message->payload));
    if (client->slow && client->messages == 0)
        (void)usleep(SLOW_MS * 1000); /* what comes meanwhile is more than any ring holds */
    client->messages++;
    client->retained = message->retained;
    client->out_of_order |= number != 0 && number != client->last_number + 1;
    client->last_number = number;
    if (used + strlen(message->topic) + message->payload_size + 3 < TEXT_MAX)
        sprintf(client->text + used, "%s=%s;", message->topic, message->payload);
    snprintf(client->response, sizeof client->response, "%s",
             message->response_topic ? message->response_topic : "none");
    snprintf(client->correlation, sizeof client->correlation, "%.*s",
             (int)message->correlation_size,
             message->correlation ? (const char *)message->correlation : "");
    if (client->echo)
        assert_int_equal(0, publish(client, "t/answer", message->payload, 1, 0));
    check(client->rig);
}

static void on_published(void *ctx, uint64_t token, bool ok)
{
    struct client *client = ctx;

    assert_true(token != 0);
    if (token == TOKEN_READY)
        client->ups += ok;
    else
        ok ? client->oks++ : client->lost++;
    check(client->rig);
}

static void start_client(struct rig *rig, struct client *client, struct flt_mqtt_config config)
{
    const struct flt_mqtt_events events = { client,  on_will,    on_up,
                                            on_down, on_message, on_published };

    client->rig = rig;
    config.library = library;
    config.version = version;
    config.url = config.url ? config.url : use_unix ? rig->broker.unix_url : rig->broker.url;
    config.client_id = client == &rig->a ? "client-a" : "client-b";
    config.backoff_base_ms = 50;
    config.backoff_cap_ms = config.backoff_cap_ms ? config.backoff_cap_ms : 500;
    assert_int_equal(0, flt_mqtt_create(rig->loop, &config, &events, &client->mqtt));
    assert_int_equal(-ENOTCONN, publish(client, "t/early", "x", 1, 0));
}

static bool a_up(const struct rig *rig)
{
    return rig->a.ups > 0;
}

static bool both_up(const struct rig *rig)
{
    return rig->a.ups > 0 && rig->b.ups > 0;
}

static bool a_got_one(const struct rig *rig)
{
    return rig->a.messages >= 1;
}

static bool a_got_two(const struct rig *rig)
{
    return rig->a.messages >= 2;
}

static void start_rig(struct rig *rig)
{
    assert_int_equal(0, flt_loop_create(flt_clock_system(), &rig->loop));
    assert_int_equal(0, flt_timer_create(rig->loop, on_limit, rig, &rig->limit));
    flt_timer_start(rig->limit, LIMIT_MS, 0);
}

static int setup(void **ctx)
{
    static struct rig rig;

    memset(&rig, 0, sizeof rig);
    fail_writes = false;
    broker_start(&rig.broker, NULL, NULL, NULL);
    start_rig(&rig);
    *ctx = &rig;
    return 0;
}

static bool all_closed(const struct rig *rig)
{
    return !rig->a.mqtt && !rig->b.mqtt;
}

static int teardown(void **ctx)
{
    struct rig *rig = *ctx;

    if (rig->a.mqtt)
        flt_mqtt_close(rig->a.mqtt, 0, on_closed, &rig->a);
    if (rig->b.mqtt)
        flt_mqtt_close(rig->b.mqtt, 0, on_closed, &rig->b);
    flt_timer_start(rig->limit, LIMIT_MS, 0); /* that of a failed test may be over */
    run_until(rig, all_closed);
    flt_timer_destroy(rig->limit);
    flt_loop_run(rig->loop); /* ends: nothing may be left */
    flt_loop_destroy(rig->loop);
    broker_destroy(&rig->broker);
    return 0;
}

/* ---- messages ---- */

static bool three_came_and_acks_too(const struct rig *rig)
{
    return rig->a.messages == 3 && rig->a.oks == 2;
}

static void both_qualities_arrive_and_qos_1_is_acknowledged(void **ctx)
{
    struct rig *rig = *ctx;

    rig->a.filter = "t/#";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    assert_int_equal(0, publish(&rig->a, "t/one", "1", 1, 7));
    assert_int_equal(0, publish(&rig->a, "t/two", "", 1, 8));
    assert_int_equal(0, publish(&rig->a, "t/zero", "0", 0, 0));
    run_until(rig, three_came_and_acks_too);
    assert_non_null(strstr(rig->a.text, "t/one=1;"));
    assert_non_null(strstr(rig->a.text, "t/two=;"));
    assert_non_null(strstr(rig->a.text, "t/zero=0;"));
}

static void a_retained_message_waits_for_the_subscriber(void **ctx)
{
    struct rig *rig = *ctx;
    const struct flt_mqtt_publish publish = {
        .topic = "t/state", .payload = "up", .payload_size = 2, .qos = 1, .retained = true
    };

    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    rig->a.filter = "t/+";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    assert_int_equal(0, flt_mqtt_publish(rig->b.mqtt, &publish));
    run_until(rig, a_got_one);
    assert_false(rig->a.retained); /* live */
    flt_mqtt_reconnect(rig->a.mqtt);
    run_until(rig, a_got_two);
    assert_true(rig->a.retained);
    assert_string_equal("t/state=up;t/state=up;", rig->a.text);
}

static void response_topic_and_correlation_travel_with_mqtt_5(void **ctx)
{
    struct rig *rig = *ctx;
    const struct flt_mqtt_publish publish = { .topic = "t/req",
                                              .payload = "?",
                                              .payload_size = 1,
                                              .qos = 1,
                                              .expiry_s = 30,
                                              .response_topic = "t/res",
                                              .correlation = "id\0x",
                                              .correlation_size = 2 };

    rig->a.filter = "t/req";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    assert_int_equal(0, flt_mqtt_publish(rig->a.mqtt, &publish));
    run_until(rig, a_got_one);
    assert_string_equal(version == FLT_MQTT_5 ? "t/res" : "none", rig->a.response);
    assert_string_equal(version == FLT_MQTT_5 ? "id" : "", rig->a.correlation);
}

static bool a_got_thousand(const struct rig *rig)
{
    return rig->a.messages == 1000 && rig->b.oks == 1000;
}

static void a_burst_of_1000_arrives_whole_and_in_order(void **ctx)
{
    struct rig *rig = *ctx;

    rig->a.filter = "t/burst";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    for (int i = 1; i <= 1000; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        assert_int_equal(0, publish(&rig->b, "t/burst", number, 1, (uint64_t)i));
    }
    run_until(rig, a_got_thousand);
    assert_false(rig->a.out_of_order);
}

static bool a_got_twelve(const struct rig *rig)
{
    return rig->a.messages == 12;
}

/* Paho keeps what its callback refuses and offers one for each message that comes: a process whose
 * ring was full once stayed behind for ever. */
static void a_loop_that_was_busy_gets_all_of_it_without_another_message(void **ctx)
{
    struct rig *rig = *ctx;
    const size_t size = 900000;
    char *text = malloc(size + 1);

    assert_non_null(text);
    rig->a.filter = "t/heavy";
    rig->a.slow = true;
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    for (int i = 1; i <= 12; i++) {
        memset(text, ' ', size);
        text[size] = '\0';
        text[0] = (char)('0' + i / 10);
        text[1] = (char)('0' + i % 10);
        assert_int_equal(0, publish(&rig->b, "t/heavy", text, 1, (uint64_t)i));
    }
    run_until(rig, a_got_twelve);
    assert_false(rig->a.out_of_order);
    free(text);
}

static void what_is_too_large_or_malformed_is_refused_and_the_rest_goes_on(void **ctx)
{
    struct rig *rig = *ctx;
    char *huge = calloc(1, FLT_MQTT_PAYLOAD_MAX + 1);
    char long_topic[FLT_MQTT_TOPIC_MAX + 2];
    const struct flt_mqtt_publish too_large = {
        .topic = "t/huge", .payload = huge, .payload_size = FLT_MQTT_PAYLOAD_MAX + 1, .qos = 1
    };
    const struct flt_mqtt_publish largest = {
        .topic = "t/huge", .payload = huge, .payload_size = FLT_MQTT_PAYLOAD_MAX, .qos = 1
    };

    memset(long_topic, 'a', sizeof long_topic - 1);
    long_topic[sizeof long_topic - 1] = '\0';
    memset(huge, 'h', FLT_MQTT_PAYLOAD_MAX);
    rig->a.filter = "t/#";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    assert_int_equal(-EMSGSIZE, flt_mqtt_publish(rig->a.mqtt, &too_large));
    assert_int_equal(-EINVAL, publish(&rig->a, "t/+", "x", 1, 0));
    assert_int_equal(-EINVAL, publish(&rig->a, "", "x", 1, 0));
    assert_int_equal(-EINVAL, publish(&rig->a, long_topic, "x", 1, 0));
    assert_int_equal(-EINVAL, publish(&rig->a, "t/x", "x", 2, 0));
    assert_int_equal(0, flt_mqtt_publish(rig->a.mqtt, &largest));
    run_until(rig, a_got_one);
    assert_int_equal(0, rig->a.downs);
    free(huge);
}

/* ---- speed: each end without TCP_NODELAY adds 44 ms to a QoS 1 command ---- */

/* How many of our sockets lead to the broker, all of them without Nagle's delay. */
static int undelayed(int port)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++) {
        struct sockaddr_in peer = { .sin_family = AF_UNSPEC };
        socklen_t size = sizeof peer;
        int on = 0;
        socklen_t on_size = sizeof on;

        if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0 || peer.sin_family != AF_INET ||
            ntohs(peer.sin_port) != port)
            continue;
        assert_int_equal(0, getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &on_size));
        assert_int_not_equal(0, on);
        count++;
    }
    return count;
}

static int compare(const void *left, const void *right)
{
    const int64_t a = *(const int64_t *)left;
    const int64_t b = *(const int64_t *)right;

    return a < b ? -1 : a > b;
}

static int answers_wanted;

static bool a_got_the_answer(const struct rig *rig)
{
    return rig->a.messages >= answers_wanted;
}

/* Without TCP_NODELAY on either end each takes 44 to 88 ms. How long it takes here is printed; what
 * is asked for is the option, as a busy machine may take as long for reasons of its own. */
static void a_command_and_its_answer_wait_for_no_delayed_acknowledgement(void **ctx)
{
    struct rig *rig = *ctx;
    int64_t taken_ns[ROUND_TRIPS];

    rig->a.filter = "t/answer";
    rig->b.filter = "t/command";
    rig->b.echo = true;
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    for (int i = 0; i < ROUND_TRIPS; i++) {
        const int64_t start_ns = flt_mono_ns(flt_clock_system());
        answers_wanted = i + 1;
        assert_int_equal(0, publish(&rig->a, "t/command", "go", 1, 0));
        run_until(rig, a_got_the_answer);
        taken_ns[i] = flt_mono_ns(flt_clock_system()) - start_ns;
    }
    qsort(taken_ns, ROUND_TRIPS, sizeof taken_ns[0], compare);
    print_message("# median round trip %" PRId64 " us\n", taken_ns[ROUND_TRIPS / 2] / 1000);
    assert_int_equal(use_unix ? 0 : 2, undelayed(rig->broker.port));
}

/* ---- bounds ---- */

static bool a_sent_all(const struct rig *rig)
{
    return rig->a.oks == 100;
}

static void no_more_than_the_window_is_in_flight(void **ctx)
{
    struct rig *rig = *ctx;
    struct flt_mqtt_stats stats;

    start_client(rig, &rig->a, (struct flt_mqtt_config){ .window = 5 });
    run_until(rig, a_up);
    kill(rig->broker.child.pid, SIGSTOP);
    for (int i = 1; i <= 100; i++)
        assert_int_equal(0, publish(&rig->a, "t/x", "x", 1, (uint64_t)i));
    flt_mqtt_get_stats(rig->a.mqtt, &stats);
    assert_int_equal(1 + 5, stats.sent); /* the first made it ready */
    assert_int_equal(95, stats.queued);
    kill(rig->broker.child.pid, SIGCONT);
    run_until(rig, a_sent_all);
}

static bool a_full_queue_went(const struct rig *rig)
{
    return rig->a.oks == FLT_MQTT_QUEUE_MAX + 20;
}

static void the_queue_behind_the_window_is_bounded_and_counted(void **ctx)
{
    struct rig *rig = *ctx;
    struct flt_mqtt_stats stats;
    int taken = 0;

    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    kill(rig->broker.child.pid, SIGSTOP);
    while (publish(&rig->a, "t/x", "x", 1, 1) == 0)
        taken++;
    assert_int_equal(FLT_MQTT_QUEUE_MAX + 20, taken);
    assert_int_equal(-ENOBUFS, publish(&rig->a, "t/x", "x", 1, 1));
    flt_mqtt_get_stats(rig->a.mqtt, &stats);
    assert_int_equal(2, stats.dropped);
    kill(rig->broker.child.pid, SIGCONT);
    run_until(rig, a_full_queue_went);
}

static void a_flood_of_qos_0_into_a_frozen_broker_is_bounded(void **ctx)
{
    static char block[4096];
    struct rig *rig = *ctx;
    int taken = 0;

    memset(block, 'b', sizeof block - 1);
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    kill(rig->broker.child.pid, SIGSTOP);
    while (taken < 30000 && publish(&rig->a, "t/x", block, 0, 0) == 0)
        taken++;
    kill(rig->broker.child.pid, SIGCONT);
    assert_true(taken < 30000);
    assert_true(taken >= 1000);
}

/* ---- trouble ---- */

static bool a_down(const struct rig *rig)
{
    return rig->a.downs > 0;
}

static bool a_up_twice(const struct rig *rig)
{
    return rig->a.ups > 1;
}

static void it_comes_back_after_the_broker_and_says_so(void **ctx)
{
    struct rig *rig = *ctx;

    rig->a.filter = "t/#";
    rig->a.will = "lost";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    broker_stop(&rig->broker, SIGKILL);
    run_until(rig, a_down);
    assert_int_equal(-ENOTCONN, publish(&rig->a, "t/x", "x", 1, 0));
    assert_false(flt_mqtt_is_up(rig->a.mqtt));
    broker_restart(&rig->broker);
    run_until(rig, a_up_twice);
    assert_int_equal(0, publish(&rig->a, "t/x", "again", 1, 0));
    run_until(rig, a_got_one);
    assert_string_equal("t/x=again;", rig->a.text);
    assert_true(rig->a.wills >= 2);
}

static bool a_knows_all_fates(const struct rig *rig)
{
    return rig->a.oks + rig->a.lost == 200 && rig->a.downs > 0;
}

static void what_was_in_flight_when_the_broker_died_is_reported_lost(void **ctx)
{
    struct rig *rig = *ctx;

    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    kill(rig->broker.child.pid, SIGSTOP);
    for (int i = 1; i <= 200; i++)
        assert_int_equal(0, publish(&rig->a, "t/x", "x", 1, (uint64_t)i));
    broker_stop(&rig->broker, SIGKILL);
    run_until(rig, a_knows_all_fates);
    assert_int_equal(200, rig->a.lost);
    broker_restart(&rig->broker);
    run_until(rig, a_up_twice);
}

/* Paho 1.3.12 keeps freed memory in flight when such a write fails (paho.mqtt.c issue 1592). */
static void a_failed_write_does_not_harm_the_next_connection(void **ctx)
{
    struct rig *rig = *ctx;

    rig->a.filter = "t/#";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    fail_writes = strcmp(library, "paho") == 0;
    for (int i = 0; i < 10; i++)
        publish(&rig->a, "t/failing", "this one is written to a broken pipe", 1, 1);
    if (!fail_writes)
        broker_stop(&rig->broker, SIGKILL);
    run_until(rig, a_down);
    fail_writes = false;
    if (rig->broker.child.pid == 0)
        broker_restart(&rig->broker);
    run_until(rig, a_up_twice);
    rig->a.text[0] = '\0';
    rig->a.messages = 0;
    assert_int_equal(0, publish(&rig->a, "t/after", "whole", 1, 0));
    run_until(rig, a_got_one);
    assert_string_equal("t/after=whole;", rig->a.text);
}

static bool a_down_twice(const struct rig *rig)
{
    return rig->a.downs >= 2;
}

static void a_wrong_password_is_said_clearly_and_tried_slowly(void **ctx)
{
    struct rig *rig = *ctx;

    broker_destroy(&rig->broker);
    broker_start(&rig->broker, "alice", "correct horse", NULL);
    start_client(rig, &rig->a,
                 (struct flt_mqtt_config){
                     .username = "alice", .password = "wrong", .backoff_cap_ms = 1000 });
    run_until(rig, a_down_twice);
    assert_int_equal(0, rig->a.ups);
    assert_non_null(strstr(rig->a.reason, "password"));
    assert_true(rig->a.down_ns[1] - rig->a.down_ns[0] >= 500000000);
    start_client(rig, &rig->b,
                 (struct flt_mqtt_config){ .username = "alice", .password = "correct horse" });
    rig->a.ups = 1; /* only b is waited for */
    run_until(rig, both_up);
}

enum { TICK_MS = 50 };

static void count_tick(void *ctx)
{
    ++*(int *)ctx;
}

/* The same beat in a thread of its own, which no loop can hold up: on a machine that stops now and
 * then both miss the same ticks. */
static atomic_int beats;
static atomic_bool beating;

static void *beat(void *arg)
{
    while (beating) {
        (void)usleep(TICK_MS * 1000);
        beats++;
    }
    return arg;
}

static void a_server_that_says_nothing_is_given_up_and_the_loop_goes_on_meanwhile(void **ctx)
{
    struct rig *rig = *ctx;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct flt_timer *ticker;
    char url[64];
    int ticks = 0;
    pthread_t thread;

    assert_int_equal(0, bind(fd, (struct sockaddr *)&address, sizeof address));
    assert_int_equal(0, listen(fd, 1)); /* the kernel accepts, nobody answers */
    assert_int_equal(0, getsockname(fd, (struct sockaddr *)&address, &size));
    snprintf(url, sizeof url, "mqtt://127.0.0.1:%d", ntohs(address.sin_port));
    assert_int_equal(0, flt_timer_create(rig->loop, count_tick, &ticks, &ticker));
    start_client(rig, &rig->a, (struct flt_mqtt_config){ .url = url });
    beats = 0;
    beating = true;
    assert_int_equal(0, pthread_create(&thread, NULL, beat, NULL));
    flt_timer_start(ticker, TICK_MS, TICK_MS);
    run_until(rig, a_down);
    flt_timer_destroy(ticker);
    beating = false;
    assert_int_equal(0, pthread_join(thread, NULL));
    close(fd);
    print_message("# %d ticks of the loop, %d beside it\n", ticks, (int)beats);
    assert_true(beats > 0);
    assert_true(ticks * 10 > beats * 6);
}

/* ---- wills and closing ---- */

static bool b_closed(const struct rig *rig)
{
    return rig->b.closed == 1;
}

static void a_killed_client_leaves_its_will_and_a_closed_one_does_not(void **ctx)
{
    struct rig *rig = *ctx;
    struct child victim;
    char line[64];
    const char *const argv[] = { "/proc/self/exe",
                                 library,
                                 "victim",
                                 version == FLT_MQTT_5 ? "5" : "311",
                                 use_unix ? rig->broker.unix_url : rig->broker.url,
                                 NULL };

    rig->a.filter = "t/#";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    run_until(rig, a_up);
    rig->b.will = "never";
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    flt_mqtt_close(rig->b.mqtt, 1000, on_closed, &rig->b);
    child_start(&victim, argv);
    child_read_line(&victim, line, sizeof line);
    assert_string_equal("up", line);
    child_end(&victim, SIGKILL);
    run_until(rig, a_got_one);
    run_until(rig, b_closed);
    assert_string_equal("t/will=victim;", rig->a.text);
}

static bool a_got_fifty(const struct rig *rig)
{
    return rig->a.messages == 50 && rig->b.closed == 1;
}

static void close_sends_what_is_queued_first(void **ctx)
{
    struct rig *rig = *ctx;

    rig->a.filter = "t/#";
    start_client(rig, &rig->a, (struct flt_mqtt_config){ 0 });
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, both_up);
    for (int i = 1; i <= 50; i++) {
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        assert_int_equal(0, publish(&rig->b, "t/x", number, 1, (uint64_t)i));
    }
    flt_mqtt_close(rig->b.mqtt, 2000, on_closed, &rig->b);
    run_until(rig, a_got_fifty);
    assert_false(rig->a.out_of_order);
    assert_int_equal(0, rig->b.oks); /* no callback after close */
}

static void it_may_be_closed_inside_a_callback_before_and_while_it_connects(void **ctx)
{
    struct rig *rig = *ctx;

    rig->b.close_inside = true;
    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    run_until(rig, b_closed);
    rig->b.closed = 0;
    start_client(rig, &rig->b, (struct flt_mqtt_config){ .url = "mqtt://no-such-host.invalid" });
    flt_mqtt_close(rig->b.mqtt, 1000, on_closed, &rig->b);
    run_until(rig, b_closed);
}

static void a_frozen_broker_does_not_keep_close_waiting(void **ctx)
{
    struct rig *rig = *ctx;

    start_client(rig, &rig->b, (struct flt_mqtt_config){ 0 });
    rig->a.ups = 1;
    run_until(rig, both_up);
    kill(rig->broker.child.pid, SIGSTOP);
    for (int i = 0; i < 100; i++)
        assert_int_equal(0, publish(&rig->b, "t/x", "x", 1, 1));
    const int64_t start_ns = flt_mono_ns(flt_clock_system());
    flt_mqtt_close(rig->b.mqtt, 200, on_closed, &rig->b);
    run_until(rig, b_closed);
    kill(rig->broker.child.pid, SIGCONT);
    assert_true(flt_mono_ns(flt_clock_system()) - start_ns < INT64_C(20000000000));
}

static void a_library_that_cannot_do_it_is_refused(void **ctx)
{
    struct rig *rig = *ctx;
    const struct flt_mqtt_events events = { 0 };
    struct flt_mqtt_config config = { .library = "paho",
                                      .url = rig->broker.unix_url,
                                      .client_id = "x" };

    assert_int_equal(-EPROTONOSUPPORT, flt_mqtt_create(rig->loop, &config, &events, &rig->a.mqtt));
    config.library = "no-such";
    assert_int_equal(-EINVAL, flt_mqtt_create(rig->loop, &config, &events, &rig->a.mqtt));
    config = (struct flt_mqtt_config){ .url = rig->broker.url };
    assert_int_equal(-EINVAL, flt_mqtt_create(rig->loop, &config, &events, &rig->a.mqtt));
}

/* ---- main ---- */

static void say_up(void *ctx)
{
    (void)ctx;
    puts("up");
    fflush(stdout);
}

static bool victims_will(void *ctx, const char **topic, const char **payload, size_t *size,
                         bool *retained)
{
    (void)ctx;
    *topic = "t/will";
    *payload = "victim";
    *size = 6;
    *retained = false;
    return true;
}

/* A client that connects, says so, and waits to be killed. */
static int run_victim(const char *url)
{
    const struct flt_mqtt_events events = { .will = victims_will, .on_up = say_up };
    const struct flt_mqtt_config config = {
        .library = library, .url = url, .client_id = "victim", .version = version
    };
    struct flt_loop *loop;
    struct flt_mqtt *mqtt;

    if (flt_loop_create(flt_clock_system(), &loop) < 0 ||
        flt_mqtt_create(loop, &config, &events, &mqtt) < 0)
        return 1;
    return flt_loop_run(loop);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(both_qualities_arrive_and_qos_1_is_acknowledged),
        CASE(a_retained_message_waits_for_the_subscriber),
        CASE(response_topic_and_correlation_travel_with_mqtt_5),
        CASE(a_burst_of_1000_arrives_whole_and_in_order),
        CASE(a_loop_that_was_busy_gets_all_of_it_without_another_message),
        CASE(what_is_too_large_or_malformed_is_refused_and_the_rest_goes_on),
        CASE(a_command_and_its_answer_wait_for_no_delayed_acknowledgement),
        CASE(no_more_than_the_window_is_in_flight),
        CASE(the_queue_behind_the_window_is_bounded_and_counted),
        CASE(a_flood_of_qos_0_into_a_frozen_broker_is_bounded),
        CASE(it_comes_back_after_the_broker_and_says_so),
        CASE(what_was_in_flight_when_the_broker_died_is_reported_lost),
        CASE(a_failed_write_does_not_harm_the_next_connection),
        CASE(a_wrong_password_is_said_clearly_and_tried_slowly),
        CASE(a_server_that_says_nothing_is_given_up_and_the_loop_goes_on_meanwhile),
        CASE(a_killed_client_leaves_its_will_and_a_closed_one_does_not),
        CASE(close_sends_what_is_queued_first),
        CASE(it_may_be_closed_inside_a_callback_before_and_while_it_connects),
        CASE(a_frozen_broker_does_not_keep_close_waiting),
        CASE(a_library_that_cannot_do_it_is_refused),
    };

    if (argc < 4) {
        fprintf(stderr, "usage: %s LIBRARY tcp|unix 5|311\n", argv[0]);
        return 2;
    }
    library = argv[1];
    use_unix = strcmp(argv[2], "unix") == 0;
    version = strcmp(argv[3], "5") == 0 ? FLT_MQTT_5 : FLT_MQTT_311;
    if (argc > 4)
        return run_victim(argv[4]);
    flt_log_set_level(getenv("FLT_TEST_LOG") ? FLT_LOG_DEBUG : FLT_LOG_OFF);
    if (getenv("FLT_TEST_FILTER"))
        cmocka_set_test_filter(getenv("FLT_TEST_FILTER"));
    return cmocka_run_group_tests_name("mqtt", tests, NULL, NULL);
}
