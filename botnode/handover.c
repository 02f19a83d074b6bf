#define FLT_MOD "handover"
#include "botnode/handover.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/bus.h"
#include "botnode/hosts.h"
#include "lib/fail.h"

#define SNAP_MS 5000       /* a bot's snapshots are at least that far apart, */
#define SNAP_PAPER_MS 1000 /* (a paper account is made anew from the snapshot alone) */
#define SNAP_EACH_MS 10    /* and a node tells at most a hundred a second */
#define FLUSH_MS 1000

/* --- snapshots while it runs
 * ---------------------------------------------------------------------- */

struct snap { /* waits for the commit of the records it stands after */
    struct botnode *node;
    char bot[FLT_NAME_MAX];
    struct flt_buf text;
};

static void on_committed(void *ctx)
{
    struct snap *snap = ctx;
    char topic[TOPIC_MAX];

    if (snap->node->bus)
        bus_publish(
            snap->node->bus,
            topic_node_snap(topic, snap->node->config.tenant, snap->node->config.node, snap->bot),
            &snap->text, 1, false);
    flt_buf_finish(&snap->text);
    free(snap);
}

static void snap_write(struct host *host, struct flt_buf *out)
{
    struct journal *journal = host->node->journal;
    struct msg_envelope env = { 0 };
    struct flt_buf state = FLT_BUF_INIT;

    bus_envelope(host->node->bus, &env);
    bot_save(host->bot, &state);
    flt_jw_begin(out, NULL, '{');
    flt_jw_int(out, "v", env.v);
    flt_jw_str(out, "id", env.id);
    flt_jw_int(out, "ts_ms", env.ts_ms);
    flt_jw_str(out, "src", env.src);
    flt_jw_int(out, "seq", env.seq);
    flt_jw_int(out, "epoch", host->desired.env.epoch);
    flt_jw_str(out, "bot", host->name);
    flt_jw_str(out, "stream", journal_stream(journal));
    flt_jw_int(out, "n", journal_head(journal));
    flt_jw_int(out, "generation", host->desired.generation);
    flt_jw_raw(out, "state", state.data);
    flt_jw_end(out, '}');
    out->failed = out->failed || state.failed;
    flt_buf_finish(&state);
}

static int64_t period_ms(const struct host *host)
{
    const int64_t many_ms = (int64_t)hosts_count(host->node->hosts) * SNAP_EACH_MS;
    const int64_t own_ms = node_scaled_ms(
        host->node, host->desired.spec.mode == MSG_MODE_PAPER ? SNAP_PAPER_MS : SNAP_MS);

    return many_ms > own_ms ? many_ms : own_ms;
}

void handover_second(struct host *host)
{
    const int64_t now_ms = flt_mono_ms(host->node->clock);
    struct snap *snap;

    if (!host->snap_due || !host->bot || !bus_is_up(host->node->bus) ||
        now_ms - host->snap_ms < period_ms(host))
        return;
    snap = calloc(1, sizeof *snap);
    if (!snap)
        return;
    snap->node = host->node;
    snprintf(snap->bot, sizeof snap->bot, "%s", host->name);
    snap_write(host, &snap->text);
    host->snap_due = false;
    host->snap_ms = now_ms;
    journal_after(host->node->journal, on_committed, snap);
}

/* --- the release
 * ---------------------------------------------------------------------------------- */

static int write_state(void *ctx, const char *state)
{
    flt_buf_printf(ctx, "%s", state);
    return 0;
}

static void newest_state(struct host *host, struct flt_buf *out)
{
    if (host->bot)
        bot_save(host->bot, out);
    else if (host->saved)
        flt_buf_printf(out, "%s", host->saved);
    else if (!host->no_past && journal_state(host->node->journal, host->name, write_state, out))
        FLT_LOG(ERROR, "state_unknown", "bot=%s", host->name);
}

int64_t handover_release(struct host *host)
{
    struct flt_buf state = FLT_BUF_INIT, body = FLT_BUF_INIT;
    struct journal_entry entry = { .bot = host->name,
                                   .kind = msg_ev_record_kind_name(MSG_EV_RECORD_KIND_STATE),
                                   .ts_ms = flt_wall_ms(host->node->clock) };
    int64_t n = -ENOMEM;

    newest_state(host, &state);
    flt_jw_begin(&body, NULL, '{');
    flt_jw_str(&body, "kind", entry.kind);
    flt_jw_str(&body, "bot", host->name);
    flt_jw_int(&body, "epoch", host->desired.env.epoch);
    flt_jw_int(&body, "ts_ms", entry.ts_ms);
    flt_jw_begin(&body, "state", '{');
    if (state.length && !state.failed)
        flt_jw_raw(&body, "state", state.data);
    flt_jw_bool(&body, "final", true);
    flt_jw_int(&body, "generation", host->desired.generation);
    flt_jw_end(&body, '}');
    flt_jw_end(&body, '}');
    entry.body = body.data;
    if (!body.failed)
        n = journal_append(host->node->journal, &entry);
    flt_buf_finish(&state);
    flt_buf_finish(&body);
    return n;
}

