/* What each figure of summary.json is called, how it is shown and what it is: for report.html, the
 * terminal and docs/metrics.md (a test compares). */
#pragma once
#include <stddef.h>
#include "lib/json.h"

struct report_metric {
    const char *group, *name, *label;
    const char *kind; /* "percent" (of a fraction), "money", "ratio", "count", "hours", "plain" */
    const char *formula; /* one sentence; the symbols are those of docs/metrics.md */
};

extern const struct report_metric report_metrics[];
extern const size_t report_metric_count;

/* The figure as summary.json has it: in its `metrics`, else at its top. NULL: not there or null. */
const char *report_metric_text(struct json_object *summary, const char *name);
