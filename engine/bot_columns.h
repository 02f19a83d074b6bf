/* All bars of a backtest at once, as columns.
 *
 * In place of bot_on_history() and bot_on_bar(). The bot sees the bars up to one index, as if they
 * had come one by one; indicator lines are computed ahead by their batch form, which agrees bit for
 * bit with the streamed one. What the strategy said with wants_wake() lets the host skip bars. */
#pragma once
#include "engine/bot.h"

/* Before bot_start(). `columns` is borrowed until bot_destroy(); bars are `bar_ms` long. -ENOMEM.
 */
FLT_MUST_USE int bot_use_columns(struct bot *bot, unsigned leg,
                                 const struct indicator_columns *columns, size_t count,
                                 int64_t bar_ms);
/* Bars up to `bar` have been; the last price is its close. Nobody is called. */
void bot_seek(struct bot *bot, unsigned leg, size_t bar);
/* The market is at this price, though no bar of the strategy closes. Nobody is called. */
void bot_set_price(struct bot *bot, unsigned leg, int64_t price_ticks);
/* What other bots of one shared account have spent (below zero) or earned: the strategy sees it as
 * part of its cash. A backtest's portfolio. */
void bot_set_outside_cash(struct bot *bot, struct flt_amt cash);
/* bot_seek(), and the bar closes now: as bot_on_bar(), or bot_on_quote() at its close for a
 * strategy that looks at quotes. */
void bot_on_column(struct bot *bot, unsigned leg, size_t bar);
/* The first bar of [from, to) at whose close the strategy wants to be called; `to`: none. */
size_t bot_next_wake(const struct bot *bot, unsigned leg, size_t from, size_t to);
/* Something waits for time, not for a bar: give it bot_on_second() at each close. */
bool bot_waits_for_time(const struct bot *bot);
