/* Verbs that set the books beside the venue: only the nodes can ask it. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"
#include "lib/ids.h"

#define RECONCILE_TTL_MS 30000
#define CHECK_TTL_MS 8000

/* --- claims of other nodes
 * ------------------------------------------------------------------------------ */

#define CLAIMS_MAX 64

struct claims {
    struct msg_asset_claim rows[CLAIMS_MAX];
    size_t count;
};

static void add_claim(struct claims *claims, const struct book *book)
{
    size_t i = 0;

    while (i < claims->count && strcmp(claims->rows[i].asset, book->base) != 0)
        i++;
    if (i == CLAIMS_MAX)
        return;
    if (i == claims->count) {
        snprintf(claims->rows[i].asset, sizeof claims->rows[i].asset, "%s", book->base);
        claims->rows[claims->count++].claims = FLT_AMT_ZERO;
    }
    claims->rows[i].claims = flt_amt_add(claims->rows[i].claims, book->position);
}

/* What bots that do not run on `node` hold of the account, by our own books. */
static void other_claims(const struct controller *controller, const char *node, const char *account,
                         struct claims *out)
{
    out->count = 0;
    for (size_t i = 0; i < controller->books.count; i++) {
        const struct book *book = controller->books.list[i];
        const struct bot *bot = inventory_find_bot(&controller->inventory, book->bot);

        if (book->mode == MSG_MODE_LIVE && strcmp(book->account, account) == 0 && bot &&
            bot_listed(bot) && strcmp(bot->node, node) != 0 && flt_amt_sign(book->position) > 0)
            add_claim(out, book);
    }
}

/* --- one bot
 * ---------------------------------------------------------------------------------------- */

static void on_reconciled(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct request *request = ctx;
    const struct bot *bot = inventory_find_bot(&controller->inventory, request->target);
    struct flt_error error = { 0 };

    if (!res)
        (void)flt_error_set(&error, FLT_UNAVAILABLE, "", "see node-ls", "the node did not answer");
    else if (res->has_error)
        msg_error_to(&res->error, &error);
    else if (res->state != MSG_N_RES_STATE_DONE || !res->result || !bot)
        (void)flt_error_set(&error, FLT_INTERNAL, "", "",
                            "the node's answer is not as it should be");
    if (error.code != FLT_OK) {
        request_refuse(request, &error);
        return;
    }
    json_object_object_add(res->result, "bot", json_object_new_string(bot->name));
    json_object_object_add(res->result, "node", json_object_new_string(bot->node));
    request_pass(request, res->result);
}

/* Booking the venue's word makes money appear or go: an admin says so, and why. */
static int may_accept(struct request *request, const struct msg_bot_reconcile_args *in,
                      struct flt_error *error)
{
    if (user_role(request->controller, request->user, MSG_ROLE_TRADER) < MSG_ROLE_ADMIN) {
        flt_refuse(&request->controller->refused, FLT_REFUSED_DENIED);
        return flt_error_set(error, FLT_DENIED, "accept_venue", "ask an admin",
                             "only an admin sets books to what the venue holds");
    }
    return in->has_reason && in->reason[0]
               ? 0
               : flt_error_set(error, FLT_INVALID_ARGUMENT, "reason", "it stays in the audit log",
                               "accept_venue needs a reason");
}

HANDLER(verb_bot_reconcile)
{
    const struct msg_bot_reconcile_args *in = args;
    struct msg_cmd_reconcile_args out = { .has_by = true };
    struct controller *controller = request->controller;
    const struct bot *bot = request_bot(request, in->bot, error);
    const struct node *node = bot ? inventory_find_node(&controller->inventory, bot->node) : NULL;
    struct claims others;
    struct request *kept;
    int err = bot ? 0 : -ENOENT;

    (void)result;
    if (!err && in->has_accept_venue && in->accept_venue)
        err = may_accept(request, in, error);
    if (err)
        return err;
    if (!node || !node_is_up(node, controller_mono_ms(controller)))
        return flt_error_set(error, FLT_UNAVAILABLE, "bot", "see node-ls",
                             "%s is on node %s, which is not up", in->bot, bot->node);
    out.has_accept_venue = in->has_accept_venue;
    out.accept_venue = in->accept_venue;
    out.has_reason = in->has_reason;
    snprintf(out.reason, sizeof out.reason, "%s", in->reason);
    snprintf(out.by, sizeof out.by, "user/%s", request->user);
    other_claims(controller, bot->node, bot->spec.account, &others);
    out.has_others = bot->spec.has_account;
    out.others = others.rows;
    out.others_count = others.count;
    kept = request_keep(request);
    if (!kept)
        return -ENOMEM;
    commands_send(controller, bot->node, MSG_C_CMD_OP_RECONCILE, bot->name, &out, RECONCILE_TTL_MS,
                  true, NULL, on_reconciled, kept);
    return REQUEST_LATER;
}

