/* The daemon: start, the bus, and the turns of its timers. */
#define FLT_MOD "controller"
#include "controller/controller.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/alerts.h"
#include "controller/backup.h"
#include "controller/days.h"
#include "controller/market.h"
#include "controller/once.h"
#include "controller/request.h"
#include "controller/users.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/log.h"
#include "lib/roles.h"

#define COMMIT_MS 10
#define FAST_MS 100
#define SUSPECT_LEAST_MS 1000 /* however fast the times are: machines are not */
#define DIGEST_TURNS 3        /* 3 Hz; */
#define DIGEST_TURNS_MANY 10  /* of more than DIGEST_MANY bots, 1 Hz */
#define DIGEST_MANY 2000

int64_t controller_now_ms(const struct controller *controller)
{
    return flt_wall_ms(controller->clock);
}

int64_t controller_mono_ms(const struct controller *controller)
{
    return flt_mono_ms(controller->clock);
}

int64_t controller_scaled_ms(const struct controller *controller, int64_t ms)
{
    const struct msg_config_controller *config = &controller->config;

    return config->has_time_scale ? (int64_t)((double)ms * config->time_scale) : ms;
}

void controller_envelope(struct controller *controller, struct msg_envelope *env)
{
    msg_envelope_init(env, controller->clock, "controller", &controller->sequence);
}

static void publish_bytes(struct controller *controller, const char *topic, const char *data,
                          size_t size, int qos, bool retained)
{
    const struct flt_mqtt_publish publish = {
        .topic = topic, .payload = data, .payload_size = size, .qos = qos, .retained = retained
    };
    const int err = controller->mqtt ? flt_mqtt_publish(controller->mqtt, &publish) : -ENOTCONN;

    controller->published_bytes += size;
    if (err && err != -ENOTCONN)
        FLT_LOG(WARN, "publish_dropped", "topic=%s err=%d", topic, err);
}

void controller_publish(struct controller *controller, const char *topic,
                        const struct msg_type *type, const void *message, int qos, bool retained)
{
    struct flt_buf *buf = &controller->out;

    flt_buf_reset(buf);
    msg_encode(type, buf, NULL, message);
    if (buf->failed)
        FLT_LOG(ERROR, "encode_failed", "topic=%s", topic);
    else
        publish_bytes(controller, topic, buf->data, buf->length, qos, retained);
}

void controller_clear(struct controller *controller, const char *topic)
{
    publish_bytes(controller, topic, "", 0, 1, true);
}

void controller_check(struct controller *controller, int err)
{
    if (err < 0 && controller->on_fatal && !controller->stopping) {
        FLT_LOG(ERROR, "database_failed", "err=%d hint=\"%s\"", err,
                err == -ENOSPC ? "the disk is full: free some space and start again"
                               : "nothing was acknowledged; start again");
        controller->stopping = true;
        controller->on_fatal(controller->fatal_ctx);
    }
}

bool controller_commit(struct controller *controller)
{
    int err;

    request_committing(controller);
    err = store_save_books(&controller->store, &controller->books);
    if (!err)
        err = store_commit(&controller->store);
    controller_check(controller, err);
    return !err;
}

/* --- timers
 * ------------------------------------------------------------------------------------------ */

static void on_commit(void *ctx)
{
    struct controller *controller = ctx;

    controller->committing = false;
    if (!controller_commit(controller))
        return;
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        if (controller->inventory.nodes[i]->sack_due)
            ingest_sack(controller, controller->inventory.nodes[i]);
}

static void schedule_commit(struct controller *controller)
{
    if (!controller->store.open_tx || controller->committing)
        return;
    controller->committing = true;
    flt_timer_start(controller->commit_timer, COMMIT_MS, 0);
}

static unsigned digest_turns(const struct controller *controller)
{
    return controller->inventory.bot_count > DIGEST_MANY ? DIGEST_TURNS_MANY : DIGEST_TURNS;
}

static void on_fast(void *ctx)
{
    struct controller *controller = ctx;

    commands_on_tick(controller);
    late_tick(controller);
    takeover_tick(controller);
    users_on_tick(controller);
    if (++controller->turns % digest_turns(controller) == 0 && flt_mqtt_is_up(controller->mqtt))
        digest_tick(controller);
    schedule_commit(controller);
}

