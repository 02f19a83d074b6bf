/* Rows and sums that people see: of bots and nodes, for verbs and digest. */
#include "controller/controller.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The book of the bot's own account and instrument, whatever mode it last traded in. */
static const struct book *book_of(const struct controller *controller, const struct bot *bot)
{
    size_t first;
    const size_t count = books_of_bot(&controller->books, bot->name, &first);

    for (size_t i = first; i < first + count; i++) {
        const struct book *book = controller->books.list[i];

        if (book->mode == bot->spec.mode && strcmp(book->instrument, bot->spec.instrument) == 0)
            return book;
    }
    return NULL;
}

void bot_sums_get(const struct controller *controller, const struct bot *bot, struct bot_sums *out)
{
    const struct book *book = book_of(controller, bot);

    *out = (struct bot_sums){ .mark = bot_mark(bot), .book = book };
    if (!book)
        return;
    if (out->mark.coef == 0)
        out->mark = book->price;
    out->position = book->position;
    out->realised = book_realised(book);
    out->unrealised = book_unrealised(book, out->mark);
    out->equity = flt_amt_add(out->realised, out->unrealised);
    out->fills = book->fills;
}

static void row_reported(const struct controller *controller, const struct bot *bot,
                         struct msg_bot_row *out)
{
    out->has_phase = bot->has_state;
    if (!bot->has_state)
        return;
    out->phase = bot->state.phase;
    out->has_reason = bot->state.has_reason;
    out->reason = bot->state.reason;
    out->has_applied = true;
    out->applied = bot->state.generation;
    out->has_orders_open = true;
    out->orders_open = bot->state.orders_open;
    out->has_age_ms = bot->heard_ms >= 0;
    out->age_ms = controller_mono_ms(controller) - bot->heard_ms;
}

static void row_owner(const struct controller *controller, const struct bot *bot,
                      struct msg_bot_row *out)
{
    const struct node *node = inventory_find_node(&controller->inventory, bot->node);

    out->has_claimed = true;
    out->claimed = bot->has_state && bot->state.env.has_epoch && bot->state.env.epoch == bot->epoch;
    out->has_moving_to = bot->moving_to[0] != '\0';
    snprintf(out->moving_to, sizeof out->moving_to, "%s", bot->moving_to);
    out->has_failover = true;
    out->failover = bot_is_sticky(bot) ? MSG_FAILOVER_STICKY : MSG_FAILOVER_AUTO;
    out->has_owner =
        out->claimed && node &&
        (bot_is_sticky(bot) || bot->held_sticky ||
         !grant_is_over(&node->grant, &controller->grants, controller_mono_ms(controller)));
    snprintf(out->owner, sizeof out->owner, "%s", bot->node);
}

void bot_row_fill(const struct controller *controller, const struct bot *bot,
                  struct msg_bot_row *out)
{
    struct bot_sums sums;

    memset(out, 0, sizeof *out);
    bot_sums_get(controller, bot, &sums);
    snprintf(out->bot, sizeof out->bot, "%s", bot->name);
    snprintf(out->strategy, sizeof out->strategy, "%s", bot->spec.strategy);
    out->has_venue = true;
    snprintf(out->venue, sizeof out->venue, "%s", bot->venue);
    out->has_account = bot->spec.has_account;
    snprintf(out->account, sizeof out->account, "%s", bot->spec.account);
    out->has_instrument = bot->spec.has_instrument;
    snprintf(out->instrument, sizeof out->instrument, "%s", bot->spec.instrument);
    out->mode = bot->spec.mode;
    snprintf(out->node, sizeof out->node, "%s", bot->node);
    out->run = bot->run;
    out->generation = bot->generation;
    out->epoch = bot->epoch;
    row_owner(controller, bot, out);
    out->has_position = out->has_realised = out->has_unrealised = out->has_equity = true;
    out->position = sums.position;
    out->realised = sums.realised;
    out->unrealised = sums.unrealised;
    out->equity = sums.equity;
    out->has_price = sums.mark.coef != 0;
    out->price = sums.mark;
    out->fills = sums.fills;
    out->has_fees = sums.book != NULL;
    out->fees = sums.book ? book_fees_tree(sums.book) : NULL;
    row_reported(controller, bot, out);
}

static void row_of_hb(const struct msg_n_hb *hb, struct msg_node_row *out)
{
    out->has_running = hb->has_running;
    out->running = hb->running;
    out->has_rss_bytes = hb->has_rss_bytes;
    out->rss_bytes = hb->rss_bytes;
    out->has_loop_lag_us = hb->has_loop_lag_us;
    out->loop_lag_us = hb->loop_lag_us;
    out->has_load = hb->has_load;
    out->load = hb->load;
    out->has_clock_offset_ms = hb->has_clock_offset_ms;
    out->clock_offset_ms = hb->clock_offset_ms;
    out->has_head = true;
    out->head = hb->head;
}

static void row_of_presence(const struct msg_n_presence *presence, struct msg_node_row *out)
{
    out->has_version = presence->has_version;
    snprintf(out->version, sizeof out->version, "%s", presence->version);
    out->has_host = presence->has_host;
    snprintf(out->host, sizeof out->host, "%s", presence->host);
    out->has_pid = presence->has_pid;
    out->pid = presence->pid;
    out->has_started_ms = presence->has_started_ms;
    out->started_ms = presence->started_ms;
    out->has_capacity = presence->has_capacity;
    out->capacity = presence->capacity;
    out->has_labels = presence->has_labels;
    out->labels = presence->has_labels ? json_object_get(presence->labels) : NULL;
}

void node_row_fill(struct controller *controller, const struct node *node, struct msg_node_row *out)
{
    const int64_t now = controller_mono_ms(controller);

    memset(out, 0, sizeof *out);
    snprintf(out->node, sizeof out->node, "%s", node->name);
    out->state = node_state(node, now);
    out->has_age_ms = node->heard_ms >= 0;
    out->age_ms = now - node->heard_ms;
    out->incarnation = node->incarnation;
    out->bots = (int64_t)inventory_bots_of(&controller->inventory, node->name);
    out->has_draining = out->has_lease = true;
    out->draining = node->draining;
    owners_fill_lease(controller, node, &out->lease);
    if (node->unclaimed_count &&
        (out->unclaimed = calloc(node->unclaimed_count, sizeof *out->unclaimed))) {
        out->has_unclaimed = true;
        out->unclaimed_count = node->unclaimed_count < 256 ? node->unclaimed_count : 256;
        for (size_t i = 0; i < out->unclaimed_count; i++)
            snprintf(out->unclaimed[i], sizeof out->unclaimed[i], "%s", node->unclaimed[i]);
    }
    if (node->has_presence)
        row_of_presence(&node->presence, out);
    if (node->has_hb)
        row_of_hb(&node->hb, out);
    if (node->stream[0]) {
        const int64_t position = store_stream_position(&controller->store, node->stream);

        out->has_committed = true;
        out->committed = position < 0 ? 0 : position;
    }
    out->has_venues = node->has_hb && node->hb.venues_count > 0;
    if (out->has_venues && (out->venues = calloc(node->hb.venues_count, sizeof *out->venues))) {
        memcpy(out->venues, node->hb.venues, node->hb.venues_count * sizeof *out->venues);
        out->venues_count = node->hb.venues_count;
    }
}