/* --- the beginning of a new owner
 * ------------------------------------------------------------------ */

static int64_t epoch_of(const char *text)
{
    struct json_object *state = text ? flt_json_parse(text, strlen(text), NULL) : NULL;
    int64_t epoch = -1;

    flt_json_int(state, "epoch", &epoch);
    json_object_put(state);
    return epoch;
}

static int take_epoch(void *ctx, const char *state)
{
    *(int64_t *)ctx = epoch_of(state);
    return 0;
}

/* We wrote the stream that this was made of, and as far as the books have it or further. */
static bool knows_more(const struct botnode *node, const struct msg_resume *resume)
{
    return resume->has_stream && resume->has_n &&
           strcmp(resume->stream, journal_stream(node->journal)) == 0 &&
           journal_head(node->journal) >= resume->n;
}

void handover_prepare(struct host *host)
{
    const struct msg_resume *resume = &host->desired.resume;
    int64_t own_epoch = -1;

    if (host->prepared)
        return;
    host->prepared = true;
    if (!host->desired.has_resume)
        return;
    if (host->saved)
        own_epoch = epoch_of(host->saved);
    else if (journal_state(host->node->journal, host->name, take_epoch, &own_epoch))
        return; /* restoring says what is wrong */
    if (own_epoch >= host->desired.env.epoch ||
        (own_epoch == resume->epoch && knows_more(host->node, resume)))
        return; /* begun already, before a restart; or it was ours, and our journal is ahead */
    free(host->saved);
    host->saved =
        resume->has_state
            ? strdup(json_object_to_json_string_ext(resume->state, JSON_C_TO_STRING_PLAIN))
            : NULL;
    host->no_past = !host->saved;
    host->begins = true;
    FLT_LOG(INFO, "resumes", "bot=%s from=%s epoch=%" PRId64 " fills=%zu", host->name, resume->node,
            host->desired.env.epoch, resume->fills_count);
}

static void fill_of(const struct msg_fill *in, struct fill *out)
{
    *out = (struct fill){ .side = in->side,
                          .price = in->price,
                          .qty = in->qty,
                          .fee = in->fee,
                          .liquidity = in->liquidity,
                          .ts_ms = in->ts_ms };
    snprintf(out->instrument, sizeof out->instrument, "%s", in->instrument);
    snprintf(out->trade_id, sizeof out->trade_id, "%s", in->trade_id);
    snprintf(out->order_id, sizeof out->order_id, "%s", in->order_id);
    snprintf(out->client_order_id, sizeof out->client_order_id, "%s",
             in->has_client_order_id ? in->client_order_id : "");
    snprintf(out->fee_asset, sizeof out->fee_asset, "%s", in->fee_asset);
}

/* See controller/resume.c: what was handed over, and where in our stream our own time began. */
static void set_past(struct host *host, const struct msg_resume *resume)
{
    struct json_object *past = json_object_new_object();

    json_object_object_add(past, "stream",
                           json_object_new_string(journal_stream(host->node->journal)));
    json_object_object_add(past, "n", json_object_new_int64(journal_head(host->node->journal)));
    if (resume && resume->has_upto && resume->has_books) {
        json_object_object_add(past, "upto", json_object_new_int64(resume->upto));
        json_object_object_add(past, "books", json_object_new_int64(resume->books));
    }
    bot_set_past(host->bot, past);
    json_object_put(past);
}

void handover_born(struct host *host)
{
    set_past(host, NULL);
}

static void save(struct host *host)
{
    struct flt_buf state = FLT_BUF_INIT;

    bot_save(host->bot, &state);
    if (state.failed || journal_bot_state(host->node->journal, host->name, state.data))
        FLT_LOG(ERROR, "resume_not_stored", "bot=%s", host->name);
    flt_buf_finish(&state);
}

/* Booked by the owner before: our own journal has to know it too, for the venue tells it again to
 * whoever asks after a power loss. */
static void remember(struct host *host, const struct fill *fill)
{
    const struct journal_entry entry = { .bot = host->name,
                                         .ts_ms = flt_wall_ms(host->node->clock),
                                         .account =
                                             host->account ? account_name(host->account) : NULL,
                                         .fill = fill };

    if (entry.account && journal_append(host->node->journal, &entry) < 0)
        FLT_LOG(ERROR, "trade_not_remembered", "bot=%s trade_id=%s", host->name, fill->trade_id);
}

