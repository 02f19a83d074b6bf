#define FLT_MOD "host"
#include "botnode/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/handover.h"
#include "botnode/hosts.h"
#include "botnode/lists.h"
#include "botnode/owner.h"
#include "botnode/paper.h"
#include "botnode/record.h"
#include "botnode/recorder.h"
#include "botnode/report.h"
#include "botnode/sweep.h"
#include "lib/fail.h"

#define REPEAT_NS (60 * INT64_C(1000000000))
#define REVALUE_NS (4 * INT64_C(1000000000))
#define REVALUE_FEW_NS INT64_C(900000000) /* of up to REVALUE_FEW bots: at each second */
#define REVALUE_FEW 250
#define TRADES_RESTORED 512
#define HISTORY_BARS_MAX 1000 /* what one klines request gives at every venue we know */

_Static_assert((int)MSG_PHASE_ERROR == (int)BOT_ERROR, "phases of schema and engine are one list");
_Static_assert((int)MSG_RUN_FLAT == (int)BOT_RUN_FLAT, "so are the desired states");
_Static_assert((int)MSG_MODE_BACKTEST == (int)BOT_MODE_BACKTEST, "and the modes");

/* An answer that is under way: the host may be gone when it comes. */
struct pending {
    struct botnode *node;
    uint64_t serial;
    unsigned leg;
    char client_order_id[FLT_COID_MAX];
};

static struct pending *pending_new(const struct host *host, unsigned leg,
                                   const char *client_order_id)
{
    struct pending *pending = calloc(1, sizeof *pending);

    if (!pending)
        return NULL;
    pending->node = host->node;
    pending->serial = host->serial;
    pending->leg = leg;
    snprintf(pending->client_order_id, sizeof pending->client_order_id, "%s",
             client_order_id ? client_order_id : "");
    return pending;
}

/* The bot that waits for this answer, or NULL; the pending is freed by the caller. */
static struct bot *pending_bot(const struct pending *pending)
{
    struct host *host = hosts_by_serial(pending->node->hosts, pending->serial);

    return host ? host->bot : NULL;
}

/* --- logs
 * ------------------------------------------------------------------------------------------ */

void host_log(struct host *host, enum flt_log_level level, const char *event, const char *text)
{
    char quoted[200];
    struct host_log_row *row;

    if (!host->log)
        host->log = calloc(HOST_LOG_ROWS, sizeof *host->log);
    if (!host->log)
        return;
    row = &host->log[host->log_count++ % HOST_LOG_ROWS];
    row->ts_ms = flt_wall_ms(host->node->clock);
    row->level = level <= FLT_LOG_ERROR ? (enum msg_log_level)level : MSG_LOG_LEVEL_ERROR;
    snprintf(row->event, sizeof row->event, "%s", event);
    snprintf(row->text, sizeof row->text, "%s", text);
    if (flt_log_enabled(level))
        flt_log_write(level, FLT_MOD, event, "bot=%s text=%s", host->name,
                      flt_log_quote(text, quoted, sizeof quoted));
    if (host_is_watched(host))
        report_log(host, row);
}

/* --- the engine's port
 * ------------------------------------------------------------------------------ */

static int port_intend(void *ctx, struct bot *bot, struct order_intent *intent)
{
    struct host *host = ctx;

    (void)bot;
    return journal_intend(host->node->journal, intent);
}

/* The last look at the lease on our side of the queue: 0, and the account knows until when what is
 * asked next may leave. */
static int port_opens(struct host *host)
{
    if (!host->account || !account_handle(host->account))
        return -ENOTCONN;
    return owner_opens(host->node->owner, host) ? 0 : -EACCES;
}

static int port_place(void *ctx, struct bot *bot, const struct order_request *request)
{
    struct host *host = ctx;
    const int err = port_opens(host);

    (void)bot;
    if (err)
        return err;
    return account_ops(host->account)->place(account_handle(host->account), request);
}

static int port_cancel(void *ctx, struct bot *bot, const struct instrument *instrument,
                       const char *client_order_id)
{
    struct host *host = ctx;
    const int err = port_opens(host);

    (void)bot;
    if (err)
        return err;
    return account_ops(host->account)
        ->cancel(account_handle(host->account), instrument, client_order_id);
}