/* --- accounts, over all nodes
 * -------------------------------------------------------------------------- */

struct check { /* one request; a part for each node that is asked */
    struct request *request;
    size_t waiting;
    struct json_object *items, *missing;
};

struct check_part {
    struct check *check;
    char node[FLT_NAME_MAX];
};

/* The bot whose order it is by its id, on whatever node. */
static const struct bot *owner_of(const struct controller *controller, struct json_object *order)
{
    const char *text = "";
    struct flt_coid id;

    if (!flt_json_str(order, "client_order_id", &text) || !flt_coid_parse(text, &id))
        return NULL;
    for (size_t i = 0; i < controller->inventory.bot_count; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        if (flt_coid_owner(controller->config.fleet, bot->name) == id.owner)
            return bot;
    }
    return NULL;
}

/* An order of a bot that another node runs is none of strangers; of one that is gone, it is told.
 */
static void drop_own_orders(const struct controller *controller, struct json_object *item)
{
    struct json_object *orders = flt_json_get(item, "foreign_orders");
    struct json_object *kept = json_object_new_array();

    for (size_t i = 0; orders && i < json_object_array_length(orders); i++) {
        struct json_object *order = json_object_array_get_idx(orders, i);
        const struct bot *bot = owner_of(controller, order);

        if (bot && bot_listed(bot))
            continue;
        if (bot)
            json_object_object_add(order, "bot", json_object_new_string(bot->name));
        json_object_array_add(kept, json_object_get(order));
    }
    json_object_object_add(item, "foreign_orders", kept);
}

static void finish_check(struct check *check)
{
    struct json_object *result = json_object_new_object();

    json_object_object_add(result, "items", check->items);
    json_object_object_add(result, "missing", check->missing);
    request_pass(check->request, result);
    json_object_put(result);
    free(check);
}

static void on_checked(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct check_part *part = ctx;
    struct check *check = part->check;
    struct json_object *items = res && res->result ? flt_json_get(res->result, "items") : NULL;

    if (!items)
        json_object_array_add(check->missing, json_object_new_string(part->node));
    for (size_t i = 0; items && i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);

        drop_own_orders(controller, item);
        json_object_array_add(check->items, json_object_get(item));
    }
    free(part);
    if (--check->waiting == 0)
        finish_check(check);
}

static bool uses(const struct controller *controller, const struct node *node, const char *account)
{
    for (size_t i = 0; i < controller->inventory.bot_count; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        if (bot_listed(bot) && bot->spec.has_account && strcmp(bot->node, node->name) == 0 &&
            (!account || strcmp(bot->spec.account, account) == 0))
            return true;
    }
    return false;
}

static int ask_node(struct check *check, struct controller *controller, const struct node *node,
                    const struct msg_account_check_args *in)
{
    struct msg_cmd_account_check_args out = { .has_account = in->has_account };
    struct claims others = { 0 };
    struct check_part *part = calloc(1, sizeof *part);

    if (!part)
        return -ENOMEM;
    part->check = check;
    snprintf(part->node, sizeof part->node, "%s", node->name);
    snprintf(out.account, sizeof out.account, "%s", in->account);
    if (in->has_account) {
        other_claims(controller, node->name, in->account, &others);
        out.has_others = true;
        out.others = others.rows;
        out.others_count = others.count;
    }
    check->waiting++;
    commands_send(controller, node->name, MSG_C_CMD_OP_ACCOUNT_CHECK, NULL, &out, CHECK_TTL_MS,
                  false, NULL, on_checked, part);
    return 0;
}

