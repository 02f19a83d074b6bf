#define FLT_MOD "hosts"
#include "botnode/hosts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/bus.h"
#include "botnode/owner.h"
#include "botnode/report.h"
#include "lib/fail.h"

#define STARTS_MAX 50
#define QUIET_NS (10 * INT64_C(1000000000)) /* a request is executed by then, or never */
#define OWNER_BUCKETS 4096                  /* power of two; a node holds up to some thousands */

struct halt_row {
    char scope[8], target[FLT_NAME_MAX];
    enum bot_halt how;
    char reason[160];
};

struct hosts {
    struct botnode *node;
    struct host **list; /* in order of arrival */
    size_t count, capacity;
    struct host *owners[OWNER_BUCKETS];
    uint64_t serial;
    struct halt_row *halts;
    size_t halt_count;
    int64_t halt_number;
    bool halt_known; /* the controller has spoken since this process started */
};

/* --- lookup
 * ------------------------------------------------------------------------------------------ */

struct host *hosts_find(struct hosts *hosts, const char *name)
{
    return hosts_by_owner(hosts, flt_coid_owner(hosts->node->config.fleet, name));
}

struct host *hosts_by_owner(struct hosts *hosts, uint64_t owner)
{
    struct host *host = hosts->owners[owner & (OWNER_BUCKETS - 1)];

    while (host && host->owner != owner)
        host = host->next_owner;
    return host;
}

struct host *hosts_by_serial(struct hosts *hosts, uint64_t serial)
{
    for (size_t i = 0; hosts && i < hosts->count; i++) {
        if (hosts->list[i]->serial == serial)
            return hosts->list[i];
    }
    return NULL;
}

struct host *hosts_by_order_id(struct hosts *hosts, const struct account *account,
                               const char *order_id)
{
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = hosts->list[i];

        if (host->account == account && host->bot && bot_has_order_id(host->bot, order_id))
            return host;
    }
    return NULL;
}

struct host *hosts_at(struct hosts *hosts, size_t index)
{
    return index < hosts->count ? hosts->list[index] : NULL;
}

size_t hosts_count(const struct hosts *hosts)
{
    return hosts->count;
}

size_t hosts_running(const struct hosts *hosts)
{
    size_t running = 0;

    for (size_t i = 0; i < hosts->count; i++)
        running += host_phase(hosts->list[i]) == BOT_RUNNING;
    return running;
}

static void hash(struct hosts *hosts, bool generations, char out[MSG_HASH_MAX])
{
    struct msg_bot_ref *refs = calloc(hosts->count + 1, sizeof *refs);

    *out = '\0';
    if (!refs)
        return;
    for (size_t i = 0; i < hosts->count; i++) {
        const struct host *host = hosts->list[i];

        snprintf(refs[i].bot, sizeof refs[i].bot, "%s", host->name);
        refs[i].epoch = host->desired.env.epoch;
        refs[i].generation = generations ? host->desired.generation : 0;
    }
    msg_bots_hash(refs, hosts->count, out);
    free(refs);
}

void hosts_hash(struct hosts *hosts, char out[MSG_HASH_MAX])
{
    hash(hosts, true, out);
}

void hosts_owned_hash(struct hosts *hosts, char out[MSG_HASH_MAX])
{
    hash(hosts, false, out);
}

size_t hosts_unclaimed(struct hosts *hosts, const struct msg_bot_ref *refs, size_t count,
                       struct msg_bot_ref *out, size_t max)
{
    size_t unclaimed = 0;

    for (size_t i = 0; i < hosts->count; i++) {
        const struct host *host = hosts->list[i];
        size_t k = 0;

        while (k < count &&
               (strcmp(refs[k].bot, host->name) != 0 || refs[k].epoch != host->desired.env.epoch))
            k++;
        if (k < count)
            continue;
        if (unclaimed < max) {
            snprintf(out[unclaimed].bot, sizeof out[unclaimed].bot, "%s", host->name);
            out[unclaimed].epoch = host->desired.env.epoch;
            out[unclaimed].generation = host->desired.generation;
        }
        unclaimed++;
    }
    return unclaimed;
}

/* --- desired
 * ------------------------------------------------------------------------------------------ */

