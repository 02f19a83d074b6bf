/* Which node a bot goes to: capacity, labels, strategies, anti-affinity, draining nodes. */
#define FLT_MOD "placement"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define CAPACITY_DEFAULT 1000
#define DRAIN_AT_ONCE 10 /* bots of a node on their way: each costs its venue some requests */

static int64_t capacity_of(const struct node *node)
{
    return node->has_presence && node->presence.has_capacity ? node->presence.capacity
                                                             : CAPACITY_DEFAULT;
}

static const char *place_of(const struct bot *bot)
{
    return bot->moving_to[0] ? bot->moving_to : bot->node;
}

static size_t bots_of(const struct controller *controller, const char *node)
{
    const struct inventory *inventory = &controller->inventory;
    size_t count = 0;

    for (size_t i = 0; i < inventory->bot_count; i++)
        count += bot_listed(inventory->bots[i]) && strcmp(place_of(inventory->bots[i]), node) == 0;
    return count;
}

/* Bots there that this one is to be apart from. */
static size_t neighbours(const struct controller *controller, const char *node,
                         const struct msg_bot *spec)
{
    const struct inventory *inventory = &controller->inventory;
    size_t count = 0;

    if (!spec->has_placement || !spec->placement.has_apart)
        return 0;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        count += bot_listed(bot) && strcmp(bot->name, spec->name) != 0 &&
                 strcmp(place_of(bot), node) == 0 && bot->spec.has_placement &&
                 bot->spec.placement.has_apart &&
                 strcmp(bot->spec.placement.apart, spec->placement.apart) == 0;
    }
    return count;
}

struct node *placement_choose(const struct controller *controller, const struct msg_bot *spec,
                              const char *venue, const char *not_this)
{
    const struct inventory *inventory = &controller->inventory;
    const int64_t now_ms = controller_mono_ms(controller);
    struct node *best = NULL;
    int64_t best_room = 0;
    size_t best_neighbours = SIZE_MAX;

    for (size_t i = 0; i < inventory->node_count; i++) {
        struct node *node = inventory->nodes[i];
        const int64_t room = capacity_of(node) - (int64_t)bots_of(controller, node->name);
        size_t near;

        if (node->draining || room <= 0 || !node_is_up(node, now_ms) ||
            (not_this && strcmp(node->name, not_this) == 0) || !node_fits(node, spec, venue))
            continue;
        near = neighbours(controller, node->name, spec);
        if (near > best_neighbours || (near == best_neighbours && room <= best_room))
            continue;
        best = node;
        best_room = room;
        best_neighbours = near;
    }
    return best;
}

int placement_check(const struct controller *controller, const struct node *node,
                    const struct msg_bot *spec, const char *venue, const char *field,
                    struct flt_error *error)
{
    if (node->draining)
        return flt_error_set(error, FLT_CONFLICT, field,
                             "undo it with node-drain undo, or choose "
                             "another node",
                             "node %s is being drained", node->name);
    if ((int64_t)bots_of(controller, node->name) >= capacity_of(node))
        return flt_error_set(error, FLT_UNAVAILABLE, field,
                             "choose another node, or raise its capacity",
                             "node %s is full: it "
                             "has room for %" PRId64 " bots",
                             node->name, capacity_of(node));
    if (!node_fits(node, spec, venue))
        return flt_error_set(error, FLT_CONFLICT, field, "see node-show for what it has",
                             "node %s has not the labels, or does not know the strategy %s or the "
                             "venue %s",
                             node->name, spec->strategy, venue);
    return 0;
}

/* --- evening out
 * ------------------------------------------------------------------------------------ */

struct load {
    const struct node *node;
    int64_t bots;
};

static size_t loads_of(const struct controller *controller, struct load *out)
{
    const struct inventory *inventory = &controller->inventory;
    size_t count = 0;

    for (size_t i = 0; i < inventory->node_count; i++) {
        const struct node *node = inventory->nodes[i];

        if (node->draining || !node_is_up(node, controller_mono_ms(controller)))
            continue;
        out[count].node = node;
        out[count++].bots = (int64_t)bots_of(controller, node->name);
    }
    return count;
}

