#include "controller/grant.h"

#include <string.h>

#define RIVAL_PROVEN 2 /* one heartbeat may have been on its way when its process died */

int64_t grant_guard_ms(int64_t ttl_ms, int64_t slack_ms)
{
    return ttl_ms + (ttl_ms + 99) / 100 + slack_ms;
}

void grant_init(struct grant *grant)
{
    *grant = (struct grant){ .granted_ms = -1, .heard_ms = -1, .rival_ms = -1 };
}

static bool same_place(const struct grant_process *a, const struct grant_process *b)
{
    return a->place[0] && strcmp(a->place, b->place) == 0;
}

static enum grant_answer ask_of_holder(struct grant *grant, const struct grant_process *asks,
                                       int64_t now_ms)
{
    struct grant_process *holder = &grant->holder;

    /* A process counts its heartbeats through all its connections: the same number twice is a
     * repetition of the wire, or a machine that was copied while it ran. */
    if (asks->incarnation < holder->incarnation || asks->k <= holder->k)
        return GRANT_REPEATED;
    *holder = *asks;
    grant->heard_ms = grant->granted_ms = now_ms;
    grant->holder_since_rival += grant->rival_ms >= 0;
    return GRANT_GIVEN;
}

static enum grant_answer ask_of_other(struct grant *grant, const struct grant_policy *policy,
                                      const struct grant_process *asks, int64_t now_ms)
{
    const bool known = strcmp(grant->rival.boot, asks->boot) == 0;

    if (!grant->holder.boot[0] || same_place(&grant->holder, asks) ||
        grant_may_take_over(grant, policy, now_ms))
        return GRANT_NEW_HOLDER;
    if (!known)
        grant->holder_since_rival = 0;
    grant->rival = *asks;
    grant->rival_ms = now_ms;
    return grant->holder_since_rival >= RIVAL_PROVEN ? GRANT_CLONED : GRANT_WAIT;
}

enum grant_answer grant_ask(struct grant *grant, const struct grant_policy *policy,
                            const struct grant_process *asks, int64_t now_ms)
{
    return strcmp(grant->holder.boot, asks->boot) == 0 ? ask_of_holder(grant, asks, now_ms)
                                                       : ask_of_other(grant, policy, asks, now_ms);
}

void grant_take(struct grant *grant, const struct grant_process *process, int64_t now_ms)
{
    grant_init(grant);
    grant->holder = *process;
    grant->heard_ms = grant->granted_ms = now_ms;
}

bool grant_changes_place(const struct grant *grant, const struct grant_process *process)
{
    return grant->holder.boot[0] && !same_place(&grant->holder, process);
}

bool grant_is_holder(const struct grant *grant, const char *boot)
{
    return !grant->holder.boot[0] || strcmp(grant->holder.boot, boot) == 0;
}

int64_t grant_ends_ms(const struct grant *grant, const struct grant_policy *policy)
{
    const int64_t own = grant->granted_ms < 0 ? 0 : grant->granted_ms + policy->guard_ms;

    return own > policy->foreign_until_ms ? own : policy->foreign_until_ms;
}

bool grant_is_over(const struct grant *grant, const struct grant_policy *policy, int64_t now_ms)
{
    return now_ms >= grant_ends_ms(grant, policy);
}

bool grant_may_take_over(const struct grant *grant, const struct grant_policy *policy,
                         int64_t now_ms)
{
    return grant_is_over(grant, policy, now_ms) &&
           now_ms >= policy->attentive_ms + policy->guard_ms;
}
