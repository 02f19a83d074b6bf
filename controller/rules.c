/* Conditions that are looked at each second: an alert begins when one has held for its time, and
 * ends when it no longer holds. */
#define FLT_MOD "rules"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include "controller/alerts.h"

#define LOST_MS 5000
#define SILENT_MS 150000 /* a bot's state comes at least each minute */
#define CONFIRM_MS 30000
#define STALE_MS 30000
#define DOWN_MS 5000 /* a stream that comes back at once is nobody's business */
#define CLOCK_MS 1000
#define DRAWDOWN_SHARE 0.8 /* of the limit at which the bot stops itself */
#define DISK_BYTES ((uint64_t)256 << 20)

static const char *const watched[] = {
    "node_lost",   "feed_stale", "clock_wrong", "bot_error", "bot_silent",
    "unconfirmed", "drawdown",   "halted",      "disk_low",
};

bool rules_watch(const char *code)
{
    for (size_t i = 0; i < FLT_COUNT(watched); i++)
        if (strcmp(watched[i], code) == 0)
            return true;
    return false;
}

/* One finding: whether the condition holds and, if so, in which words. */
struct finding {
    const char *code;
    enum msg_severity severity;
    const char *target;
    bool holds;
    char message[256];
};

static void judge(struct controller *controller, const char *prefix, const char *second,
                  const struct finding *finding)
{
    char name[TOPIC_LEVEL_MAX];

    snprintf(name, sizeof name, "%s-%.32s%s%.12s", prefix, finding->target, second ? "-" : "",
             second ? second : "");
    if (finding->holds)
        alert_raise(controller, name, finding->severity, finding->code, finding->target, "%s",
                    finding->message);
    else if (controller->alert_count)
        alert_clear(controller, name);
}

/* --- nodes
 * ------------------------------------------------------------------------------------------ */

static void judge_feeds(struct controller *controller, const struct node *node, bool up)
{
    for (size_t i = 0; i < node->hb.venues_count; i++) {
        const struct msg_venue_link *link = &node->hb.venues[i];
        struct finding stale = { "feed_stale", MSG_SEVERITY_WARNING, node->name, false, "" };

        stale.holds =
            up && node->hb.bots > 0 &&
            (link->has_age_ms ? link->age_ms > (link->up ? STALE_MS : DOWN_MS) : !link->up);
        snprintf(stale.message, sizeof stale.message, "%s: no market data from %s%s%s", node->name,
                 link->venue, link->has_reason ? ": " : "", link->has_reason ? link->reason : "");
        judge(controller, "feed", link->venue, &stale);
    }
}

static void judge_node(struct controller *controller, struct node *node)
{
    const int64_t now = controller_mono_ms(controller);
    const bool lost = node->word == NODE_LOST || (node->word == NODE_UP && node->heard_ms >= 0 &&
                                                  now - node->heard_ms > LOST_MS);
    struct finding gone = { "node_lost", MSG_SEVERITY_WARNING, node->name, lost, "" };
    struct finding clock = { "clock_wrong", MSG_SEVERITY_WARNING, node->name, false, "" };

    /* Who was cut off itself says nothing of others: after a broker's restart of 2 s, two hundred
     * of a thousand nodes were called lost (tests/chaos/storm.py). */
    if (controller->up_ms < 0 || now - controller->up_ms < LOST_MS)
        return;
    /* And who has a minute's messages waiting hears the living late (at 10,000 fills a second). */
    if (node->word == NODE_UP && owners_is_behind(controller))
        return;
    snprintf(gone.message, sizeof gone.message, "node %s is not heard of any more", node->name);
    judge(controller, "node", NULL, &gone);
    if (!node->has_hb)
        return;
    clock.holds = !lost && node->hb.has_clock_offset_ms &&
                  (node->hb.clock_offset_ms > CLOCK_MS || node->hb.clock_offset_ms < -CLOCK_MS);
    snprintf(clock.message, sizeof clock.message, "%s: its clock is %s the venue's", node->name,
             node->hb.clock_offset_ms > 0 ? "more than a second behind"
                                          : "more than a second ahead of");
    judge(controller, "clock", NULL, &clock);
    judge_feeds(controller, node, !lost);
}

/* --- bots
 * ------------------------------------------------------------------------------------------- */

struct bot_word { /* what is wrong with one bot */
    bool error, drawdown, silent, unconfirmed;
};

static struct bot_word look_at(const struct controller *controller, const struct bot *bot)
{
    const struct node *node = inventory_find_node(&controller->inventory, bot->node);
    const int64_t now = controller_mono_ms(controller);
    const struct msg_risk_state *risk = &bot->state.risk;
    struct bot_word word = { 0 };

