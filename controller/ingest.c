/* The nodes' numbered streams into the books: rows and position in one transaction, then the
 * acknowledgement. A gap is never stepped over: the missing range is asked for again, and what came
 * out of turn is dropped, as the replay brings it too. */
#define FLT_MOD "ingest"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "controller/backup.h"
#include "controller/controller.h"
#include "lib/ids.h"
#include "lib/log.h"

#define REPLAY_AGAIN_MS 2000

static void fill_differs(struct controller *controller, const struct book *book)
{
    char ours[FLT_AMT_TEXT_MAX], alert[TOPIC_LEVEL_MAX];

    snprintf(alert, sizeof alert, "books-%s", book->bot);
    alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "books_differ", book->bot,
                "%s: the node's sums are other than ours (position here %s)", book->bot,
                flt_amt_format(book->position, ours));
}

/* How old a fill is; a venue whose clock is ahead of ours has none from the future. */
static int64_t lag_of(const struct controller *controller, int64_t ts_ms)
{
    const int64_t lag = controller_now_ms(controller) - ts_ms;

    return lag > 0 ? lag : 0;
}

/* A fact is booked whatever its epoch; the present owner's books get it too. */
static void late_fill(struct controller *controller, const struct book *book,
                      const struct msg_ev_record *record)
{
    const struct bot *bot = inventory_find_bot(&controller->inventory, record->bot);

    if (bot && bot_listed(bot) && record->epoch < bot->epoch &&
        record->epoch >= book->before.birth) /* else of a removed bot of its name */
        late_take(controller, bot->name, &record->fill.fill);
}

static int take_fill(struct controller *controller, const struct node *node, const char *stream,
                     const struct msg_ev_record *record)
{
    const struct book_key key = { record->bot, record->fill.venue, record->fill.account,
                                  record->fill.fill.instrument, record->fill.mode };
    struct book *book = books_get(&controller->books, &key);
    const bool differed = book && book->differs;
    int outcome;

    if (!book)
        return -1;
    outcome = store_add_fill(&controller->store, stream, node->name, record);
    if (outcome == STORE_DUPLICATE) {
        FLT_LOG(INFO, "fill_repeated", "bot=%s trade_id=%s n=%" PRId64, record->bot,
                record->fill.fill.trade_id, record->n);
        return store_fill_again(&controller->store, stream, record);
    }
    if (outcome == 0 && book_apply(book, &record->fill, record->epoch) != 0) {
        alert_raise(controller, "books-overflow", MSG_SEVERITY_CRITICAL, "books_overflow",
                    record->bot, "%s: a fill does not fit its sums; it is kept but not summed",
                    record->bot);
        return 0;
    }
    if (outcome == 0) {
        snprintf(book->node, sizeof book->node, "%s", node->name);
        controller->fills_total++;
        if (record->fill.mode == MSG_MODE_LIVE)
            truth_on_fill(controller, record->fill.account);
        controller->health.fills_lag_ms = lag_of(controller, record->fill.fill.ts_ms);
        late_fill(controller, book, record);
        if (book->differs && !differed)
            fill_differs(controller, book);
    }
    return outcome;
}

/* What a record says, in words for people. */
static void describe(const struct msg_ev_record *record, char *out, size_t size)
{
    char amount[FLT_AMT_TEXT_MAX];

    switch (record->kind) {
    case MSG_EV_RECORD_KIND_TRANSITION:
        snprintf(out, size, "%s -> %s%s%s", msg_phase_name(record->transition.from),
                 msg_phase_name(record->transition.to),
                 record->transition.has_reason && record->transition.reason.message[0] ? ": " : "",
                 record->transition.has_reason ? record->transition.reason.message : "");
        break;
    case MSG_EV_RECORD_KIND_RISK:
        snprintf(out, size, "%s %s: %s", record->risk.rule,
                 msg_ev_risk_action_name(record->risk.action), record->risk.message);
        break;
    case MSG_EV_RECORD_KIND_FUNDING:
        snprintf(out, size, "funding %s %s", flt_amt_format(record->funding.amount, amount),
                 record->funding.asset);
        break;
    case MSG_EV_RECORD_KIND_ALARM:
        snprintf(out, size, "%s: %s", record->alarm.code, record->alarm.message);
        break;
    case MSG_EV_RECORD_KIND_ADJUSTMENT:
        snprintf(out, size, "books set to the venue: %s %s by %s: %s",
                 flt_amt_format(record->adjustment.qty, amount), record->adjustment.instrument,
                 record->adjustment.by, record->adjustment.reason);
        break;
    case MSG_EV_RECORD_KIND_FILL:
    case MSG_EV_RECORD_KIND_ORDER:
    case MSG_EV_RECORD_KIND_STATE:
        out[0] = '\0';
        break;
    }
}

