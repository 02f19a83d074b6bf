/* Candles from a venue into a store: page by page through the venue's codec, within its rate
 * limits.
 *
 * What has come is committed every few seconds and at the end, so that a run which was stopped, or
 * died, goes on where it was when it is started again. Only candles that have closed are taken.
 * Failures: negative errno with `error`; what was fetched before is kept. */
#pragma once
#include "backtest/store.h"

struct store_download {
    const char *root; /* the fleet's DIR */
    struct store_id id;
    const char *url;  /* REST address; NULL: the venue's */
    int64_t since_ms; /* -1: where the stored ones end */
    int64_t until_ms; /* candles that open before it; -1: now */
    bool replace;     /* throw away what is stored */
    int page;         /* candles a request; 0: 1000 */
    void (*progress)(void *ctx, int64_t done_ms, int64_t total_ms, size_t added);
    void *ctx;
};

struct store_downloaded {
    size_t added, pages;
    bool resumed, interrupted; /* by SIGINT or SIGTERM */
    char path[STORE_PATH_MAX];
};

FLT_MUST_USE int store_download(struct store_download *download, struct store_downloaded *out,
                                struct flt_error *error);
