/* Exchange accounts. Keys come sealed to the controller's box, lie here sealed under the key file,
 * and go to a node sealed to its box: in the clear they exist only within one call, and are wiped.
 */
#define FLT_MOD "accounts"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"
#include "exchanges/exchange.h"
#include "lib/crypto.h"
#include "lib/log.h"

#define CREDENTIALS_MAX (STORE_SEALED_MAX - FLT_SEAL_OVERHEAD)
#define BOX_MAX (CREDENTIALS_MAX + FLT_SEALED_BOX_OVERHEAD)
#define TEXT_MAX (4 * ((BOX_MAX + 2) / 3) + 1)
#define ACCOUNT_TTL_MS 30000

static void store_aad(const struct controller *controller, const struct msg_account *account,
                      char out[160])
{
    snprintf(out, 160, "%s:%s:credentials:%lld", controller->config.tenant, account->name,
             (long long)account->version);
}

/* --- to the nodes
 * ------------------------------------------------------------------------------------- */

/* Opens what is stored and seals it to the node; the text's length, or negative. */
static int reseal(struct controller *controller, const struct node *node,
                  const struct account_row *row, char *out)
{
    uint8_t plain[CREDENTIALS_MAX], box[BOX_MAX], public_key[32];
    const size_t size = row->sealed_size - FLT_SEAL_OVERHEAD;
    char aad[160];
    int err = flt_unhex(node->presence.box_key, public_key, sizeof public_key);

    store_aad(controller, &row->account, aad);
    if (!err)
        err = flt_unseal(controller->key, aad, row->sealed, row->sealed_size, plain);
    snprintf(aad, sizeof aad, "account:%s:%s:%s", controller->config.tenant, node->name,
             row->account.name);
    if (!err)
        err = flt_box_seal(public_key, aad, plain, size, box);
    flt_wipe(plain, sizeof plain);
    if (!err)
        flt_base64(box, size + FLT_SEALED_BOX_OVERHEAD, out);
    return err;
}

void accounts_send(struct controller *controller, struct node *node, const char *account)
{
    struct account_row row;
    struct msg_cmd_account_args args = { 0 };
    char *text = malloc(TEXT_MAX);
    int err;

    if (!text || !store_find_account(&controller->store, account, &row) ||
        row.sealed_size <= FLT_SEAL_OVERHEAD || !node->has_presence ||
        !node->presence.has_box_key) {
        free(text);
        return; /* nothing to send, or nobody to seal it to: its birth is yet to come */
    }
    err = reseal(controller, node, &row, text);
    if (err) {
        FLT_LOG(ERROR, "account_unsealed", "account=%s node=%s err=%d", account, node->name, err);
        free(text);
        return;
    }
    snprintf(args.account, sizeof args.account, "%s", row.account.name);
    snprintf(args.venue, sizeof args.venue, "%s", row.account.venue);
    args.has_sandbox = true;
    args.sandbox = row.account.sandbox;
    args.version = row.account.version;
    args.sealed = text;
    commands_send(controller, node->name, MSG_C_CMD_OP_ACCOUNT, NULL, &args, ACCOUNT_TTL_MS, false,
                  NULL, NULL, NULL);
    free(text);
}

/* Each account of the node's bots once; bots are few per node and accounts fewer. */
void accounts_send_all(struct controller *controller, struct node *node)
{
    const struct inventory *inventory = &controller->inventory;
    char sent[64][FLT_NAME_MAX];
    size_t count = 0;

    for (size_t i = 0; i < inventory->bot_count; i++) {
        const struct bot *bot = inventory->bots[i];
        size_t k = 0;

        if (!bot_listed(bot) || strcmp(bot->node, node->name) != 0 || !bot->spec.has_account)
            continue;
        while (k < count && strcmp(sent[k], bot->spec.account) != 0)
            k++;
        if (k < count || count == FLT_COUNT(sent))
            continue;
        snprintf(sent[count++], FLT_NAME_MAX, "%s", bot->spec.account);
        accounts_send(controller, node, bot->spec.account);
    }
}

