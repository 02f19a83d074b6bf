/* Verbs that read what the controller has in memory, and its lists of commands. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/once.h"
#include "lib/log.h"

#define PAGE_DEFAULT 200
#define HISTORY_ROWS 50

static size_t page_limit(bool has, int64_t limit)
{
    return has ? (size_t)limit : PAGE_DEFAULT;
}

HANDLER(verb_status)
{
    struct controller *controller = request->controller;
    struct msg_status_result *out = result;
    const int64_t now = controller_mono_ms(controller);
    struct msg_pnl_args by = { 0 };
    struct msg_pnl_result pnl = { 0 };

    (void)args;
    snprintf(out->tenant, sizeof out->tenant, "%s", controller->config.tenant);
    snprintf(out->fleet, sizeof out->fleet, "%s", controller->config.fleet);
    snprintf(out->version, sizeof out->version, "%s", FLT_VERSION);
    out->term = controller->term;
    out->uptime_ms = now - controller->started_ms;
    out->nodes = (int64_t)controller->inventory.node_count;
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        out->nodes_up += node_is_up(controller->inventory.nodes[i], now);
    for (size_t i = 0; i < controller->inventory.bot_count; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        out->bots += bot_listed(bot);
        out->running += bot_listed(bot) && bot->has_state && bot->state.phase == MSG_PHASE_RUNNING;
    }
    out->fills = controller->fills_total;
    if (halts_read(controller, &out->halts, &out->halts_count) != 0)
        return -ENOMEM;
    if (controller->alert_count) {
        out->alerts = calloc(controller->alert_count, sizeof *out->alerts);
        if (!out->alerts)
            return -ENOMEM;
        memcpy(out->alerts, controller->alerts, controller->alert_count * sizeof *out->alerts);
        out->alerts_count = controller->alert_count;
    }
    if (verb_pnl(request, &by, &pnl, error) == 0) {
        out->pnl = pnl.total; /* moves over */
        out->pnl_count = pnl.total_count;
        pnl.total = NULL;
        pnl.total_count = 0;
    }
    msg_pnl_result_finish(&pnl);
    return 0;
}

HANDLER(verb_whoami)
{
    struct controller *controller = request->controller;
    struct msg_whoami_result *out = result;
    const enum msg_role role = user_role(controller, request->user, MSG_ROLE_VIEWER);

    (void)args;
    (void)error;
    snprintf(out->user, sizeof out->user, "%s", request->user);
    snprintf(out->tenant, sizeof out->tenant, "%s", controller->config.tenant);
    out->role = role;
    out->verbs = calloc(msg_verb_count, sizeof *out->verbs);
    if (!out->verbs)
        return -ENOMEM;
    for (size_t i = 0; i < msg_verb_count; i++)
        if (msg_verbs[i].role <= role)
            snprintf(out->verbs[out->verbs_count++], sizeof *out->verbs, "%s", msg_verbs[i].name);
    return 0;
}

HANDLER(verb_node_ls)
{
    const struct msg_node_ls_args *in = args;
    struct msg_node_ls_result *out = result;
    const struct inventory *inventory = &request->controller->inventory;
    const size_t limit = page_limit(in->has_limit, in->limit);

    (void)error;
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->node_count; i++) {
        const struct node *node = inventory->nodes[i];

        if (in->has_after && strcmp(node->name, in->after) <= 0)
            continue;
        if (out->items_count == limit) {
            out->has_next = true;
            snprintf(out->next, sizeof out->next, "%s", out->items[limit - 1].node);
            break;
        }
        node_row_fill(request->controller, node, &out->items[out->items_count++]);
    }
    return 0;
}

HANDLER(verb_node_show)
{
    const struct msg_node_show_args *in = args;
    struct msg_node_show_result *out = result;
    const struct inventory *inventory = &request->controller->inventory;
    const struct node *node = request_node(request, in->node, "node", error);

    if (!node)
        return -ENOENT;
    node_row_fill(request->controller, node, &out->node);
    out->bots = calloc(inventory->bot_count + 1, sizeof *out->bots);
    if (!out->bots)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        if (bot_listed(bot) && strcmp(bot->node, node->name) == 0)
            bot_row_fill(request->controller, bot, &out->bots[out->bots_count++]);
    }
    return 0;
}