static int hosts_insert(struct hosts *hosts, struct host *host)
{
    if (hosts->count == hosts->capacity) {
        const size_t capacity = hosts->capacity ? hosts->capacity * 2 : 64;
        struct host **list = realloc(hosts->list, capacity * sizeof(struct host *));

        if (!list)
            return -ENOMEM;
        hosts->list = list;
        hosts->capacity = capacity;
    }
    hosts->list[hosts->count++] = host;
    host->next_owner = hosts->owners[host->owner & (OWNER_BUCKETS - 1)];
    hosts->owners[host->owner & (OWNER_BUCKETS - 1)] = host;
    return 0;
}

static void hosts_take_out(struct hosts *hosts, struct host *host)
{
    struct host **at = &hosts->owners[host->owner & (OWNER_BUCKETS - 1)];

    while (*at && *at != host)
        at = &(*at)->next_owner;
    if (*at)
        *at = host->next_owner;
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->list[i] != host)
            continue;
        memmove(&hosts->list[i], &hosts->list[i + 1],
                (hosts->count - i - 1) * sizeof(struct host *));
        hosts->count--;
        return;
    }
}

void hosts_forget(struct hosts *hosts, struct host *host)
{
    char name[FLT_NAME_MAX];

    snprintf(name, sizeof name, "%s", host->name);
    hosts_take_out(hosts, host);
    host_destroy(host); /* saves it a last time: before its snapshot goes */
    if (journal_bot_remove(hosts->node->journal, name))
        FLT_LOG(ERROR, "release_failed", "bot=%s", name);
}

int hosts_journal(struct hosts *hosts, const struct host *host)
{
    const struct journal_bot row = {
        .spec = json_object_to_json_string_ext(host->tree, JSON_C_TO_STRING_PLAIN),
        .generation = host->desired.generation,
        .epoch = host->desired.env.epoch,
        .desired = bot_run_name(host->run),
        .how = bot_stop_name(host_stop_how(host)),
    };
    struct journal_bot named = row;

    snprintf(named.name, sizeof named.name, "%s", host->name);
    return journal_bot_put(hosts->node->journal, &named);
}

static bool is_older(const struct host *host, const struct msg_c_desired *doc)
{
    const int64_t held = host->desired.env.epoch;
    const int64_t epoch = doc->env.epoch;

    return epoch < held || (epoch == held && doc->generation <= host->desired.generation);
}

int hosts_apply(struct hosts *hosts, const struct msg_c_desired *doc, struct json_object *tree)
{
    struct host *host = hosts_find(hosts, doc->bot);
    const int64_t limit =
        hosts->node->config.has_capacity ? hosts->node->config.capacity : NODE_CAPACITY_DEFAULT;
    int err;

    if (host && is_older(host, doc))
        return HOSTS_OLD;
    if (host && doc->has_release && doc->release && doc->has_owner) {
        owner_release(hosts->node->owner, host); /* another node has it, under a newer epoch */
        return 0;
    }
    if (host) {
        err = host_update(host, doc, tree);
        return err ? err : hosts_journal(hosts, host);
    }
    if (doc->has_release && doc->release && !doc->has_resume)
        return HOSTS_OLD; /* released long ago: the controller repeats itself */
    if ((int64_t)hosts->count >= limit)
        return HOSTS_FULL;
    err = host_create(hosts->node, ++hosts->serial, doc, tree, &host);
    if (err)
        return err;
    err = hosts_insert(hosts, host);
    if (!err)
        err = hosts_journal(hosts, host);
    if (err) {
        hosts_take_out(hosts, host);
        host_destroy(host);
        return err;
    }
    owner_restored(hosts->node->owner, host);
    bus_beat_soon(hosts->node->bus); /* its grant comes with the answer */
    host_try_start(host);
    return 0;
}

static int restore_bot(void *ctx, const struct journal_bot *row)
{
    struct hosts *hosts = ctx;
    struct json_object *tree = flt_json_parse(row->spec, strlen(row->spec), NULL);
    struct flt_error error = { 0 };
    struct msg_c_desired doc = { 0 };
    struct host *host = NULL;
    int err = tree ? msg_c_desired_decode(tree, MSG_PROGRAM, &doc, &error) : -EBADMSG;

    if (!err)
        err = host_create(hosts->node, ++hosts->serial, &doc, tree, &host);
    if (!err) {
        bot_run_parse(row->desired, &host->run); /* a flatten command may have changed it */
        host->saved = row->state ? strdup(row->state) : NULL;
        host->quiet_since_ns = hosts->node->started_ns;
        err = hosts_insert(hosts, host);
    }
    if (!err)
        owner_restored(hosts->node->owner, host);
    if (err)
        FLT_LOG(ERROR, "restore_failed", "bot=%s why=\"%s\"", row->name, error.message);
    msg_c_desired_finish(&doc);
    json_object_put(tree);
    return err;
}