/* Nothing here depends on the wall clock but what people read and when requests expire. */
static void watch_clock(struct controller *controller)
{
    const int64_t step = flt_step_seen(&controller->clock_steps, controller_now_ms(controller),
                                       controller_mono_ms(controller));

    if (!step)
        return;
    flt_refuse(&controller->refused, FLT_REFUSED_CLOCK_STEP);
    alert_raise(controller, "clock-controller", MSG_SEVERITY_WARNING, "clock_step", "controller",
                "the clock of the controller's machine jumped by %lld ms", (long long)step);
}

static void on_second(void *ctx)
{
    struct controller *controller = ctx;

    for (size_t i = 0; i < controller->inventory.node_count; i++) {
        ingest_on_second(controller, controller->inventory.nodes[i]);
    }
    health_tick(controller);
    placement_drain(controller);
    tokens_on_second(controller);
    rules_tick(controller);
    equity_tick(controller);
    backups_on_second(controller->backups);
    days_tick(controller);
    watch_clock(controller);
    truth_tick(controller);
    if (controller_mono_ms(controller) / 1000 % 3600 == 0)
        once_expire(controller);
    schedule_commit(controller);
}

/* --- messages
 * ---------------------------------------------------------------------------------------- */

#define MESSAGE_BYTES_MAX ((size_t)1 << 20)

/* Its topic says who sent it, as the broker lets nobody else: the message must say the same. */
static bool is_forged(struct controller *controller, const char *node,
                      const struct msg_envelope *env)
{
    char src[64];

    snprintf(src, sizeof src, "node/%s", node);
    if (strcmp(env->src, src) == 0)
        return false;
    flt_refuse(&controller->refused, FLT_REFUSED_FORGED);
    FLT_LOG(WARN, "forged", "topic_node=%s", node);
    return true;
}

static void refuse_message(struct controller *controller, const struct flt_mqtt_message *message,
                           const struct flt_error *error)
{
    const char *topic = message->topic;
    char quoted[200];

    flt_refuse(&controller->refused,
               flt_refusal_of(message->payload, message->payload_size, MESSAGE_BYTES_MAX));
    FLT_LOG(WARN, "message_refused", "topic=%s field=%s why=%s", topic, error->field,
            flt_log_quote(error->message, quoted, sizeof quoted));
}

/* `fresh`: its presence is of now; a retained copy is as old as its connection. */
static void on_birth(struct controller *controller, struct node *node, bool fresh)
{
    FLT_LOG(INFO, "node_up", "node=%s incarnation=%" PRId64, node->name, node->incarnation);
    controller_check(controller,
                     store_save_node(&controller->store, node, controller_now_ms(controller)));
    accounts_send_all(controller, node);
    desired_sync(controller, node, false);
    ingest_on_birth(controller, node, fresh);
}

static void on_presence(struct controller *controller, const char *name,
                        const struct flt_mqtt_message *message)
{
    struct msg_n_presence presence;
    struct flt_error error = { 0 };
    struct node *node;
    int outcome;

    if (message->payload_size == 0)
        return;
    if (msg_parse(&msg_type_n_presence, message->payload, message->payload_size, MSG_PROGRAM,
                  &presence, &error) != 0) {
        refuse_message(controller, message, &error);
        return;
    }
    if (is_forged(controller, name, &presence.env)) {
        msg_n_presence_finish(&presence);
        return;
    }
    node = inventory_get_node(&controller->inventory, name);
    outcome = node && owners_hear_presence(controller, node, &presence)
                  ? node_take_presence(node, &presence, controller_mono_ms(controller))
                  : INVENTORY_OLD;
    msg_n_presence_finish(&presence);
    if (outcome == INVENTORY_OLD)
        flt_refuse(&controller->refused, FLT_REFUSED_OLD_NUMBER);
    if (outcome == INVENTORY_BIRTH)
        on_birth(controller, node, !message->retained);
    else if (outcome == 0 && node->word != NODE_UP)
        FLT_LOG(INFO, "node_gone", "node=%s word=%s", name,
                node->word == NODE_DOWN ? "down" : "lost");
}