static int take_event(struct controller *controller, const char *stream,
                      const struct msg_ev_record *record)
{
    struct flt_buf data = FLT_BUF_INIT;
    char text[320], alert[TOPIC_LEVEL_MAX];
    int err;

    describe(record, text, sizeof text);
    msg_ev_record_encode(&data, record);
    err = data.failed ? -1 : store_add_event(&controller->store, stream, record, text, data.data);
    flt_buf_finish(&data);
    if (!err && record->kind == MSG_EV_RECORD_KIND_ALARM &&
        record->alarm.severity != MSG_SEVERITY_INFO) {
        snprintf(alert, sizeof alert, "bot-%s", record->bot);
        alert_raise(controller, alert, record->alarm.severity, record->alarm.code, record->bot,
                    "%s: %s", record->bot, record->alarm.message);
    }
    return err;
}

/* Not a trade: the position moves and its cost with it, the cash does not. */
static int take_adjustment(struct controller *controller, const struct node *node,
                           const char *stream, const struct msg_ev_record *record)
{
    const struct msg_ev_adjustment *adjustment = &record->adjustment;
    const struct book_key key = { record->bot, adjustment->venue, adjustment->account,
                                  adjustment->instrument, adjustment->mode };
    struct book *book = books_get(&controller->books, &key);
    char alert[TOPIC_LEVEL_MAX];

    if (!book)
        return -1;
    if (book_adjust(book, adjustment, record->epoch) != 0)
        alert_raise(controller, "books-overflow", MSG_SEVERITY_CRITICAL, "books_overflow",
                    record->bot, "%s: an adjustment does not fit its sums", record->bot);
    snprintf(book->node, sizeof book->node, "%s", node->name);
    snprintf(alert, sizeof alert, "books-%s", record->bot);
    if (!book->differs)
        alert_clear(controller, alert);
    return take_event(controller, stream, record);
}

static int take_record(struct controller *controller, const struct node *node, const char *stream,
                       const struct msg_ev_record *record)
{
    controller->health.records++;
    switch (record->kind) {
    case MSG_EV_RECORD_KIND_FILL:
        return take_fill(controller, node, stream, record);
    case MSG_EV_RECORD_KIND_ORDER:
        return store_add_order(&controller->store, stream, record);
    case MSG_EV_RECORD_KIND_STATE:
        return takeover_record(controller, node, stream, record);
    case MSG_EV_RECORD_KIND_ADJUSTMENT:
        return take_adjustment(controller, node, stream, record);
    case MSG_EV_RECORD_KIND_TRANSITION:
    case MSG_EV_RECORD_KIND_RISK:
    case MSG_EV_RECORD_KIND_FUNDING:
    case MSG_EV_RECORD_KIND_ALARM:
        break;
    }
    return take_event(controller, stream, record);
}

static void sack(struct controller *controller, struct node *node, const char *stream,
                 int64_t committed, int64_t upto)
{
    struct msg_c_sack message = { .term = controller->term,
                                  .committed = committed,
                                  .backed_up =
                                      backups_position(controller->backups, stream, committed) };
    char topic[TOPIC_MAX];

    if (!controller_commit(controller)) /* never acknowledge what is not durable */
        return;
    controller_envelope(controller, &message.env);
    snprintf(message.stream, sizeof message.stream, "%s", stream);
    if (upto > committed) {
        message.has_replay = true;
        flt_ulid(message.env.ts_ms, message.replay.req);
        message.replay.from = committed + 1;
        message.replay.to = upto;
        node->replay_ms = controller_mono_ms(controller);
        FLT_LOG(INFO, "replay_asked", "node=%s from=%" PRId64 " to=%" PRId64, node->name,
                committed + 1, upto);
    }
    controller_publish(controller, topic_sack(topic, controller->config.tenant, node->name),
                       &msg_type_c_sack, &message, 0, false);
}

/* Not one record of it is taken any more; the node begins a new stream and tells again from there.
 */