/* --- halts
 * --------------------------------------------------------------------------------------------- */

static bool halt_covers(const struct hosts *hosts, const struct halt_row *row,
                        const struct host *host)
{
    if (strcmp(row->scope, "fleet") == 0)
        return true;
    if (strcmp(row->scope, "node") == 0)
        return strcmp(row->target, hosts->node->config.node) == 0;
    if (strcmp(row->scope, "account") == 0)
        return strcmp(row->target, host->desired.spec.account) == 0;
    return strcmp(row->target, host->name) == 0;
}

void hosts_apply_halt(struct hosts *hosts, struct host *host)
{
    enum bot_halt strongest = BOT_HALT_NONE;
    const char *reason = "";
    const struct msg_placement *placement = &host->desired.spec.placement;
    const bool sticky = placement->has_failover && placement->failover == MSG_FAILOVER_STICKY;

    if (!host->bot || (!hosts->halt_known && !sticky))
        return; /* an auto bot waits for the controller's word; nothing said is no leave */
    for (size_t i = 0; i < hosts->halt_count; i++) {
        const struct halt_row *row = &hosts->halts[i];

        if (!halt_covers(hosts, row, host) || row->how < strongest)
            continue;
        strongest = row->how;
        reason = row->reason;
    }
    if (host->orphan) {
        const bool flatten = placement->has_on_orphan && placement->on_orphan == MSG_ORPHAN_FLATTEN;
        const enum bot_halt how = flatten ? BOT_HALT_FLATTEN : BOT_HALT_CANCEL;

        reason = how > strongest ? "no lease: the controller is not heard" : reason;
        strongest = how > strongest ? how : strongest;
    }
    bot_set_halt(host->bot, strongest, reason);
    host->report_due = true;
}

static int halt_add(struct hosts *hosts, const char *scope, const char *target, enum bot_halt how,
                    const char *reason)
{
    struct halt_row *rows = realloc(hosts->halts, (hosts->halt_count + 1) * sizeof *hosts->halts);

    if (!rows)
        return -ENOMEM;
    hosts->halts = rows;
    rows += hosts->halt_count++;
    snprintf(rows->scope, sizeof rows->scope, "%s", scope);
    snprintf(rows->target, sizeof rows->target, "%s", target);
    snprintf(rows->reason, sizeof rows->reason, "%s", reason);
    rows->how = how;
    return 0;
}

static void halts_journal(struct hosts *hosts, const struct halt_row *rows, size_t count,
                          int64_t number, bool lifted)
{
    for (size_t i = 0; i < count; i++) {
        const struct journal_halt halt = {
            .number = number,
            .scope = rows[i].scope,
            .target = rows[i].target,
            .how = lifted ? "none" : bot_halt_name(rows[i].how),
            .reason = rows[i].reason,
            .ts_ms = flt_wall_ms(hosts->node->clock),
        };

        if (journal_halt_put(hosts->node->journal, &halt))
            FLT_LOG(ERROR, "halt_not_stored", "scope=%s", rows[i].scope);
    }
}

void hosts_set_halts(struct hosts *hosts, const struct msg_ctl_halt *message)
{
    if (message->number < hosts->halt_number) {
        FLT_LOG(WARN, "halt_old", "number=%lld have=%lld", (long long)message->number,
                (long long)hosts->halt_number);
        return;
    }
    if (message->number > hosts->halt_number || !hosts->halt_known) {
        halts_journal(hosts, hosts->halts, hosts->halt_count, message->number, true);
        hosts->halt_count = 0;
        for (size_t i = 0; i < message->halts_count; i++) {
            const struct msg_halt *halt = &message->halts[i];

            if (halt_add(hosts, msg_halt_scope_name(halt->scope),
                         halt->has_target ? halt->target : "",
                         (enum bot_halt)((unsigned)halt->how + 1), halt->reason))
                return;
        }
        halts_journal(hosts, hosts->halts, hosts->halt_count, message->number, false);
        hosts->halt_number = message->number;
        if (journal_set_int(hosts->node->journal, "halt_number", message->number))
            FLT_LOG(ERROR, "halt_not_stored", "number=%lld", (long long)message->number);
        FLT_LOG(INFO, "halts", "number=%lld in_force=%zu", (long long)message->number,
                hosts->halt_count);
    }
    hosts->halt_known = true;
    for (size_t i = 0; i < hosts->count; i++)
        hosts_apply_halt(hosts, hosts->list[i]);
}