static void on_query(void *ctx, const struct exchange_failure *failure, const struct order *order)
{
    struct pending *pending = ctx;
    struct bot *bot = pending_bot(pending);

    if (bot)
        bot_on_query_result(bot, pending->client_order_id, failure, order);
    free(pending);
}

static int port_query(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *client_order_id)
{
    struct host *host = ctx;
    struct pending *pending;
    int err;

    (void)bot;
    err = port_opens(host);
    if (err)
        return err;
    pending = pending_new(host, 0, client_order_id);
    if (!pending)
        return -ENOMEM;
    err = account_ops(host->account)
              ->query_order(account_handle(host->account), instrument, client_order_id, on_query,
                            pending);
    if (err)
        free(pending);
    return err;
}

static void on_fills(void *ctx, const struct exchange_failure *failure, const struct fill *fills,
                     size_t count)
{
    struct pending *pending = ctx;
    struct bot *bot = pending_bot(pending);

    if (bot)
        bot_on_fills_result(bot, pending->client_order_id, failure, fills, count);
    free(pending);
}

static int port_fills(void *ctx, struct bot *bot, const struct instrument *instrument,
                      const char *order_id, const char *client_order_id)
{
    struct host *host = ctx;
    const struct fills_query query = { .instrument = instrument, .order_id = order_id };
    struct pending *pending;
    int err;

    (void)bot;
    err = port_opens(host);
    if (err)
        return err;
    pending = pending_new(host, 0, client_order_id);
    if (!pending)
        return -ENOMEM;
    err =
        account_ops(host->account)->fills(account_handle(host->account), &query, on_fills, pending);
    if (err)
        free(pending);
    return err;
}

/* Whose epochs they are: a newer owner's say that we are outdated. */
static void saw_orders(const struct pending *pending, const struct order *orders, size_t count)
{
    struct host *host = hosts_by_serial(pending->node->hosts, pending->serial);
    struct flt_coid id;

    for (size_t i = 0; host && i < count; i++)
        if (flt_coid_parse(orders[i].client_order_id, &id) && id.owner == host->owner)
            owner_saw_epoch(host->node->owner, host, id.epoch);
}

static void on_open_orders(void *ctx, const struct exchange_failure *failure,
                           const struct order *orders, size_t count)
{
    struct pending *pending = ctx;
    struct bot *bot = pending_bot(pending);

    if (bot) {
        saw_orders(pending, orders, count);
        bot_on_open_orders(bot, pending->leg, failure, orders, count);
    }
    free(pending);
}

static int port_open_orders(void *ctx, struct bot *bot, unsigned leg)
{
    struct host *host = ctx;
    struct pending *pending;
    int err;

    (void)bot;
    err = port_opens(host);
    if (err)
        return err;
    if (host->desired.spec.has_account)
        return lists_ask(host->node->lists, host, leg);
    pending = pending_new(host, leg, NULL); /* a paper account is the bot's alone */
    if (!pending)
        return -ENOMEM;
    err =
        account_ops(host->account)
            ->open_orders(account_handle(host->account), host->legs[leg], on_open_orders, pending);
    if (err)
        free(pending);
    return err;
}

static int port_sweep(void *ctx, struct bot *bot, unsigned leg)
{
    struct host *host = ctx;
    const int err = port_opens(host);

    (void)bot;
    if (err)
        return err;
    return sweeps_ask(host->node->sweeps, host, leg);
}

/* What a person wants to read in the bot's log: trades, phases, what was refused and why. */
static void log_record(struct host *host, const struct bot_record *record)
{
    char text[160], price[FLT_DEC_TEXT_MAX], qty[FLT_DEC_TEXT_MAX], fee[FLT_AMT_TEXT_MAX];
    const char *message = record->message ? record->message : "";

    if (record->kind == BOT_RECORD_FILL) {
        const struct fill *fill = record->fill;

        snprintf(text, sizeof text, "%s %s at %s, fee %s %s, %s", side_name(fill->side),
                 flt_dec_format(fill->qty, qty), flt_dec_format(fill->price, price),
                 flt_amt_format(fill->fee, fee), fill->fee_asset, liquidity_name(fill->liquidity));
        host_log(host, FLT_LOG_INFO, "fill", text);
    } else if (record->kind == BOT_RECORD_TRANSITION) {
        snprintf(text, sizeof text, "%s to %s%s%s", bot_phase_name(record->from),
                 bot_phase_name(record->to), *message ? ": " : "", message);
        host_log(host, FLT_LOG_INFO, "phase", text);
    } else if (record->kind == BOT_RECORD_RISK || record->kind == BOT_RECORD_ALARM) {
        host_log(host, record->kind == BOT_RECORD_ALARM ? FLT_LOG_ERROR : FLT_LOG_WARN,
                 record->code ? record->code : "risk", message);
    }
}

