/* A thousand nodes in one process, as the controller and the broker see them: each has a connection
 * of its own (lib/mqtt: the product's own reconnect and jitter), a birth and a will, heartbeats,
 * bots that it is told of, their states, answers to commands, and a numbered stream of fills that
 * it can replay. It trades nothing: the records are a function of their numbers.
 *
 * Usage: chaos_swarm URL TENANT NODES LIBRARY [USER PASSWORD]
 * prints "ready", then obeys lines on stdin: "fills R" (a second, over all nodes; 0 ends them),
 * "stats" (one line of JSON), "quit". */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/ids.h"
#include "lib/json.h"
#include "lib/loop.h"
#include "lib/mqtt.h"
#include "schemas/msg.h"
#include "schemas/schemas_msg.h"

#define TICK_MS 10
#define BATCH 200

struct node {
    char name[FLT_NAME_MAX], src[64], id[FLT_NAME_MAX];
    char boot[FLT_ULID_MAX], stream[FLT_ULID_MAX];
    struct flt_mqtt *mqtt;
    struct flt_buf will;
    char will_topic[TOPIC_MAX];
    uint64_t sequence;
    int64_t incarnation, k, head, committed, ran_ms;
    struct msg_bot_ref *bots;
    char (*runs)[16];
    size_t bot_count;
    bool up, agreed; /* since this connection a lease said the hash that we have */
};

static struct flt_loop *loop;
static const char *tenant;
static struct node *nodes;
static size_t node_count;
static double fill_rate, fill_debt;
static size_t fill_turn;
static uint64_t ups, downs, commands, replays, desired_count, leases;

static int64_t now_ms(void)
{
    return flt_wall_ms(flt_loop_clock(loop));
}

static void publish(struct node *node, const char *topic, const struct flt_buf *text, int qos,
                    bool retained)
{
    const struct flt_mqtt_publish message = { .topic = topic,
                                              .payload = text->data,
                                              .payload_size = text->length,
                                              .qos = qos,
                                              .retained = retained };

    (void)!flt_mqtt_publish(node->mqtt, &message);
}

static void begin(struct node *node, struct flt_buf *buf)
{
    struct msg_envelope env = { 0 };

    msg_envelope_init(&env, flt_loop_clock(loop), node->src, &node->sequence);
    flt_jw_begin(buf, NULL, '{');
    flt_jw_int(buf, "v", env.v);
    flt_jw_str(buf, "id", env.id);
    flt_jw_int(buf, "ts_ms", env.ts_ms);
    flt_jw_str(buf, "src", env.src);
    flt_jw_int(buf, "seq", env.seq);
}

static void hash_of(struct node *node, char out[MSG_HASH_MAX])
{
    struct msg_bot_ref *const refs = calloc(node->bot_count + 1, sizeof *refs);

    if (!refs)
        abort();
    if (node->bot_count)
        memcpy(refs, node->bots, node->bot_count * sizeof *refs);
    msg_bots_hash(refs, node->bot_count, out);
    free(refs);
}

/* --- what a node says ---------------------------------------------------------------------------
 */

static void presence(struct node *node, struct flt_buf *buf, const char *state)
{
    begin(node, buf);
    flt_jw_str(buf, "state", state);
    flt_jw_int(buf, "incarnation", node->incarnation);
    flt_jw_str(buf, "boot", node->boot);
    flt_jw_int(buf, "capacity", 1000);
    flt_jw_raw(buf, "strategies", "[\"grid\",\"dca\"]");
    flt_jw_raw(buf, "venues", "[\"binance\"]");
    flt_jw_end(buf, '}');
}

static bool on_will(void *ctx, const char **topic, const char **payload, size_t *size,
                    bool *retained)
{
    struct node *const node = ctx;

    node->incarnation++;
    flt_buf_reset(&node->will);
    presence(node, &node->will, "lost");
    *topic = topic_node_presence(node->will_topic, tenant, node->name);
    *payload = node->will.data;
    *size = node->will.length;
    *retained = true;
    return true;
}

static void heartbeat(struct node *node)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char topic[TOPIC_MAX], hash[MSG_HASH_MAX];
    const struct flt_clock *const clock = flt_loop_clock(loop);

    hash_of(node, hash);
    begin(node, &buf);
    flt_jw_int(&buf, "k", ++node->k);
    flt_jw_int(&buf, "incarnation", node->incarnation);
    flt_jw_str(&buf, "boot", node->boot);
    flt_jw_int(&buf, "mono_ms", flt_mono_ms(clock));
    flt_jw_int(&buf, "boot_ms", flt_boot_ns(clock) / 1000000);
    flt_jw_str(&buf, "stream", node->stream);
    flt_jw_int(&buf, "head", node->head);
    flt_jw_int(&buf, "bots", (int64_t)node->bot_count);
    flt_jw_str(&buf, "bots_hash", hash);
    flt_jw_end(&buf, '}');
    publish(node, topic_node_hb(topic, tenant, node->name), &buf, 0, false);
    flt_buf_finish(&buf);
}