static void on_hb(struct controller *controller, const char *name, struct msg_n_hb *hb)
{
    struct node *node = inventory_get_node(&controller->inventory, name);
    const int outcome = node && owners_hear_hb(controller, node, hb)
                            ? node_take_hb(node, hb, controller_mono_ms(controller))
                            : INVENTORY_OLD;

    if (outcome == INVENTORY_BIRTH)
        on_birth(controller, node, false);
    if (outcome != INVENTORY_OLD)
        desired_on_hb(controller, node);
}

static void on_state(struct controller *controller, const struct topic_ref *topic,
                     const struct flt_mqtt_message *message)
{
    struct bot *bot = inventory_find_bot(&controller->inventory, topic->bot);
    struct msg_n_state state;
    struct flt_error error = { 0 };

    if (!bot || !bot_listed(bot))
        return; /* `unclaimed` shows in the node's hash, and the sync lists what it should hold */
    if (message->payload_size == 0) {
        if (bot->release && !bot->moving_to[0] && strcmp(bot->node, topic->node) == 0)
            desired_removed(controller, bot);
        return;
    }
    if (msg_parse(&msg_type_n_state, message->payload, message->payload_size, MSG_PROGRAM, &state,
                  &error) != 0) {
        refuse_message(controller, message, &error);
        return;
    }
    if (is_forged(controller, topic->node, &state.env))
        ;
    else if (state.env.has_epoch && state.env.epoch < bot->epoch)
        flt_refuse(&controller->refused, FLT_REFUSED_OLD_EPOCH);
    else if (!backup_lift_bot(controller, bot, topic->node, &state)) {
        if (bot_take_state(bot, topic->node, &state, controller_mono_ms(controller))) {
            takeover_claimed(controller, bot);
            backup_lift_venue(controller, bot);
        }
    }
    msg_n_state_finish(&state);
}

/* Messages whose whole struct goes to one function. */
static void on_node_message(struct controller *controller, const struct topic_ref *topic,
                            const struct flt_mqtt_message *message)
{
    union {
        struct msg_n_hb hb;
        struct msg_n_ev ev;
        struct msg_n_rp rp;
        struct msg_n_res res;
        struct msg_n_snap snap;
    } is;
    const struct msg_type *type = topic_rows[topic->id].message;
    struct node *node = inventory_get_node(&controller->inventory, topic->node);
    struct flt_error error = { 0 };

    if (!node)
        return;
    if (message->retained) { /* facts and answers are never kept */
        flt_refuse(&controller->refused, FLT_REFUSED_RETAINED);
        return;
    }
    if (msg_parse(type, message->payload, message->payload_size, MSG_PROGRAM, &is, &error) != 0) {
        refuse_message(controller, message, &error);
        return;
    }
    if (is_forged(controller, topic->node, &is.hb.env)) /* each begins with its envelope */
        ;
    else if (type == &msg_type_n_hb)
        on_hb(controller, topic->node, &is.hb);
    else if (type == &msg_type_n_ev)
        ingest_ev(controller, node, &is.ev);
    else if (type == &msg_type_n_rp)
        ingest_rp(controller, node, &is.rp);
    else if (type == &msg_type_n_snap)
        takeover_snap(controller, topic->node, &is.snap);
    else
        commands_on_res(controller, topic->node, &is.res);
    msg_finish(type, &is);
}

static void on_message(void *ctx, const struct flt_mqtt_message *message)
{
    struct controller *controller = ctx;
    struct topic_ref topic;

    if (controller->stopping)
        return;
    if (strcmp(message->topic, FLT_DYNSEC_RESPONSE_TOPIC) == 0) {
        users_on_response(controller, message->payload, message->payload_size);
    } else if (!topic_parse(message->topic, &topic)) {
        flt_refuse(&controller->refused, FLT_REFUSED_TOPIC);
        FLT_LOG(WARN, "topic_unknown", "bytes=%zu", message->payload_size);
    } else if (strcmp(topic.tenant, controller->config.tenant) != 0) {
        flt_refuse(&controller->refused, FLT_REFUSED_TENANT);
    } else if (message->payload_size > MESSAGE_BYTES_MAX) {
        flt_refuse(&controller->refused, FLT_REFUSED_OVERSIZED);
    } else if (topic.id == TOPIC_NODE_PRESENCE) {
        on_presence(controller, topic.node, message);
    } else if (topic.id == TOPIC_NODE_STATE) {
        on_state(controller, &topic, message);
    } else if (topic.id == TOPIC_USER_REQ) {
        request_take(controller, &topic, message);
    } else if (topic.id == TOPIC_NODE_HB || topic.id == TOPIC_NODE_EV ||
               topic.id == TOPIC_NODE_RP || topic.id == TOPIC_NODE_RES ||
               topic.id == TOPIC_NODE_SNAP) {
        on_node_message(controller, &topic, message);
    }
    schedule_commit(controller);
}

