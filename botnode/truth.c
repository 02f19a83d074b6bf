#define FLT_MOD "truth"
#include "botnode/truth.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/record.h"
#include "lib/fail.h"

#define QUIET_MS 2000
#define CONFIRM_MS 2000  /* a shortage is believed when it is there again */
#define PERIOD_MS 60000  /* at the latest, quiet or not */
#define RECOVER_MS 20000 /* how long a reconcile waits for the venue's trades */
#define FOREIGN_MAX 1000

struct asset {
    char name[ASSET_MAX];
    struct flt_amt venue, claims, missing, surplus;
    struct flt_amt others; /* claims of bots on other nodes, when the controller last said */
    int64_t bots;
    bool missed; /* the comparison before this one found it missing too */
};

struct entry { /* one account */
    struct entry *next;
    struct truth *truth;
    char name[FLT_NAME_MAX];
    uint64_t asked_touch; /* the account's counter when the venue was asked */
    int64_t due_ms, compared_ms;
    int64_t checked_ms, checks;
    int asking; /* answers that are under way */
    bool failed;
    bool known;      /* compared at least once */
    bool has_others; /* the comparison under way knows all claims of the fleet */
    bool fleet_wide; /* what is missing was found so: only such a comparison ends it */
    char why[160];
    struct asset *assets;
    size_t asset_count;
    struct msg_foreign_order *orders;
    size_t order_count;
};

struct job { /* somebody waits for a comparison */
    struct job *next;
    char account[FLT_NAME_MAX]; /* "": all */
    uint64_t serial;            /* reconcile: of the bot; else 0 */
    bool compared;              /* reconcile: the bot has recovered, and the venue is being asked */
    int64_t end_ms;
    bool accept;
    char by[65], reason[160];
    truth_done_fn *done;
    void *ctx;
};

struct truth {
    struct botnode *node;
    struct entry *entries;
    struct job *jobs;
};

static int64_t now_ms(const struct truth *truth)
{
    return flt_mono_ms(truth->node->clock);
}

/* --- entries
 * ---------------------------------------------------------------------------------------- */

static struct entry *entry_get(struct truth *truth, const char *name)
{
    struct entry *entry = truth->entries;

    while (entry && strcmp(entry->name, name) != 0)
        entry = entry->next;
    if (entry || !(entry = calloc(1, sizeof *entry)))
        return entry;
    entry->truth = truth;
    snprintf(entry->name, sizeof entry->name, "%s", name);
    snprintf(entry->why, sizeof entry->why, "not compared yet");
    entry->next = truth->entries;
    return truth->entries = entry;
}

static struct account *account_of(const struct entry *entry)
{
    struct account *account = accounts_find(entry->truth->node->accounts, entry->name);

    return account && account_handle(account) ? account : NULL;
}

static struct asset *asset_get(struct entry *entry, const char *name)
{
    struct asset *grown;

