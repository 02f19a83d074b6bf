#define FLT_MOD "accounts"
#include "botnode/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"
#include "lib/fail.h"

#define SECRET_MAX 8192 /* a PEM key and room */

struct account {
    struct accounts *accounts;
    char name[FLT_NAME_MAX];
    char venue_name[FLT_NAME_MAX];
    int64_t version;
    char *sealed; /* base64, with the node's storage key; NULL: a private paper account */
    struct venue *venue;
    const struct exchange_ops *ops;
    struct exchange_account *handle;
    bool link_up;
    uint64_t link; /* counts the times it came up */
    uint64_t touched, foreign_fills;
    int64_t touched_ms; /* monotonic */
    struct account *next;
};

struct accounts {
    struct botnode *node;
    struct account *list;
    uint64_t foreign_orders;
};

/* --- events of a venue, to the bot they belong to ------------------------------------------------
 */

static struct host *host_of(const struct account *account, const char *client_order_id,
                            const char *order_id)
{
    struct hosts *hosts = account->accounts->node->hosts;
    struct flt_coid id;
    struct host *host = NULL;

    if (flt_coid_parse(client_order_id, &id)) {
        host = hosts_by_owner(hosts, id.owner);
        if (host)
            owner_saw_epoch(account->accounts->node->owner, host, id.epoch);
    } else if (order_id && *order_id)
        host = hosts_by_order_id(hosts, account, order_id);
    return host && host->account == account && host->bot ? host : NULL;
}

static void on_link(void *ctx, bool up, const char *reason)
{
    struct account *account = ctx;
    char quoted[160];

    if (account->link_up == up)
        return;
    account->link_up = up;
    account->link += up;
    FLT_LOG(INFO, up ? "account_up" : "account_down", "account=%s venue=%s why=%s", account->name,
            account->venue_name, flt_log_quote(reason ? reason : "", quoted, sizeof quoted));
    hosts_on_account(account->accounts->node->hosts, account);
}

static void touch(struct account *account)
{
    account->touched++;
    account->touched_ms = flt_mono_ms(account->accounts->node->clock);
}

static void on_order(void *ctx, const struct order *order)
{
    struct account *account = ctx;
    struct host *host = host_of(account, order->client_order_id, order->order_id);

    touch(account);
    if (host)
        bot_on_order(host->bot, order);
    else
        account->accounts->foreign_orders++;
}

static void on_fill(void *ctx, const struct fill *fill)
{
    struct account *account = ctx;
    struct host *host = host_of(account, fill->client_order_id, fill->order_id);

    touch(account);
    if (host)
        bot_on_fill(host->bot, fill);
    else
        account->foreign_fills++;
}

static void on_balance(void *ctx, const struct balance *balance)
{
    (void)balance; /* truth.c asks for all of them at once, when nothing moves */
    touch(ctx);
}

static void on_place_result(void *ctx, const char *client_order_id,
                            const struct exchange_failure *failure, const struct order *order)
{
    struct host *host = host_of(ctx, client_order_id, NULL);

    if (host)
        bot_on_place_result(host->bot, client_order_id, failure, order);
}

static void on_cancel_result(void *ctx, const char *client_order_id,
                             const struct exchange_failure *failure)
{
    struct host *host = host_of(ctx, client_order_id, NULL);

    if (host)
        bot_on_cancel_result(host->bot, client_order_id, failure);
}

/* --- keys
 * ------------------------------------------------------------------------------------------ */

static void storage_key(const struct botnode *node, uint8_t key[FLT_KEY_SIZE])
{
    static const char label[] = "flotilla account storage";

    flt_hmac_sha256(node->box_private, sizeof node->box_private, label, sizeof label - 1, key);
}

static void storage_aad(const struct account *account, char *out, size_t size)
{
    snprintf(out, size, "%s:%s:keys:%lld", account->accounts->node->config.tenant, account->name,
             (long long)account->version);
}

static int keys_seal(struct account *account, const char *text, size_t size)
{
    uint8_t key[FLT_KEY_SIZE], sealed[SECRET_MAX + FLT_SEAL_OVERHEAD];
    char aad[128];
    char *encoded = malloc(4 * ((size + FLT_SEAL_OVERHEAD + 2) / 3) + 1);
    int err;

    if (!encoded)
        return -ENOMEM;
    storage_key(account->accounts->node, key);
    storage_aad(account, aad, sizeof aad);
    err = flt_seal(key, aad, text, size, sealed);
    flt_wipe(key, sizeof key);
    if (err) {
        free(encoded);
        return err;
    }
    free(account->sealed);
    account->sealed = flt_base64(sealed, size + FLT_SEAL_OVERHEAD, encoded);
    return 0;
}

