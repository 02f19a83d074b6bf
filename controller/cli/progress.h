/* How far a long command is, on standard error: one line that is written over. Only on a terminal,
 * and not with -o json. */
#pragma once
#include "controller/cli/cli.h"

struct progress {
    const char *unit;
    bool shown;
    int64_t start_ns, drawn_ns;
};

struct progress progress_begin(const struct cli *cli, const char *unit);
void progress_count(struct progress *progress, size_t count);
/* `done` of `total`, whatever they count; `count` is shown beside the bar. */
void progress_bar(struct progress *progress, int64_t done, int64_t total, size_t count);
void progress_end(struct progress *progress); /* clears the line */
