#define FLT_MOD "stream"
#include "exchanges/transport/channels.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CONNS_MAX 32
#define BATCH_MAX 256
#define ROLL_EARLY_MS 3600000
#define LOOK_MS 30000
#define SILENCE_MS 60000
#define SILENCE_DOUBLINGS 4 /* a market may be quiet: less and less often then */
#define RESET_GAP 10000     /* a sequence that falls by more begins anew */

enum channel_state { CHANNEL_WANTED, CHANNEL_SENT, CHANNEL_LEAVING };

struct conn;

struct channel {
    const struct instrument *instrument;
    enum feed feed;
    unsigned refs;
    struct conn *conn;
    enum channel_state state;
    bool sent_next;   /* to the successor of its connection */
    int64_t sequence; /* last seen; 0: none */
};

struct conn {
    struct channels *owner;
    struct flt_ws *ws;
    struct conn *replaces; /* successor of that one until it has all its channels */
    struct flt_timer *timer;
    int64_t opened_ms, heard_ms;
    unsigned silences; /* in a row */
    int64_t next_id, acked_id;
    size_t channel_count;
    bool open, dead;
    struct stream_scratch scratch;
};

struct channels {
    struct exchange_env env;
    const struct flt_clock *clock;
    const struct codec *codec;
    const struct instruments *table;
    struct channels_events events;
    char url[256], ca_file[256];
    struct conn *conns[CONNS_MAX];
    size_t conn_count;
    struct channel *items;
    size_t count, capacity;
    uint32_t *slots; /* index + 1 of items by instrument and feed */
    size_t slot_count;
    bool stale; /* the index is */
    struct flt_timer *reap_timer;
    struct flt_buf text;
    struct channels_stats stats;
    int64_t received_ns;
    bool up;
};

static void conn_pump(void *ctx);

/* --- up and down: up while every connection that carries channels is open --- */

static void report(struct channels *channels, const char *reason)
{
    bool up = channels->conn_count > 0;

    for (size_t i = 0; i < channels->conn_count; i++)
        if (!channels->conns[i]->replaces && !channels->conns[i]->dead)
            up = up && channels->conns[i]->open;
    if (up == channels->up)
        return;
    channels->up = up;
    channels->events.on_link(channels->events.ctx, up, reason);
}

/* --- a connection --- */

static bool belongs(const struct conn *conn, const struct channel *channel)
{
    return channel->conn == (conn->replaces ? conn->replaces : conn);
}

static void conn_on_open(void *ctx)
{
    struct conn *conn = ctx;
    struct channels *channels = conn->owner;

    conn->open = true;
    conn->opened_ms = conn->heard_ms = flt_mono_ms(channels->clock);
    conn->acked_id = conn->next_id;
    for (size_t i = channels->count; i-- > 0;) {
        struct channel *channel = &channels->items[i];

        if (!belongs(conn, channel))
            continue;
        if (conn->replaces)
            channel->sent_next = false;
        else if (channel->state == CHANNEL_SENT) {
            channel->state = CHANNEL_WANTED;
            channel->sequence = 0; /* a restarted venue may number anew */
        }
    }
    report(channels, "connected");
    conn_pump(conn);
}

static void conn_on_close(void *ctx, const char *reason)
{
    struct conn *conn = ctx;

    conn->open = false;
    conn->owner->stats.reconnects++;
    FLT_LOG(WARN, "stream_lost", "venue=%s why=\"%s\"", conn->owner->codec->name, reason);
    report(conn->owner, reason);
}

static void conn_on_message(void *ctx, const char *data, size_t size, bool text);

static int conn_create(struct channels *channels, struct conn *replaces, struct conn **out)
{
    const struct flt_ws_config config = { .url = channels->url,
                                          .ca_file =
                                              channels->ca_file[0] ? channels->ca_file : NULL };
    struct conn *conn = calloc(1, sizeof *conn);

    if (!conn)
        return -ENOMEM;
    if (channels->conn_count == CONNS_MAX) {
        free(conn);
        return FLT_FAIL(-ENOBUFS, "why=\"too many stream connections\"");
    }
    const struct flt_ws_events events = { conn, conn_on_open, conn_on_message, conn_on_close };

    conn->owner = channels;
    conn->replaces = replaces;
    conn->next_id = 0;
    int err = flt_timer_create(channels->env.loop, conn_pump, conn, &conn->timer);

    if (err == 0)
        err = flt_ws_connect(channels->env.ws, &config, &events, &conn->ws);
    if (err != 0) {
        flt_timer_destroy(conn->timer);
        free(conn);
        return err;
    }
    channels->conns[channels->conn_count++] = conn;
    *out = conn;
    return 0;
}

