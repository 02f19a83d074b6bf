/* The fleet for people: pages of bots, sent again only when something but an age has changed; and
 * the snapshots that equity curves are drawn from. */
#define FLT_MOD "digest"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define PAGE_BYTES_MAX 3700 /* the envelope and the fleet's line come on top */
#define PAGE_BYTES_NEW 3200 /* of a page that begins: its bots' numbers may grow */
#define PAGE_BOTS_MAX 80
#define EQUITY_EVERY_MS 10000 /* for up to 50 bots; more bots, fewer points of each */
#define EQUITY_KEPT_MS (30 * INT64_C(86400000))

/* Whether nobody can say what the bot does now: its node was heard once, and is not any more. */
static bool is_lost(const struct controller *controller, const struct bot *bot)
{
    const struct node *node = inventory_find_node(&controller->inventory, bot->node);

    return node && node->word != NODE_NEVER && !node_is_up(node, controller_mono_ms(controller));
}

static void fill_bot(const struct controller *controller, const struct bot *bot,
                     struct msg_digest_bot *out)
{
    struct bot_sums sums;

    memset(out, 0, sizeof *out);
    bot_sums_get(controller, bot, &sums);
    snprintf(out->n, sizeof out->n, "%s", bot->name);
    snprintf(out->s, sizeof out->s, "%s", bot->spec.strategy);
    out->has_i = bot->spec.has_instrument;
    snprintf(out->i, sizeof out->i, "%s", bot->spec.instrument);
    snprintf(out->nd, sizeof out->nd, "%s", bot->node);
    out->has_m = true;
    out->m = bot->spec.mode;
    out->run = bot->run;
    out->has_ph = bot->has_state;
    out->ph = bot->state.phase;
    out->has_rc = bot->has_state && bot->state.has_reason;
    snprintf(out->rc, sizeof out->rc, "%s", bot->state.reason.code);
    out->has_pos = out->has_pnl = out->has_eq = true;
    out->pos = sums.position;
    out->pnl = sums.realised;
    out->eq = sums.equity;
    out->has_px = sums.mark.coef != 0;
    out->px = sums.mark;
    out->fills = sums.fills;
    out->has_oo = bot->has_state;
    out->oo = bot->state.orders_open;
    out->has_lost = out->lost = is_lost(controller, bot);
}

static void fill_fleet(const struct controller *controller, struct msg_digest_fleet *out)
{
    const struct inventory *inventory = &controller->inventory;
    const int64_t now = controller_mono_ms(controller);

    memset(out, 0, sizeof *out);
    out->nodes = (int64_t)inventory->node_count;
    for (size_t i = 0; i < inventory->node_count; i++)
        out->nodes_up += node_is_up(inventory->nodes[i], now);
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        out->bots += bot_listed(bot);
        out->running += bot_listed(bot) && bot->has_state && bot->state.phase == MSG_PHASE_RUNNING;
    }
    out->fills = controller->fills_total;
    out->alerts = (int64_t)controller->alert_count;
}

static int64_t count_halts(struct controller *controller)
{
    sqlite3_stmt *stmt = store_read(&controller->store, "SELECT count(*) FROM halts");
    int64_t count = 0;

    if (store_next(&controller->store, stmt)) {
        count = flt_db_int(stmt, 0);
        sqlite3_reset(stmt);
    }
    return count;
}

static uint64_t hash_of(const char *data, size_t size) /* FNV-1a: only to see a change */
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3u;
    return hash;
}

/* How many of `bots` go into page `number`; `hash` tells whether it differs from the last one. A
 * page ends where it ended before as long as that fits: otherwise one longer number would move
 * every bot behind it, and all pages would go out again. */
static size_t measure(struct controller *controller, size_t number,
                      const struct msg_digest_bot *bots, size_t count, uint64_t *hash)
{
    struct flt_buf *buf = &controller->out;
    char *last = controller->digest_last[number];
    const size_t most = (last[0] ? PAGE_BYTES_MAX : PAGE_BYTES_NEW) - 200;
    size_t used = 0, before;

    flt_buf_reset(buf);
    while (used < count && used < PAGE_BOTS_MAX) {
        if (used && last[0] && strcmp(bots[used].n, last) > 0)
            break;
        before = buf->length;
        msg_digest_bot_encode(buf, &bots[used]);
        if (used && buf->length + used * 20 > most) { /* 20: ,"age_ms":123456789 */
            buf->length = before;
            break;
        }
        used++;
    }
    if (used)
        snprintf(last, sizeof controller->digest_last[0], "%s", bots[used - 1].n);
    *hash = hash_of(buf->data ? buf->data : "", buf->length);
    return used;
}

static void add_ages(struct controller *controller, struct msg_digest_bot *bots, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct bot *bot = inventory_find_bot(&controller->inventory, bots[i].n);

        bots[i].has_age_ms = bot && bot->heard_ms >= 0;
        if (bots[i].has_age_ms)
            bots[i].age_ms = controller_mono_ms(controller) - bot->heard_ms;
    }
}

