#include "lib/refusal.h"
#include <assert.h>

#define STEP_MS 1000

static const char *const names[FLT_REFUSED_COUNT] = {
    "malformed", "oversized", "deep",      "binary",     "topic",      "tenant",       "forged",
    "node",      "old_term",  "old_epoch", "old_number", "repeated",   "out_of_order", "expired",
    "future",    "retained",  "denied",    "differs",    "clock_step",
};

const char *flt_refusal_name(enum flt_refusal kind)
{
    return kind < FLT_REFUSED_COUNT ? names[kind] : "malformed";
}

void flt_refuse(struct flt_refusals *refusals, enum flt_refusal kind)
{
    assert(kind < FLT_REFUSED_COUNT);
    refusals->count[kind]++;
}

uint64_t flt_refusals_total(const struct flt_refusals *refusals)
{
    uint64_t total = 0;

    for (size_t i = 0; i < FLT_REFUSED_COUNT; i++)
        total += refusals->count[i];
    return total;
}

struct json_object *flt_refusals_tree(const struct flt_refusals *refusals)
{
    struct json_object *tree = NULL;

    for (size_t i = 0; i < FLT_REFUSED_COUNT; i++) {
        if (!refusals->count[i])
            continue;
        if (!tree && !(tree = json_object_new_object()))
            return NULL;
        json_object_object_add(tree, names[i], json_object_new_int64((int64_t)refusals->count[i]));
    }
    return tree;
}

/* A byte that begins or continues no UTF-8 text; the continuations themselves are json-c's matter.
 */
static bool is_text(unsigned char c)
{
    return c >= 0x80 ? c < 0xF8 && c != 0xC0 && c != 0xC1
                     : c >= 0x20 || c == '\n' || c == '\r' || c == '\t';
}

enum flt_refusal flt_refusal_of(const void *payload, size_t size, size_t size_max)
{
    const unsigned char *bytes = payload;
    bool in_text = false;
    size_t depth = 0;

    if (size > size_max)
        return FLT_REFUSED_OVERSIZED;
    for (size_t i = 0; i < size; i++)
        if (!is_text(bytes[i]))
            return FLT_REFUSED_BINARY;
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] == '"')
            in_text = !in_text;
        else if (in_text && bytes[i] == '\\')
            i++;
        else if (!in_text && (bytes[i] == '{' || bytes[i] == '['))
            depth++;
        else if (!in_text && (bytes[i] == '}' || bytes[i] == ']') && depth > 0)
            depth--;
        if (depth > FLT_JSON_DEPTH_MAX)
            return FLT_REFUSED_DEEP;
    }
    return FLT_REFUSED_MALFORMED;
}

int64_t flt_step_seen(struct flt_step_watch *watch, int64_t wall_ms, int64_t mono_ms)
{
    const int64_t step = (wall_ms - watch->wall_ms) - (mono_ms - watch->mono_ms);
    const bool begun = watch->begun;

    *watch = (struct flt_step_watch){ wall_ms, mono_ms, true };
    return begun && (step > STEP_MS || step < -STEP_MS) ? step : 0;
}