static bool is_planned(const struct msg_move *moves, size_t count, const char *bot)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(moves[i].bot, bot) == 0)
            return true;
    return false;
}

/* One that may leave `from` and fits `to`; NULL: none. Pinned ones stay where a person put them. */
static const struct bot *movable(const struct controller *controller, const struct load *from,
                                 const struct load *to, const struct msg_move *moves, size_t count)
{
    const struct inventory *inventory = &controller->inventory;

    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        if (bot_listed(bot) && !bot->release && !bot->moving_to[0] &&
            strcmp(bot->node, from->node->name) == 0 && !bot_is_sticky(bot) &&
            !(bot->spec.has_placement && bot->spec.placement.has_node) &&
            node_fits(to->node, &bot->spec, bot->venue) &&
            neighbours(controller, to->node->name, &bot->spec) <=
                neighbours(controller, from->node->name, &bot->spec) &&
            !is_planned(moves, count, bot->name))
            return bot;
    }
    return NULL;
}

static bool plan_one(const struct controller *controller, struct load *loads, size_t load_count,
                     struct msg_move *moves, size_t count)
{
    for (size_t high = 0; high < load_count; high++) {
        struct load *low = NULL;
        const struct bot *bot;

        for (size_t i = 0; i < load_count; i++)
            if (loads[i].bots < capacity_of(loads[i].node) && (!low || loads[i].bots < low->bots))
                low = &loads[i];
        if (!low || loads[high].bots - low->bots < 2)
            continue;
        bot = movable(controller, &loads[high], low, moves, count);
        if (!bot)
            continue;
        snprintf(moves[count].bot, sizeof moves[count].bot, "%s", bot->name);
        snprintf(moves[count].from, sizeof moves[count].from, "%s", loads[high].node->name);
        snprintf(moves[count].to, sizeof moves[count].to, "%s", low->node->name);
        loads[high].bots--;
        low->bots++;
        return true;
    }
    return false;
}

size_t placement_plan(const struct controller *controller, struct msg_move *out, size_t max)
{
    struct load *loads = calloc(controller->inventory.node_count + 1, sizeof *loads);
    size_t count = 0, load_count;

    if (!loads)
        return 0;
    load_count = loads_of(controller, loads);
    while (count < max && plan_one(controller, loads, load_count, out, count))
        count++;
    free(loads);
    return count;
}

/* --- draining
 * --------------------------------------------------------------------------------------- */

static void drain(struct controller *controller, const struct node *node)
{
    const struct inventory *inventory = &controller->inventory;
    const bool up = node_is_up(node, controller_mono_ms(controller));
    char alert[TOPIC_LEVEL_MAX];
    size_t moving = 0, stuck = 0;

    for (size_t i = 0; i < inventory->bot_count; i++)
        moving += bot_listed(inventory->bots[i]) && inventory->bots[i]->moving_to[0] &&
                  strcmp(inventory->bots[i]->node, node->name) == 0;
    for (size_t i = 0; i < inventory->bot_count && moving < DRAIN_AT_ONCE && up; i++) {
        struct bot *bot = inventory->bots[i];
        const struct node *to;

        if (!bot_listed(bot) || bot->release || bot->moving_to[0] ||
            strcmp(bot->node, node->name) != 0)
            continue;
        to = placement_choose(controller, &bot->spec, bot->venue, node->name);
        if (to && takeover_ask(controller, bot, to->name, "drain") == 0)
            moving++;
        else
            stuck++;
    }
    snprintf(alert, sizeof alert, "drain-%s", node->name);
    if (stuck)
        alert_raise(controller, alert, MSG_SEVERITY_WARNING, "drain_waits", node->name,
                    "%zu bots cannot leave %s: no other node is up, fits and has room", stuck,
                    node->name);
    else
        alert_clear(controller, alert);
}

void placement_drain(struct controller *controller)
{
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        if (controller->inventory.nodes[i]->draining)
            drain(controller, controller->inventory.nodes[i]);
}