static int port_record(void *ctx, struct bot *bot, const struct bot_record *record)
{
    struct host *host = ctx;

    (void)bot;
    host->report_due = host->snap_due = true;
    if (host->quiet && record->kind == BOT_RECORD_FILL)
        return 0;
    if (record->kind == BOT_RECORD_ORDER && host_is_watched(host))
        report_order(host, record->order, record->message);
    if (record->kind == BOT_RECORD_FILL && host_is_watched(host))
        report_fill(host, record->fill);
    log_record(host, record);
    return record_append(host, record);
}

static void port_log(void *ctx, struct bot *bot, enum flt_log_level level, const char *text)
{
    (void)bot;
    host_log(ctx, level, "bot", text);
}

static const struct engine_port port_ops = {
    .intend = port_intend,
    .place = port_place,
    .cancel = port_cancel,
    .query_order = port_query,
    .fetch_fills = port_fills,
    .open_orders = port_open_orders,
    .sweep = port_sweep,
    .record = port_record,
    .log = port_log,
};

/* --- market data
 * ------------------------------------------------------------------------------------ */

static void feed_quote(void *ctx, unsigned leg, const struct quote *quote, int64_t received_ns)
{
    struct host *host = ctx;

    bot_on_quote(host->bot, leg, quote, received_ns);
}

static void feed_trade(void *ctx, unsigned leg, const struct trade *trade, int64_t received_ns)
{
    struct host *host = ctx;

    bot_on_trade(host->bot, leg, trade, received_ns);
}

static void feed_bar(void *ctx, unsigned leg, const struct bar *bar, int64_t received_ns)
{
    struct host *host = ctx;

    bot_on_bar(host->bot, leg, bar, 60000, true, received_ns);
}

static void on_history(void *ctx, const struct exchange_failure *failure,
                       const struct instrument *instrument, const struct bar *bars, size_t count)
{
    struct pending *pending = ctx;
    struct host *host = hosts_by_serial(pending->node->hosts, pending->serial);

    (void)instrument;
    if (host && host->bot && failure->error == EXCHANGE_OK)
        bot_on_history(host->bot, pending->leg, bars, count);
    else if (host && host->bot)
        host_log(host, FLT_LOG_WARN, "history_failed", failure->message);
    free(pending);
}

/* "1h" for 3600000: the words of lib/market.h, the largest that divides. */
static const char *timeframe_word(int64_t bar_ms)
{
    static const char *const words[] = { "1w", "3d",  "1d",  "12h", "8h", "6h", "4h", "2h",
                                         "1h", "30m", "15m", "5m",  "3m", "1m", "1s" };

    for (size_t i = 0; i < FLT_COUNT(words); i++) {
        if (timeframe_ms(words[i]) == bar_ms)
            return words[i];
    }
    return NULL;
}

static void host_ask_history(struct host *host, unsigned leg)
{
    const int64_t bar_ms = bot_needs(host->bot)->bar_ms;
    const char *word = bar_ms ? timeframe_word(bar_ms) : NULL;
    size_t bars = bot_warmup_bars(host->bot) + 2;
    struct pending *pending = word ? pending_new(host, leg, NULL) : NULL;

    if (!pending)
        return;
    if (bars > HISTORY_BARS_MAX)
        bars = HISTORY_BARS_MAX;
    if (venue_ops(host->venue)
            ->bars(venue_market(host->venue), host->legs[leg], word, 0, (int)bars, on_history,
                   pending)) {
        host_log(host, FLT_LOG_WARN, "history_failed", "the venue takes no request now");
        free(pending);
    }
}

