/* What `flotilla backtest` left in <fleet>/backtests/<name>/: the list, and the report as a page.
 * A report is somebody's file: it is shown in a sandbox, with no way to the network or to us. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/json.h"

#define BACKTESTS_LISTED_MAX 500
#define TICKET_MAX 96
#define TICKET_MS 300000

#define BACKTESTS_HEADERS                                                                          \
    "Content-Security-Policy: sandbox allow-scripts allow-downloads; default-src 'none'; "         \
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "                 \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'\r\n"                              \
    "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"                          \
    "Cross-Origin-Resource-Policy: same-origin\r\nCache-Control: no-store\r\n"

/* Names are of letters, digits, '.', '_' and '-', and begin with none of the signs. */
bool backtests_name_ok(const char *name);
/* "items": [...], newest first; `dir` NULL or without backtests: none. */
void backtests_write(const char *dir, struct flt_buf *out);
/* A file of one; NULL: not there, not a plain file, or larger than 32 MiB. The caller frees it. */
char *backtests_read(const char *dir, const char *name, const char *file, size_t *size);

/* A ticket opens one report for TICKET_MS. */
void ticket_make(const uint8_t secret[32], const char *name, int64_t now_ms, char out[TICKET_MAX]);
bool ticket_ok(const uint8_t secret[32], const char *name, int64_t now_ms, const char *ticket);
