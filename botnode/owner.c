#define FLT_MOD "owner"
#include "botnode/owner.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "botnode/bus.h"
#include "botnode/handover.h"
#include "botnode/hosts.h"
#include "botnode/report.h"
#include "lib/fail.h"

#define NO_LIMIT_NS 0
#define CLAIM_NAME_MAX (FLT_NAME_MAX + 8)
#define SAY_WAIT_MS 5000

struct owner {
    struct botnode *node;
    struct lease lease;
    char place[17];
    int64_t place_bits;
    int64_t next_ns; /* when some right ends; INT64_MAX: none does */
    int64_t said_ms; /* monotonic: that no lease is given */
};

/* --- the place ----------------------------------------------------------------------------------
 */

static void place_of(struct owner *owner)
{
    struct botnode *node = owner->node;
    char kernel_boot[64] = "", text[256];
    uint8_t digest[32];
    struct stat lock = { 0 };
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (file && !fgets(kernel_boot, sizeof kernel_boot, file))
        kernel_boot[0] = '\0';
    if (file)
        fclose(file);
    if (fstat(node->lock_fd, &lock))
        FLT_LOG(ERROR, "lock_unknown", "errno=%d", errno);
    /* A copied folder has another inode, a copied disk another kernel boot. */
    snprintf(text, sizeof text, "%s %s %ju:%ju", kernel_boot, journal_id(node->journal),
             (uintmax_t)lock.st_dev, (uintmax_t)lock.st_ino);
    flt_sha256(text, strlen(text), digest);
    flt_hex(digest, 8, owner->place);
    for (int i = 0; i < 4; i++)
        owner->place_bits = owner->place_bits << 8 | digest[i];
}

const char *owner_place(const struct owner *owner)
{
    return owner->place;
}

/* --- the leave of sticky bots --------------------------------------------------------------------
 */

static char *claim_name(const struct host *host, char out[CLAIM_NAME_MAX])
{
    /* a name of 31 characters and a prefix do not fit the journal's: the owner bits do */
    snprintf(out, CLAIM_NAME_MAX, "claim.%010" PRIx64, host->owner);
    return out;
}

static int64_t claim_value(const struct owner *owner, const struct host *host)
{
    return owner->place_bits << 24 | (host->desired.env.epoch & 0xFFFFFF);
}

static void claim_store(struct owner *owner, const struct host *host, int64_t value)
{
    char name[CLAIM_NAME_MAX];

    if (journal_int(owner->node->journal, claim_name(host, name)) != value &&
        journal_set_int(owner->node->journal, name, value))
        FLT_LOG(ERROR, "claim_not_stored", "bot=%s", host->name);
}

bool owner_is_sticky(const struct host *host)
{
    const struct msg_placement *placement = &host->desired.spec.placement;

    return host->desired.spec.has_placement && placement->has_failover &&
           placement->failover == MSG_FAILOVER_STICKY;
}

void owner_restored(struct owner *owner, struct host *host)
{
    char name[CLAIM_NAME_MAX];

    if (!owner_is_sticky(host))
        claim_store(owner, host, 0); /* a leave for ever is not kept for later */
    host->claimed =
        owner_is_sticky(host) &&
        journal_int(owner->node->journal, claim_name(host, name)) == claim_value(owner, host);
    owner_judge(owner, host);
}

/* --- rights
 * --------------------------------------------------------------------------------------- */

/* The venue has orders of a newer owner: those who gave us the bot do not know it (a restored
 * controller), and our next order could bear an id that was used. */
static bool is_outdated(const struct host *host)
{
    return host->epoch_seen > host->desired.env.epoch;
}

void owner_saw_epoch(struct owner *owner, struct host *host, uint32_t epoch)
{
    if (epoch <= host->desired.env.epoch || epoch <= host->epoch_seen)
        return;
    host->epoch_seen = epoch;
    FLT_LOG(WARN, "outdated", "bot=%s epoch=%" PRId64 " at_venue=%u", host->name,
            host->desired.env.epoch, epoch);
    host->report_due = true;
    owner_judge(owner, host);
}

static enum lease_right right_of(const struct owner *owner, const struct host *host, int64_t now_ns)
{
    if (is_outdated(host))
        return LEASE_NOTHING;
    if (owner_is_sticky(host) && host->claimed)
        return LEASE_ALL;
    return lease_right(&owner->lease, &host->claim, now_ns);
}