static int host_listen(struct host *host)
{
    const struct needs *needs = bot_needs(host->bot);
    unsigned feeds = needs->feeds | FEED_QUOTE | (needs->bar_ms ? (unsigned)FEED_BAR_1M : 0);
    int err = 0;

    host->listeners = calloc(host->leg_count, sizeof *host->listeners);
    if (!host->listeners)
        return -ENOMEM;
    for (unsigned leg = 0; !err && leg < host->leg_count; leg++) {
        host->listeners[leg] = (struct feed_listener){
            .ctx = host,
            .leg = leg,
            .feeds = feeds,
            .on_quote = feed_quote,
            .on_trade = feed_trade,
            .on_bar = feed_bar,
        };
        if (needs->bar_ms)
            host_ask_history(host, leg);
        err = venue_listen(host->venue, host->legs[leg], &host->listeners[leg]);
    }
    return err;
}

/* --- life
 * --------------------------------------------------------------------------------------------- */

enum bot_phase host_phase(const struct host *host)
{
    if (host->bot)
        return bot_phase(host->bot);
    return host->failed ? BOT_ERROR : BOT_WAITING;
}

enum bot_stop host_stop_how(const struct host *host)
{
    return host->desired.has_how && host->desired.how == MSG_C_DESIRED_HOW_DETACH ? BOT_STOP_DETACH
                                                                                  : BOT_STOP_CANCEL;
}

const char *host_account(const struct host *host)
{
    return host->desired.spec.has_account ? host->desired.spec.account : host->name;
}

FLT_PRINTF(4, 5)
static void host_wait(struct host *host, bool failed, const char *code, const char *format, ...)
{
    va_list args;

    host->failed = failed;
    host->report_due = true;
    snprintf(host->why_code, sizeof host->why_code, "%s", code);
    va_start(args, format);
    vsnprintf(host->why, sizeof host->why, format, args);
    va_end(args);
}

static int legs_find(struct host *host)
{
    const struct msg_bot *spec = &host->desired.spec;

    host->leg_count = 0;
    if (spec->has_instrument)
        host->legs[host->leg_count++] = venue_instrument(host->venue, spec->instrument);
    for (size_t i = 0; i < spec->legs_count && host->leg_count < STRATEGY_LEGS_MAX; i++)
        host->legs[host->leg_count++] = venue_instrument(host->venue, spec->legs[i].instrument);
    for (size_t i = 0; i < host->leg_count; i++) {
        if (!host->legs[i]) {
            host_wait(host, true, "instrument", "%s does not list this bot's instrument %s",
                      venue_name(host->venue),
                      spec->has_instrument ? spec->instrument : spec->legs[i].instrument);
            return -ENOENT;
        }
    }
    return host->leg_count ? 0 : -EINVAL;
}

/* What the bot's books say that its paper account holds; they are in the snapshot read at start. */
static int paper_account(struct host *host)
{
    struct flt_buf holdings = FLT_BUF_INIT;
    struct json_object *state =
        host->saved ? flt_json_parse(host->saved, strlen(host->saved), NULL) : NULL;
    int err = 0;

    if (state && paper_holdings(state, host->legs, host->leg_count, &holdings) != 0)
        flt_buf_reset(&holdings); /* the bot says the same when it is restored, with the reason */
    err = accounts_paper(host->node->accounts, host->name, host->venue,
                         holdings.length ? holdings.data : NULL, &host->account);
    json_object_put(state);
    flt_buf_finish(&holdings);
    return err;
}

/* Venue, instruments and account; false: it waits, and why says for what. */
static bool host_ready(struct host *host)
{
    const struct msg_c_desired *doc = &host->desired;

    if (venues_get(host->node->venues, doc->venue, &host->venue)) {
        host_wait(host, true, "venue", "this node has no addresses for the venue %s", doc->venue);
        return false;
    }
    if (!venue_is_ready(host->venue)) {
        host_wait(host, false, "market", "waits for the instruments of %s", doc->venue);
        return false;
    }
    if (legs_find(host))
        return false;
    if (doc->spec.has_account) {
        host->account = accounts_find(host->node->accounts, doc->spec.account);
    } else if (paper_account(host)) {
        host_wait(host, true, "paper", "no paper account could be made on %s", doc->venue);
        return false;
    }
    if (!host->account || !account_handle(host->account)) {
        host->account = NULL;
        host_wait(host, false, "account", "waits for the keys of account %s", doc->spec.account);
        return false;
    }
    return true;
}