static bool matches(const struct bot *bot, const struct msg_bot_filter *filter)
{
    return (!filter->has_node || strcmp(bot->node, filter->node) == 0) &&
           (!filter->has_strategy || strcmp(bot->spec.strategy, filter->strategy) == 0) &&
           (!filter->has_account || strcmp(bot->spec.account, filter->account) == 0) &&
           (!filter->has_phase || (bot->has_state && bot->state.phase == filter->phase)) &&
           (!filter->has_text || strcasestr(bot->name, filter->text) ||
            strcasestr(bot->spec.instrument, filter->text));
}

HANDLER(verb_bot_ls)
{
    const struct msg_bot_ls_args *in = args;
    struct msg_bot_ls_result *out = result;
    const struct inventory *inventory = &request->controller->inventory;
    const size_t limit = page_limit(in->has_limit, in->limit);

    (void)error;
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];

        if (!bot_listed(bot) || (in->has_after && strcmp(bot->name, in->after) <= 0) ||
            (in->has_filter && !matches(bot, &in->filter)))
            continue;
        if (out->items_count == limit) {
            out->has_next = true;
            snprintf(out->next, sizeof out->next, "%s", out->items[limit - 1].bot);
            break;
        }
        bot_row_fill(request->controller, bot, &out->items[out->items_count++]);
    }
    return 0;
}

/* --- one bot
 * ---------------------------------------------------------------------------------------- */

static int read_history(struct request *request, const char *bot, struct msg_bot_show_result *out)
{
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(
        store, "SELECT ts_ms, 'desired', what || ': ' || run || ' on ' || node, epoch, generation,"
               " by FROM desired_history WHERE bot = ?1 UNION ALL"
               " SELECT ts_ms, kind, text, epoch, -1, '' FROM events WHERE bot = ?1 AND kind !="
               " 'funding' ORDER BY 1 DESC LIMIT ?2");

    out->history = calloc(HISTORY_ROWS, sizeof *out->history);
    if (!out->history)
        return -ENOMEM;
    flt_db_bind_str(stmt, 1, bot);
    flt_db_bind_int(stmt, 2, HISTORY_ROWS);
    while (store_next(store, stmt)) {
        struct msg_history_row *row = &out->history[out->history_count++];
        unsigned kind = 0;

        row->ts_ms = flt_db_int(stmt, 0);
        (void)msg_enum_parse(&msg_enum_history_row_kind, flt_db_str(stmt, 1), &kind);
        row->kind = (enum msg_history_row_kind)kind;
        flt_db_copy(stmt, 2, row->text, sizeof row->text);
        row->has_epoch = true;
        row->epoch = flt_db_int(stmt, 3);
        row->has_generation = flt_db_int(stmt, 4) >= 0;
        row->generation = flt_db_int(stmt, 4);
        flt_db_copy(stmt, 5, row->by, sizeof row->by);
        row->has_by = row->by[0] != '\0';
    }
    return 0;
}

/* A copy of a message that owns all it holds. */
static int copy_message(const struct msg_type *type, const void *in, void *out)
{
    struct json_object *tree = msg_to_tree(type, in);
    const int err = tree ? msg_decode(type, tree, MSG_PROGRAM, out, NULL) : -ENOMEM;

    json_object_put(tree);
    return err;
}

HANDLER(verb_bot_show)
{
    const struct msg_bot_show_args *in = args;
    struct msg_bot_show_result *out = result;
    struct bot *bot = request_bot(request, in->bot, error);
    int err;

    if (!bot)
        return -ENOENT;
    bot_row_fill(request->controller, bot, &out->bot);
    err = copy_message(&msg_type_bot, &bot->spec, &out->spec);
    out->has_state = bot->has_state;
    if (!err && bot->has_state)
        err = copy_message(&msg_type_n_state, &bot->state, &out->state);
    return err ? err : read_history(request, bot->name, out);
}

HANDLER(verb_halt_ls)
{
    struct msg_halt_ls_result *out = result;

    (void)args;
    (void)error;
    out->number = request->controller->halt_number;
    return halts_read(request->controller, &out->halts, &out->halts_count);
}

