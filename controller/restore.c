/* After a restore: the books may be hours behind what nodes and venues know. Everything is paused
 * under new epochs; what a node knows better lifts the books above it. */
#define FLT_MOD "restore"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "controller/backup.h"
#include "lib/config.h"
#include "lib/log.h"

#define EPOCH_MAX 0xffffff /* 24 bits of the client order id */

static int pause_bot(struct controller *controller, struct bot *bot, int64_t epoch,
                     int64_t generation)
{
    if (epoch > EPOCH_MAX)
        return FLT_FAIL(-EOVERFLOW, "bot=%s epoch=%" PRId64, bot->name, epoch);
    bot->epoch = epoch;
    bot->generation = generation;
    bot->changed_ms = controller_now_ms(controller);
    if (bot->run == MSG_RUN_RUNNING)
        bot->run = MSG_RUN_PAUSED;
    return store_save_bot(&controller->store, bot, "restore", "paused after a restore");
}

int backup_after_restore(struct controller *controller)
{
    char path[512];
    size_t paused = 0;
    int err = flt_path_join(path, sizeof path, controller->config.dir, "restored.json");

    if (err || access(path, F_OK) != 0)
        return err;
    for (size_t i = 0; i < controller->inventory.bot_count && !err; i++) {
        struct bot *bot = controller->inventory.bots[i];

        if (!bot_listed(bot))
            continue;
        err = pause_bot(controller, bot, bot->epoch + 1, bot->generation + 1);
        paused++;
    }
    if (!err) /* fills get other numbers here than they had in the books that were lost */
        err = store_set_meta_int(&controller->store, "books", controller->term);
    if (!err)
        err = store_commit(&controller->store);
    if (!err && unlink(path) != 0) /* twice would only pause again */
        err = -errno;
    controller->restored = true;
    FLT_LOG(WARN, "restored",
            "paused=%zu hint=\"flotilla bot resume BOT when the books are right\"", paused);
    return err;
}

bool backup_lift_bot(struct controller *controller, struct bot *bot, const char *node,
                     const struct msg_n_state *state)
{
    const int64_t epoch = state->env.has_epoch ? state->env.epoch : 0;
    const bool elsewhere = strcmp(bot->node, node) != 0;
    char alert[TOPIC_LEVEL_MAX];

    if (epoch < bot->epoch || (epoch == bot->epoch && state->generation <= bot->generation))
        return false;
    if (epoch >= EPOCH_MAX || (elsewhere && !controller->restored)) {
        FLT_LOG(ERROR, "claim_refused", "bot=%s node=%s epoch=%" PRId64 " known=%" PRId64,
                bot->name, node, epoch, bot->epoch);
        return false; /* a node may not take a bot by saying so */
    }
    FLT_LOG(WARN, "books_behind", "bot=%s node=%s epoch=%" PRId64 " known=%" PRId64, bot->name,
            node, epoch, bot->epoch);
    snprintf(bot->node, sizeof bot->node, "%s", node);
    controller_check(
        controller,
        pause_bot(controller, bot, epoch + 1,
                  (state->generation > bot->generation ? state->generation : bot->generation) + 1));
    snprintf(alert, sizeof alert, "behind-%s", bot->name);
    alert_raise(controller, alert, MSG_SEVERITY_WARNING, "books_behind", bot->name,
                "%s: node %s knows a newer version than these books; paused until resumed",
                bot->name, node);
    if (controller_commit(controller))
        desired_publish(controller, bot);
    return true;
}

void backup_lift_venue(struct controller *controller, struct bot *bot)
{
    const int64_t seen = bot->state.has_epoch_seen ? bot->state.epoch_seen : -1;
    char alert[TOPIC_LEVEL_MAX];

    if (seen < bot->epoch || !bot->state.env.has_epoch || bot->state.env.epoch != bot->epoch)
        return;
    if (seen >= EPOCH_MAX) {
        FLT_LOG(ERROR, "epoch_refused", "bot=%s node=%s seen=%" PRId64, bot->name, bot->node, seen);
        return;
    }
    FLT_LOG(WARN, "epoch_lifted", "bot=%s node=%s seen=%" PRId64 " known=%" PRId64, bot->name,
            bot->node, seen, bot->epoch);
    controller_check(controller, pause_bot(controller, bot, seen + 1, bot->generation + 1));
    snprintf(alert, sizeof alert, "behind-%s", bot->name);
    alert_raise(controller, alert, MSG_SEVERITY_WARNING, "books_behind", bot->name,
                "%s: its venue has orders of epoch %" PRId64 ", these books knew %" PRId64
                "; paused until resumed",
                bot->name, seen, bot->state.env.epoch);
    if (controller_commit(controller))
        desired_publish(controller, bot);
}