static struct json_object *risk_tree(const struct host *host)
{
    return host->desired.spec.has_risk ? msg_to_tree(&msg_type_risk, &host->desired.spec.risk)
                                       : NULL;
}

static int host_make_bot(struct host *host, struct flt_error *error)
{
    const struct msg_bot *spec = &host->desired.spec;
    struct engine_port port = port_ops;
    struct json_object *risk = risk_tree(host);
    struct bot_config config = {
        .fleet = host->node->config.fleet,
        .name = host->name,
        .epoch = (uint32_t)(host->desired.env.has_epoch ? host->desired.env.epoch : 0),
        .mode = (enum bot_mode)spec->mode,
        .strategy = strategy_find(spec->strategy),
        .params = spec->params,
        .risk = risk,
        .instruments = host->legs,
        .leg_count = host->leg_count,
        .clock = host->node->clock,
        .tape = recorder_is_on(host->recorder) ? &host->recorder->tape : NULL,
    };
    int err;

    port.ctx = host;
    if (!spec->has_account)
        port.sweep = NULL; /* a paper account forgets nothing that its bot does not */
    config.request_life_ms =
        account_ops(host->account)->request_life_ms(account_handle(host->account));
    if (config.strategy)
        err = bot_create(&config, &port, error, &host->bot);
    else
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "strategy", "upgrade this node",
                            "this node does not know the strategy %s", spec->strategy);
    json_object_put(risk);
    return err;
}

static int restore_state(struct host *host, const char *text)
{
    struct flt_error error = { 0 };
    struct json_object *state = flt_json_parse(text, strlen(text), &error);
    const int err = state ? bot_restore(host->bot, state, &error) : -EINVAL;

    json_object_put(state);
    if (err)
        host_wait(host, true, "state", "its saved state cannot be read: %s", error.message);
    return err;
}

static int restore_newest(void *ctx, const char *state)
{
    struct host *host = ctx;

    host->born = false;
    return restore_state(host, state);
}

/* A bot that begins with nothing has none of a removed bot of its name, whose orders had all ended:
 * it would wait for ever for trades of theirs that were booked then. */
static int restore_intent(void *ctx, const struct order_intent *intent)
{
    struct host *host = ctx;

    if (host->born && intent->id.epoch < host->desired.env.epoch)
        return 0;
    return bot_restore_intent(host->bot, intent);
}

static void restore_trade(void *ctx, const struct journal_trade *trade)
{
    struct host *host = ctx;

    bot_restore_fill(host->bot, trade->instrument, trade->trade_id, trade->order_id, trade->ts_ms);
}

static int host_restore(struct host *host)
{
    struct journal *journal = host->node->journal;

    host->born = !host->no_past && !host->saved;
    int err = host->no_past ? 0
              : host->saved ? restore_state(host, host->saved)
                            : journal_state(journal, host->name, restore_newest, host);

    free(host->saved);
    host->saved = NULL;
    /* A bot that begins with what another owner left knows the trades that were left with it: one
     * of an earlier time here, that is in this journal, may not be in that state yet. */
    if (!host->begins)
        err = err ? err : journal_trades(journal, host->name, TRADES_RESTORED, restore_trade, host);
    err = err ? err : journal_intents(journal, host->owner, restore_intent, host);
    if (!err && host->born)
        handover_born(host);
    if (!err)
        handover_restored(host);
    return err;
}

/* The next bot of this name reads it back, also while it waits for the disk. */
static void host_checkpoint(struct host *host)
{
    struct flt_buf state = FLT_BUF_INIT;

    bot_save(host->bot, &state);
    if (state.failed || journal_bot_state(host->node->journal, host->name, state.data))
        FLT_LOG(ERROR, "checkpoint_failed", "bot=%s", host->name);
    flt_buf_finish(&state);
}

