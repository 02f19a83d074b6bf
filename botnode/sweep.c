#define FLT_MOD "sweep"
#include "botnode/sweep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"
#include "lib/fail.h"

#define PAGE 500
#define OVERLAP_MS INT64_C(60000) /* booked as they come, not in order of their times */

struct waiter {
    uint64_t serial; /* 0: its bot was made anew since, and asks again */
    unsigned leg;
};

struct sweep {
    struct sweep *next;
    struct sweeps *sweeps;
    struct account *account;
    uint64_t link; /* of the account, when it began */
    bool held;     /* asks nothing before the one before it has ended */
    bool answered; /* trades went by: of a bot that was not there, they are gone */
    const struct instrument *instrument;
    struct waiter *waiters;
    size_t waiter_count;
    int64_t since_ms;
    char after[ORDER_ID_MAX]; /* last trade of the pages so far */
    size_t seen, found, foreign;
    struct fill *strangers; /* trades whose order nobody here knows by its id */
    size_t stranger_count;
    bool paged; /* all trades were told: whose are the strangers? */
};

struct sweeps {
    struct botnode *node;
    struct sweep *list;
};

static void page(struct sweep *sweep);

/* --- the end
 * ---------------------------------------------------------------------------------------- */

static void sweep_free(struct sweep *sweep)
{
    free(sweep->waiters);
    free(sweep->strangers);
    free(sweep);
}

static struct sweep *find_held(const struct sweeps *sweeps, const struct account *account,
                               const struct instrument *instrument)
{
    struct sweep *sweep = sweeps->list;

    while (sweep && !(sweep->held && sweep->account == account && sweep->instrument == instrument))
        sweep = sweep->next;
    return sweep;
}

static void end(struct sweep *sweep, bool told);

/* Its turn has come; where the one before it failed, it does too, and is asked again. */
static void let_go(struct sweep *sweep, bool told)
{
    sweep->held = false;
    sweep->link = account_link(sweep->account);
    if (told)
        page(sweep);
    else
        end(sweep, false);
}

static void end(struct sweep *sweep, bool told)
{
    struct hosts *hosts = sweep->sweeps->node->hosts;
    struct sweep **at = &sweep->sweeps->list, *next;

    while (*at != sweep)
        at = &(*at)->next;
    *at = sweep->next;
    if (sweep->found || sweep->foreign || !told)
        FLT_LOG(WARN, "swept", "account=%s instrument=%s told=%d trades=%zu missed=%zu foreign=%zu",
                account_name(sweep->account), sweep->instrument->name, told, sweep->seen,
                sweep->found, sweep->foreign);
    for (size_t i = 0; hosts && i < sweep->waiter_count; i++) {
        struct host *host = hosts_by_serial(hosts, sweep->waiters[i].serial);

        if (!host || !host->bot)
            continue; /* trades of a bot that is gone went by, too */
        host->swept = host->swept || told;
        bot_on_swept(host->bot, sweep->waiters[i].leg, told);
    }
    next = find_held(sweep->sweeps, sweep->account, sweep->instrument);
    sweep_free(sweep);
    if (next)
        let_go(next, told);
}

/* --- whose trade
 * ------------------------------------------------------------------------------------- */

static struct host *owner_of(const struct sweep *sweep, const char *client_order_id)
{
    struct flt_coid id;
    struct host *host = flt_coid_parse(client_order_id, &id)
                            ? hosts_by_owner(sweep->sweeps->node->hosts, id.owner)
                            : NULL;

    if (host)
        owner_saw_epoch(sweep->sweeps->node->owner, host, id.epoch);
    return host && host->bot && host->account == sweep->account ? host : NULL;
}

static void give(struct sweep *sweep, struct host *host, const struct fill *fill)
{
    struct bot_status before, after;

    if (fill->ts_ms < host->sweep_from_ms)
        return; /* the bot has it, and may have forgotten that: another bot's sweep reaches back */
    bot_status(host->bot, &before);
    bot_on_fill(host->bot, fill);
    bot_status(host->bot, &after);
    sweep->found += after.counters.fills != before.counters.fills;
}

