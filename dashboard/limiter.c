#define FLT_MOD "limiter"
#include "dashboard/limiter.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"

#define ROWS 2048 /* a power of two */
#define PROBES 16
#define FREE 3
#define FREE_ADDRESS 20
#define WAIT_MS 1000
#define WAIT_MS_MAX 60000
#define FORGET_MS (15 * 60 * INT64_C(1000))

struct row {
    uint64_t key; /* 0: free */
    unsigned failures;
    int64_t seen_ms, until_ms;
};

struct limiter {
    uint8_t secret[32]; /* so that nobody can choose names that meet in one place */
    uint64_t failures, refusals;
    struct row rows[ROWS];
};

int limiter_create(struct limiter **out)
{
    struct limiter *limiter = calloc(1, sizeof *limiter);
    const int err = limiter ? flt_random(limiter->secret, sizeof limiter->secret) : -ENOMEM;

    if (err) {
        free(limiter);
        return err;
    }
    *out = limiter;
    return 0;
}

void limiter_destroy(struct limiter *limiter)
{
    free(limiter);
}

static uint64_t key_of(const struct limiter *limiter, const char *address, const char *name)
{
    char text[48 + 256];
    const size_t size = strnlen(address, 47), rest = name ? strnlen(name, 255) : 0;
    uint8_t mac[32];
    uint64_t key;

    memset(text, 0, sizeof text);
    memcpy(text, address, size);
    if (name)
        memcpy(text + 48, name, rest);
    flt_hmac_sha256(limiter->secret, sizeof limiter->secret, text, name ? 48 + rest + 1 : 48, mac);
    memcpy(&key, mac, sizeof key);
    return key ? key : 1;
}

static struct row *find(const struct limiter *limiter, uint64_t key)
{
    for (uint64_t i = 0; i < PROBES; i++) {
        const struct row *row = &limiter->rows[(key + i) % ROWS];

        if (row->key == key)
            return (struct row *)(uintptr_t)row;
    }
    return NULL;
}

/* A free row, or the one that is missed least. */
static struct row *take(struct limiter *limiter, uint64_t key, int64_t now_ms)
{
    struct row *best = NULL;

    for (uint64_t i = 0; i < PROBES; i++) {
        struct row *row = &limiter->rows[(key + i) % ROWS];

        if (row->key == 0 || now_ms - row->seen_ms > FORGET_MS) {
            best = row;
            break;
        }
        const bool waits = row->until_ms > now_ms, best_waits = best && best->until_ms > now_ms;

        if (!best || (best_waits && !waits) ||
            (best_waits == waits && row->seen_ms < best->seen_ms))
            best = row;
    }
    *best = (struct row){ .key = key };
    return best;
}

static int64_t wait_of(const struct limiter *limiter, uint64_t key, int64_t now_ms)
{
    const struct row *row = find(limiter, key);

    return row && row->until_ms > now_ms ? row->until_ms - now_ms : 0;
}

int64_t limiter_wait_ms(const struct limiter *limiter, const char *address, const char *name,
                        int64_t now_ms)
{
    const int64_t by_name = wait_of(limiter, key_of(limiter, address, name), now_ms);
    const int64_t by_address = wait_of(limiter, key_of(limiter, address, NULL), now_ms);

    return by_name > by_address ? by_name : by_address;
}

static void fail(struct limiter *limiter, uint64_t key, unsigned free_tries, int64_t now_ms)
{
    struct row *row = find(limiter, key);

    if (!row)
        row = take(limiter, key, now_ms);
    if (now_ms - row->seen_ms > FORGET_MS)
        row->failures = 0;
    row->seen_ms = now_ms;
    if (++row->failures <= free_tries)
        return;
    const unsigned over = row->failures - free_tries - 1;
    const int64_t wait = over > 6 ? WAIT_MS_MAX : (int64_t)WAIT_MS << over;

    row->until_ms = now_ms + (wait < WAIT_MS_MAX ? wait : WAIT_MS_MAX);
}

void limiter_failed(struct limiter *limiter, const char *address, const char *name, int64_t now_ms)
{
    limiter->failures++;
    fail(limiter, key_of(limiter, address, name), FREE, now_ms);
    fail(limiter, key_of(limiter, address, NULL), FREE_ADDRESS, now_ms);
}

void limiter_passed(struct limiter *limiter, const char *address, const char *name)
{
    struct row *row = find(limiter, key_of(limiter, address, name));

    if (row)
        *row = (struct row){ 0 };
}

uint64_t limiter_failures(const struct limiter *limiter)
{
    return limiter->failures;
}

uint64_t limiter_refusals(const struct limiter *limiter)
{
    return limiter->refusals;
}

void limiter_count_refusal(struct limiter *limiter)
{
    limiter->refusals++;
}
