/* Verbs that change what bots should be. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"
#include "controller/deploy.h"
#include "lib/log.h"

/* The spec in memory becomes a copy of `spec`. */
static int take_spec(struct bot *bot, const struct msg_bot *spec)
{
    struct json_object *tree = msg_to_tree(&msg_type_bot, spec);
    struct msg_bot copy;
    const int err = tree ? msg_bot_decode(tree, MSG_PEOPLE, &copy, NULL) : -ENOMEM;

    json_object_put(tree);
    if (err)
        return err;
    msg_bot_finish(&bot->spec);
    bot->spec = copy;
    return 0;
}

static bool same_spec(const struct msg_bot *a, const struct msg_bot *b)
{
    struct json_object *left = msg_to_tree(&msg_type_bot, a),
                       *right = msg_to_tree(&msg_type_bot, b);
    const bool same = left && right && json_object_equal(left, right);

    json_object_put(left);
    json_object_put(right);
    return same;
}

/* The next generation of a bot, durable with the answer, published at once after it. */
static int record(struct request *request, struct bot *bot, const char *what)
{
    char by[40];
    int err;

    bot->generation++;
    bot->changed_ms = controller_now_ms(request->controller);
    err = store_save_bot(&request->controller->store, bot, request_by(request, by), what);
    controller_check(request->controller, err);
    FLT_LOG(INFO, "desired", "bot=%s node=%s generation=%" PRId64 " run=%s what=\"%s\" by=%s",
            bot->name, bot->node, bot->generation, msg_run_name(bot->run), what, request->user);
    return err;
}

static int publish_recorded(struct request *request, const struct bot *bot)
{
    if (!controller_commit(request->controller))
        return -EIO;
    desired_publish(request->controller, bot);
    return 0;
}

/* --- deploy
 * --------------------------------------------------------------------------------------- */

static void plan_result(const struct deploy_plan *plan, const struct msg_bot *spec, bool start,
                        struct msg_deployed *out)
{
    snprintf(out->bot, sizeof out->bot, "%s", spec->name);
    snprintf(out->node, sizeof out->node, "%s", plan->node);
    out->generation = plan->existing ? plan->existing->generation : 1;
    out->epoch = plan->existing ? plan->existing->epoch : 1;
    out->run = start ? MSG_RUN_RUNNING : plan->existing ? plan->existing->run : MSG_RUN_STOPPED;
    out->created = plan->existing == NULL;
    out->changed = !plan->existing || !same_spec(&plan->existing->spec, spec) ||
                   out->run != plan->existing->run;
    if (plan->warning[0] && (out->warnings = calloc(1, sizeof *out->warnings))) {
        out->has_warnings = true;
        out->warnings_count = 1;
        snprintf(out->warnings[0], sizeof *out->warnings, "%s", plan->warning);
    }
}

static int carry_out(struct request *request, const struct msg_bot *spec,
                     const struct deploy_plan *plan, struct msg_deployed *out)
{
    struct bot *bot = inventory_get_bot(&request->controller->inventory, spec->name);
    const bool fresh = out->created;
    int err = bot ? 0 : -ENOMEM;

    if (bot) {
        request_changed_bot(request, request->target[0] ? NULL : spec->name, fresh ? NULL : bot,
                            spec, out->run);
        err = take_spec(bot, spec);
    }
    if (err)
        return err;
    if (fresh) { /* a name that was removed goes on with a higher epoch and generation */
        bot->epoch++;
        books_begin(&request->controller->books, bot->name, bot->epoch);
        bot->removed = bot->release = bot->has_state = false;
        bot->heard_ms = -1;
        bot->moving_to[0] = '\0';
        bot->held_sticky = false;
        bot->created_ms = controller_now_ms(request->controller);
    }
    bot->held_sticky = bot->held_sticky || bot_is_sticky(bot);
    bot->run = out->run;
    bot->how = MSG_C_DESIRED_HOW_CANCEL;
    bot->sandbox = plan->sandbox;
    snprintf(bot->venue, sizeof bot->venue, "%s", plan->venue);
    snprintf(bot->node, sizeof bot->node, "%s", plan->node);
    err = record(request, bot, fresh ? "deployed" : "changed");
    out->generation = bot->generation;
    out->epoch = bot->epoch;
    return err;
}