static void forget_everywhere(struct controller *controller, const char *account)
{
    struct msg_cmd_account_forget_args args = { 0 };

    snprintf(args.account, sizeof args.account, "%s", account);
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        if (controller->inventory.nodes[i]->word == NODE_UP)
            commands_send(controller, controller->inventory.nodes[i]->name,
                          MSG_C_CMD_OP_ACCOUNT_FORGET, NULL, &args, ACCOUNT_TTL_MS, false, NULL,
                          NULL, NULL);
}

/* --- verbs
 * -------------------------------------------------------------------------------------------- */

static size_t bots_of(const struct controller *controller, const char *account)
{
    size_t count = 0;

    for (size_t i = 0; i < controller->inventory.bot_count; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        count +=
            bot_listed(bot) && bot->spec.has_account && strcmp(bot->spec.account, account) == 0;
    }
    return count;
}

static int check_credentials(const char *text, size_t size, struct flt_error *error)
{
    struct json_object *tree = flt_json_parse(text, size, NULL);
    const char *key, *secret;
    const bool complete =
        tree && flt_json_str(tree, "key", &key) &&
        (flt_json_str(tree, "secret", &secret) || flt_json_str(tree, "private_key_pem", &secret));

    json_object_put(tree);
    return complete ? 0
                    : flt_error_set(error, FLT_INVALID_ARGUMENT, "credentials_sealed",
                                    "seal JSON with key and secret, or key and private_key_pem",
                                    "the sealed credentials are not complete");
}

/* Opens the person's box and seals its text under our own key into `row`. */
static int take_credentials(struct controller *controller, const char *sealed,
                            struct account_row *row, struct flt_error *error)
{
    uint8_t box[BOX_MAX];
    char plain[CREDENTIALS_MAX + 1], aad[160];
    const int size = flt_unbase64(sealed, strlen(sealed), box, sizeof box);
    const size_t length =
        size > FLT_SEALED_BOX_OVERHEAD ? (size_t)size - FLT_SEALED_BOX_OVERHEAD : 0;
    int err = length ? 0 : -EINVAL;

    snprintf(aad, sizeof aad, "account-add:%s:%s", controller->config.tenant, row->account.name);
    if (!err)
        err = flt_box_open(controller->box_private, aad, box, (size_t)size, plain);
    if (err) {
        flt_wipe(plain, sizeof plain);
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "credentials_sealed",
                             "fetch account-key and seal them again",
                             "the credentials are not sealed to this controller and this name");
    }
    plain[length] = '\0';
    err = check_credentials(plain, length, error);
    store_aad(controller, &row->account, aad);
    if (!err)
        err = flt_seal(controller->key, aad, plain, length, row->sealed);
    flt_wipe(plain, sizeof plain);
    row->sealed_size = length + FLT_SEAL_OVERHEAD;
    return err;
}

/* A typing error would be found at the first bot's start, and by its node. */
static int check_venue(const char *venue, struct flt_error *error)
{
    const char *names[32];
    char hint[160] = "there are:";
    size_t count = 0, used = 0;
    const struct exchange_ops *const *list = exchange_list(&count);

    if (exchange_find(venue))
        return 0;
    for (size_t i = 0; i < count && used < FLT_COUNT(names); i++) {
        const size_t length = strlen(hint);

        names[used++] = list[i]->name;
        snprintf(hint + length, sizeof hint - length, " %s", list[i]->name);
    }
    if (flt_nearest(venue, names, used))
        snprintf(hint, sizeof hint, "did you mean %s?", flt_nearest(venue, names, used));
    return flt_error_set(error, FLT_NOT_FOUND, "venue", hint, "there is no venue %s", venue);
}