void owner_judge(struct owner *owner, struct host *host)
{
    const int64_t now_ns = flt_boot_ns(owner->node->clock);
    const enum lease_right right = right_of(owner, host, now_ns);
    const bool orphan = right != LEASE_ALL && host->claim.ttl_ns > 0 && !owner_is_sticky(host) &&
                        !is_outdated(host);
    const int64_t next_ns = lease_next_ns(&owner->lease, &host->claim, now_ns);

    if (next_ns < owner->next_ns)
        owner->next_ns = next_ns;
    if (right != host->right) {
        host_log(host, right == LEASE_ALL ? FLT_LOG_INFO : FLT_LOG_WARN, "lease",
                 right == LEASE_ALL     ? "the controller grants it to this node"
                 : is_outdated(host)    ? "the venue has orders of a newer owner: nothing is sent"
                 : right == LEASE_EXITS ? "no grant for half its lease: nothing new"
                                        : "its lease is over: nothing is sent");
        host->right = right;
        host->report_due = true;
    }
    if (host->bot)
        bot_set_lease(host->bot, right == LEASE_ALL, right != LEASE_NOTHING);
    if (orphan != host->orphan) {
        host->orphan = orphan;
        hosts_apply_halt(owner->node->hosts, host);
    }
}

static void judge_all(struct owner *owner)
{
    struct host *host;

    owner->next_ns = INT64_MAX;
    for (size_t i = 0; (host = hosts_at(owner->node->hosts, i)); i++)
        owner_judge(owner, host);
}

void owner_tick(struct owner *owner)
{
    if (flt_boot_ns(owner->node->clock) >= owner->next_ns)
        judge_all(owner);
}

/* Boot time before which requests for the bot leave; NO_LIMIT_NS, or negative: never. */
static int64_t deadline_of(const struct owner *owner, const struct host *host)
{
    const int64_t deadline_ns = lease_deadline_ns(&owner->lease, &host->claim);

    if (is_outdated(host))
        return -1;
    if (owner_is_sticky(host) && host->claimed)
        return NO_LIMIT_NS;
    return deadline_ns > 0 ? deadline_ns : -1;
}

static bool opens(struct owner *owner, const struct account *account, int64_t deadline_ns)
{
    if (deadline_ns != NO_LIMIT_NS && flt_boot_ns(owner->node->clock) >= deadline_ns)
        return false;
    if (account_ops(account)->set_deadline)
        account_ops(account)->set_deadline(account_handle(account), deadline_ns);
    return true;
}

bool owner_opens(struct owner *owner, struct host *host)
{
    return opens(owner, host->account, deadline_of(owner, host));
}

bool owner_opens_account(struct owner *owner, const struct account *account)
{
    int64_t latest_ns = -1;
    struct host *host;

    for (size_t i = 0; (host = hosts_at(owner->node->hosts, i)); i++) {
        const int64_t deadline_ns = host->account == account ? deadline_of(owner, host) : -1;

        if (deadline_ns == NO_LIMIT_NS)
            return opens(owner, account, NO_LIMIT_NS);
        if (deadline_ns > latest_ns)
            latest_ns = deadline_ns;
    }
    return opens(owner, account, latest_ns);
}

/* --- grants
 * --------------------------------------------------------------------------------------- */

void owner_on_beat(struct owner *owner, int64_t k, int64_t incarnation)
{
    owner->lease.incarnation = incarnation;
    lease_beat(&owner->lease, k, flt_boot_ns(owner->node->clock));
}

static void extend(struct owner *owner, struct host *host, int64_t sent_ns, int64_t ttl_ms)
{
    lease_extend(&host->claim, sent_ns, ttl_ms);
    /* A late answer whose time is over already is no leave for ever either. */
    if (owner_is_sticky(host) && !host->claimed &&
        right_of(owner, host, flt_boot_ns(owner->node->clock)) != LEASE_NOTHING) {
        host->claimed = true;
        claim_store(owner, host, claim_value(owner, host));
    }
}

/* Ends, with a sentence: whoever has the lease goes on undisturbed. */
static void fenced(struct owner *owner, const struct msg_c_lease *lease)
{
    char quoted[200];

    FLT_LOG(ERROR, "cloned", "node=%s why=%s", owner->node->config.node,
            flt_log_quote(lease->has_why ? lease->why : "another process has this name", quoted,
                          sizeof quoted));
    owner->node->failure = -EPERM;
    flt_loop_stop(owner->node->loop);
}