static int keys_open(const struct account *account, char *out, size_t size)
{
    uint8_t key[FLT_KEY_SIZE], sealed[SECRET_MAX + FLT_SEAL_OVERHEAD];
    char aad[128];
    const int count = flt_unbase64(account->sealed, strlen(account->sealed), sealed, sizeof sealed);
    int err;

    if (count < FLT_SEAL_OVERHEAD || (size_t)count - FLT_SEAL_OVERHEAD >= size)
        return FLT_FAIL(-EBADMSG, "account=%s", account->name);
    storage_key(account->accounts->node, key);
    storage_aad(account, aad, sizeof aad);
    err = flt_unseal(key, aad, sealed, (size_t)count, out);
    flt_wipe(key, sizeof key);
    out[count - FLT_SEAL_OVERHEAD] = '\0';
    return err;
}

/* --- the connection
 * -------------------------------------------------------------------------------- */

static int handle_open(struct account *account, const struct exchange_credentials *credentials)
{
    const struct exchange_account_events events = {
        .ctx = account,
        .on_link = on_link,
        .on_order = on_order,
        .on_fill = on_fill,
        .on_balance = on_balance,
        .on_place_result = on_place_result,
        .on_cancel_result = on_cancel_result,
    };

    return account->ops->account_open(venue_market(account->venue), credentials, &events,
                                      &account->handle);
}

static int account_connect(struct account *account)
{
    struct exchange_credentials credentials = { 0 };
    char secret[SECRET_MAX];
    struct json_object *tree;
    int err;

    if (account->handle)
        return 0;
    err = venues_get(account->accounts->node->venues, account->venue_name, &account->venue);
    if (err)
        return err;
    account->ops = exchange_find(account->venue_name);
    if (!venue_is_ready(account->venue))
        return 0; /* hosts call again when it is */
    err = keys_open(account, secret, sizeof secret);
    if (err)
        return err;
    tree = flt_json_parse(secret, strlen(secret), NULL);
    flt_json_str(tree, "key", &credentials.key);
    flt_json_str(tree, "secret", &credentials.secret);
    flt_json_str(tree, "private_key_pem", &credentials.private_key_pem);
    flt_json_str(tree, "passphrase", &credentials.passphrase);
    err = tree ? handle_open(account, &credentials) : -EBADMSG;
    json_object_put(tree);
    flt_wipe(secret, sizeof secret);
    return err;
}

static void account_disconnect(struct account *account)
{
    if (account->handle)
        account->ops->account_close(account->handle);
    account->handle = NULL;
    account->link_up = false;
}

static struct account *row_find(struct accounts *accounts, const char *name)
{
    struct account *account = accounts->list;

    while (account && (!account->sealed || strcmp(account->name, name) != 0))
        account = account->next;
    return account;
}

struct account *accounts_find(struct accounts *accounts, const char *name)
{
    struct account *account = row_find(accounts, name);

    return account && !account_connect(account) ? account : NULL;
}

static struct account *account_new(struct accounts *accounts, const char *name, const char *venue)
{
    struct account *account = calloc(1, sizeof *account);

    if (!account)
        return NULL;
    account->accounts = accounts;
    snprintf(account->name, sizeof account->name, "%s", name);
    snprintf(account->venue_name, sizeof account->venue_name, "%s", venue);
    account->next = accounts->list;
    accounts->list = account;
    return account;
}

int accounts_paper(struct accounts *accounts, const char *bot, struct venue *venue,
                   const char *balances, struct account **out)
{
    const struct exchange_credentials paper = { .paper_balances = balances };
    struct account *account;
    int err;

    for (account = accounts->list; account; account = account->next) {
        if (!account->sealed && strcmp(account->name, bot) == 0) {
            *out = account;
            return 0;
        }
    }
    account = account_new(accounts, bot, venue_name(venue));
    if (!account)
        return -ENOMEM;
    account->venue = venue;
    account->ops = exchange_find("paper");
    err = account->ops ? handle_open(account, &paper) : -ENOENT;
    if (err) {
        accounts->list = account->next;
        free(account);
        return err;
    }
    *out = account;
    return 0;
}

/* --- from the controller and from the journal
 * ------------------------------------------------------ */

static int account_journal(const struct account *account)
{
    struct flt_buf buf = FLT_BUF_INIT;
    int err;

    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "venue", account->venue_name);
    flt_jw_int(&buf, "version", account->version);
    flt_jw_str(&buf, "sealed", account->sealed);
    flt_jw_end(&buf, '}');
    const struct journal_account row = { .name = account->name, .doc = buf.data };

    err = buf.failed ? -ENOMEM : journal_account_put(account->accounts->node->journal, &row);
    flt_buf_finish(&buf);
    return err;
}

int accounts_open_box(const struct botnode *node, const struct msg_cmd_account_args *args,
                      char *out, size_t size, size_t *length)
{
    uint8_t box[SECRET_MAX + FLT_SEALED_BOX_OVERHEAD];
    char aad[192];
    const int count = flt_unbase64(args->sealed, strlen(args->sealed), box, sizeof box);
    int err;

    if (count < FLT_SEALED_BOX_OVERHEAD || (size_t)count - FLT_SEALED_BOX_OVERHEAD >= size)
        return -EBADMSG;
    snprintf(aad, sizeof aad, "account:%s:%s:%s", node->config.tenant, node->config.node,
             args->account);
    err = flt_box_open(node->box_private, aad, box, (size_t)count, out);
    *length = (size_t)count - FLT_SEALED_BOX_OVERHEAD;
    out[*length] = '\0';
    return err;
}