HANDLER(verb_account_add)
{
    const struct msg_account_add_args *in = args;
    struct msg_account_add_result *out = result;
    struct controller *controller = request->controller;
    struct account_row row;
    const bool exists = store_find_account(&controller->store, in->name, &row);
    int err = check_venue(in->venue, error);

    if (err)
        return err;
    if (exists && strcmp(row.account.venue, in->venue) != 0)
        return flt_error_set(error, FLT_CONFLICT, "name", "choose another name",
                             "account %s is on %s", in->name, row.account.venue);
    if (exists && !in->has_credentials_sealed)
        return flt_error_set(error, FLT_CONFLICT, "name", "give credentials_sealed for a new key",
                             "account %s is there already", in->name);
    if (exists && in->has_sandbox && in->sandbox != row.account.sandbox)
        return flt_error_set(error, FLT_CONFLICT, "sandbox", "add it under another name",
                             "an account does not change between test and real money");
    if (!exists) {
        memset(&row, 0, sizeof row);
        snprintf(row.account.name, sizeof row.account.name, "%s", in->name);
        snprintf(row.account.venue, sizeof row.account.venue, "%s", in->venue);
        row.account.sandbox = in->has_sandbox && in->sandbox;
        row.account.created_ms = controller_now_ms(controller);
    }
    row.account.has_sandbox = true;
    row.account.version++;
    if (in->has_credentials_sealed)
        err = take_credentials(controller, in->credentials_sealed, &row, error);
    if (err)
        return err;
    if (!exists)
        request_changed(request, NULL, "venue", NULL, row.account.venue);
    request_changed_int(request, "key version", row.account.version - 1, row.account.version);
    err = store_save_account(&controller->store, &row);
    controller_check(controller, err);
    if (err || !controller_commit(controller))
        return -EIO;
    out->account = row.account;
    flt_wipe(row.sealed, sizeof row.sealed);
    for (size_t i = 0; i < controller->inventory.node_count; i++)
        if (controller->inventory.nodes[i]->word == NODE_UP && bots_of(controller, in->name))
            accounts_send(controller, controller->inventory.nodes[i], in->name);
    return 0;
}

