#include "botnode/lease.h"

#include <stdio.h>
#include <string.h>

void lease_init(struct lease *lease, const char *boot, int64_t margin_ns)
{
    *lease = (struct lease){ .margin_ns = margin_ns };
    snprintf(lease->boot, sizeof lease->boot, "%s", boot);
}

void lease_beat(struct lease *lease, int64_t k, int64_t now_ns)
{
    lease->beats[k % LEASE_BEATS].k = k;
    lease->beats[k % LEASE_BEATS].sent_ns = now_ns;
}

int64_t lease_answers(const struct lease *lease, const struct lease_grant *grant)
{
    if (strcmp(grant->boot, lease->boot) != 0 || grant->incarnation != lease->incarnation ||
        grant->k < 1 || grant->ttl_ms <= 0 || lease->beats[grant->k % LEASE_BEATS].k != grant->k)
        return 0;
    return lease->beats[grant->k % LEASE_BEATS].sent_ns;
}

static int64_t end_ns(const struct lease_claim *claim)
{
    return claim->sent_ns + claim->ttl_ns;
}

void lease_extend(struct lease_claim *claim, int64_t sent_ns, int64_t ttl_ms)
{
    const struct lease_claim fresh = { sent_ns, ttl_ms * INT64_C(1000000) };

    if (end_ns(&fresh) > end_ns(claim))
        *claim = fresh;
}

int64_t lease_deadline_ns(const struct lease *lease, const struct lease_claim *claim)
{
    return claim->ttl_ns > 0 ? end_ns(claim) - lease->margin_ns : 0;
}

static int64_t half_ns(const struct lease_claim *claim)
{
    return claim->sent_ns + claim->ttl_ns / 2;
}

enum lease_right lease_right(const struct lease *lease, const struct lease_claim *claim,
                             int64_t now_ns)
{
    if (now_ns >= lease_deadline_ns(lease, claim))
        return LEASE_NOTHING;
    return now_ns >= half_ns(claim) ? LEASE_EXITS : LEASE_ALL;
}

int64_t lease_next_ns(const struct lease *lease, const struct lease_claim *claim, int64_t now_ns)
{
    switch (lease_right(lease, claim, now_ns)) {
    case LEASE_NOTHING:
        return INT64_MAX;
    case LEASE_EXITS:
        return lease_deadline_ns(lease, claim);
    case LEASE_ALL:
        break;
    }
    const int64_t deadline = lease_deadline_ns(lease, claim), half = half_ns(claim);

    return half < deadline ? half : deadline;
}