static void state(struct node *node, size_t index)
{
    struct flt_buf buf = FLT_BUF_INIT;
    const struct msg_bot_ref *const bot = &node->bots[index];
    const char *const run = node->runs[index];
    char topic[TOPIC_MAX];

    begin(node, &buf);
    flt_jw_int(&buf, "epoch", bot->epoch);
    flt_jw_str(&buf, "bot", bot->bot);
    flt_jw_int(&buf, "incarnation", node->incarnation);
    flt_jw_int(&buf, "generation", bot->generation);
    flt_jw_str(&buf, "run", run);
    flt_jw_str(&buf, "phase", run);
    flt_jw_int(&buf, "since_ms", now_ms());
    flt_jw_str(&buf, "strategy", "grid");
    flt_jw_str(&buf, "mode", "live");
    flt_jw_raw(&buf, "book",
               "{\"position\":\"0\",\"cost\":\"0\",\"cash\":\"0\",\"realised\":\"0\","
               "\"volume\":\"0\",\"fills\":0}");
    flt_jw_int(&buf, "orders_open", 0);
    flt_jw_end(&buf, '}');
    publish(node, topic_node_state(topic, tenant, node->name, bot->bot), &buf, 1, true);
    flt_buf_finish(&buf);
}

/* --- the stream: record n is the same whenever it is told ----------------------------------------
 */

static void record(const struct node *node, struct flt_buf *buf, int64_t n)
{
    const int64_t bots = node->bot_count ? (int64_t)node->bot_count : 1;
    const char *const bot = node->bot_count ? node->bots[(n - 1) % bots].bot : "nobody";
    const int64_t nth = (n - 1) / bots + 1;
    const bool buys = nth % 2 == 1;

    flt_buf_printf(
        buf,
        "%s{\"n\":%" PRId64 ",\"kind\":\"fill\",\"bot\":\"%s\",\"epoch\":1,\"ts_ms\":1772366400101,"
        "\"fill\":{\"instrument\":\"BTC-USDT\",\"trade_id\":\"%s-%" PRId64
        "\",\"order_id\":\"%" PRId64 "\",\"client_order_id\":\"f%026" PRId64
        "\",\"side\":\"%s\",\"price\":\"60000\",\"qty\":\"0.001\","
        "\"fee\":\"0\",\"fee_asset\":\"USDT\",\"liquidity\":\"maker\",\"ts_ms\":1772366400100,"
        "\"venue\":\"binance\",\"account\":\"swarm\",\"mode\":\"live\",\"key\":1,\"book\":{"
        "\"position\":\"%s\",\"cost\":\"%s\",\"cash\":\"%s\",\"realised\":\"0\",\"volume\":"
        "\"%" PRId64 "\",\"fees\":{},\"fills\":%" PRId64 "}}}",
        buf->comma ? "," : "", n, bot, node->name, n, n, n, buys ? "buy" : "sell",
        buys ? "0.001" : "0", buys ? "60" : "0", buys ? "-60" : "0", nth * 60, nth);
    buf->comma = true;
}

static void tell(struct node *node, int64_t from, int64_t to, const char *req)
{
    char topic[TOPIC_MAX];

    if (req)
        topic_node_rp(topic, tenant, node->name, req);
    else
        topic_node_ev(topic, tenant, node->name);
    do {
        struct flt_buf buf = FLT_BUF_INIT;
        const int64_t end = to - from + 1 > BATCH ? from + BATCH - 1 : to;

        begin(node, &buf);
        flt_jw_str(&buf, "stream", node->stream);
        flt_jw_int(&buf, "first", from);
        flt_jw_begin(&buf, "records", '[');
        for (int64_t n = from; n <= end; n++)
            record(node, &buf, n);
        flt_jw_end(&buf, ']');
        if (req) {
            flt_jw_str(&buf, "req", req);
            flt_jw_bool(&buf, "last", end == to);
        }
        flt_jw_end(&buf, '}');
        publish(node, topic, &buf, 1, false);
        flt_buf_finish(&buf);
        from = end + 1;
    } while (from <= to);
}

/* --- what a node hears --------------------------------------------------------------------------
 */