HANDLER(verb_account_ls)
{
    const struct msg_account_ls_args *in = args;
    struct msg_account_ls_result *out = result;
    struct store *store = &request->controller->store;
    const int64_t limit = in->has_limit ? in->limit : 200;
    sqlite3_stmt *stmt = store_read(
        store, "SELECT name, venue, sandbox, version, created_ms, sealed IS NOT NULL FROM accounts"
               " WHERE name > ? ORDER BY name LIMIT ?");

    (void)error;
    out->items = calloc((size_t)limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_str(stmt, 1, in->has_after ? in->after : "");
    flt_db_bind_int(stmt, 2, limit);
    while (store_next(store, stmt)) {
        struct msg_account_row *row = &out->items[out->items_count++];

        flt_db_copy(stmt, 0, row->account.name, sizeof row->account.name);
        flt_db_copy(stmt, 1, row->account.venue, sizeof row->account.venue);
        row->account.has_sandbox = true;
        row->account.sandbox = flt_db_int(stmt, 2) != 0;
        row->account.version = flt_db_int(stmt, 3);
        row->account.created_ms = flt_db_int(stmt, 4);
        row->keyed = flt_db_int(stmt, 5) != 0;
        row->bots = (int64_t)bots_of(request->controller, row->account.name);
    }
    out->has_next = out->items_count == (size_t)limit;
    if (out->has_next)
        snprintf(out->next, sizeof out->next, "%s", out->items[limit - 1].account.name);
    return 0;
}

HANDLER(verb_account_rm)
{
    const struct msg_account_rm_args *in = args;
    struct msg_account_rm_result *out = result;
    struct controller *controller = request->controller;
    struct account_row row;
    const size_t bots = bots_of(controller, in->name);
    sqlite3_stmt *stmt;
    int err;

    if (!store_find_account(&controller->store, in->name, &row))
        return flt_error_set(error, FLT_NOT_FOUND, "name", "list them with account-ls",
                             "there is no account %s", in->name);
    if (bots)
        return flt_error_set(error, FLT_CONFLICT, "name", "remove them first",
                             "%zu bots use account %s", bots, in->name);
    stmt = store_write(&controller->store, "DELETE FROM accounts WHERE name = ?");
    flt_db_bind_str(stmt, 1, in->name);
    err = store_run(&controller->store, stmt);
    controller_check(controller, err);
    if (err)
        return err;
    request_changed(request, NULL, "venue", row.account.venue, NULL);
    forget_everywhere(controller, in->name);
    snprintf(out->name, sizeof out->name, "%s", in->name);
    return 0;
}

HANDLER(verb_account_key)
{
    struct msg_account_key_result *out = result;

    (void)args;
    (void)error;
    flt_hex(request->controller->box_public, 32, out->box_key);
    return 0;
}

/* --- trying keys
 * ---------------------------------------------------------------------------------------- */

#define TEST_TTL_MS 12000

/* The node that is named, else the first that is up. */
static const struct node *tester(struct request *request, const struct msg_account_test_args *in,
                                 struct flt_error *error)
{
    struct controller *controller = request->controller;
    const int64_t now_ms = controller_mono_ms(controller);
    const struct node *node = in->has_node ? request_node(request, in->node, "node", error) : NULL;

    for (size_t i = 0; !in->has_node && !node && i < controller->inventory.node_count; i++)
        if (node_is_up(controller->inventory.nodes[i], now_ms) &&
            controller->inventory.nodes[i]->presence.has_box_key)
            node = controller->inventory.nodes[i];
    if (!node)
        (void)flt_error_set(error, FLT_UNAVAILABLE, "node", "see node-ls",
                            "no node is up that could try the keys");
    else if (!node_is_up(node, now_ms) || !node->presence.has_box_key) {
        (void)flt_error_set(error, FLT_UNAVAILABLE, "node", "see node-ls", "%s is not up",
                            node->name);
        node = NULL;
    }
    return node;
}

/* What is kept, or the new keys in a row that is never stored. */
static int tested_row(struct request *request, const struct msg_account_test_args *in,
                      struct account_row *row, struct flt_error *error)
{
    struct controller *controller = request->controller;
    const bool exists = store_find_account(&controller->store, in->name, row);

    if (!exists && !in->has_credentials_sealed)
        return flt_error_set(error, FLT_NOT_FOUND, "name", "list them with account-ls",
                             "there is no account %s", in->name);
    if (!exists && !in->has_venue)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "venue", "for example binance",
                             "keys of which venue?");
    if (!exists) {
        memset(row, 0, sizeof *row);
        snprintf(row->account.name, sizeof row->account.name, "%s", in->name);
        snprintf(row->account.venue, sizeof row->account.venue, "%s", in->venue);
        row->account.version = 1;
    }
    if (in->has_credentials_sealed)
        return take_credentials(controller, in->credentials_sealed, row, error);
    return row->sealed_size > FLT_SEAL_OVERHEAD
               ? 0
               : flt_error_set(error, FLT_CONFLICT, "name", "add them with account-add",
                               "account %s has no keys", in->name);
}

HANDLER(verb_account_test)
{
    const struct msg_account_test_args *in = args;
    struct controller *controller = request->controller;
    struct msg_cmd_account_test_args out = { 0 };
    const struct node *node;
    struct account_row row;
    struct request *kept = NULL;
    char *text = NULL;
    int err = tested_row(request, in, &row, error);

    (void)result;
    node = err ? NULL : tester(request, in, error);
    if (!err && !node)
        err = -EAGAIN;
    if (!err) {
        text = malloc(TEXT_MAX);
        kept = request_keep(request);
        err = text && kept ? reseal(controller, node, &row, text) : -ENOMEM;
    }
    snprintf(out.account, sizeof out.account, "%s", in->name);
    snprintf(out.venue, sizeof out.venue, "%s", row.account.venue);
    flt_wipe(&row, sizeof row);
    if (err) {
        free(kept);
        free(text);
        return err;
    }
    out.sealed = text;
    commands_send(controller, node->name, MSG_C_CMD_OP_ACCOUNT_TEST, NULL, &out, TEST_TTL_MS, false,
                  NULL, request_on_node, kept);
    free(text);
    return REQUEST_LATER;
}