static void leave_stream(struct controller *controller, struct node *node, const char *stream,
                         int64_t from, int64_t position)
{
    struct msg_c_sack message = { .term = controller->term,
                                  .committed = position,
                                  .backed_up = 0,
                                  .has_conflict = true,
                                  .conflict = from };
    char topic[TOPIC_MAX], alert[TOPIC_LEVEL_MAX];

    if (strcmp(node->bad_stream, stream) != 0) {
        snprintf(node->bad_stream, sizeof node->bad_stream, "%s", stream);
        node->bad_from = from;
        snprintf(alert, sizeof alert, "stream-%s", node->name);
        alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "stream_differs", node->name,
                    "%s has other records than the books from number %" PRId64
                    " on (a restored disk?): it begins a new stream and asks its venues",
                    node->name, from);
    }
    flt_refuse(&controller->refused, FLT_REFUSED_DIFFERS);
    controller_envelope(controller, &message.env);
    snprintf(message.stream, sizeof message.stream, "%s", stream);
    message.conflict = node->bad_from;
    controller_publish(controller, topic_sack(topic, controller->config.tenant, node->name),
                       &msg_type_c_sack, &message, 0, false);
}

void ingest_on_birth(struct controller *controller, struct node *node, bool fresh)
{
    const struct msg_n_presence *presence = &node->presence;
    const int64_t position = store_stream_position(&controller->store, node->stream);

    if (fresh && node->has_presence && presence->has_journal && presence->journal.head < position &&
        strcmp(presence->journal.stream, node->stream) == 0)
        leave_stream(controller, node, node->stream, presence->journal.head + 1, position);
    else
        ingest_sack(controller, node);
}

/* Takes records first.. as far as they continue the books. */
static void take_batch(struct controller *controller, struct node *node, const char *stream,
                       int64_t first, const struct msg_ev_record *records, size_t count)
{
    int64_t position = store_stream_position(&controller->store, stream);
    const int64_t before = position;
    const int64_t last = first + (int64_t)count - 1;

    if (position < 0)
        position = 0;
    if (strcmp(node->bad_stream, stream) == 0) {
        leave_stream(controller, node, stream, node->bad_from, position);
        return;
    }
    if (first > position + 1) {
        const bool waits =
            node->replay_ms && controller_mono_ms(controller) - node->replay_ms < REPLAY_AGAIN_MS;

        if (!waits)
            sack(controller, node, stream, position, last);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (records[i].n != first + (int64_t)i) {
            FLT_LOG(ERROR, "stream_misnumbered", "node=%s n=%" PRId64, node->name, records[i].n);
            break;
        }
        if (records[i].n <= position) {
            if (store_has_other(&controller->store, stream, &records[i])) {
                leave_stream(controller, node, stream, records[i].n, position);
                return;
            }
            continue;
        }
        const int err = take_record(controller, node, stream, &records[i]);

        controller_check(controller, err);
        if (err)
            return;
        position = records[i].n;
    }
    node->sack_due = true;
    if (position != before)
        controller_check(controller, store_set_stream(&controller->store, stream, node->name,
                                                      position, controller_now_ms(controller)));
}

void ingest_ev(struct controller *controller, struct node *node, const struct msg_n_ev *ev)
{
    snprintf(node->stream, sizeof node->stream, "%s", ev->stream);
    take_batch(controller, node, ev->stream, ev->first, ev->records, ev->records_count);
}

void ingest_rp(struct controller *controller, struct node *node, const struct msg_n_rp *rp)
{
    const int64_t position = store_stream_position(&controller->store, rp->stream);
    char alert[TOPIC_LEVEL_MAX];

    if (rp->has_oldest && rp->oldest > position + 1 && rp->oldest > 1) {
        snprintf(alert, sizeof alert, "gap-%s", node->name);
        alert_raise(controller, alert, MSG_SEVERITY_CRITICAL, "stream_gap", node->name,
                    "%s no longer has records %" PRId64 " to %" PRId64 " of its stream", node->name,
                    position + 1, rp->oldest - 1);
        controller_check(controller,
                         store_set_stream(&controller->store, rp->stream, node->name,
                                          rp->oldest - 1, controller_now_ms(controller)));
    }
    if (rp->records_count)
        take_batch(controller, node, rp->stream, rp->first, rp->records, rp->records_count);
    if (rp->last)
        node->replay_ms = 0;
}

void ingest_sack(struct controller *controller, struct node *node)
{
    const int64_t position = store_stream_position(&controller->store, node->stream);

    node->sack_due = false;
    if (node->stream[0])
        sack(controller, node, node->stream, position < 0 ? 0 : position, 0);
}

/* A head that stood ahead of the books for a whole heartbeat: its records were lost on the way. */
void ingest_on_second(struct controller *controller, struct node *node)
{
    const int64_t now = controller_mono_ms(controller);
    int64_t position;

    if (!node->has_hb || !node->stream[0] || node->word != NODE_UP ||
        (node->replay_ms && now - node->replay_ms < REPLAY_AGAIN_MS))
        return;
    position = store_stream_position(&controller->store, node->stream);
    if (position < 0)
        position = 0;
    if (node->last_head > position)
        sack(controller, node, node->stream, position, node->hb.head);
}