HANDLER(verb_account_check)
{
    const struct msg_account_check_args *in = args;
    struct controller *controller = request->controller;
    struct account_row row;
    struct check *check;
    int err = 0;

    (void)result;
    if (in->has_account && !store_find_account(&controller->store, in->account, &row))
        return flt_error_set(error, FLT_NOT_FOUND, "account", "list them with account-ls",
                             "there is no account %s", in->account);
    check = calloc(1, sizeof *check);
    if (!check || !(check->request = request_keep(request))) {
        free(check);
        return -ENOMEM;
    }
    check->items = json_object_new_array();
    check->missing = json_object_new_array();
    check->waiting = 1; /* until all are asked */
    for (size_t i = 0; !err && i < controller->inventory.node_count; i++) {
        const struct node *node = controller->inventory.nodes[i];

        if (!uses(controller, node, in->has_account ? in->account : NULL))
            continue;
        if (node_is_up(node, controller_mono_ms(controller)))
            err = ask_node(check, controller, node, in);
        else
            json_object_array_add(check->missing, json_object_new_string(node->name));
    }
    if (--check->waiting == 0)
        finish_check(check);
    return REQUEST_LATER;
}

/* --- accounts that several nodes trade on
 * ------------------------------------------------------------------ */

#define WATCH_EVERY_MS 30000
#define WATCH_AGAIN_MS 3000 /* a shortage is believed when it is there again */
#define WATCH_QUIET_MS 2000

static struct account_watch *watch_of(struct controller *controller, const char *account)
{
    struct account_watch *grown;

    for (size_t i = 0; i < controller->watch_count; i++)
        if (strcmp(controller->watches[i].account, account) == 0)
            return &controller->watches[i];
    grown = realloc(controller->watches, (controller->watch_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    controller->watches = grown;
    grown += controller->watch_count++;
    *grown = (struct account_watch){ 0 };
    snprintf(grown->account, sizeof grown->account, "%s", account);
    return grown;
}

void truth_on_fill(struct controller *controller, const char *account)
{
    struct account_watch *watch = watch_of(controller, account);

    if (watch)
        watch->fill_ms = controller_mono_ms(controller);
}

static void on_watched(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct json_object *items = res && res->result ? flt_json_get(res->result, "items") : NULL;
    struct json_object *item = items ? json_object_array_get_idx(items, 0) : NULL;
    const char *state = "", *account = "";
    struct account_watch *watch;

    (void)ctx;
    if (flt_json_str(item, "state", &state) && flt_json_str(item, "account", &account) &&
        strcmp(state, "short") == 0 && (watch = watch_of(controller, account)))
        watch->asked_ms = controller_mono_ms(controller) - WATCH_EVERY_MS + WATCH_AGAIN_MS;
}

static void watch_account(struct controller *controller, struct account_watch *watch)
{
    struct msg_cmd_account_check_args out = { .has_account = true, .has_others = true };
    struct claims others;

    watch->asked_ms = controller_mono_ms(controller);
    snprintf(out.account, sizeof out.account, "%s", watch->account);
    for (size_t i = 0; i < controller->inventory.node_count; i++) {
        const struct node *node = controller->inventory.nodes[i];

        if (!uses(controller, node, watch->account) || !node_is_up(node, watch->asked_ms))
            continue;
        other_claims(controller, node->name, watch->account, &others);
        out.others = others.rows;
        out.others_count = others.count;
        if (others.count) /* else the node knows all there is, and looks by itself */
            commands_send(controller, node->name, MSG_C_CMD_OP_ACCOUNT_CHECK, NULL, &out,
                          CHECK_TTL_MS, false, NULL, on_watched, NULL);
    }
}

void truth_tick(struct controller *controller)
{
    const int64_t now = controller_mono_ms(controller);

    for (size_t i = 0; i < controller->watch_count; i++) {
        struct account_watch *watch = &controller->watches[i];

        if (now - watch->asked_ms >= WATCH_EVERY_MS && now - watch->fill_ms >= WATCH_QUIET_MS)
            watch_account(controller, watch);
    }
}