static void conn_destroy(struct conn *conn)
{
    flt_ws_close(conn->ws);
    flt_timer_destroy(conn->timer);
    stream_scratch_finish(&conn->scratch);
    free(conn);
}

/* Connections end outside their own callbacks. */
static void reap(void *ctx)
{
    struct channels *channels = ctx;
    size_t kept = 0;

    for (size_t i = 0; i < channels->conn_count; i++) {
        if (channels->conns[i]->dead)
            conn_destroy(channels->conns[i]);
        else
            channels->conns[kept++] = channels->conns[i];
    }
    channels->conn_count = kept;
}

static void bury(struct conn *conn)
{
    conn->dead = true;
    flt_timer_stop(conn->timer);
    flt_timer_start(conn->owner->reap_timer, 0, 0);
}

/* --- subscribing --- */

/* Up to a message's worth of channels that are to be subscribed (or left). */
static size_t collect(struct conn *conn, bool on, struct stream_channel *out, struct channel **from,
                      size_t max)
{
    struct channels *channels = conn->owner;
    size_t count = 0;

    for (size_t i = 0; i < channels->count && count < max; i++) {
        struct channel *channel = &channels->items[i];
        const bool due = !belongs(conn, channel) ? false
                         : conn->replaces        ? on && !channel->sent_next && channel->refs > 0
                         : on                    ? channel->state == CHANNEL_WANTED
                                                 : channel->state == CHANNEL_LEAVING;

        if (!due)
            continue;
        out[count] = (struct stream_channel){ channel->instrument, channel->feed };
        from[count++] = channel;
    }
    return count;
}

static void forget(struct channels *channels, struct channel *channel)
{
    if (channel->conn)
        channel->conn->channel_count--;
    *channel = channels->items[--channels->count];
    channels->stale = true;
}

static void mark(struct conn *conn, bool on, struct channel **from, size_t count)
{
    /* From the end, as forgetting moves the last item into the hole. */
    for (size_t i = count; i-- > 0;) {
        if (conn->replaces)
            from[i]->sent_next = true;
        else if (on)
            from[i]->state = CHANNEL_SENT;
        else
            forget(conn->owner, from[i]);
    }
}

static size_t send_batch(struct conn *conn, bool on)
{
    const struct codec *codec = conn->owner->codec;
    struct stream_channel batch[BATCH_MAX];
    struct channel *from[BATCH_MAX];
    const size_t max = codec->stream.channels_per_message < BATCH_MAX
                           ? codec->stream.channels_per_message
                           : BATCH_MAX;
    const size_t count = collect(conn, on, batch, from, max);

    if (count == 0)
        return 0;
    if (codec->subscribe(on, batch, count, conn->next_id + 1, &conn->owner->text) != 0 ||
        flt_ws_send(conn->ws, conn->owner->text.data, conn->owner->text.length) != 0)
        return count; /* tried again by the timer or after the reconnect */
    conn->next_id++;
    mark(conn, on, from, count);
    return count;
}

/* The successor has all channels of its predecessor: they change hands. */
static void take_over(struct conn *conn)
{
    struct channels *channels = conn->owner;
    struct conn *old = conn->replaces;

    for (size_t i = channels->count; i-- > 0;) {
        struct channel *channel = &channels->items[i];

        if (channel->conn != old)
            continue;
        channel->conn = conn;
        conn->channel_count++;
        old->channel_count--;
        if (channel->state != CHANNEL_LEAVING)
            channel->state = channel->sent_next ? CHANNEL_SENT : CHANNEL_WANTED;
        channel->sent_next = false;
    }
    conn->replaces = NULL;
    FLT_LOG(INFO, "stream_rolled", "venue=%s channels=%zu", channels->codec->name,
            conn->channel_count);
    bury(old);
}

static void roll(struct conn *conn)
{
    struct channels *channels = conn->owner;
    struct conn *next = NULL;

    for (size_t i = 0; i < channels->conn_count; i++)
        if (channels->conns[i]->replaces == conn)
            return;
    conn->opened_ms = flt_mono_ms(channels->clock); /* if this fails: again when that has aged */
    if (conn_create(channels, conn, &next) != 0)
        flt_ws_reconnect(conn->ws);
}

static bool is_old(const struct conn *conn)
{
    const struct stream_rules *rules = &conn->owner->codec->stream;
    const int64_t age_ms = flt_mono_ms(conn->owner->clock) - conn->opened_ms;

    return rules->life_ms > 0 && age_ms > rules->life_ms - ROLL_EARLY_MS;
}

static int64_t silence_ms(const struct conn *conn)
{
    const int64_t base = conn->owner->env.stream_silence_ms;

    return (base > 0 ? base : SILENCE_MS) << conn->silences;
}

/* A connection may live, answer pings and tell nothing: a subscription that got lost on the way, a
 * venue's server that hangs. Prices would be stale for ever. */
