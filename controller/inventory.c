#define FLT_MOD "inventory"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/inventory.h"

#define APART_MS 60000 /* clocks that run apart by 0.05 % have 30 ms more then */

/* Both lists hold pointers to structs that begin with their name. */
static size_t place_of(void *const *list, size_t count, const char *name)
{
    size_t low = 0, high = count;

    while (low < high) {
        const size_t middle = (low + high) / 2;

        if (strcmp(list[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void *find(void *const *list, size_t count, const char *name)
{
    const size_t place = place_of(list, count, name);

    return place < count && strcmp(list[place], name) == 0 ? list[place] : NULL;
}

static void *get(void ***list, size_t *count, size_t *capacity, const char *name, size_t size)
{
    const size_t place = place_of(*list, *count, name);
    char *made;

    if (place < *count && strcmp((*list)[place], name) == 0)
        return (*list)[place];
    if (*count == *capacity) {
        const size_t room = *capacity ? 2 * *capacity : 32;
        void **grown = realloc(*list, room * sizeof *grown);

        if (!grown)
            return NULL;
        *list = grown;
        *capacity = room;
    }
    made = calloc(1, size);
    if (!made)
        return NULL;
    snprintf(made, FLT_NAME_MAX, "%s", name);
    memmove(*list + place + 1, *list + place, (*count - place) * sizeof **list);
    (*list)[place] = made;
    ++*count;
    return made;
}

struct node *inventory_find_node(const struct inventory *inventory, const char *name)
{
    return find((void *const *)inventory->nodes, inventory->node_count, name);
}

struct node *inventory_get_node(struct inventory *inventory, const char *name)
{
    const size_t before = inventory->node_count;
    struct node *node = get((void ***)&inventory->nodes, &inventory->node_count,
                            &inventory->node_capacity, name, sizeof *node);

    if (node && inventory->node_count != before) {
        node->heard_ms = node->synced_ms = -1;
        grant_init(&node->grant);
        node->suspect_ms = inventory->suspect_ms ? inventory->suspect_ms : NODE_SUSPECT_MS;
    }
    return node;
}

struct bot *inventory_find_bot(const struct inventory *inventory, const char *name)
{
    return find((void *const *)inventory->bots, inventory->bot_count, name);
}

struct bot *inventory_get_bot(struct inventory *inventory, const char *name)
{
    const size_t before = inventory->bot_count;
    struct bot *bot = get((void ***)&inventory->bots, &inventory->bot_count,
                          &inventory->bot_capacity, name, sizeof *bot);

    if (bot && inventory->bot_count != before)
        bot->heard_ms = -1;
    return bot;
}

static void node_free(struct node *node)
{
    msg_n_presence_finish(&node->presence);
    msg_n_presence_finish(&node->rival);
    msg_n_hb_finish(&node->hb);
    free(node->unclaimed);
    free(node);
}

void inventory_drop_node(struct inventory *inventory, struct node *node)
{
    for (size_t i = 0; i < inventory->node_count; i++) {
        if (inventory->nodes[i] != node)
            continue;
        memmove(&inventory->nodes[i], &inventory->nodes[i + 1],
                (inventory->node_count - i - 1) * sizeof(struct node *));
        inventory->node_count--;
        node_free(node);
        return;
    }
}

void node_change_voice(struct node *node)
{
    node->incarnation = 0;
    node->word = NODE_NEVER;
    node->boot[0] = '\0';
    if (!node->has_rival)
        return;
    msg_n_presence_finish(&node->presence);
    node->presence = node->rival;
    node->has_presence = true;
    node->rival = (struct msg_n_presence){ 0 };
    node->has_rival = false;
}

void inventory_finish(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->node_count; i++)
        node_free(inventory->nodes[i]);
    for (size_t i = 0; i < inventory->bot_count; i++) {
        msg_bot_finish(&inventory->bots[i]->spec);
        msg_n_state_finish(&inventory->bots[i]->state);
        free(inventory->bots[i]);
    }
    free(inventory->nodes);
    free(inventory->bots);
    *inventory = (struct inventory){ 0 };
}

int node_take_presence(struct node *node, struct msg_n_presence *presence, int64_t now_ms)
{
    const bool up = presence->state == MSG_N_PRESENCE_STATE_UP;
    const bool newer = presence->incarnation > node->incarnation;

    if (presence->incarnation < node->incarnation ||
        (!newer && up && (node->word == NODE_DOWN || node->word == NODE_LOST)))
        return INVENTORY_OLD;
    node->incarnation = presence->incarnation;
    if (!up) {
        node->word = presence->state == MSG_N_PRESENCE_STATE_DOWN ? NODE_DOWN : NODE_LOST;
        return 0;
    }
    msg_n_presence_finish(&node->presence);
    node->presence = *presence;
    *presence = (struct msg_n_presence){ 0 };
    node->has_presence = true;
    snprintf(node->boot, sizeof node->boot, "%s", node->presence.boot);
    if (node->presence.has_journal)
        snprintf(node->stream, sizeof node->stream, "%s", node->presence.journal.stream);
    if (newer || node->word == NODE_NEVER)
        node->heard_ms = now_ms; /* a retained copy seen again is not a sign of life */
    const bool birth = newer || node->word == NODE_NEVER;

    node->word = NODE_UP;
    if (birth)
        node->synced_ms = -1;
    return birth ? INVENTORY_BIRTH : 0;
}

int node_take_hb(struct node *node, struct msg_n_hb *hb, int64_t now_ms)
{
    const bool missed = hb->incarnation > node->incarnation || node->word == NODE_NEVER;

    if (hb->incarnation < node->incarnation || (!missed && node->word != NODE_UP))
        return INVENTORY_OLD;
    if (!missed && node->boot[0] && strcmp(hb->boot, node->boot) != 0)
        return INVENTORY_OLD; /* a second process under the same name and number */
    node->incarnation = hb->incarnation;
    node->word = NODE_UP;
    snprintf(node->boot, sizeof node->boot, "%s", hb->boot);
    snprintf(node->stream, sizeof node->stream, "%s", hb->stream);
    node->last_head = node->has_hb ? node->hb.head : 0;
    msg_n_hb_finish(&node->hb);
    node->hb = *hb;
    *hb = (struct msg_n_hb){ 0 };
    node->has_hb = true;
    node->heard_ms = now_ms;
    if (missed)
        node->synced_ms = -1;
    return missed ? INVENTORY_BIRTH : 0;
}

void node_measure(struct node *node, const struct msg_n_hb *hb, int64_t now_ms)
{
    const int64_t apart_ms = now_ms - hb->mono_ms;
    const bool fresh = !node->has_hb || strcmp(node->hb.boot, hb->boot) != 0;

    if (fresh)
        node->apart_ms[0] = node->apart_ms[1] = apart_ms;
    if (fresh || now_ms - node->apart_since_ms > APART_MS) {
        node->apart_ms[1] = node->apart_ms[0];
        node->apart_ms[0] = apart_ms;
        node->apart_since_ms = now_ms;
    }
    if (apart_ms < node->apart_ms[0])
        node->apart_ms[0] = apart_ms;
    node->late_ms =
        apart_ms - (node->apart_ms[0] < node->apart_ms[1] ? node->apart_ms[0] : node->apart_ms[1]);
}

enum msg_node_row_state node_state(const struct node *node, int64_t now_ms)
{
    switch (node->word) {
    case NODE_UP:
        return node->heard_ms >= 0 && now_ms - node->heard_ms <= node->suspect_ms
                   ? MSG_NODE_ROW_STATE_UP
                   : MSG_NODE_ROW_STATE_SUSPECT;
    case NODE_DOWN:
        return MSG_NODE_ROW_STATE_DOWN;
    case NODE_LOST:
        return MSG_NODE_ROW_STATE_LOST;
    case NODE_NEVER:
        break;
    }
    return MSG_NODE_ROW_STATE_NEVER;
}

bool node_is_up(const struct node *node, int64_t now_ms)
{
    return node_state(node, now_ms) == MSG_NODE_ROW_STATE_UP;
}

bool bot_is_sticky(const struct bot *bot)
{
    return bot->spec.has_placement && bot->spec.placement.has_failover &&
           bot->spec.placement.failover == MSG_FAILOVER_STICKY;
}

bool bot_listed(const struct bot *bot)
{
    return !bot->removed;
}

size_t inventory_bots_of(const struct inventory *inventory, const char *node)
{
    size_t count = 0;

    for (size_t i = 0; i < inventory->bot_count; i++)
        count += bot_listed(inventory->bots[i]) && strcmp(inventory->bots[i]->node, node) == 0;
    return count;
}

int inventory_hash(const struct inventory *inventory, const char *node, bool with_released,
                   size_t *count, char out[MSG_HASH_MAX])
{
    struct msg_bot_ref *refs = calloc(inventory->bot_count + 1, sizeof *refs);
    size_t used = 0;

    if (!refs)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        if (!bot_listed(bot) || strcmp(bot->node, node) != 0 ||
            ((bot->release || bot->moving_to[0]) && !with_released))
            continue;
        snprintf(refs[used].bot, sizeof refs[used].bot, "%s", bot->name);
        refs[used].epoch = bot->epoch;
        refs[used++].generation = bot->generation;
    }
    msg_bots_hash(refs, used, out);
    *count = used;
    free(refs);
    return 0;
}

int inventory_owned_hash(const struct inventory *inventory, const char *node,
                         char out[MSG_HASH_MAX])
{
    struct msg_bot_ref *refs = calloc(inventory->bot_count + 1, sizeof *refs);
    size_t used = 0;

    if (!refs)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        if (!bot_listed(bot) || strcmp(bot->node, node) != 0)
            continue;
        snprintf(refs[used].bot, sizeof refs[used].bot, "%s", bot->name);
        refs[used++].epoch = bot->epoch;
    }
    msg_bots_hash(refs, used, out);
    free(refs);
    return 0;
}

static bool has_word(const char (*words)[33], size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool has_labels(struct json_object *has, struct json_object *wants)
{
    if (!wants)
        return true;
    json_object_object_foreach(wants, key, value)
    {
        if (!json_object_equal(flt_json_get(has, key), value))
            return false;
    }
    return true;
}

bool node_fits(const struct node *node, const struct msg_bot *spec, const char *venue)
{
    const struct msg_n_presence *presence = &node->presence;

    return !node->has_presence ||
           ((!presence->has_strategies || has_word((const char(*)[33])presence->strategies,
                                                   presence->strategies_count, spec->strategy)) &&
            (!presence->has_venues ||
             has_word((const char(*)[33])presence->venues, presence->venues_count, venue)) &&
            has_labels(presence->labels, spec->has_placement ? spec->placement.labels : NULL));
}

bool bot_take_state(struct bot *bot, const char *node, struct msg_n_state *state, int64_t now_ms)
{
    if (strcmp(bot->node, node) != 0 || !bot_listed(bot) ||
        (state->env.has_epoch && state->env.epoch < bot->epoch))
        return false;
    msg_n_state_finish(&bot->state);
    bot->state = *state;
    *state = (struct msg_n_state){ 0 };
    bot->has_state = true;
    bot->reported_generation = bot->state.generation;
    bot->heard_ms = now_ms;
    return true;
}

struct flt_dec bot_mark(const struct bot *bot)
{
    return bot->has_state && bot->state.has_price ? bot->state.price : FLT_DEC_ZERO;
}