/* The keys of its account reach the node before the bot does. */
static void announce(struct request *request, const struct msg_bot *spec)
{
    struct controller *controller = request->controller;
    const struct bot *bot = inventory_find_bot(&controller->inventory, spec->name);
    struct node *node = bot ? inventory_find_node(&controller->inventory, bot->node) : NULL;

    if (node && spec->has_account && node->word == NODE_UP)
        accounts_send(controller, node, spec->account);
    if (bot)
        desired_publish(controller, bot);
}

HANDLER(verb_bot_deploy)
{
    const struct msg_bot_deploy_args *in = args;
    struct msg_bot_deploy_result *out = result;
    struct msg_deployed done = { 0 };
    struct deploy_plan plan;
    int err = deploy_check(request, &in->bot, in->has_live && in->live, "bot", &plan, error);

    if (err)
        return err;
    plan_result(&plan, &in->bot, !in->has_start || in->start, &done);
    if (done.changed && !in->dry_run)
        err = carry_out(request, &in->bot, &plan, &done);
    if (!err && done.changed && !in->dry_run) {
        if (!controller_commit(request->controller))
            return -EIO;
        announce(request, &in->bot);
    }
    memcpy(out->bot, done.bot, sizeof out->bot);
    memcpy(out->node, done.node, sizeof out->node);
    out->generation = done.generation;
    out->epoch = done.epoch;
    out->run = done.run;
    out->created = done.created;
    out->changed = done.changed;
    out->has_warnings = done.has_warnings;
    out->warnings = done.warnings; /* moves over */
    out->warnings_count = done.warnings_count;
    return err;
}

static int check_names(const struct msg_apply_args *in, struct flt_error *error)
{
    for (size_t i = 0; i < in->bots_count; i++) {
        for (size_t k = 0; k < i; k++) {
            char field[40];

            snprintf(field, sizeof field, "bots[%zu].name", i);
            if (strcmp(in->bots[i].name, in->bots[k].name) == 0)
                return flt_error_set(error, FLT_CONFLICT, field, "names are unique",
                                     "%s stands in the manifest twice", in->bots[i].name);
        }
    }
    return 0;
}

static int check_manifest(struct request *request, const struct msg_apply_args *in,
                          struct deploy_plan *plans, struct flt_error *error)
{
    int err = check_names(in, error);

    for (size_t i = 0; i < in->bots_count && !err; i++) {
        char prefix[32];

        snprintf(prefix, sizeof prefix, "bots[%zu]", i);
        err =
            deploy_check(request, &in->bots[i], in->has_live && in->live, prefix, &plans[i], error);
    }
    return err;
}

HANDLER(verb_apply)
{
    const struct msg_apply_args *in = args;
    struct msg_apply_result *out = result;
    struct deploy_plan *plans = calloc(in->bots_count + 1, sizeof *plans);
    int err = plans ? check_manifest(request, in, plans, error) : -ENOMEM;

    out->bots = calloc(in->bots_count + 1, sizeof *out->bots);
    if (!err && !out->bots)
        err = -ENOMEM;
    for (size_t i = 0; i < in->bots_count && !err; i++) {
        plan_result(&plans[i], &in->bots[i], !in->has_start || in->start, &out->bots[i]);
        out->bots_count = i + 1;
        if (out->bots[i].changed && !in->dry_run)
            err = carry_out(request, &in->bots[i], &plans[i], &out->bots[i]);
    }
    free(plans);
    if (err || in->dry_run)
        return err;
    if (!controller_commit(request->controller))
        return -EIO;
    for (size_t i = 0; i < in->bots_count; i++)
        if (out->bots[i].changed)
            announce(request, &in->bots[i]);
    return 0;
}