    for (size_t i = 0; i < entry->asset_count; i++)
        if (strcmp(entry->assets[i].name, name) == 0)
            return &entry->assets[i];
    grown = realloc(entry->assets, (entry->asset_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    entry->assets = grown;
    memset(&grown[entry->asset_count], 0, sizeof *grown);
    snprintf(grown[entry->asset_count].name, sizeof grown->name, "%s", name);
    return &grown[entry->asset_count++];
}

/* --- comparing
 * -------------------------------------------------------------------------------------- */

static bool is_of(const struct host *host, const struct account *account)
{
    return host->bot && host->account == account && host->desired.spec.has_account;
}

static void add_claims(struct entry *entry, const struct account *account)
{
    struct host *host;

    for (size_t i = 0; i < entry->asset_count; i++) {
        entry->assets[i].claims = FLT_AMT_ZERO;
        entry->assets[i].bots = 0;
    }
    for (size_t i = 0; (host = hosts_at(entry->truth->node->hosts, i)); i++)
        for (unsigned leg = 0; is_of(host, account) && leg < host->leg_count; leg++) {
            const struct flt_amt position = bot_ledger(host->bot, leg)->position;
            struct asset *asset =
                flt_amt_sign(position) > 0 ? asset_get(entry, host->legs[leg]->base) : NULL;

            if (!asset)
                continue;
            asset->claims = flt_amt_add(asset->claims, position);
            asset->bots++;
        }
}

/* "BTC: venue 0.035, bots 0.04, missing 0.005"; false: nothing is. */
static bool describe_missing(const struct entry *entry, char *out, size_t size)
{
    char a[FLT_AMT_TEXT_MAX], b[FLT_AMT_TEXT_MAX], c[FLT_AMT_TEXT_MAX];

    for (size_t i = 0; i < entry->asset_count; i++) {
        const struct asset *asset = &entry->assets[i];

        if (!asset->missed || flt_amt_sign(asset->missing) <= 0)
            continue;
        snprintf(out, size, "%s holds %s %s, its bots' books %s: %s is missing", entry->name,
                 flt_amt_format(asset->venue, a), asset->name, flt_amt_format(asset->claims, b),
                 flt_amt_format(asset->missing, c));
        return true;
    }
    return false;
}

static void tell_bots(const struct entry *entry, const struct account *account)
{
    char text[160];
    const bool missing = describe_missing(entry, text, sizeof text);
    struct host *host;

    for (size_t i = 0; (host = hosts_at(entry->truth->node->hosts, i)); i++)
        if (is_of(host, account))
            bot_set_drift(host->bot, missing ? text : NULL);
}

/* What the venue said last against what the bots say now. */
static void compare(struct entry *entry, const struct account *account)
{
    const bool all = entry->has_others || entry->fleet_wide;
    bool again = false, any = false;

    add_claims(entry, account);
    for (size_t i = 0; i < entry->asset_count; i++) {
        struct asset *asset = &entry->assets[i];
        if (all)
            asset->claims = flt_amt_add(asset->claims, asset->others);
        const struct flt_amt rest = flt_amt_sub(asset->venue, asset->claims);
        const bool missing = flt_amt_sign(rest) < 0;
        const struct flt_amt amount = missing ? flt_amt_neg(rest) : FLT_AMT_ZERO;

        asset->missed = missing && flt_amt_cmp(amount, asset->missing) == 0;
        again |= missing && !asset->missed;
        asset->missing = amount;
        asset->surplus = missing ? FLT_AMT_ZERO : rest;
        any |= missing;
    }
    entry->fleet_wide = all && any;
    entry->has_others = false;
    entry->due_ms = now_ms(entry->truth) + (again ? CONFIRM_MS : PERIOD_MS);
    tell_bots(entry, account);
}

static bool is_short(const struct entry *entry)
{
    for (size_t i = 0; i < entry->asset_count; i++)
        if (flt_amt_sign(entry->assets[i].missing) > 0)
            return true;
    return false;
}

/* --- asking
 * ----------------------------------------------------------------------------------------- */

static void jobs_second(struct truth *truth);

static void answered(struct entry *entry)
{
    if (--entry->asking == 0 && !entry->truth->node->stopping)
        jobs_second(entry->truth);
}

static void on_balances(void *ctx, const struct exchange_failure *failure,
                        const struct balance *balances, size_t count)
{
    struct entry *entry = ctx;
    struct account *account = entry->truth->node->stopping ? NULL : account_of(entry);

    entry->failed = failure->error != EXCHANGE_OK || !account;
    if (entry->failed) {
        snprintf(entry->why, sizeof entry->why, "the venue did not tell: %.120s", failure->message);
    } else if (account_touched(account) != entry->asked_touch) {
        entry->failed = true; /* something happened meanwhile: the two may not be of one moment */
        snprintf(entry->why, sizeof entry->why, "it traded while the venue was asked");
    } else {
        for (size_t i = 0; i < entry->asset_count; i++)
            entry->assets[i].venue = FLT_AMT_ZERO;
        for (size_t i = 0; i < count; i++) {
            const struct flt_amt total = flt_amt_add(balances[i].free, balances[i].locked);
            struct asset *asset =
                flt_amt_sign(total) > 0 ? asset_get(entry, balances[i].asset) : NULL;

            if (asset)
                asset->venue = total;
        }
        entry->known = true;
        entry->checks++;
        entry->checked_ms = flt_wall_ms(entry->truth->node->clock);
        entry->compared_ms = now_ms(entry->truth);
        compare(entry, account);
    }
    answered(entry);
}

static void keep_order(struct entry *entry, const struct order *order)
{
    struct msg_foreign_order *row = &entry->orders[entry->order_count++];

    *row = (struct msg_foreign_order){ .side = order->side,
                                       .price = order->price,
                                       .qty = order->qty,
                                       .filled_qty = order->filled_qty };
    snprintf(row->instrument, sizeof row->instrument, "%s", order->instrument);
    snprintf(row->order_id, sizeof row->order_id, "%s", order->order_id);
    snprintf(row->client_order_id, sizeof row->client_order_id, "%s", order->client_order_id);
}

static void on_orders(void *ctx, const struct exchange_failure *failure, const struct order *orders,
                      size_t count)
{
    struct entry *entry = ctx;
    struct hosts *hosts = entry->truth->node->hosts;
    struct flt_coid id;

    if (failure->error == EXCHANGE_OK && hosts) {
        struct msg_foreign_order *list =
            calloc(count < FOREIGN_MAX ? count + 1 : FOREIGN_MAX, sizeof *list);

        free(entry->orders);
        entry->orders = list;
        entry->order_count = 0;
        for (size_t i = 0; list && i < count && entry->order_count < FOREIGN_MAX; i++)
            if (!flt_coid_parse(orders[i].client_order_id, &id) || !hosts_by_owner(hosts, id.owner))
                keep_order(entry, &orders[i]);
    }
    answered(entry);
}

static void take_others(struct entry *entry, const struct msg_asset_claim *others, size_t count)
{
    for (size_t i = 0; i < entry->asset_count; i++)
        entry->assets[i].others = FLT_AMT_ZERO;
    for (size_t i = 0; i < count; i++) {
        struct asset *asset = asset_get(entry, others[i].asset);

        if (asset)
            asset->others = others[i].claims;
    }
    entry->has_others = true;
}

static bool ask(struct entry *entry)
{
    struct account *account = account_of(entry);

    if (entry->asking)
        return true;
    if (!account || !account_link_is_up(account)) {
        snprintf(entry->why, sizeof entry->why, "its link to the venue is down");
        return false;
    }
    entry->asking = 2;
    entry->asked_touch = account_touched(account);
    entry->due_ms = now_ms(entry->truth) + PERIOD_MS;
    if (account_ops(account)->balances(account_handle(account), on_balances, entry)) {
        entry->asking--;
        entry->failed = true;
    }
    if (account_ops(account)->open_orders(account_handle(account), NULL, on_orders, entry))
        entry->asking--;
    return entry->asking > 0;
}

/* Nothing is in doubt of any of its bots. */
static bool is_settled(const struct truth *truth, const struct account *account)
{
    struct bot_status status;
    struct host *host;

    for (size_t i = 0; (host = hosts_at(truth->node->hosts, i)); i++) {
        if (!is_of(host, account))
            continue;
        bot_status(host->bot, &status);
        if (status.phase == BOT_WAITING || status.phase == BOT_RECOVERING || status.unknown_orders)
            return false;
    }
    return true;
}

static void look(struct entry *entry, const struct account *account)
{
    const int64_t now = now_ms(entry->truth);
    const bool quiet = now - account_touched_ms(account) >= QUIET_MS;
    const bool news = account_touched(account) != entry->asked_touch || !entry->known;

    if (entry->asking || (!(quiet && news) && now < entry->due_ms) ||
        (!quiet && now - entry->compared_ms < PERIOD_MS) || !is_settled(entry->truth, account))
        return;
    (void)ask(entry);
}

void truth_second(struct truth *truth)
{
    struct host *host;

    for (size_t i = 0; (host = hosts_at(truth->node->hosts, i)); i++)
        if (host->bot && host->desired.spec.has_account && host->account)
            (void)entry_get(truth, account_name(host->account));
    for (struct entry *entry = truth->entries; entry; entry = entry->next) {
        const struct account *account = account_of(entry);

        if (account && account_link_is_up(account))
            look(entry, account);
    }
    jobs_second(truth);
}

/* --- results
 * ---------------------------------------------------------------------------------------- */

static void fill_check(struct entry *entry, struct msg_account_check *out)
{
    struct account *account = account_of(entry);

    snprintf(out->account, sizeof out->account, "%s", entry->name);
    snprintf(out->venue, sizeof out->venue, "%s", account ? account_venue(account) : "none");
    snprintf(out->node, sizeof out->node, "%s", entry->truth->node->config.node);
    out->state = !entry->known || (entry->failed && !is_short(entry))
                     ? MSG_ACCOUNT_CHECK_STATE_UNCHECKED
                 : is_short(entry) ? MSG_ACCOUNT_CHECK_STATE_SHORT
                                   : MSG_ACCOUNT_CHECK_STATE_OK;
    out->has_why = out->state == MSG_ACCOUNT_CHECK_STATE_UNCHECKED;
    snprintf(out->why, sizeof out->why, "%s", entry->why);
    out->has_checked_ms = entry->known;
    out->checked_ms = entry->checked_ms;
    out->checks = entry->checks;
    out->foreign_fills = account ? (int64_t)account_foreign_fills(account) : 0;
    out->foreign_orders = entry->orders; /* borrowed */
    out->foreign_orders_count = entry->order_count;
    out->assets = calloc(entry->asset_count + 1, sizeof *out->assets);
    for (size_t i = 0; out->assets && i < entry->asset_count; i++) {
        const struct asset *asset = &entry->assets[i];
        struct msg_asset_check *row = &out->assets[out->assets_count++];

        snprintf(row->asset, sizeof row->asset, "%s", asset->name);
        row->venue_total = asset->venue;
        row->claims = asset->claims;
        row->bots = asset->bots;
        row->short_ = asset->missing;
        row->surplus = asset->surplus;
    }
}

static struct json_object *check_result(struct truth *truth, const char *account)
{
    struct msg_cmd_account_check_result result = { 0 };
    struct json_object *tree;
    size_t count = 0;

    for (struct entry *entry = truth->entries; entry; entry = entry->next)
        count++;
    result.items = calloc(count + 1, sizeof *result.items);
    for (struct entry *entry = truth->entries; result.items && entry; entry = entry->next)
        if (!*account || strcmp(account, entry->name) == 0)
            fill_check(entry, &result.items[result.items_count++]);
    tree = msg_to_raw(&msg_type_cmd_account_check_result, &result);
    for (size_t i = 0; i < result.items_count; i++)
        free(result.items[i].assets);
    free(result.items);
    return tree;
}

static void fill_leg(struct entry *entry, const struct host *host, unsigned leg,
                     struct msg_drift_leg *out)
{
    const struct instrument *instrument = host->legs[leg];
    const struct asset *asset = asset_get(entry, instrument->base);

    snprintf(out->instrument, sizeof out->instrument, "%s", instrument->name);
    snprintf(out->asset, sizeof out->asset, "%s", instrument->base);
    out->position = bot_ledger(host->bot, leg)->position;
    if (!asset)
        return;
    out->account_claims = asset->claims;
    out->venue_total = asset->venue;
    out->short_ = asset->missing;
    out->has_surplus = true;
    out->surplus = asset->surplus;
}

static size_t fill_orders(const struct host *host, struct msg_drift_order *out, size_t max)
{
    struct bot_order order;
    size_t count = 0;

    for (size_t i = 0; count < max && bot_order_at(host->bot, i, &order); i++) {
        if (order.executed_lots <= order.filled_lots)
            continue;
        snprintf(out[count].instrument, sizeof out->instrument, "%s", order.instrument->name);
        snprintf(out[count].client_order_id, sizeof out->client_order_id, "%s",
                 order.client_order_id);
        out[count].executed = lots_to_qty(order.instrument, order.executed_lots);
        out[count++].booked = lots_to_qty(order.instrument, order.filled_lots);
    }
    return count;
}

/* --- a person's word
 * -------------------------------------------------------------------------------- */

/* The missing part of the account is this bot's as far as it says to hold some. */
static int take_missing(struct entry *entry, const struct host *host, unsigned leg,
                        const struct job *job)
{
    const struct asset *asset = asset_get(entry, host->legs[leg]->base);
    const struct flt_amt position = bot_ledger(host->bot, leg)->position;

    if (!asset || flt_amt_sign(asset->missing) <= 0 || flt_amt_sign(position) <= 0)
        return 0;
    const struct bot_adjustment adjustment = {
        .leg = leg,
        .qty = flt_amt_neg(flt_amt_cmp(asset->missing, position) < 0 ? asset->missing : position),
        .by = job->by,
        .reason = job->reason,
    };

    return bot_adjust(host->bot, &adjustment);
}

static int accept_venue(struct entry *entry, struct host *host, const struct job *job,
                        struct msg_ev_adjustment *out, size_t *count)
{
    struct flt_amt before[STRATEGY_LEGS_MAX];
    int err = 0;

    for (unsigned leg = 0; leg < host->leg_count; leg++)
        before[leg] = bot_ledger(host->bot, leg)->position;
    err = bot_accept_orders(host->bot, job->by, job->reason);
    if (err >= 0)
        compare(entry, host->account);
    for (unsigned leg = 0; err >= 0 && leg < host->leg_count; leg++)
        err = take_missing(entry, host, leg, job);
    for (unsigned leg = 0; leg < host->leg_count; leg++) {
        const struct bot_adjustment done = {
            .leg = leg,
            .qty = flt_amt_sub(bot_ledger(host->bot, leg)->position, before[leg]),
            .by = job->by,
            .reason = job->reason,
        };

        if (flt_amt_sign(done.qty) != 0)
            record_adjustment(host, &done, &out[(*count)++]);
    }
    compare(entry, host->account);
    return err < 0 ? err : 0;
}

static void finish_reconcile(struct truth *truth, struct job *job, struct entry *entry,
                             struct host *host)
{
    struct msg_cmd_reconcile_result result = { .as_of_ms = entry->checked_ms };
    struct msg_drift_leg legs[STRATEGY_LEGS_MAX] = { 0 };
    struct msg_drift_order orders[64] = { 0 };
    struct msg_ev_adjustment adjusted[STRATEGY_LEGS_MAX] = { 0 };
    struct flt_error error = { 0 };
    struct json_object *tree = NULL;
    int err = 0;

    (void)truth;
    result.legs = legs;
    result.orders = orders;
    result.orders_count = fill_orders(host, orders, FLT_COUNT(orders));
    result.in_step = result.orders_count == 0;
    for (unsigned leg = 0; leg < host->leg_count; leg++) {
        fill_leg(entry, host, leg, &legs[result.legs_count++]);
        result.in_step &= flt_amt_sign(legs[leg].short_) == 0;
    }
    if (job->accept && !result.in_step) {
        result.adjusted = adjusted;
        result.has_adjusted = true;
        err = accept_venue(entry, host, job, adjusted, &result.adjusted_count);
    }
    if (err)
        flt_error_set(&error, FLT_INTERNAL, "bot", "", "the adjustment could not be booked");
    else
        tree = msg_to_raw(&msg_type_cmd_reconcile_result, &result);
    for (size_t i = 0; i < result.adjusted_count; i++)
        json_object_put(adjusted[i].book.fees);
    job->done(job->ctx, tree, &error);
}

/* --- jobs
 * ------------------------------------------------------------------------------------------- */

static void refuse_job(struct job *job, const char *why)
{
    struct flt_error error = { 0 };

    flt_error_set(&error, FLT_UNAVAILABLE, "", "try again", "%s", why);
    job->done(job->ctx, NULL, &error);
}

static bool any_asking(const struct truth *truth)
{
    for (const struct entry *entry = truth->entries; entry; entry = entry->next)
        if (entry->asking)
            return true;
    return false;
}

/* True: the job is done, and to be freed. */
static bool step_reconcile(struct truth *truth, struct job *job)
{
    struct host *host = hosts_by_serial(truth->node->hosts, job->serial);
    struct entry *entry = entry_get(truth, job->account);
    struct bot_status status;

    if (!host || !host->bot || !entry || now_ms(truth) > job->end_ms) {
        refuse_job(job, !host || !host->bot ? "the bot is gone" : "the venue did not tell in time");
        return true;
    }
    bot_status(host->bot, &status);
    if (!job->compared) {
        if (status.phase != BOT_RECOVERING && status.phase != BOT_WAITING)
            job->compared = ask(entry);
        return false;
    }
    if (entry->asking)
        return false;
    if (entry->failed) { /* it traded meanwhile, or the venue was busy: once more */
        job->compared = false;
        return false;
    }
    finish_reconcile(truth, job, entry, host);
    return true;
}

static void jobs_second(struct truth *truth)
{
    for (struct job **at = &truth->jobs; *at;) {
        struct job *job = *at;
        bool over = job->serial != 0 && step_reconcile(truth, job);

        if (!job->serial && !any_asking(truth)) {
            const struct flt_error none = { 0 };

            job->done(job->ctx, check_result(truth, job->account), &none);
            over = true;
        }
        if (!over) {
            at = &job->next;
            continue;
        }
        *at = job->next;
        free(job);
    }
}

static struct job *job_add(struct truth *truth, const char *account, truth_done_fn *done, void *ctx)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        return NULL;
    snprintf(job->account, sizeof job->account, "%s", account ? account : "");
    job->end_ms = now_ms(truth) + RECOVER_MS;
    job->done = done;
    job->ctx = ctx;
    job->next = truth->jobs;
    return truth->jobs = job;
}

int truth_check(struct truth *truth, const struct msg_cmd_account_check_args *args,
                truth_done_fn *done, void *ctx, struct flt_error *error)
{
    const char *account = args->has_account ? args->account : NULL;

    if (account && !accounts_find(truth->node->accounts, account))
        return flt_error_set(error, FLT_NOT_FOUND, "account", "", "no account %s on this node",
                             account);
    if (account && !entry_get(truth, account))
        return -ENOMEM;
    if (!job_add(truth, account, done, ctx))
        return -ENOMEM;
    for (struct entry *entry = truth->entries; entry; entry = entry->next) {
        if (account && strcmp(account, entry->name) != 0)
            continue;
        if (account && args->has_others)
            take_others(entry, args->others, args->others_count);
        (void)ask(entry);
    }
    return 0; /* what nobody had to be asked for is told within a second */
}

int truth_reconcile(struct truth *truth, struct host *host,
                    const struct msg_cmd_reconcile_args *args, truth_done_fn *done, void *ctx,
                    struct flt_error *error)
{
    struct entry *entry;
    struct job *job;