    if (!bot_listed(bot))
        return word;
    word.error = bot->has_state && bot->state.phase == MSG_PHASE_ERROR;
    word.drawdown = bot->has_state && bot->state.has_risk && risk->has_drawdown_pct &&
                    bot->spec.has_risk && bot->spec.risk.has_max_drawdown_pct &&
                    risk->drawdown_pct >= DRAWDOWN_SHARE * bot->spec.risk.max_drawdown_pct;
    /* Nobody can answer at once: not after a change, nor after our own start. */
    if (controller_now_ms(controller) - bot->changed_ms < CONFIRM_MS ||
        now - controller->started_ms < CONFIRM_MS || !node || !node_is_up(node, now))
        return word;
    word.silent = bot->heard_ms < 0 || now - bot->heard_ms > SILENT_MS;
    word.unconfirmed = bot->has_state && bot->state.generation < bot->generation;
    return word;
}

static void judge_words(struct controller *controller, const struct bot *bot,
                        const struct bot_word *word)
{
    struct finding silent = { "bot_silent", MSG_SEVERITY_WARNING, bot->name, word->silent, "" };
    struct finding unconfirmed = { "unconfirmed", MSG_SEVERITY_WARNING, bot->name,
                                   word->unconfirmed, "" };

    snprintf(silent.message, sizeof silent.message, "%s: nothing heard of it from %s, which is up",
             bot->name, bot->node);
    judge(controller, "silent", NULL, &silent);
    snprintf(unconfirmed.message, sizeof unconfirmed.message,
             "%s: its node has not taken over what was last asked of it", bot->name);
    judge(controller, "unconfirmed", NULL, &unconfirmed);
}

static void judge_bot(struct controller *controller, struct bot *bot)
{
    const struct bot_word word = look_at(controller, bot);
    const bool any = word.error || word.drawdown || word.silent || word.unconfirmed;
    struct finding error = { "bot_error", MSG_SEVERITY_CRITICAL, bot->name, word.error, "" };
    struct finding drawdown = { "drawdown", MSG_SEVERITY_WARNING, bot->name, word.drawdown, "" };

    if (!any && bot->quiet)
        return; /* nearly all of them, nearly always */
    bot->quiet = !any;
    snprintf(error.message, sizeof error.message, "%s is in error: %s", bot->name,
             bot->state.has_reason ? bot->state.reason.message : "no reason was given");
    judge(controller, "error", NULL, &error);
    snprintf(drawdown.message, sizeof drawdown.message,
             "%s: its drawdown is near or above its limit of %.3g %%", bot->name,
             bot->spec.risk.max_drawdown_pct);
    judge(controller, "drawdown", NULL, &drawdown);
    judge_words(controller, bot, &word);
}

/* --- the fleet
 * -------------------------------------------------------------------------------------- */

static void judge_halts(struct controller *controller)
{
    struct finding halted = { "halted", MSG_SEVERITY_INFO, "fleet", false, "" };
    struct msg_halt *halts = NULL;
    size_t count = 0;

    if (halts_read(controller, &halts, &count) != 0)
        return;
    halted.holds = count > 0;
    if (count)
        snprintf(halted.message, sizeof halted.message, "%zu halt%s in force: %s%s%s: %.120s",
                 count, count == 1 ? "" : "s", msg_halt_scope_name(halts[0].scope),
                 halts[0].has_target ? " " : "", halts[0].has_target ? halts[0].target : "",
                 halts[0].reason);
    judge(controller, "halted", NULL, &halted);
    free(halts);
}

static void judge_disk(struct controller *controller)
{
    struct finding low = { "disk_low", MSG_SEVERITY_CRITICAL, "controller", false, "" };
    struct statvfs disk;

    if (statvfs(controller->config.dir, &disk) != 0)
        return;
    low.holds = (uint64_t)disk.f_bavail * disk.f_frsize < DISK_BYTES;
    snprintf(low.message, sizeof low.message, "less than 256 MiB of disk are left for the books");
    judge(controller, "disk", NULL, &low);
}

void rules_tick(struct controller *controller)
{
    const struct inventory *inventory = &controller->inventory;

    for (size_t i = 0; i < inventory->node_count; i++)
        judge_node(controller, inventory->nodes[i]);
    for (size_t i = 0; i < inventory->bot_count; i++)
        judge_bot(controller, inventory->bots[i]);
    judge_halts(controller);
    judge_disk(controller);
}
