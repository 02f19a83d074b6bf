#define FLT_MOD "cli"
#include "controller/cli/progress.h"
#include <string.h>
#include <unistd.h>
#include "lib/clock.h"

#define DRAW_NS INT64_C(100000000)
#define BAR_WIDTH 30

struct progress progress_begin(const struct cli *cli, const char *unit)
{
    struct progress progress = { .unit = unit };

    if (cli->people && isatty(STDERR_FILENO))
        progress.start_ns = flt_mono_ns(flt_clock_system());
    return progress;
}

static bool is_due(struct progress *progress, double *seconds)
{
    const int64_t now_ns = progress->start_ns ? flt_mono_ns(flt_clock_system()) : 0;

    if (now_ns - progress->drawn_ns < DRAW_NS)
        return false;
    progress->drawn_ns = now_ns;
    progress->shown = true;
    *seconds = (double)(now_ns - progress->start_ns) / 1e9;
    return true;
}

void progress_count(struct progress *progress, size_t count)
{
    double seconds;

    if (is_due(progress, &seconds))
        fprintf(stderr, "\r\033[K%zu %s, %.0f a second", count, progress->unit,
                seconds > 0 ? (double)count / seconds : 0);
}

void progress_bar(struct progress *progress, int64_t done, int64_t total, size_t count)
{
    char bar[BAR_WIDTH + 1];
    double seconds;

    if (!is_due(progress, &seconds))
        return;
    const double part = total > 0 && done > 0 ? (double)done / (double)total : 0;
    const int filled = part >= 1 ? BAR_WIDTH : (int)(part * BAR_WIDTH);

    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)filled);
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\033[K[%s] %3.0f%%  %zu %s", bar, part * 100, count, progress->unit);
    if (part > 0.01 && part < 1)
        fprintf(stderr, ", %.0f s left", seconds / part - seconds);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}