static void on_owner(void *ctx, const struct exchange_failure *failure, const struct order *order)
{
    struct sweep *sweep = ctx;
    char order_id[ORDER_ID_MAX];
    struct host *host;

    sweep->answered = true;
    if (failure->error != EXCHANGE_OK && failure->error != EXCHANGE_ORDER_NOT_FOUND) {
        end(sweep, false);
        return;
    }
    host = failure->error == EXCHANGE_OK && order ? owner_of(sweep, order->client_order_id) : NULL;
    snprintf(order_id, sizeof order_id, "%s", sweep->strangers[0].order_id);
    for (size_t i = 0; i < sweep->stranger_count;) {
        struct fill *fill = &sweep->strangers[i];

        if (strcmp(fill->order_id, order_id) != 0) {
            i++;
            continue;
        }
        if (host) {
            snprintf(fill->client_order_id, sizeof fill->client_order_id, "%s",
                     order->client_order_id);
            give(sweep, host, fill);
        } else {
            sweep->foreign++;
        }
        *fill = sweep->strangers[--sweep->stranger_count]; /* the last takes its place */
    }
    if (sweep->stranger_count > 0)
        page(sweep);
    else
        end(sweep, true);
}

/* --- pages
 * ----------------------------------------------------------------------------------------- */

static int keep(struct sweep *sweep, const struct fill *fill)
{
    struct fill *grown =
        realloc(sweep->strangers, (sweep->stranger_count + 1) * sizeof *sweep->strangers);

    if (!grown)
        return -ENOMEM;
    sweep->strangers = grown;
    grown[sweep->stranger_count++] = *fill;
    return 0;
}

/* 0, or -ENOMEM. The bot drops what it has booked itself. */
static int take(struct sweep *sweep, const struct fill *fill)
{
    struct botnode *node = sweep->sweeps->node;
    struct host *host;

    sweep->seen++;
    host = owner_of(sweep, fill->client_order_id);
    if (!host && *fill->order_id)
        host = hosts_by_order_id(node->hosts, sweep->account, fill->order_id);
    /* What this journal knows of a bot that begins with another owner's state, that state may lack:
     * then the bot alone tells what it has. */
    if (!(host && host->desired.has_resume) &&
        journal_trade_known(node->journal, account_name(sweep->account), fill) == 1)
        return 0;
    if (host) {
        give(sweep, host, fill);
        return 0;
    }
    if (*fill->client_order_id) {
        sweep->foreign++; /* it says whose it is, and that is nobody here */
        return 0;
    }
    return keep(sweep, fill);
}

static void on_page(void *ctx, const struct exchange_failure *failure, const struct fill *fills,
                    size_t count)
{
    struct sweep *sweep = ctx;
    int err = failure->error == EXCHANGE_OK ? 0 : -EIO;

    sweep->answered = true;
    for (size_t i = 0; !err && i < count; i++)
        err = take(sweep, &fills[i]);
    if (!err && count >= PAGE && strcmp(sweep->after, fills[count - 1].trade_id) == 0)
        err = FLT_FAIL(-EPROTO, "account=%s after=%s why=\"the venue tells a page again\"",
                       account_name(sweep->account), sweep->after);
    if (err) {
        end(sweep, false);
        return;
    }
    if (count > 0)
        snprintf(sweep->after, sizeof sweep->after, "%s", fills[count - 1].trade_id);
    sweep->paged = count < PAGE;
    if (sweep->paged && sweep->stranger_count == 0)
        end(sweep, true);
    else
        page(sweep);
}

/* The next question: a page of trades, or the owner of one. */
static void page(struct sweep *sweep)
{
    struct account *account = sweep->account;
    const struct fills_query query = { .instrument = sweep->instrument,
                                       .from_trade_id = *sweep->after ? sweep->after : NULL,
                                       .since_ms = *sweep->after ? 0 : sweep->since_ms,
                                       .limit = PAGE };
    int err;

    if (!account_handle(account) || sweep->link != account_link(account))
        err = -ENOTCONN;
    else if (!owner_opens_account(sweep->sweeps->node->owner, account))
        err = -EACCES;
    else if (sweep->paged)
        err = account_ops(account)->query_order_id(account_handle(account), sweep->instrument,
                                                   sweep->strangers[0].order_id, on_owner, sweep);
    else
        err = account_ops(account)->fills(account_handle(account), &query, on_page, sweep);
    if (err)
        end(sweep, false);
}

/* --- asking
 * ---------------------------------------------------------------------------------------- */

/* The last trade booked here: what was lost with the power came after it. A bot that came from
 * another node goes on from its own last trade, and one that never traded from its beginning: when
 * no state of it was ever told, that is the time that the books have for it. */