static void host_unmake(struct host *host)
{
    if (host->bot && !host->node->stopping)
        host_checkpoint(host);
    for (unsigned leg = 0; host->listeners && leg < host->leg_count; leg++)
        venue_unlisten(host->venue, host->legs[leg], &host->listeners[leg]);
    free(host->listeners);
    host->listeners = NULL;
    bot_drop_tape(host->bot);
    bot_destroy(host->bot);
    if (host->bot)
        host->quiet_since_ns = flt_mono_ns(host->node->clock);
    host->bot = NULL;
}

void host_try_start(struct host *host)
{
    struct flt_error error = { 0 };

    if (host->bot || host->node->stopping)
        return;
    handover_prepare(host);
    if (!host_ready(host))
        return;
    if (host_make_bot(host, &error)) {
        host_wait(host, true, "config", "%s%s%s", error.field, *error.field ? ": " : "",
                  error.message);
        return;
    }
    if (host_restore(host) || host_listen(host)) {
        if (!host->failed)
            host_wait(host, true, "journal", "its past could not be read from the journal");
        host_unmake(host);
        return;
    }
    host->failed = false;
    bot_set_user(host->bot, host);
    hosts_apply_halt(host->node->hosts, host);
    bot_set_lease(host->bot, host->right == LEASE_ALL, host->right != LEASE_NOTHING);
    owner_judge(host->node->owner, host);
    bot_set_storage(host->bot, journal_entries_ok(host->node->journal));
    bot_set_desired(host->bot, host->run, host_stop_how(host));
    if (sweeps_begin(host))
        bot_distrust(host->bot);
    bot_start(host->bot);
    host->report_due = true;
    if (account_link_is_up(host->account))
        bot_on_link(host->bot, true, "");
}

static int host_take(struct host *host, struct json_object *tree)
{
    struct msg_c_desired fresh = { 0 };
    struct flt_error error = { 0 };
    int err = msg_c_desired_decode(tree, MSG_PROGRAM, &fresh, &error);

    if (err)
        return FLT_FAIL(err, "bot=%s why=\"%s\"", host->name, error.message);
    if (fresh.env.epoch != host->desired.env.epoch) { /* what was granted, was for the other one */
        host->claim = (struct lease_claim){ 0 };
        host->claimed = host->prepared = false;
    }
    msg_c_desired_finish(&host->desired);
    host->desired = fresh;
    json_object_put(host->tree);
    host->tree = json_object_get(tree);
    host->run = (enum bot_run)fresh.run;
    host->report_due = true;
    return 0;
}

int host_create(struct botnode *node, uint64_t serial, const struct msg_c_desired *doc,
                struct json_object *tree, struct host **out)
{
    struct host *host = calloc(1, sizeof *host);
    int err;

    if (!host)
        return -ENOMEM;
    host->node = node;
    host->serial = serial;
    snprintf(host->name, sizeof host->name, "%s", doc->bot);
    host->owner = flt_coid_owner(node->config.fleet, host->name);
    host->since_ms = flt_wall_ms(node->clock);
    err = host_take(host, tree);
    if (err) {
        free(host);
        return err;
    }
    *out = host;
    return 0;
}

void host_destroy(struct host *host)
{
    if (!host)
        return;
    host_unmake(host);
    recorder_end(host->recorder, "its node gave it up or ended");
    recorder_close(host->recorder);
    msg_c_desired_finish(&host->desired);
    json_object_put(host->tree);
    free(host->log);
    free(host->saved);
    free(host);
}

/* What cannot change while a bot runs, besides what the strategy's table says. */
static bool same_bot(const struct msg_c_desired *a, const struct msg_c_desired *b)
{
    bool same = strcmp(a->spec.strategy, b->spec.strategy) == 0 &&
                strcmp(a->spec.account, b->spec.account) == 0 &&
                strcmp(a->spec.instrument, b->spec.instrument) == 0 &&
                strcmp(a->venue, b->venue) == 0 && a->spec.mode == b->spec.mode &&
                a->env.epoch == b->env.epoch && a->spec.legs_count == b->spec.legs_count;

    for (size_t i = 0; same && i < a->spec.legs_count; i++)
        same = strcmp(a->spec.legs[i].instrument, b->spec.legs[i].instrument) == 0;
    return same;
}

/* What the owner before left stays ours until the bot has begun with it, also when the next
 * document of this epoch no longer says it. */
