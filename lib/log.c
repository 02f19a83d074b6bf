#include "lib/log.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "lib/clock.h"

#define LINE_MAX_BYTES 4096

typedef void sink_fn(void *ctx, enum flt_log_level level, const char *line);

static _Atomic int log_level = FLT_LOG_INFO;
static _Atomic int log_fd = STDERR_FILENO;
static sink_fn *_Atomic log_sink; /* set before threads start, and by tests */
static void *_Atomic log_sink_ctx;

static const char *const level_names[] = { "debug", "info", "warn", "error", "off" };

void flt_log_set_level(enum flt_log_level level)
{
    atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

int flt_log_level_parse(const char *text)
{
    for (size_t i = 0; text && i < FLT_COUNT(level_names); i++)
        if (strcmp(text, level_names[i]) == 0)
            return (int)i;
    return -EINVAL;
}

void flt_log_set_fd(int fd)
{
    atomic_store(&log_fd, fd);
}

void flt_log_set_sink(void (*sink)(void *ctx, enum flt_log_level level, const char *line),
                      void *ctx)
{
    atomic_store(&log_sink, NULL);
    atomic_store(&log_sink_ctx, ctx);
    atomic_store(&log_sink, sink);
}

bool flt_log_enabled(enum flt_log_level level)
{
    return (int)level >= atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* A value that was not quoted must not start a second line. */
static void flatten(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            text[i] = ' ';
}

static void emit(enum flt_log_level level, char *line, size_t length)
{
    sink_fn *const sink = atomic_load(&log_sink);
    const int fd = atomic_load(&log_fd);

    if (sink) {
        line[length] = '\0';
        sink(atomic_load(&log_sink_ctx), level, line);
    }
    line[length++] = '\n';
    while (fd >= 0 && length > 0) { /* a short write happens on pipes only */
        const ssize_t written = write(fd, line, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return; /* nobody to tell */
        line += written;
        length -= (size_t)written;
    }
}

void flt_log_write(enum flt_log_level level, const char *mod, const char *event, const char *format,
                   ...)
{
    const int errno_before = errno;
    char line[LINE_MAX_BYTES], ts[FLT_ISO_MAX];
    const size_t room = sizeof line - 1; /* the newline's byte is kept back */
    va_list args;

    if (level >= FLT_LOG_OFF || !flt_log_enabled(level))
        return;
    flt_iso_format(flt_wall_ms(flt_clock_system()), ts);
    int head =
        snprintf(line, room, "ts=%s lvl=%s mod=%s ev=%s ", ts, level_names[level], mod, event);
    if (head < 0 || (size_t)head >= room)
        return;
    va_start(args, format);
    int body = vsnprintf(line + head, room - (size_t)head, format, args);
    va_end(args);
    size_t length = (size_t)head + (body > 0 ? (size_t)body : 0);
    if (length >= room)
        length = room - 1; /* cut */
    while (length > 0 && line[length - 1] == ' ')
        length--;
    flatten(line, length);
    emit(level, line, length);
    errno = errno_before;
}

static size_t escape(unsigned char c, char out[4])
{
    static const char hex[] = "0123456789abcdef";

    if (c == '"' || c == '\\') {
        out[0] = '\\';
        out[1] = (char)c;
        return 2;
    }
    if (c == '\n' || c == '\t' || c == '\r') {
        out[0] = '\\';
        out[1] = c == '\n' ? 'n' : c == '\t' ? 't' : 'r';
        return 2;
    }
    if (c < 0x20 || c == 0x7f) {
        out[0] = '\\';
        out[1] = 'x';
        out[2] = hex[c >> 4];
        out[3] = hex[c & 15];
        return 4;
    }
    out[0] = (char)c;
    return 1;
}

char *flt_log_quote(const char *text, char *out, size_t size)
{
    size_t used = 0;
    char piece[4];

    if (size < 3) { /* no room for two quotes */
        if (size > 0)
            out[0] = '\0';
        return out;
    }
    out[used++] = '"';
    for (const char *p = text ? text : ""; *p; p++) {
        const size_t length = escape((unsigned char)*p, piece);

        if (used + length + 2 > size)
            break;
        memcpy(out + used, piece, length);
        used += length;
    }
    out[used++] = '"';
    out[used] = '\0';
    return out;
}