/* --- start, stop, pause
 * ------------------------------------------------------------------------------ */

/* All four results have the same fields; the macro keeps them from drifting apart by hand. */
#define FILL_RESULT(out, bot_)                                                                     \
    do {                                                                                           \
        snprintf((out)->bot, sizeof(out)->bot, "%s", (bot_)->name);                                \
        snprintf((out)->node, sizeof(out)->node, "%s", (bot_)->node);                              \
        (out)->generation = (bot_)->generation;                                                    \
        (out)->epoch = (bot_)->epoch;                                                              \
        (out)->run = (bot_)->run;                                                                  \
    } while (0)

static struct bot *set_run(struct request *request, const char *name, enum msg_run run,
                           enum msg_c_desired_how how, struct flt_error *error)
{
    struct bot *bot = request_bot(request, name, error);

    if (!bot)
        return NULL;
    if (bot->release) {
        (void)flt_error_set(error, FLT_CONFLICT, "bot", "", "%s is being removed", name);
        return NULL;
    }
    if (bot->run == run && bot->how == how)
        return bot; /* it is so already */
    request_changed(request, NULL, "run", msg_run_name(bot->run), msg_run_name(run));
    if (bot->how != how)
        request_changed(request, NULL, "how", msg_c_desired_how_name(bot->how),
                        msg_c_desired_how_name(how));
    bot->run = run;
    bot->how = how;
    if (record(request, bot, msg_run_name(run)) != 0 || publish_recorded(request, bot) != 0)
        return NULL;
    return bot;
}

HANDLER(verb_bot_start)
{
    const struct msg_bot_start_args *in = args;
    struct msg_bot_start_result *out = result;
    const struct bot *bot =
        set_run(request, in->bot, MSG_RUN_RUNNING, MSG_C_DESIRED_HOW_CANCEL, error);

    if (!bot)
        return -ENOENT;
    FILL_RESULT(out, bot);
    return 0;
}

HANDLER(verb_bot_resume)
{
    const struct msg_bot_resume_args *in = args;
    struct msg_bot_resume_result *out = result;
    const struct bot *bot = request_bot(request, in->bot, error);

    if (!bot)
        return -ENOENT;
    if (bot->run != MSG_RUN_PAUSED && bot->run != MSG_RUN_RUNNING)
        return flt_error_set(error, FLT_CONFLICT, "bot", "use bot-start", "%s is not paused but %s",
                             in->bot, msg_run_name(bot->run));
    bot = set_run(request, in->bot, MSG_RUN_RUNNING, MSG_C_DESIRED_HOW_CANCEL, error);
    if (!bot)
        return -ENOENT;
    FILL_RESULT(out, bot);
    return 0;
}

HANDLER(verb_bot_pause)
{
    const struct msg_bot_pause_args *in = args;
    struct msg_bot_pause_result *out = result;
    const struct bot *bot =
        set_run(request, in->bot, MSG_RUN_PAUSED, MSG_C_DESIRED_HOW_CANCEL, error);

    if (!bot)
        return -ENOENT;
    FILL_RESULT(out, bot);
    return 0;
}

HANDLER(verb_bot_stop)
{
    static const struct {
        enum msg_run run;
        enum msg_c_desired_how how;
    } ways[] = {
        [MSG_STOP_HOW_CANCEL] = { MSG_RUN_STOPPED, MSG_C_DESIRED_HOW_CANCEL },
        [MSG_STOP_HOW_FLATTEN] = { MSG_RUN_FLAT, MSG_C_DESIRED_HOW_CANCEL },
        [MSG_STOP_HOW_DETACH] = { MSG_RUN_STOPPED, MSG_C_DESIRED_HOW_DETACH },
        [MSG_STOP_HOW_PAUSE] = { MSG_RUN_PAUSED, MSG_C_DESIRED_HOW_CANCEL },
    };
    const struct msg_bot_stop_args *in = args;
    struct msg_bot_stop_result *out = result;
    const enum msg_stop_how how = in->has_how ? in->how : MSG_STOP_HOW_CANCEL;
    const struct bot *bot = set_run(request, in->bot, ways[how].run, ways[how].how, error);

    if (!bot)
        return -ENOENT;
    FILL_RESULT(out, bot);
    return 0;
}