static void refused(struct owner *owner, const struct msg_c_lease *lease)
{
    const int64_t now_ms = flt_mono_ms(owner->node->clock);
    char quoted[200];

    if (strcmp(lease->boot, owner->lease.boot) != 0)
        return; /* that is for another process */
    if (lease->refused == MSG_C_LEASE_REFUSED_CLONED) {
        fenced(owner, lease);
        return;
    }
    if (owner->said_ms && now_ms - owner->said_ms < SAY_WAIT_MS)
        return;
    owner->said_ms = now_ms;
    FLT_LOG(WARN, "no_lease", "why=%s",
            flt_log_quote(lease->has_why ? lease->why : "", quoted, sizeof quoted));
}

void owner_take_lease(struct owner *owner, const struct msg_c_lease *lease)
{
    const struct lease_grant grant = { lease->boot, lease->incarnation, lease->k, lease->ttl_ms };
    const int64_t sent_ns = lease_answers(&owner->lease, &grant);
    char held[MSG_HASH_MAX];
    struct host *host;

    if (lease->has_refused) {
        refused(owner, lease);
        return;
    }
    if (!sent_ns || !lease->has_owned_hash)
        return;
    hosts_owned_hash(owner->node->hosts, held);
    if (strcmp(held, lease->owned_hash) != 0)
        return; /* what we hold is not what it grants; its list says which of ours are */
    for (size_t i = 0; (host = hosts_at(owner->node->hosts, i)); i++)
        extend(owner, host, sent_ns, lease->ttl_ms);
    judge_all(owner);
}

void owner_take_list(struct owner *owner, const struct msg_cmd_sync_args *list)
{
    const struct lease_grant grant = { list->boot, list->incarnation, list->k,
                                       list->has_ttl_ms ? list->ttl_ms : 0 };
    const int64_t sent_ns =
        list->has_k && list->has_boot ? lease_answers(&owner->lease, &grant) : 0;

    if (!sent_ns)
        return;
    for (size_t i = 0; i < list->bots_count; i++) {
        struct host *host = hosts_find(owner->node->hosts, list->bots[i].bot);

        if (host && host->desired.env.epoch == list->bots[i].epoch)
            extend(owner, host, sent_ns, list->ttl_ms);
    }
    judge_all(owner);
}

/* --- giving up
 * ------------------------------------------------------------------------------------ */

struct farewell {
    struct botnode *node;
    char bot[FLT_NAME_MAX];
};

/* The release is on disk: now it may be told. */
static void on_released(void *ctx)
{
    struct farewell *farewell = ctx;

    if (farewell->node->bus && !hosts_find(farewell->node->hosts, farewell->bot))
        report_clear(farewell->node, farewell->bot);
    free(farewell);
}

void owner_release(struct owner *owner, struct host *host)
{
    struct botnode *node = owner->node;
    struct farewell *farewell = calloc(1, sizeof *farewell);
    char name[FLT_NAME_MAX];

    FLT_LOG(INFO, "released", "bot=%s epoch=%" PRId64, host->name, host->desired.env.epoch);
    snprintf(name, sizeof name, "%s", host->name);
    claim_store(owner, host, 0);
    if (handover_release(host) < 0)
        FLT_LOG(ERROR, "release_not_told", "bot=%s", name);
    hosts_forget(node->hosts, host);
    if (!farewell)
        return;
    farewell->node = node;
    snprintf(farewell->bot, sizeof farewell->bot, "%s", name);
    journal_after(node->journal, on_released, farewell);
}

/* --- life
 * ------------------------------------------------------------------------------------------ */

int owner_create(struct botnode *node, struct owner **out)
{
    struct owner *owner = calloc(1, sizeof *owner);

    if (!owner)
        return -ENOMEM;
    owner->node = node;
    owner->next_ns = INT64_MAX;
    lease_init(&owner->lease, node->boot, node_scaled_ms(node, LEASE_MARGIN_MS) * 1000000);
    place_of(owner);
    *out = owner;
    return 0;
}

void owner_destroy(struct owner *owner)
{
    free(owner);
}
