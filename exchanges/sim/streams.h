/* WebSockets: market streams (/ws, /stream), and sessions of the WebSocket API (/ws-api/v3). */
#pragma once
#include "exchanges/sim/sim.h"

enum sim_session_kind { SIM_SESSION_RAW, SIM_SESSION_COMBINED, SIM_SESSION_API };

struct sim_subscription;

struct sim_session {
    struct sim *sim;
    struct flt_peer *peer;
    enum sim_session_kind kind;
    struct sim_session *next, *prev; /* of sim->sessions */
    struct sim_subscription *topics; /* market streams it gets */
    size_t topic_count;
    struct sim_account *logged_on; /* session.logon */
    struct sim_account *user;      /* user data subscription */
    struct sim_session *user_next; /* of the account's sessions */
    int subscription_id;
    char ip[48];
    int64_t window_s, opened_ms;
    int messages; /* in this second */
};

enum sim_feed {
    SIM_FEED_TRADE,
    SIM_FEED_AGG_TRADE,
    SIM_FEED_BOOK,
    SIM_FEED_KLINE,
    SIM_FEED_MINI,
    SIM_FEED_TICKER,
    SIM_FEED_DIFF,
    SIM_FEED_PARTIAL,
    SIM_FEED_ALL_MINI
};

struct sim_topic {          /* one stream that somebody gets */
    struct sim_topic *next; /* of the market, or of sim for all markets */
    struct sim_market *market;
    char name[80];
    enum sim_feed feed;
    int interval; /* klines: place in sim_intervals; partial depth: levels */
    int64_t period_ms, last_ms;
    int64_t last_seen; /* the update id or trade id it last told */
    struct sim_subscription *subscribers;
};

struct sim_subscription {
    struct sim_topic *topic;
    struct sim_session *session;
    struct sim_subscription *topic_next, *session_next;
};

bool sim_session_accept(void *ctx, const struct flt_request *request, struct flt_peer *peer);
void sim_session_message(void *ctx, struct flt_peer *peer, const char *data, size_t size,
                         bool text);
void sim_session_gone(void *ctx, struct flt_peer *peer);
void sim_sessions_ping(struct sim *sim, int64_t now_ms);
void sim_sessions_disconnect(struct sim *sim, bool market, bool user);

/* False: there is no such stream. */
bool sim_stream_subscribe(struct sim_session *session, const char *name);
bool sim_stream_unsubscribe(struct sim_session *session, const char *name);
void sim_stream_leave_all(struct sim_session *session);

void sim_streams_trade(struct sim_market *market, const struct trade *trade);
void sim_streams_book(struct sim_market *market);
void sim_streams_kline_closed(struct sim_market *market, const struct sim_kline *minute);
void sim_streams_tick(struct sim *sim, int64_t now_ms); /* every 100 ms: the ones sent by time */
void sim_jw_ticker(struct flt_buf *buf, const struct sim_market *market, bool mini, bool stream,
                   int64_t window_ms);

/* Tells what changed in the book since the last diff; all diff topics of a market go at one pace,
 * from one remembered book. Also called before a snapshot by REST is answered: a level that came
 * after the last diff and goes before the next is then in both, else it would stay in a client's
 * book for good. */
void sim_streams_diff(struct sim_market *market);