/* --- removal
 * ------------------------------------------------------------------------------------------- */

static bool run_is_rest(enum msg_run run)
{
    return run == MSG_RUN_STOPPED || run == MSG_RUN_FLAT;
}

static bool never_held(const struct request *request, const struct bot *bot)
{
    const struct node *node = inventory_find_node(&request->controller->inventory, bot->node);

    return !node || (!node->grant.holder.boot[0] && !bot->has_state);
}

/* Its node says, of what the bot should be now, that the venue has no order of it. A word about an
 * older generation proves nothing: the bot may have been started, or read anew, since. */
static bool is_at_rest(const struct bot *bot)
{
    return bot->has_state && bot->state.generation >= bot->generation &&
           (run_is_rest(bot->run) || run_is_rest(bot->state.run)) &&
           (bot->state.phase == MSG_PHASE_STOPPED || bot->state.phase == MSG_PHASE_FLAT);
}

static int refuse_awake(const struct bot *bot, struct flt_error *error)
{
    char hint[160];

    if (!run_is_rest(bot->run))
        return flt_error_set(error, FLT_CONFLICT, "bot", "stop it first, or say force",
                             "%s is %s%s", bot->name,
                             bot->has_state ? msg_phase_name(bot->state.phase) : "to be ",
                             bot->has_state ? "" : msg_run_name(bot->run));
    snprintf(hint, sizeof hint, "wait with: flotilla bot stop %s --wait%s, or say force", bot->name,
             bot->run == MSG_RUN_FLAT ? " --flatten" : "");
    if (!bot->has_state)
        return flt_error_set(error, FLT_CONFLICT, "bot", hint,
                             "%s was told to stop, and %s has said nothing of it yet", bot->name,
                             bot->node);
    return flt_error_set(error, FLT_CONFLICT, "bot", hint,
                         "%s was told to stop and has not confirmed yet (its last word: %s)",
                         bot->name, msg_phase_name(bot->state.phase));
}

/* Nothing of it may be left at the venue, and what it holds is known. A flat bot may hold dust:
 * less than a lot, left by a fee in base, that no venue sells. */
static int check_removal(const struct request *request, const struct bot *bot,
                         struct flt_error *error)
{
    if (never_held(request, bot))
        return 0;
    if (!is_at_rest(bot))
        return refuse_awake(bot, error);
    if (bot->state.phase != MSG_PHASE_FLAT && flt_amt_sign(bot->state.book.position) != 0)
        return flt_error_set(error, FLT_CONFLICT, "bot",
                             "stop it with how: flatten, or say force to leave the position",
                             "%s still holds a position", bot->name);
    return 0;
}

HANDLER(verb_bot_rm)
{
    const struct msg_bot_rm_args *in = args;
    struct msg_bot_rm_result *out = result;
    struct bot *bot = request_bot(request, in->bot, error);
    int err = bot ? 0 : -ENOENT;

    if (!err && !bot->release && !(in->has_force && in->force))
        err = check_removal(request, bot, error);
    if (err)
        return err;
    if (!bot->release) { /* else it was asked for already: its node lets go of it */
        request_changed(request, NULL, "listed", "true", "false");
        bot->run = MSG_RUN_STOPPED;
        bot->how = MSG_C_DESIRED_HOW_CANCEL;
        bot->release = true;
        bot->moving_to[0] = '\0';
        if (record(request, bot, "removal") != 0 || publish_recorded(request, bot) != 0)
            return -EIO;
    }
    if (never_held(request, bot))
        desired_removed(request->controller, bot);
    snprintf(out->bot, sizeof out->bot, "%s", in->bot);
    out->removed = bot->removed;
    return 0;
}