    if (!host->bot || !host->account)
        return flt_error_set(error, FLT_CONFLICT, "bot", "", "%s waits: %s", host->name, host->why);
    if (!host->desired.spec.has_account)
        return flt_error_set(error, FLT_CONFLICT, "bot", "",
                             "%s trades on paper: there is no venue to compare with", host->name);
    entry = entry_get(truth, account_name(host->account));
    if (!entry)
        return -ENOMEM;
    if (args->has_others)
        take_others(entry, args->others, args->others_count);
    job = job_add(truth, account_name(host->account), done, ctx);
    if (!job)
        return -ENOMEM;
    job->serial = host->serial;
    job->accept = args->has_accept_venue && args->accept_venue;
    snprintf(job->by, sizeof job->by, "%s", args->has_by ? args->by : "controller");
    snprintf(job->reason, sizeof job->reason, "%s", args->has_reason ? args->reason : "");
    bot_distrust(host->bot); /* trades that were missed come first */
    return 0;
}

int truth_create(struct botnode *node, struct truth **out)
{
    struct truth *truth = calloc(1, sizeof *truth);

    if (!truth)
        return -ENOMEM;
    truth->node = node;
    *out = truth;
    return 0;
}

/* After the accounts, whose closing answers every question. */
void truth_destroy(struct truth *truth)
{
    while (truth && truth->entries) {
        struct entry *entry = truth->entries;

        truth->entries = entry->next;
        free(entry->assets);
        free(entry->orders);
        free(entry);
    }
    while (truth && truth->jobs) {
        struct job *job = truth->jobs;

        truth->jobs = job->next;
        refuse_job(job, "the node ends");
        free(job);
    }
    free(truth);
}