static void hold(struct node *node, const struct msg_c_desired *desired)
{
    size_t at = 0;

    while (at < node->bot_count && strcmp(node->bots[at].bot, desired->bot) != 0)
        at++;
    if (at == node->bot_count) {
        node->bots = realloc(node->bots, (at + 1) * sizeof *node->bots);
        node->runs = realloc(node->runs, (at + 1) * sizeof *node->runs);
        if (!node->bots || !node->runs)
            abort();
        node->bots[at] = (struct msg_bot_ref){ 0 };
        snprintf(node->bots[at].bot, sizeof node->bots[at].bot, "%s", desired->bot);
        node->bot_count++;
    }
    if (desired->generation < node->bots[at].generation)
        return;
    node->bots[at].epoch = desired->env.epoch;
    node->bots[at].generation = desired->generation;
    snprintf(node->runs[at], sizeof node->runs[at], "%s", msg_run_name(desired->run));
    desired_count++;
    state(node, at);
}

static void take_desired(struct node *node, struct json_object *tree)
{
    struct msg_c_desired desired = { 0 };
    struct flt_error error = { 0 };

    if (msg_c_desired_decode(tree, MSG_PROGRAM, &desired, &error) == 0)
        hold(node, &desired);
    msg_c_desired_finish(&desired);
}

static void answer(struct node *node, const char *re, const char *op, const char *what)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char topic[TOPIC_MAX];

    begin(node, &buf);
    flt_jw_str(&buf, "re", re);
    flt_jw_str(&buf, "op", op);
    flt_jw_str(&buf, "state", what);
    flt_jw_end(&buf, '}');
    publish(node, topic_node_res(topic, tenant, node->name), &buf, 1, false);
    flt_buf_finish(&buf);
}

static void take_command(struct node *node, struct json_object *tree)
{
    const char *id = "", *op = "";
    struct json_object *const list = flt_json_get(flt_json_get(tree, "args"), "desired");

    (void)flt_json_str(tree, "id", &id);
    (void)flt_json_str(tree, "op", &op);
    commands++;
    answer(node, id, op, "accepted");
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        take_desired(node, json_object_array_get_idx(list, i));
    answer(node, id, op, "done");
}

static void take_lease(struct node *node, struct json_object *tree)
{
    char hash[MSG_HASH_MAX];
    const char *theirs = "";

    hash_of(node, hash);
    (void)flt_json_str(tree, "bots_hash", &theirs);
    node->agreed = strcmp(hash, theirs) == 0;
    leases++;
}

static void take_sack(struct node *node, struct json_object *tree)
{
    struct json_object *const replay = flt_json_get(tree, "replay");
    int64_t from = 0, to = 0;
    const char *req = "";

    (void)flt_json_int(tree, "committed", &node->committed);
    if (!replay || !flt_json_int(replay, "from", &from) || !flt_json_int(replay, "to", &to) ||
        !flt_json_str(replay, "req", &req) || from < 1)
        return;
    replays++;
    if (to > node->head)
        to = node->head;
    if (to - from > 5000)
        to = from + 5000;
    if (from <= to)
        tell(node, from, to, req);
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct topic_ref ref;
    struct json_object *const tree = flt_json_parse(message->payload, message->payload_size, NULL);

    if (tree && topic_parse(message->topic, &ref)) {
        if (ref.id == TOPIC_DESIRED)
            take_desired(ctx, tree);
        else if (ref.id == TOPIC_CMD)
            take_command(ctx, tree);
        else if (ref.id == TOPIC_LEASE)
            take_lease(ctx, tree);
        else if (ref.id == TOPIC_SACK)
            take_sack(ctx, tree);
    }
    json_object_put(tree);
}

static void on_up(void *ctx)
{
    struct node *const node = ctx;
    struct flt_buf buf = FLT_BUF_INIT;
    char topic[TOPIC_MAX];

    ups++;
    node->up = true;
    node->agreed = false;
    int err = flt_mqtt_subscribe(node->mqtt, topic_cmd(topic, tenant, node->name), 1);

    err |= flt_mqtt_subscribe(node->mqtt, topic_desired(topic, tenant, node->name, "+"), 1);
    err |= flt_mqtt_subscribe(node->mqtt, topic_lease(topic, tenant, node->name), 0);
    err |= flt_mqtt_subscribe(node->mqtt, topic_sack(topic, tenant, node->name), 0);
    if (err)
        abort();
    presence(node, &buf, "up");
    publish(node, topic_node_presence(topic, tenant, node->name), &buf, 1, true);
    flt_buf_finish(&buf);
    heartbeat(node);
    for (size_t i = 0; i < node->bot_count; i++)
        state(node, i);
}

static void on_down(void *ctx, const char *reason)
{
    struct node *const node = ctx;

    (void)reason;
    downs += node->up;
    node->up = node->agreed = false;
}