static void send_page(struct controller *controller, struct msg_ui_digest *page)
{
    char topic[TOPIC_MAX], number[24];

    snprintf(number, sizeof number, "%lld", (long long)page->page);
    controller_envelope(controller, &page->env);
    add_ages(controller, page->bots, page->bots_count);
    controller_publish(controller, topic_ui_digest(topic, controller->config.tenant, number),
                       &msg_type_ui_digest, page, 0, true);
}

static uint64_t fleet_hash(struct controller *controller, const struct msg_digest_fleet *fleet)
{
    flt_buf_reset(&controller->out);
    msg_digest_fleet_encode(&controller->out, fleet);
    return hash_of(controller->out.data, controller->out.length);
}

static void clear_pages(struct controller *controller, size_t from, size_t to)
{
    char topic[TOPIC_MAX], number[24];

    for (size_t i = from; i < to; i++) {
        snprintf(number, sizeof number, "%zu", i);
        controller_clear(controller, topic_ui_digest(topic, controller->config.tenant, number));
        controller->digest_hash[i] = 0;
        controller->digest_last[i][0] = '\0';
    }
}

static size_t list_bots(const struct controller *controller, struct msg_digest_bot *bots)
{
    size_t count = 0;

    for (size_t i = 0; i < controller->inventory.bot_count; i++)
        if (bot_listed(controller->inventory.bots[i]))
            fill_bot(controller, controller->inventory.bots[i], &bots[count++]);
    return count;
}

void digest_tick(struct controller *controller)
{
    const size_t room = controller->inventory.bot_count + 1;
    struct msg_digest_bot *bots = calloc(room, sizeof *bots);
    struct msg_ui_digest page = { 0 };
    size_t sizes[FLT_COUNT(controller->digest_hash)], count, pages = 0;
    uint64_t hashes[FLT_COUNT(controller->digest_hash)];

    if (!bots)
        return;
    count = list_bots(controller, bots);
    for (size_t at = 0; pages == 0 || (at < count && pages < FLT_COUNT(sizes)); pages++) {
        sizes[pages] = measure(controller, pages, bots + at, count - at, &hashes[pages]);
        at += sizes[pages];
    }
    fill_fleet(controller, &page.fleet);
    page.fleet.halt = count_halts(controller);
    hashes[0] ^= fleet_hash(controller, &page.fleet);
    page.pages = (int64_t)pages;
    page.bots = bots;
    for (size_t i = 0; i < pages; i++) {
        page.page = (int64_t)i;
        page.has_fleet = i == 0;
        page.bots_count = sizes[i];
        hashes[i] ^= pages; /* every page says how many there are */
        if (hashes[i] != controller->digest_hash[i])
            send_page(controller, &page);
        controller->digest_hash[i] = hashes[i];
        page.bots += sizes[i];
    }
    clear_pages(controller, pages, controller->digest_pages);
    controller->digest_pages = pages;
    free(bots);
}

void digest_forget(struct controller *controller)
{
    memset(controller->digest_hash, 0, sizeof controller->digest_hash);
}

/* --- equity
 * ------------------------------------------------------------------------------------------- */

static void snapshot(struct controller *controller, struct bot *bot, int64_t now_ms)
{
    struct bot_sums sums;
    char text[FLT_AMT_TEXT_MAX];
    sqlite3_stmt *stmt;

    bot_sums_get(controller, bot, &sums);
    flt_amt_format(sums.equity, text);
    if (!sums.book || strcmp(text, bot->equity_point) == 0)
        return;
    snprintf(bot->equity_point, sizeof bot->equity_point, "%s", text);
    stmt = store_write(&controller->store, "INSERT OR REPLACE INTO equity (bot, ts_ms, equity,"
                                           " position, price) VALUES (?, ?, ?, ?, ?)");
    flt_db_bind_str(stmt, 1, bot->name);
    flt_db_bind_int(stmt, 2, now_ms);
    flt_db_bind_amt(stmt, 3, sums.equity);
    flt_db_bind_amt(stmt, 4, sums.position);
    flt_db_bind_dec(stmt, 5, sums.mark);
    controller_check(controller, store_run(&controller->store, stmt));
}

/* A thousand rows a turn at most, so that the loop goes on. */
static void forget_old(struct controller *controller, int64_t before_ms)
{
    sqlite3_stmt *stmt = store_write(&controller->store,
                                     "DELETE FROM equity WHERE (bot, ts_ms) IN (SELECT bot, ts_ms"
                                     " FROM equity WHERE ts_ms < ? LIMIT 1000)");

    flt_db_bind_int(stmt, 1, before_ms);
    controller_check(controller, store_run(&controller->store, stmt));
}

void equity_tick(struct controller *controller)
{
    const int64_t now = controller_now_ms(controller);
    const int64_t bots = (int64_t)controller->inventory.bot_count;

    if (now - controller->equity_ms < EQUITY_EVERY_MS * (1 + bots / 50))
        return;
    controller->equity_ms = now;
    forget_old(controller, now - EQUITY_KEPT_MS);
    for (size_t i = 0; i < controller->inventory.bot_count; i++)
        if (bot_listed(controller->inventory.bots[i]))
            snapshot(controller, controller->inventory.bots[i], now);
}