static bool is_known(const struct host *host, const struct fill *fill)
{
    return host->account &&
           journal_trade_known(host->node->journal, account_name(host->account), fill) == 1;
}

static void remember_all(struct host *host, const struct msg_resume *resume)
{
    for (size_t i = resume->trades_count; i-- > 0;) { /* the oldest first, as they were booked */
        const struct msg_trade_key *key = &resume->trades[i];
        struct fill fill = { .ts_ms = key->ts_ms };

        snprintf(fill.instrument, sizeof fill.instrument, "%s", key->instrument);
        snprintf(fill.trade_id, sizeof fill.trade_id, "%s", key->trade_id);
        snprintf(fill.order_id, sizeof fill.order_id, "%s", key->order_id);
        if (!is_known(host, &fill))
            remember(host, &fill);
    }
    for (size_t i = 0; i < resume->fills_count; i++) {
        struct fill fill;

        fill_of(&resume->fills[i], &fill);
        if (!is_known(host, &fill))
            remember(host, &fill);
    }
}

/* The books say that the bot's state lacks it, be it as old as it may. */
static bool book(struct host *host, const struct fill *fill)
{
    struct bot_status before, after;

    bot_status(host->bot, &before);
    bot_on_fresh_fill(host->bot, fill);
    bot_status(host->bot, &after);
    return after.counters.fills != before.counters.fills;
}

/* Handed over with the state: known to the books as ours from the first moment. The journal forgets
 * what it knew before this: no look at it, as that may not be on the disk yet. */
static void book_handed(struct host *host, const struct fill *fill)
{
    bool booked;

    host->quiet = true;
    booked = book(host, fill);
    host->quiet = false;
    if (booked)
        remember(host, fill);
}

/* Told in our stream like a trade of our own: the controller books it once all the same, and sees
 * from its place there which states have it. On paper, where ids of two nodes may be equal, it
 * would be booked twice. An answer of ours may have been lost long ago: what the bot has forgotten
 * since, the journal knows, once what it was made to forget is off the disk too. */
int handover_late_fill(struct host *host, const struct msg_fill *in)
{
    const int err = journal_flush(host->node->journal, FLUSH_MS);
    struct fill fill;
    bool booked;

    if (err)
        return err;
    fill_of(in, &fill);
    if (is_known(host, &fill))
        return 0;
    host->quiet = host->desired.spec.mode != MSG_MODE_LIVE;
    booked = book(host, &fill);
    if (booked && host->quiet)
        remember(host, &fill);
    host->quiet = false;
    if (!booked)
        return 0;
    save(host);
    host->report_due = host->snap_due = true;
    return 1;
}

/* Begun already, before a restart: what was handed over is in our journal, but for what the books
 * learned since from somebody else. */
static void check_handed(struct host *host, const struct msg_fill *in)
{
    struct fill fill;

    fill_of(in, &fill);
    if (is_known(host, &fill))
        bot_restore_fill(host->bot, fill.instrument, fill.trade_id, fill.order_id, fill.ts_ms);
    else if (handover_late_fill(host, in) < 0)
        FLT_LOG(ERROR, "trade_not_booked", "bot=%s trade_id=%s", host->name, fill.trade_id);
}

void handover_restored(struct host *host)
{
    const struct msg_resume *resume = &host->desired.resume;

    if (!host->desired.has_resume)
        return;
    for (size_t i = resume->trades_count; i-- > 0;)
        bot_restore_fill(host->bot, resume->trades[i].instrument, resume->trades[i].trade_id,
                         resume->trades[i].order_id, resume->trades[i].ts_ms);
    if (host->begins && journal_trades_forget(host->node->journal, host->name))
        FLT_LOG(ERROR, "trades_not_forgotten", "bot=%s", host->name);
    for (size_t i = 0; i < resume->fills_count; i++) {
        struct fill fill;

        fill_of(&resume->fills[i], &fill);
        if (host->begins)
            book_handed(host, &fill);
        else
            check_handed(host, &resume->fills[i]);
    }
    if (host->begins) {
        set_past(host, resume);
        save(host);
    }
    host->begins = false;
    host->no_past = false;
}

void handover_done(struct host *host)
{
    const enum bot_phase phase = host_phase(host);

    if (!host->desired.has_resume || !host->bot || phase == BOT_WAITING ||
        phase == BOT_RECOVERING || phase == BOT_ERROR)
        return;
    remember_all(host, &host->desired.resume);
    json_object_object_del(host->tree, "resume");
    msg_resume_finish(&host->desired.resume);
    host->desired.has_resume = false;
    if (hosts_journal(host->node->hosts, host))
        FLT_LOG(ERROR, "resume_not_dropped", "bot=%s", host->name);
}