static bool is_silent(const struct conn *conn)
{
    return conn->channel_count > 0 &&
           flt_mono_ms(conn->owner->clock) - conn->heard_ms >= silence_ms(conn);
}

static void end_silence(struct conn *conn)
{
    FLT_LOG(WARN, "stream_silent", "venue=%s channels=%zu ms=%" PRId64, conn->owner->codec->name,
            conn->channel_count, flt_mono_ms(conn->owner->clock) - conn->heard_ms);
    if (conn->silences < SILENCE_DOUBLINGS)
        conn->silences++;
    flt_ws_reconnect(conn->ws);
}

/* One message a turn, spaced by the venue's message rate; otherwise a slow look at the age. */
static void conn_pump(void *ctx)
{
    struct conn *conn = ctx;
    const unsigned per_s = conn->owner->codec->stream.messages_per_s;

    if (conn->dead || !conn->open)
        return;
    if (send_batch(conn, true) > 0 || send_batch(conn, false) > 0) {
        flt_timer_start(conn->timer, 1000 / (per_s ? per_s : 4) + 1, 0);
        return;
    }
    if (is_silent(conn)) {
        end_silence(conn);
        return;
    }
    if (conn->replaces && conn->acked_id == conn->next_id)
        take_over(conn);
    if (!conn->replaces && is_old(conn))
        roll(conn);
    flt_timer_start(conn->timer, silence_ms(conn) < LOOK_MS ? (uint64_t)silence_ms(conn) : LOOK_MS,
                    0);
}

/* --- receiving --- */

static size_t slot_of(const struct channels *channels, const struct instrument *instrument,
                      enum feed feed)
{
    const uint64_t key = ((uint64_t)(uintptr_t)instrument >> 4) * 16 + (uint64_t)feed;

    return (size_t)((key * 11400714819323198485U) >> 40) & (channels->slot_count - 1);
}

