/* Logs: one event a line, logfmt, to stderr unless told otherwise.
 *
 *     FLT_LOG(INFO, "fill_applied", "bot=%s price=%s lag_ms=%" PRId64, bot, price, lag_ms);
 *     ts=2026-03-01T12:00:00.125Z lvl=info mod=ledger ev=fill_applied bot=grid-1 price=64123.1
 * lag_ms=42
 *
 * The event's name is fixed and searchable; values carry their unit in the key and are quoted with
 * flt_log_quote() where they come from outside (control characters are escaped, so that a line
 * stays a line). Never a secret. Each .c file that logs defines FLT_MOD (its module's name) before
 * including this header. Threads: any; a line is one write().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "lib/attr.h"

enum flt_log_level { FLT_LOG_DEBUG, FLT_LOG_INFO, FLT_LOG_WARN, FLT_LOG_ERROR, FLT_LOG_OFF };

void flt_log_set_level(enum flt_log_level level);
int flt_log_level_parse(const char *text); /* the level, or -EINVAL */
void flt_log_set_fd(int fd);               /* default 2 */
/* Called with each finished line (without newline) besides writing it; NULL: nobody. */
void flt_log_set_sink(void (*sink)(void *ctx, enum flt_log_level level, const char *line),
                      void *ctx);
FLT_PRINTF(4, 5)
void flt_log_write(enum flt_log_level level, const char *mod, const char *event, const char *format,
                   ...);
bool flt_log_enabled(enum flt_log_level level);
/* "text" as a quoted logfmt value, cut to fit; returns `out`. */
char *flt_log_quote(const char *text, char *out, size_t size);

#define FLT_LOG(level, event, ...)                                                                 \
    do {                                                                                           \
        if (flt_log_enabled(FLT_LOG_##level))                                                      \
            flt_log_write(FLT_LOG_##level, FLT_MOD, event, __VA_ARGS__);                           \
    } while (0)
