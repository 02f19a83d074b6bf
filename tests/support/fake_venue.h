/* A venue and a journal for tests of the engine: one bot, one instrument, a clock moved by hand,
 * and misbehaviour from a seed: lost requests and answers, repeated, delayed and reordered events,
 * refusals. It keeps its own truth, and checks on each placement that an id is never used twice and
 * that no key ever has two live orders. */
#pragma once
#include "engine/bot.h"

#define FAKE_ORDERS_MAX 20000
#define FAKE_TRADES_MAX 40000

struct fake_order {
    struct order order;
    struct flt_coid id;
    int64_t arrive_ms; /* on its way until then; -1: lost */
    bool arrived, accepted;
    int64_t price_ticks, qty_lots, filled_lots;
};

struct fake_trade {
    struct fill fill;
    size_t order;
};

struct fake_message;

struct fake_faults { /* chances of 1000 */
    unsigned lose_request, lose_answer, drop_event, repeat_event, refuse, busy;
    int64_t delay_ms_max;
};

struct fake_venue {
    struct flt_sim_clock clock;
    struct instrument instrument;
    struct engine_port port;
    struct bot *bot;
    struct tape *tape; /* given to the bots made next; NULL: none */
    uint64_t random;
    struct fake_faults faults;
    int64_t bid_ticks, ask_ticks;
    int64_t request_life_ms;
    enum bot_mode mode; /* live */

    struct fake_order *orders;
    size_t order_count;
    struct fake_trade *trades;
    size_t trade_count;
    struct ledger truth; /* of all trades of the bot's orders */
    struct fake_message *queue;
    bool link_down;

    /* the journal */
    struct order_intent *intents;
    size_t intent_count;
    uint32_t next_sequence;
    char *state;       /* newest snapshot */
    char *older_state; /* the one before: what a crash before the commit leaves */
    size_t recorded;   /* trades booked, by number in `booked` */
    size_t older_recorded;
    struct fill *booked;
    bool intend_fails;
    size_t lists, sweeps; /* asked for */
    size_t places, cancels, queries, fetches, risk_records, alarms;
    char last_risk[32], last_alarm[32], last_alarm_text[160];
};

void fake_open(struct fake_venue *venue, uint64_t seed);
void fake_close(struct fake_venue *venue);
/* Creates the bot from JSON parameters, given as text; fails the test when that is refused. */
void fake_create(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                 const char *risk, uint32_t epoch);
/* link up, no halt, desired running, started */
void fake_start(struct fake_venue *venue);
/* The process dies and a new one begins: with the newest snapshot, or the one before. */
void fake_crash(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                const char *risk, uint32_t epoch, bool lose_commit);
/* What was on disk at a moment, and the power goes: snapshot and booked trades are as then, and no
 * intent is left. */
struct fake_disk {
    char *state;
    size_t recorded;
};
void fake_disk_sync(const struct fake_venue *venue, struct fake_disk *out); /* frees what it had */
void fake_power_loss(struct fake_venue *venue, const struct strategy_ops *ops, const char *params,
                     const char *risk, uint32_t epoch, const struct fake_disk *disk);
void fake_price(struct fake_venue *venue, int64_t bid_ticks, int64_t ask_ticks);
void fake_run(struct fake_venue *venue, int64_t ms); /* in steps of 50 ms, with seconds */
uint32_t fake_random(struct fake_venue *venue, uint32_t below);
/* Open orders at the venue, by key: the newest that is live; NULL: none. */
const struct fake_order *fake_live(const struct fake_venue *venue, uint32_t key);
size_t fake_live_count(const struct fake_venue *venue);
void fake_trade_now(struct fake_venue *venue, size_t order, int64_t lots); /* a partial trade */
/* Books equal the venue's, to the last digit. */
void fake_assert_books(const struct fake_venue *venue);