/* --- time and orders ----------------------------------------------------------------------------
 */

/* Each node's second has its own place in ours, as real nodes' have. */
static void on_tick(void *ctx)
{
    static int64_t last_ms;
    const int64_t now = flt_mono_ms(flt_loop_clock(loop));

    (void)ctx;
    for (size_t i = 0; i < node_count; i++)
        if (nodes[i].up && now >= nodes[i].ran_ms) {
            nodes[i].ran_ms = now - now % 1000 + 1000 + (int64_t)(i * 997 % 1000);
            heartbeat(&nodes[i]);
        }
    if (last_ms)
        fill_debt += fill_rate * (double)(now - last_ms) / 1000;
    last_ms = now;
    while (fill_debt >= 1) { /* some ten at once from one node, as a burst of trades is */
        struct node *const node = &nodes[fill_turn++ % node_count];
        const int64_t count = fill_debt < 10 ? (int64_t)fill_debt : 10;

        fill_debt -= (double)count;
        node->head += count;
        if (node->up)
            tell(node, node->head - count + 1, node->head, NULL);
    }
}

static void print_stats(void)
{
    size_t up = 0, agreed = 0, bots = 0, running = 0;
    int64_t head = 0, committed = 0;

    for (size_t i = 0; i < node_count; i++) {
        up += nodes[i].up;
        agreed += nodes[i].agreed;
        bots += nodes[i].bot_count;
        for (size_t k = 0; k < nodes[i].bot_count; k++)
            running += strcmp(nodes[i].runs[k], "running") == 0;
        head += nodes[i].head;
        committed += nodes[i].committed;
    }
    printf("{\"up\":%zu,\"agreed\":%zu,\"bots\":%zu,\"running\":%zu,\"head\":%" PRId64
           ",\"committed\":%" PRId64 ",\"ups\":%" PRIu64 ",\"downs\":%" PRIu64
           ",\"commands\":%" PRIu64 ",\"replays\":%" PRIu64 ",\"desired\":%" PRIu64
           ",\"leases\":%" PRIu64 "}\n",
           up, agreed, bots, running, head, committed, ups, downs, commands, replays, desired_count,
           leases);
    fflush(stdout);
}

static void on_orders(uv_poll_t *poll, int status, int events)
{
    char line[128];

    (void)poll;
    (void)events;
    if (status < 0 || !fgets(line, sizeof line, stdin) || strncmp(line, "quit", 4) == 0)
        exit(0);
    if (strncmp(line, "fills ", 6) == 0)
        fill_rate = strtod(line + 6, NULL);
    else if (strncmp(line, "stats", 5) == 0)
        print_stats();
}

static void start_node(struct node *node, size_t index, char **argv, int argc)
{
    snprintf(node->name, sizeof node->name, "swarm-%04zu", index);
    snprintf(node->src, sizeof node->src, "node/%s", node->name);
    flt_ulid(now_ms(), node->boot);
    flt_ulid(now_ms(), node->stream);
    const struct flt_mqtt_config config = { .library = argv[4],
                                            .url = argv[1],
                                            .client_id = node->name,
                                            .username = argc > 6 ? argv[5] : NULL,
                                            .password = argc > 6 ? argv[6] : NULL,
                                            .window = 20 };
    const struct flt_mqtt_events calls = {
        .ctx = node, .will = on_will, .on_up = on_up, .on_down = on_down, .on_message = on_message
    };

    if (flt_mqtt_create(loop, &config, &calls, &node->mqtt) != 0)
        exit(1);
}

int main(int argc, char **argv)
{
    struct flt_timer *tick;
    uv_poll_t orders;

    if (argc < 5) {
        fputs("usage: chaos_swarm URL TENANT NODES LIBRARY [USER PASSWORD]\n", stderr);
        return 2;
    }
    setvbuf(stdin, NULL, _IONBF, 0);
    flt_log_set_level(FLT_LOG_ERROR);
    tenant = argv[2];
    node_count = (size_t)strtoul(argv[3], NULL, 10);
    nodes = calloc(node_count, sizeof *nodes);
    if (!nodes || flt_loop_create(flt_clock_system(), &loop) != 0)
        return 1;
    for (size_t i = 0; i < node_count; i++)
        start_node(&nodes[i], i, argv, argc);
    if (flt_timer_create(loop, on_tick, NULL, &tick) != 0 ||
        uv_poll_init(flt_loop_uv(loop), &orders, 0) != 0 ||
        uv_poll_start(&orders, UV_READABLE, on_orders) != 0)
        return 1;
    flt_timer_start(tick, TICK_MS, TICK_MS);
    puts("ready");
    fflush(stdout);
    return flt_loop_run(loop);
}