/* --- commands
 * ------------------------------------------------------------------------------ */

static void read_command(sqlite3_stmt *stmt, struct msg_command_show_result *out)
{
    const char *result = flt_db_str(stmt, 6), *why = flt_db_str(stmt, 7);
    unsigned state = 0;

    flt_db_copy(stmt, 0, out->node, sizeof out->node);
    flt_db_copy(stmt, 1, out->op, sizeof out->op);
    flt_db_copy(stmt, 2, out->bot, sizeof out->bot);
    out->has_bot = out->bot[0] != '\0';
    (void)msg_enum_parse(&msg_enum_command_show_result_state, flt_db_str(stmt, 3), &state);
    out->state = (enum msg_command_show_result_state)state;
    out->created_ms = flt_db_int(stmt, 4);
    out->changed_ms = flt_db_int(stmt, 5);
    out->has_node = out->has_op = true;
    out->accepted_ms = flt_db_int(stmt, 8);
    out->has_accepted_ms = out->accepted_ms > 0;
    out->ended_ms = flt_db_int(stmt, 9);
    out->has_ended_ms = out->ended_ms > 0;
    out->result = flt_json_parse(result, strlen(result), NULL);
    out->has_result = out->result != NULL;
    out->has_error =
        why[0] && msg_parse(&msg_type_error, why, strlen(why), MSG_PROGRAM, &out->error, NULL) == 0;
}

#define COMMANDS_MAX 1000

/* What a request sent to nodes. */
static int read_commands(struct store *store, struct msg_command_show_result *out)
{
    sqlite3_stmt *stmt =
        store_read(store, "SELECT id, node, op, bot, state, created_ms, accepted_ms, ended_ms,"
                          " error FROM commands WHERE request = ?1 AND request <> ''"
                          " ORDER BY created_ms, id LIMIT ?2");

    out->commands = calloc(COMMANDS_MAX, sizeof *out->commands);
    if (!out->commands)
        return -ENOMEM;
    flt_db_bind_str(stmt, 1, out->id);
    flt_db_bind_int(stmt, 2, COMMANDS_MAX);
    while (store_next(store, stmt)) {
        struct msg_command_row *row = &out->commands[out->commands_count++];
        const char *why = flt_db_str(stmt, 8);
        unsigned state = 0;

        flt_db_copy(stmt, 0, row->id, sizeof row->id);
        flt_db_copy(stmt, 1, row->node, sizeof row->node);
        flt_db_copy(stmt, 2, row->op, sizeof row->op);
        flt_db_copy(stmt, 3, row->bot, sizeof row->bot);
        row->has_bot = row->bot[0] != '\0';
        (void)msg_enum_parse(&msg_enum_command_row_state, flt_db_str(stmt, 4), &state);
        row->state = (enum msg_command_row_state)state;
        row->created_ms = flt_db_int(stmt, 5);
        row->accepted_ms = flt_db_int(stmt, 6);
        row->has_accepted_ms = row->accepted_ms > 0;
        row->ended_ms = flt_db_int(stmt, 7);
        row->has_ended_ms = row->ended_ms > 0;
        row->has_error = why[0] && msg_parse(&msg_type_error, why, strlen(why), MSG_PROGRAM,
                                             &row->error, NULL) == 0;
    }
    out->has_commands = true;
    return 0;
}

HANDLER(verb_command_show)
{
    const struct msg_command_show_args *in = args;
    struct msg_command_show_result *out = result;
    struct store *store = &request->controller->store;
    sqlite3_stmt *stmt = store_read(store, "SELECT node, op, bot, state, created_ms, changed_ms,"
                                           " result, error, accepted_ms, ended_ms FROM commands"
                                           " WHERE id = ?");

    flt_db_bind_str(stmt, 1, in->id);
    snprintf(out->id, sizeof out->id, "%s", in->id);
    if (!store_next(store, stmt))
        return once_find(request, in->id, out)
                   ? read_commands(store, out)
                   : flt_error_set(error, FLT_NOT_FOUND, "id",
                                   "what changes nothing is not kept, nor what is older than a day",
                                   "no request and no command %s was carried out", in->id);
    read_command(stmt, out);
    sqlite3_reset(stmt);
    return 0;
}