static int64_t since_of(const struct sweeps *sweeps, const struct host *host, unsigned leg)
{
    char trade_id[ORDER_ID_MAX];
    struct bot_status status;
    int64_t booked_ms = 0, own_ms;

    bot_status(host->bot, &status);
    own_ms = status.last_fill_ms ? status.last_fill_ms : status.first_start_ms;
    if (!status.last_fill_ms && host->desired.has_resume && host->desired.resume.ts_ms < own_ms)
        own_ms = host->desired.resume.ts_ms;
    if (journal_last_trade(sweeps->node->journal, account_name(host->account),
                           host->legs[leg]->name, trade_id, &booked_ms))
        booked_ms = 0;
    if (booked_ms == 0 || ((status.moved || host->desired.has_resume) && own_ms < booked_ms))
        booked_ms = own_ms;
    return booked_ms > OVERLAP_MS ? booked_ms - OVERLAP_MS : 1;
}

static int join(struct sweep *sweep, const struct host *host, unsigned leg)
{
    struct waiter *grown =
        realloc(sweep->waiters, (sweep->waiter_count + 1) * sizeof *sweep->waiters);

    if (!grown)
        return -ENOMEM;
    sweep->waiters = grown;
    grown[sweep->waiter_count++] = (struct waiter){ host->serial, leg };
    return 0;
}

/* What a bot of this host asked before was for that one. */
static void leave(struct sweeps *sweeps, const struct host *host)
{
    for (struct sweep *sweep = sweeps->list; sweep; sweep = sweep->next)
        for (size_t i = 0; i < sweep->waiter_count; i++)
            if (sweep->waiters[i].serial == host->serial)
                sweep->waiters[i].serial = 0;
}

bool sweeps_begin(struct host *host)
{
    struct bot_status status;

    leave(host->node->sweeps, host);
    bot_status(host->bot, &status);
    host->sweep_from_ms = status.last_fill_ms - OVERLAP_MS;
    return !host->swept &&
           (journal_rebooted(host->node->journal) || status.moved || host->desired.has_resume);
}

static bool waits(const struct sweep *sweep, const struct host *host, unsigned leg)
{
    for (size_t i = 0; i < sweep->waiter_count; i++)
        if (sweep->waiters[i].serial == host->serial && sweep->waiters[i].leg == leg)
            return true;
    return false;
}

/* One of the pair that is under way on this link, or NULL. */
static struct sweep *find_asked(const struct sweeps *sweeps, const struct account *account,
                                const struct instrument *instrument)
{
    struct sweep *sweep = sweeps->list;

    while (sweep && !(!sweep->held && sweep->account == account &&
                      sweep->instrument == instrument && sweep->link == account_link(account)))
        sweep = sweep->next;
    return sweep;
}

static int ask(struct sweep *sweep)
{
    const struct fills_query query = { .instrument = sweep->instrument,
                                       .since_ms = sweep->since_ms,
                                       .limit = PAGE };
    const int err =
        account_ops(sweep->account)->fills(account_handle(sweep->account), &query, on_page, sweep);

    return err > 0 ? -EAGAIN : err;
}

int sweeps_ask(struct sweeps *sweeps, struct host *host, unsigned leg)
{
    struct account *account = host->account;
    const struct instrument *instrument = host->legs[leg];
    const int64_t since_ms = since_of(sweeps, host, leg);
    struct sweep *const asked = find_asked(sweeps, account, instrument);
    struct sweep *sweep = asked ? find_held(sweeps, account, instrument) : NULL;
    int err;

    if (asked && waits(asked, host, leg))
        return 0; /* it lost its patience */
    if (asked && !asked->answered && asked->since_ms <= since_ms)
        return join(asked, host, leg);
    if (sweep) {
        sweep->since_ms = since_ms < sweep->since_ms ? since_ms : sweep->since_ms;
        return waits(sweep, host, leg) ? 0 : join(sweep, host, leg);
    }
    sweep = calloc(1, sizeof *sweep);
    if (!sweep)
        return -ENOMEM;
    *sweep = (struct sweep){ .sweeps = sweeps,
                             .account = account,
                             .link = account_link(account),
                             .held = asked != NULL,
                             .instrument = instrument,
                             .since_ms = since_ms,
                             .next = sweeps->list };
    err = join(sweep, host, leg);
    if (!err && !sweep->held)
        err = ask(sweep);
    if (err) {
        sweep_free(sweep);
        return err;
    }
    sweeps->list = sweep;
    return 0;
}

int sweeps_create(struct botnode *node, struct sweeps **out)
{
    struct sweeps *sweeps = calloc(1, sizeof *sweeps);

    if (!sweeps)
        return -ENOMEM;
    sweeps->node = node;
    *out = sweeps;
    return 0;
}

/* After the accounts, whose closing answers every question. */
void sweeps_destroy(struct sweeps *sweeps)
{
    while (sweeps && sweeps->list) {
        struct sweep *sweep = sweeps->list;

        sweeps->list = sweep->next;
        sweep_free(sweep);
    }
    free(sweeps);
}