/* --- the connection
 * ------------------------------------------------------------------------------------ */

static void fill_state(struct controller *controller, bool online, struct msg_ctl_state *out)
{
    memset(out, 0, sizeof *out);
    controller_envelope(controller, &out->env);
    out->state = online ? MSG_CTL_STATE_STATE_ONLINE : MSG_CTL_STATE_STATE_OFFLINE;
    out->term = controller->term;
    out->incarnation = controller->incarnation;
    out->has_version = true;
    snprintf(out->version, sizeof out->version, "%s", FLT_VERSION);
}

static bool on_will(void *ctx, const char **topic, const char **payload, size_t *size,
                    bool *retained)
{
    struct controller *controller = ctx;
    struct msg_ctl_state state;

    controller->incarnation++;
    controller_check(
        controller, store_set_meta_int(&controller->store, "incarnation", controller->incarnation));
    if (!controller_commit(controller))
        return false;
    fill_state(controller, false, &state);
    flt_buf_reset(&controller->will);
    msg_ctl_state_encode(&controller->will, &state);
    *topic = topic_ctl_state(controller->will_topic, controller->config.tenant);
    *payload = controller->will.data;
    *size = controller->will.length;
    *retained = true;
    return !controller->will.failed;
}

static void subscribe_all(struct controller *controller)
{
    const char *tenant = controller->config.tenant;
    char topic[TOPIC_MAX];
    int err = flt_mqtt_subscribe(controller->mqtt, topic_node_presence(topic, tenant, "+"), 1);

    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_hb(topic, tenant, "+"), 0);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_state(topic, tenant, "+", "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_snap(topic, tenant, "+", "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_ev(topic, tenant, "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_rp(topic, tenant, "+", "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_node_res(topic, tenant, "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, topic_user_req(topic, tenant, "+", "+"), 1);
    err |= flt_mqtt_subscribe(controller->mqtt, FLT_DYNSEC_RESPONSE_TOPIC, 1);
    if (err)
        FLT_LOG(ERROR, "subscribe_failed", "err=%d", err);
}

static void on_up(void *ctx)
{
    struct controller *controller = ctx;
    struct msg_ctl_state state;
    char topic[TOPIC_MAX];

    controller->up_ms = controller_mono_ms(controller);
    owners_attentive(controller);
    FLT_LOG(INFO, "bus_up", "term=%" PRId64 " incarnation=%" PRId64, controller->term,
            controller->incarnation);
    subscribe_all(controller);
    fill_state(controller, true, &state);
    controller_publish(controller, topic_ctl_state(topic, controller->config.tenant),
                       &msg_type_ctl_state, &state, 1, true);
    halts_publish(controller);
    for (size_t i = 0; i < controller->inventory.bot_count; i++)
        if (bot_listed(controller->inventory.bots[i]))
            desired_publish(controller, controller->inventory.bots[i]);
    alerts_publish(controller);
    digest_forget(controller);
    if (users_start(controller) != 0)
        FLT_LOG(WARN, "users_unknown", "why=\"the broker was not asked\"");
}

static void on_down(void *ctx, const char *reason)
{
    struct controller *controller = ctx;
    char quoted[160];

    controller->up_ms = -1;
    controller->inventory.suspect_ms = controller_scaled_ms(controller, NODE_SUSPECT_MS);
    if (controller->inventory.suspect_ms < SUSPECT_LEAST_MS)
        controller->inventory.suspect_ms = SUSPECT_LEAST_MS;
    FLT_LOG(WARN, "bus_down", "why=%s", flt_log_quote(reason, quoted, sizeof quoted));
}

/* --- start and end
 * ------------------------------------------------------------------------------------- */

static int open_database(struct controller *controller, struct flt_error *error)
{
    char path[512];
    int err = flt_path_join(path, sizeof path, controller->config.dir, "controller.db");

    if (!err)
        err = flt_mkdir_p(controller->config.dir);
    if (err)
        return flt_error_set(error, flt_error_from_errno(err), "dir", "", "cannot use %s",
                             controller->config.dir);
    err = store_open(&controller->store, path, error);
    if (!err)
        err = store_load(&controller->store, &controller->inventory, &controller->books);
    return err ? err : flt_path_join(path, sizeof path, controller->config.dir, "key");
}

/* The next term, durable before anybody hears it. */
static int take_term(struct controller *controller)
{
    const int64_t stored = store_meta_int(&controller->store, "term", 0);
    const int64_t seconds = controller_now_ms(controller) / 1000;
    int err;

    controller->fresh = stored == 0;
    controller->term = stored + 1 > seconds ? stored + 1 : seconds;
    controller->incarnation = store_meta_int(&controller->store, "incarnation", 0);
    controller->halt_number = store_meta_int(&controller->store, "halt_number", 0);
    err = store_set_meta_int(&controller->store, "term", controller->term);
    if (!err && store_meta_int(&controller->store, "books", 0) == 0)
        err = store_set_meta_int(&controller->store, "books", controller->term);
    return err ? err : store_commit(&controller->store);
}

/* The key that seals accounts, and the box that people seal to; the box's private half is kept
 * sealed in the key file's folder. */
static int load_keys(struct controller *controller, struct flt_error *error)
{
    char path[512], box[512];
    uint8_t *sealed = NULL;
    size_t size = 0;
    int err = flt_path_join(path, sizeof path, controller->config.dir, "key");

    if (!err)
        err = flt_path_join(box, sizeof box, controller->config.dir, "box");
    if (!err)
        err = flt_key_file(path, controller->key);
    if (!err && (sealed = (uint8_t *)flt_file_read(box, 4096, &size))) {
        err = size == 64 + FLT_SEAL_OVERHEAD ? 0 : -EBADMSG;
        uint8_t both[64];
        if (!err)
            err = flt_unseal(controller->key, "box", sealed, size, both);
        memcpy(controller->box_private, both, 32);
        memcpy(controller->box_public, both + 32, 32);
        flt_wipe(both, sizeof both);
    } else if (!err) {
        uint8_t both[64], out[64 + FLT_SEAL_OVERHEAD];

        err = flt_box_keypair(controller->box_private, controller->box_public);
        memcpy(both, controller->box_private, 32);
        memcpy(both + 32, controller->box_public, 32);
        if (!err)
            err = flt_seal(controller->key, "box", both, sizeof both, out);
        if (!err)
            err = flt_file_write(box, out, sizeof out, 0600);
        flt_wipe(both, sizeof both);
    }
    free(sealed);
    return err ? flt_error_set(error, flt_error_from_errno(err), "dir",
                               "restore the files key and box from a backup",
                               "the keys in %s cannot be used", controller->config.dir)
               : 0;
}

static char *read_password(const struct msg_config_mqtt *mqtt, struct flt_error *error)
{
    size_t size = 0;
    char *text;

    if (!mqtt->has_password_file)
        return NULL;
    text = flt_file_read(mqtt->password_file, 512, &size);
    if (!text) {
        (void)flt_error_set(error, FLT_NOT_FOUND, "mqtt.password_file", "", "cannot read %s",
                            mqtt->password_file);
        return NULL;
    }
    text[strcspn(text, "\r\n")] = '\0';
    return text;
}

static int connect_bus(struct controller *controller, struct flt_error *error)
{
    const struct msg_config_mqtt *mqtt = &controller->config.mqtt;
    char *password = read_password(mqtt, error);
    const struct flt_mqtt_config config = {
        .library = mqtt->has_library ? msg_config_mqtt_library_name(mqtt->library) : NULL,
        .url = mqtt->url,
        .client_id = "flotilla-controller",
        .username = mqtt->has_username ? mqtt->username : NULL,
        .password = password,
        .ca_file = mqtt->has_ca_file ? mqtt->ca_file : NULL,
        .cert_file = mqtt->has_cert_file ? mqtt->cert_file : NULL,
        .key_file = mqtt->has_key_file ? mqtt->key_file : NULL,
        .window = 100,
    };
    const struct flt_mqtt_events events = { .ctx = controller,
                                            .will = on_will,
                                            .on_up = on_up,
                                            .on_down = on_down,
                                            .on_message = on_message };
    int err = mqtt->has_password_file && !password ? -ENOENT : 0;

    if (!err)
        err = flt_mqtt_create(controller->loop, &config, &events, &controller->mqtt);
    if (err)
        (void)flt_error_set(error, flt_error_from_errno(err), "mqtt.url", "",
                            "cannot use the broker at %s", mqtt->url);
    if (password)
        flt_wipe(password, strlen(password));
    free(password);
    return err;
}

static int start_timers(struct controller *controller)
{
    int err = flt_timer_create(controller->loop, on_commit, controller, &controller->commit_timer);

    if (!err)
        err = flt_timer_create(controller->loop, on_fast, controller, &controller->fast_timer);
    if (!err)
        err = flt_timer_create(controller->loop, on_second, controller, &controller->second_timer);
    if (err)
        return err;
    flt_timer_start(controller->fast_timer, FAST_MS, FAST_MS);
    flt_timer_start(controller->second_timer, 1000, 1000);
    return 0;
}

static void count_fills(struct controller *controller)
{
    for (size_t i = 0; i < controller->books.count; i++)
        controller->fills_total += controller->books.list[i]->fills;
}

int controller_create(struct flt_loop *loop, const struct msg_config_controller *config,
                      struct flt_error *error, struct controller **out)
{
    struct controller *controller = calloc(1, sizeof *controller);
    int err;

    if (!controller)
        return -ENOMEM;
    controller->loop = loop;
    controller->clock = flt_loop_clock(loop);
    controller->config = *config; /* lives longer than we do */
    controller->started_ms = controller_mono_ms(controller);
    controller->up_ms = -1;
    err = own_log_start(controller);
    if (!err)
        err = open_database(controller, error);
    if (!err)
        err = take_term(controller);
    if (!err)
        err = owners_start(controller);
    if (!err)
        err = commands_load(controller);
    if (!err)
        err = late_load(controller);
    if (!err)
        err = load_keys(controller, error);
    if (!err)
        err = backup_after_restore(controller);
    if (!err)
        err = backups_create(controller, error, &controller->backups);
    if (!err)
        err = market_create(controller, &controller->market);
    if (!err)
        err = alerts_load(controller);
    if (!err)
        err = notify_create(controller);
    if (!err)
        err = start_timers(controller);
    if (!err)
        err = connect_bus(controller, error);
    if (err) {
        controller_destroy(controller);
        (void)flt_error_set(error, flt_error_from_errno(err), "", "", "cannot start: %s",
                            strerror(-err));
        return err;
    }
    count_fills(controller);
    *out = controller;
    return 0;
}

void controller_stop(struct controller *controller, void (*closed)(void *ctx), void *ctx)
{
    struct msg_ctl_state state;
    char topic[TOPIC_MAX];

    (void)controller_commit(controller);
    controller->stopping = true;
    flt_timer_stop(controller->commit_timer); /* they would speak on a connection that is going */
    flt_timer_stop(controller->fast_timer);
    flt_timer_stop(controller->second_timer);
    fill_state(controller, false, &state);
    controller_publish(controller, topic_ctl_state(topic, controller->config.tenant),
                       &msg_type_ctl_state, &state, 1, true);
    commands_finish(controller);
    users_finish(controller);
    flt_mqtt_close(controller->mqtt, 1000, closed, ctx);
    controller->mqtt = NULL;
}

void controller_destroy(struct controller *controller)
{
    if (!controller)
        return;
    controller->stopping = true;
    commands_finish(controller);
    late_finish(controller);
    if (controller->mqtt) {
        users_finish(controller);
        flt_mqtt_close(controller->mqtt, 0, NULL, NULL);
    }
    flt_timer_destroy(controller->commit_timer);
    flt_timer_destroy(controller->fast_timer);
    flt_timer_destroy(controller->second_timer);
    backups_destroy(controller->backups);
    notify_destroy(controller);
    market_destroy(controller->market);
    store_close(&controller->store);
    books_finish(&controller->books);
    inventory_finish(&controller->inventory);
    free(controller->alerts);
    free(controller->watches);
    own_log_stop(controller);
    flt_buf_finish(&controller->out);
    flt_buf_finish(&controller->will);
    flt_wipe(controller->key, sizeof controller->key);
    flt_wipe(controller->box_private, sizeof controller->box_private);
    free(controller);
}