static void hosts_release_account(struct accounts *accounts, const struct account *account)
{
    struct host *host;

    for (size_t i = 0; (host = hosts_at(accounts->node->hosts, i)); i++) {
        if (host->account == account)
            host_unbind_account(host);
    }
}

int accounts_put(struct accounts *accounts, const struct msg_cmd_account_args *args,
                 struct flt_error *error)
{
    struct account *account = row_find(accounts, args->account);
    char secret[SECRET_MAX];
    size_t length = 0;
    int err;

    if (account && account->version >= args->version)
        return 0; /* the controller repeats itself after each of our births */
    if (!exchange_find(args->venue))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "venue", "upgrade this node",
                             "this node does not know the venue %s", args->venue);
    err = accounts_open_box(accounts->node, args, secret, sizeof secret, &length);
    if (err)
        return flt_error_set(error, FLT_DENIED, "sealed", "the controller should send it again",
                             "the keys of account %s are not sealed to this node", args->account);
    if (account) { /* new keys: bots let go of the old connection first */
        hosts_release_account(accounts, account);
        account_disconnect(account);
    } else {
        account = account_new(accounts, args->account, args->venue);
    }
    err = account ? 0 : -ENOMEM;
    if (account) {
        account->version = args->version;
        snprintf(account->venue_name, sizeof account->venue_name, "%s", args->venue);
        err = keys_seal(account, secret, length);
    }
    flt_wipe(secret, sizeof secret);
    err = err ? err : account_journal(account);
    if (err)
        return flt_error_set(error, FLT_INTERNAL, "", "", "account %s could not be stored",
                             args->account);
    FLT_LOG(INFO, "account_taken", "account=%s venue=%s version=%lld", account->name,
            account->venue_name, (long long)account->version);
    account_connect(account);
    hosts_on_account(accounts->node->hosts, account);
    return 0;
}

int accounts_forget(struct accounts *accounts, const char *name, struct flt_error *error)
{
    for (struct account **at = &accounts->list; *at; at = &(*at)->next) {
        struct account *account = *at;

        if (strcmp(account->name, name) != 0 || !account->sealed)
            continue;
        hosts_release_account(accounts, account);
        account_disconnect(account);
        *at = account->next;
        flt_wipe(account->sealed, strlen(account->sealed));
        free(account->sealed);
        free(account);
        if (journal_account_remove(accounts->node->journal, name))
            return flt_error_set(error, FLT_INTERNAL, "", "", "account %s stays in the journal",
                                 name);
        return 0;
    }
    return flt_error_set(error, FLT_NOT_FOUND, "account", "", "no account %s on this node", name);
}

static int restore_one(void *ctx, const struct journal_account *row)
{
    struct accounts *accounts = ctx;
    struct json_object *doc = flt_json_parse(row->doc, strlen(row->doc), NULL);
    const char *venue = NULL, *sealed = NULL;
    struct account *account;
    int64_t version = 0;

    if (!flt_json_str(doc, "venue", &venue) || !flt_json_str(doc, "sealed", &sealed) ||
        !flt_json_int(doc, "version", &version)) {
        json_object_put(doc);
        return FLT_FAIL(-EBADMSG, "account=%s", row->name);
    }
    account = account_new(accounts, row->name, venue);
    if (account) {
        account->version = version;
        account->sealed = strdup(sealed);
    }
    json_object_put(doc);
    return account && account->sealed ? 0 : -ENOMEM;
}

int accounts_create(struct botnode *node, struct accounts **out)
{
    struct accounts *accounts = calloc(1, sizeof *accounts);

    if (!accounts)
        return -ENOMEM;
    accounts->node = node;
    *out = accounts;
    return 0;
}

int accounts_restore(struct accounts *accounts)
{
    return journal_accounts(accounts->node->journal, restore_one, accounts);
}

void accounts_destroy(struct accounts *accounts)
{
    if (!accounts)
        return;
    for (struct account *account = accounts->list, *next; account; account = next) {
        next = account->next;
        account_disconnect(account);
        if (account->sealed)
            flt_wipe(account->sealed, strlen(account->sealed));
        free(account->sealed);
        free(account);
    }
    free(accounts);
}

const char *account_name(const struct account *account)
{
    return account->name;
}

const struct exchange_ops *account_ops(const struct account *account)
{
    return account->ops;
}

struct exchange_account *account_handle(const struct account *account)
{
    return account->handle;
}

uint64_t account_touched(const struct account *account)
{
    return account->touched;
}

int64_t account_touched_ms(const struct account *account)
{
    return account->touched_ms;
}

uint64_t account_foreign_fills(const struct account *account)
{
    return account->foreign_fills;
}

const char *account_venue(const struct account *account)
{
    return account->venue_name;
}

uint64_t account_link(const struct account *account)
{
    return account->link;
}

bool account_link_is_up(const struct account *account)
{
    return account->link_up;
}
