/* Identifiers: ULIDs, names chosen by people, and client order ids.
 *
 * A client order id is 128 bits that say after a crash whose order it is:
 *     hash of fleet and bot (40) | epoch (24) | sequence (32) | intent key (32)
 * written for each venue's alphabet and length. An id is sent once, ever: the sequence is reserved
 * durably before use (engine/journal.h). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"

#define FLT_ULID_MAX 27 /* 26 characters and NUL */
/* A new ULID: 48 bits of `ts_ms`, 80 random ones; Crockford base32. `out` holds FLT_ULID_MAX. */
char *flt_ulid(int64_t ts_ms, char *out);
bool flt_ulid_ok(const char *text);

#define FLT_NAME_MAX                                                                               \
    33 /* tenants, nodes, bots, accounts, users: [a-z0-9][a-z0-9-]{0,31} and NUL                   \
        */
bool flt_name_ok(const char *text);

struct flt_coid {
    uint64_t owner;    /* 40 bits: flt_coid_owner(fleet, bot) */
    uint32_t epoch;    /* 24 bits */
    uint32_t sequence; /* per bot; never reused */
    uint32_t key;      /* the intent's key, so that an order can be adopted by key */
};

#define FLT_COID_MAX 37
uint64_t flt_coid_owner(const char *fleet, const char *bot);
/* Binance, and whoever takes [A-Za-z0-9_-]{1,36}: "f" + 26 characters of base32 (130 bits). */
char *flt_coid_format(const struct flt_coid *id, char *out); /* FLT_COID_MAX bytes */
bool flt_coid_parse(const char *text, struct flt_coid *out); /* false: not one of ours */
/* "0x" + 32 hex (Hyperliquid) and 30-character forms come with their venues. */