static void keep_resume(const struct host *host, const struct msg_c_desired *doc,
                        struct json_object *tree)
{
    struct json_object *const resume = flt_json_get(host->tree, "resume");

    if (resume && !doc->has_resume && doc->env.epoch == host->desired.env.epoch)
        json_object_object_add(tree, "resume", json_object_get(resume));
}

int host_update(struct host *host, const struct msg_c_desired *doc, struct json_object *tree)
{
    struct flt_error error = { 0 };
    const bool same = same_bot(&host->desired, doc);
    struct json_object *risk;
    int err;

    keep_resume(host, doc, tree);
    err = host_take(host, tree);

    if (err)
        return err;
    host->failed = false;
    owner_restored(host->node->owner, host);
    if (!host->bot || !same) { /* its state is in the journal: made anew, it goes on from there */
        host_unmake(host);
        host->account = NULL;
        host_try_start(host);
        return 0;
    }
    risk = risk_tree(host);
    err = bot_set_params(host->bot, host->desired.spec.params, risk, &error);
    json_object_put(risk);
    if (err == -EBUSY) {
        host_log(host, FLT_LOG_INFO, "remade", error.message);
        host_unmake(host);
        host_try_start(host);
        return 0;
    }
    if (err)
        host_log(host, FLT_LOG_ERROR, "params_refused", error.message);
    bot_set_desired(host->bot, host->run, host_stop_how(host));
    return 0;
}

void host_set_run(struct host *host, enum bot_run run, enum bot_stop how)
{
    host->run = run;
    host->report_due = true;
    if (host->bot)
        bot_set_desired(host->bot, run, how);
}

void host_unbind_account(struct host *host)
{
    host_unmake(host);
    host->account = NULL;
    host_wait(host, false, "account", "waits for the keys of account %s", host_account(host));
}

static void record_end(struct host *host, const char *why)
{
    if (!recorder_is_on(host->recorder))
        return;
    bot_drop_tape(host->bot);
    recorder_end(host->recorder, why);
}

int host_record(struct host *host, int64_t ttl_s)
{
    struct recorder *recorder = NULL;
    int err;

    if (ttl_s == 0) {
        record_end(host, "it was asked to end");
        return 0;
    }
    if (!recorder_is_on(host->recorder)) {
        err = recorder_open(host->node->config.dir, host->name, flt_wall_ms(host->node->clock),
                            &recorder);
        if (err)
            return err;
        recorder_close(host->recorder);
        host->recorder = recorder;
        host_log(host, FLT_LOG_INFO, "record", "made anew, to be recorded from its beginning");
        host_unmake(host);
        host_try_start(host);
    }
    host->recorder->until_ns = flt_mono_ns(host->node->clock) + ttl_s * INT64_C(1000000000);
    return 0;
}

void host_on_link(struct host *host)
{
    if (host->bot && host->account)
        bot_on_link(host->bot, account_link_is_up(host->account),
                    account_link_is_up(host->account) ? "" : "the venue's private stream is down");
}

/* Whether the price has moved since the state was said: profit that people see is a second old, of
 * a thousand bots a few, as each word of each of them goes through the broker and the books. */
static bool is_revalued(struct host *host, int64_t now_ns)
{
    const int64_t every_ns =
        hosts_count(host->node->hosts) > REVALUE_FEW ? REVALUE_NS : REVALUE_FEW_NS;

    return host->bot && now_ns - host->reported_ns > every_ns &&
           bot_mark_ticks(host->bot) != host->reported_mark_ticks;
}

void host_on_second(struct host *host)
{
    const int64_t now_ns = flt_mono_ns(host->node->clock);
    const char *why =
        recorder_is_on(host->recorder) ? recorder_second(host->recorder, now_ns) : NULL;

    if (why)
        record_end(host, why);
    if (host->bot)
        bot_on_second(host->bot);
    else
        host_try_start(host);
    if (host_phase(host) != host->phase) {
        host->phase = host_phase(host);
        host->since_ms = flt_wall_ms(host->node->clock);
        host->report_due = true;
    }
    handover_done(host);
    handover_second(host);
    if (host->report_due || now_ns - host->reported_ns > REPEAT_NS || is_revalued(host, now_ns))
        report_state(host);
}
