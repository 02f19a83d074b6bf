#define FLT_MOD "audit"
#include "botnode/audit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/hosts.h"
#include "botnode/owner.h"
#include "lib/fail.h"

/* One of the hosts that trade an instrument on an account stands for all of them. */
struct pair {
    uint64_t serial;
    unsigned leg;
    const struct account *account; /* these two are compared while the round is made, no more: */
    const struct instrument *instrument; /* later they may be gone */
};

struct audit {
    struct botnode *node;
    struct pair *pairs; /* of this round */
    size_t count, capacity, next;
    int64_t begun_ms;
};

struct question { /* under way; the host may be gone when it is answered */
    struct botnode *node;
    struct pair pair;
    int64_t asked_ns;
};

static bool trades(const struct host *host, const struct account *account,
                   const struct instrument *instrument, unsigned *leg)
{
    if (!host->bot || host->account != account)
        return false;
    for (unsigned i = 0; i < host->leg_count; i++)
        if (host->legs[i] == instrument) {
            *leg = i;
            return true;
        }
    return false;
}

static bool has_pair(const struct audit *audit, const struct pair *pair)
{
    for (size_t i = 0; i < audit->count; i++)
        if (audit->pairs[i].account == pair->account &&
            audit->pairs[i].instrument == pair->instrument)
            return true;
    return false;
}

static int add(struct audit *audit, const struct pair *pair)
{
    if (has_pair(audit, pair))
        return 0;
    if (audit->count == audit->capacity) {
        const size_t capacity = audit->capacity ? 2 * audit->capacity : 16;
        struct pair *pairs = realloc(audit->pairs, capacity * sizeof *pairs);

        if (!pairs)
            return -ENOMEM;
        audit->pairs = pairs;
        audit->capacity = capacity;
    }
    audit->pairs[audit->count++] = *pair;
    return 0;
}

/* Paper accounts are ours: they lose nothing. */
static void begin_round(struct audit *audit)
{
    struct host *host;

    audit->count = audit->next = 0;
    audit->begun_ms = flt_mono_ms(audit->node->clock);
    for (size_t i = 0; (host = hosts_at(audit->node->hosts, i)); i++) {
        if (!host->bot || !host->desired.spec.has_account || !account_link_is_up(host->account))
            continue;
        for (unsigned leg = 0; leg < host->leg_count; leg++)
            if (add(audit, &(struct pair){ host->serial, leg, host->account, host->legs[leg] }) !=
                0)
                return;
    }
}

/* Each bot gets its own of the list: a busy account's has a thousand. */
struct list {
    const struct order *orders;
    uint64_t *owners; /* of each */
    struct order *own;
    size_t count;
};

static int list_init(struct list *list, const struct order *orders, size_t count)
{
    struct flt_coid id;

    *list = (struct list){ .orders = orders,
                           .count = count,
                           .owners = calloc(count + 1, sizeof *list->owners),
                           .own = calloc(count + 1, sizeof *list->own) };
    if (!list->owners || !list->own)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        list->owners[i] = flt_coid_parse(orders[i].client_order_id, &id) ? id.owner : UINT64_MAX;
    return 0;
}

static void list_finish(struct list *list)
{
    free(list->owners);
    free(list->own);
}

static void tell(const struct list *list, struct host *host, unsigned leg, int64_t asked_ns)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->owners[i] == host->owner)
            list->own[count++] = list->orders[i];
    bot_on_audit(host->bot, leg, list->own, count, asked_ns);
}

static void on_list(void *ctx, const struct exchange_failure *failure, const struct order *orders,
                    size_t count)
{
    struct question *question = ctx;
    struct hosts *hosts = question->node->hosts;
    const struct host *asker = hosts_by_serial(hosts, question->pair.serial);
    const struct account *account = asker ? asker->account : NULL;
    struct list list = { 0 };
    struct host *host;
    unsigned leg = 0;

    if (account && failure->error == EXCHANGE_OK && list_init(&list, orders, count) == 0)
        for (size_t i = 0; (host = hosts_at(hosts, i)); i++)
            if (trades(host, account, asker->legs[question->pair.leg], &leg))
                tell(&list, host, leg, question->asked_ns);
    list_finish(&list);
    free(question);
}

static void ask(struct audit *audit, const struct pair *pair)
{
    const struct host *host = hosts_by_serial(audit->node->hosts, pair->serial);
    struct question *question;

    if (!host || !host->bot || !host->account || !account_link_is_up(host->account) ||
        !owner_opens_account(audit->node->owner, host->account))
        return;
    question = calloc(1, sizeof *question);
    if (!question)
        return;
    *question = (struct question){ audit->node, *pair, flt_mono_ns(audit->node->clock) };
    if (account_ops(host->account)
            ->open_orders(account_handle(host->account), host->legs[pair->leg], on_list, question))
        free(question); /* busy: the next round */
}

void audit_second(struct audit *audit)
{
    if (audit->next == audit->count) {
        if (flt_mono_ms(audit->node->clock) - audit->begun_ms < AUDIT_PERIOD_MS)
            return;
        begin_round(audit);
    }
    for (int i = 0; i < AUDIT_PER_SECOND && audit->next < audit->count; i++)
        ask(audit, &audit->pairs[audit->next++]);
}

int audit_create(struct botnode *node, struct audit **out)
{
    struct audit *audit = calloc(1, sizeof *audit);

    if (!audit)
        return -ENOMEM;
    audit->node = node;
    audit->begun_ms = flt_mono_ms(node->clock);
    *out = audit;
    return 0;
}

void audit_destroy(struct audit *audit)
{
    if (!audit)
        return;
    free(audit->pairs);
    free(audit);
}