static int restore_halt(void *ctx, const struct journal_halt *row)
{
    struct hosts *hosts = ctx;
    enum bot_halt how;

    if (!bot_halt_parse(row->how, &how) || how == BOT_HALT_NONE)
        return 0;
    return halt_add(hosts, row->scope, row->target, how, row->reason);
}

static bool is_sticky(const struct host *host)
{
    const struct msg_placement *placement = &host->desired.spec.placement;

    return placement->has_failover && placement->failover == MSG_FAILOVER_STICKY;
}

bool hosts_halts_seen(const struct hosts *hosts, const struct host *host)
{
    return hosts->halt_known || is_sticky(host);
}

int64_t hosts_halt_number(const struct hosts *hosts)
{
    return hosts->halt_number;
}

/* --- life
 * ------------------------------------------------------------------------------------------------
 */

int hosts_create(struct botnode *node, struct hosts **out)
{
    struct hosts *hosts = calloc(1, sizeof *hosts);

    if (!hosts)
        return -ENOMEM;
    hosts->node = node;
    *out = hosts;
    return 0;
}

int hosts_restore(struct hosts *hosts)
{
    int err = journal_halts(hosts->node->journal, restore_halt, hosts);

    hosts->halt_number = journal_int(hosts->node->journal, "halt_number");
    return err ? err : journal_bots(hosts->node->journal, restore_bot, hosts);
}

void hosts_destroy(struct hosts *hosts)
{
    if (!hosts)
        return;
    for (size_t i = 0; i < hosts->count; i++)
        host_destroy(hosts->list[i]);
    free(hosts->list);
    free(hosts->halts);
    free(hosts);
}

/* Nothing that an earlier bot of it sent is still under way. */
static bool is_quiet(const struct host *host)
{
    return host->quiet_since_ns == 0 ||
           flt_mono_ns(host->node->clock) - host->quiet_since_ns > QUIET_NS;
}

/* A bot that was released and has stopped is given up for good. */
static bool is_done(const struct host *host)
{
    const enum bot_phase phase = host_phase(host);

    if (!host->desired.has_release || !host->desired.release)
        return false;
    return host->bot ? phase == BOT_STOPPED || phase == BOT_FLAT : is_quiet(host);
}

void hosts_on_slice(struct hosts *hosts, unsigned slice)
{
    const size_t end = hosts->count * (slice + 1) / HOSTS_SLICES;

    for (size_t i = hosts->count * slice / HOSTS_SLICES; i < end && i < hosts->count;) {
        struct host *host = hosts->list[i];

        host_on_second(host);
        if (is_done(host))
            owner_release(hosts->node->owner, host);
        else
            i++;
    }
}

/* Makes bots of the hosts that wait, STARTS_MAX at once; the others have their turn within a
 * second, part by part, and heartbeats and market events are not kept waiting by a thousand of
 * them. */
static void start_some(struct hosts *hosts)
{
    size_t started = 0;

    for (size_t i = 0; i < hosts->count && started < STARTS_MAX; i++) {
        if (hosts->list[i]->bot)
            continue;
        host_try_start(hosts->list[i]);
        started += hosts->list[i]->bot != NULL;
    }
}

void hosts_on_venue(struct hosts *hosts, struct venue *venue)
{
    (void)venue;
    start_some(hosts);
}

void hosts_on_account(struct hosts *hosts, struct account *account)
{
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = hosts->list[i];

        if (host->bot && host->account == account)
            host_on_link(host);
    }
    start_some(hosts);
}

void hosts_distrust(struct hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++) {
        struct host *host = hosts->list[i];

        if (!host->bot || host->swept)
            continue; /* it did so when it started */
        bot_distrust(host->bot);
    }
}

void hosts_on_storage(struct hosts *hosts, bool entries)
{
    for (size_t i = 0; i < hosts->count; i++) {
        if (hosts->list[i]->bot)
            bot_set_storage(hosts->list[i]->bot, entries);
    }
}