/* The index is made anew at the first look after a change: changes are rare, looks are not. */
static int reindex(struct channels *channels)
{
    size_t slot_count = 256;

    while (slot_count < channels->count * 4)
        slot_count *= 2;
    uint32_t *slots = calloc(slot_count, sizeof *slots);

    if (!slots)
        return -ENOMEM;
    free(channels->slots);
    channels->slots = slots;
    channels->slot_count = slot_count;
    for (size_t i = 0; i < channels->count; i++) {
        size_t at = slot_of(channels, channels->items[i].instrument, channels->items[i].feed);

        while (slots[at])
            at = (at + 1) & (slot_count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    channels->stale = false;
    return 0;
}

static struct channel *find(struct channels *channels, const struct instrument *instrument,
                            enum feed feed)
{
    if ((channels->stale || !channels->slots) && reindex(channels) != 0)
        return NULL;
    for (size_t at = slot_of(channels, instrument, feed); channels->slots[at];
         at = (at + 1) & (channels->slot_count - 1)) {
        struct channel *channel = &channels->items[channels->slots[at] - 1];

        if (channel->instrument == instrument && channel->feed == feed)
            return channel;
    }
    return NULL;
}

/* Drops what came before, counts what is missing. */
static bool is_new(struct channels *channels, const struct stream_event *event, enum feed feed,
                   int64_t sequence)
{
    struct channel *channel = find(channels, event->instrument, feed);

    if (!channel || channel->state == CHANNEL_LEAVING)
        return false; /* nobody listens any more */
    if (sequence <= 0)
        return true;
    if (sequence <= channel->sequence && sequence > channel->sequence - RESET_GAP) {
        channels->stats.duplicates++;
        return false;
    }
    if (feed == FEED_TRADE && channel->sequence > 0 && sequence > channel->sequence + 1)
        channels->stats.gaps++;
    channel->sequence = sequence;
    return true;
}

static bool wanted(struct channels *channels, const struct stream_event *event)
{
    if (!event->instrument)
        return false;
    if (event->kind == STREAM_TRADE)
        return is_new(channels, event, FEED_TRADE, strtoll(event->trade.trade_id, NULL, 10));
    if (event->kind == STREAM_QUOTE)
        return is_new(channels, event, FEED_QUOTE, event->sequence);
    return true;
}

static void on_event(void *ctx, const struct stream_event *event)
{
    struct conn *conn = ctx;
    struct channels *channels = conn->owner;

    if (event->kind <= STREAM_BOOK_DELTA) {
        conn->silences = 0;
        if (wanted(channels, event))
            channels->events.on_event(channels->events.ctx, event, channels->received_ns);
    } else if (event->kind == STREAM_ACK) {
        conn->acked_id = event->id > conn->acked_id ? event->id : conn->acked_id;
        if (conn->replaces)
            flt_timer_start(conn->timer, 0, 0);
    } else if (event->kind == STREAM_ERROR) {
        FLT_LOG(ERROR, "subscribe_refused", "venue=%s why=\"%s\"", channels->codec->name,
                event->failure.message);
        conn->acked_id = event->id > conn->acked_id ? event->id : conn->acked_id;
    } else if (event->kind == STREAM_SHUTDOWN) {
        FLT_LOG(INFO, "stream_shutdown", "venue=%s", channels->codec->name);
        if (!conn->replaces)
            roll(conn);
    } else if (event->kind == STREAM_UNKNOWN && channels->stats.unknown++ == 0) {
        FLT_LOG(WARN, "frame_unknown", "venue=%s why=\"%s\"", channels->codec->name, event->text);
    }
}

static void conn_on_message(void *ctx, const char *data, size_t size, bool text)
{
    struct conn *conn = ctx;
    struct channels *channels = conn->owner;

    (void)text;
    if (conn->dead)
        return;
    channels->received_ns = flt_mono_ns(channels->clock);
    conn->heard_ms = channels->received_ns / 1000000;
    channels->stats.frames++;
    channels->codec->frame(channels->table, data, size, &conn->scratch, on_event, conn);
}

/* --- channels --- */

static int place_channel(struct channels *channels, struct conn **out)
{
    for (size_t i = 0; i < channels->conn_count; i++) {
        struct conn *conn = channels->conns[i];

        if (!conn->dead && !conn->replaces &&
            conn->channel_count < channels->codec->stream.channels_max) {
            *out = conn;
            return 0;
        }
    }
    return conn_create(channels, NULL, out);
}

static int grow(struct channels *channels)
{
    const size_t capacity = channels->capacity ? channels->capacity * 2 : 64;
    struct channel *items;

    if (channels->count < channels->capacity)
        return 0;
    items = realloc(channels->items, capacity * sizeof *items);
    if (!items)
        return -ENOMEM;
    channels->items = items;
    channels->capacity = capacity;
    return 0;
}

int channels_add(struct channels *channels, const struct instrument *instrument, enum feed feed)
{
    struct channel *channel = find(channels, instrument, feed);
    struct conn *conn = NULL;

    if (channel) {
        channel->refs++;
        if (channel->state == CHANNEL_LEAVING)
            channel->state = CHANNEL_WANTED;
        return 0;
    }
    int err = grow(channels);

    if (err == 0)
        err = place_channel(channels, &conn);
    if (err != 0)
        return err;
    channels->items[channels->count++] =
        (struct channel){ .instrument = instrument, .feed = feed, .refs = 1, .conn = conn };
    conn->channel_count++;
    channels->stale = true;
    /* A moment's wait lets many bots' channels go in one message. */
    flt_timer_start(conn->timer, 20, 0);
    return 0;
}

void channels_remove(struct channels *channels, const struct instrument *instrument, enum feed feed)
{
    struct channel *channel = find(channels, instrument, feed);

    if (!channel || channel->refs == 0 || --channel->refs > 0)
        return;
    struct conn *conn = channel->conn;

    if (channel->state == CHANNEL_WANTED)
        forget(channels, channel);
    else
        channel->state = CHANNEL_LEAVING;
    flt_timer_start(conn->timer, 20, 0);
}

void channels_get_stats(const struct channels *channels, struct channels_stats *out)
{
    *out = channels->stats;
}

int channels_open(const struct exchange_env *env, const struct codec *codec,
                  const struct exchange_urls *urls, const struct instruments *table,
                  const struct channels_events *events, struct channels **out)
{
    struct channels *channels = calloc(1, sizeof *channels);

    if (!channels)
        return -ENOMEM;
    channels->env = *env;
    channels->clock = flt_loop_clock(env->loop);
    channels->codec = codec;
    channels->table = table;
    channels->events = *events;
    int err = codec->stream_url(urls, false, channels->url, sizeof channels->url);

    if (err == 0 && urls->ca_file && strlen(urls->ca_file) >= sizeof channels->ca_file)
        err = -EINVAL;
    if (err == 0 && urls->ca_file)
        memcpy(channels->ca_file, urls->ca_file, strlen(urls->ca_file) + 1);
    if (err == 0)
        err = flt_timer_create(env->loop, reap, channels, &channels->reap_timer);
    if (err != 0) {
        free(channels);
        return FLT_FAIL(err, "venue=%s", codec->name);
    }
    *out = channels;
    return 0;
}

void channels_close(struct channels *channels)
{
    if (!channels)
        return;
    for (size_t i = 0; i < channels->conn_count; i++)
        conn_destroy(channels->conns[i]);
    flt_timer_destroy(channels->reap_timer);
    flt_buf_finish(&channels->text);
    free(channels->slots);
    free(channels->items);
    free(channels);
}
