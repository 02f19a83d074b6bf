#define FLT_MOD "changes"
#include "controller/changes.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANGES_MAX 64
#define DEPTH_MAX 4

/* --- what differs between two documents
 * ------------------------------------------------------------- */

struct differ {
    struct msg_spec_change *list;
    size_t count, max;
};

static void differ_add(struct differ *differ, const char *path, struct json_object *old,
                       struct json_object *new)
{
    struct msg_spec_change *change;

    if (differ->count == differ->max)
        return;
    change = &differ->list[differ->count++];
    memset(change, 0, sizeof *change);
    snprintf(change->path, sizeof change->path, "%s", path);
    change->has_old = old != NULL;
    if (old)
        snprintf(change->old, sizeof change->old, "%.127s", json_object_get_string(old));
    change->has_new = new != NULL;
    if (new)
        snprintf(change->new, sizeof change->new, "%.127s", json_object_get_string(new));
}

static void differ_keys(struct differ *differ, const char *under, struct json_object *old,
                        struct json_object *new, int depth);

static void differ_value(struct differ *differ, const char *path, struct json_object *old,
                         struct json_object *new, int depth)
{
    const bool objects = (!old || json_object_is_type(old, json_type_object)) &&
                         (!new || json_object_is_type(new, json_type_object)) && (old || new);

    if (objects && depth < DEPTH_MAX)
        differ_keys(differ, path, old, new, depth + 1);
    else if (!old || !new || strcmp(json_object_get_string(old), json_object_get_string(new)) != 0)
        differ_add(differ, path, old, new);
}

/* Keys of either side, `old`'s first; each once. Paths longer than a change holds are cut. */
static void differ_keys(struct differ *differ, const char *under, struct json_object *old,
                        struct json_object *new, int depth)
{
    struct json_object *sides[] = { old, new };
    char path[64];

    for (size_t side = 0; side < FLT_COUNT(sides); side++) {
        if (!sides[side])
            continue;
        json_object_object_foreach(sides[side], key, value)
        {
            (void)value;
            if (side == 1 && old && json_object_object_get_ex(old, key, NULL))
                continue;
            snprintf(path, sizeof path, "%s%s%s", under, under[0] ? "." : "", key);
            differ_value(differ, path, flt_json_get(old, key), flt_json_get(new, key), depth);
        }
    }
}

size_t changes_between(struct json_object *old, struct json_object *new,
                       struct msg_spec_change *list, size_t max)
{
    struct differ differ = { .list = list, .max = max };

    differ_keys(&differ, "", old, new, 0);
    return differ.count;
}

/* --- what a request changed
 * ------------------------------------------------------------------------- */

void request_changed(struct request *request, const char *about, const char *key, const char *old,
                     const char *new)
{
    static const char more[] = "; ...";
    const size_t size = sizeof request->changes - sizeof more, used = strlen(request->changes);
    const int need = snprintf(NULL, 0, "; %s %s: %s -> %s", about ? about : "", key,
                              old ? old : "-", new ? new : "-");

    if (used >= size)
        return; /* it ends in "..." */
    if (used + (size_t)need >= size) {
        memset(request->changes + used, 0, sizeof request->changes - used);
        memcpy(request->changes + used, more, sizeof more);
        request->changes_cut = true;
        return;
    }
    if (!request->changes_cut)
        snprintf(request->changes + used, sizeof request->changes - used, "%s%s%s%s: %s -> %s",
                 used ? "; " : "", about ? about : "", about ? " " : "", key, old ? old : "-",
                 new ? new : "-");
}

void request_changed_int(struct request *request, const char *key, int64_t old, int64_t new)
{
    char before[24], after[24];

    snprintf(before, sizeof before, "%" PRId64, old);
    snprintf(after, sizeof after, "%" PRId64, new);
    request_changed(request, NULL, key, before, after);
}

void request_changed_bot(struct request *request, const char *about, const struct bot *old,
                         const struct msg_bot *spec, enum msg_run run)
{
    struct json_object *before = old ? msg_to_tree(&msg_type_bot, &old->spec) : NULL;
    struct json_object *after = msg_to_tree(&msg_type_bot, spec);
    struct msg_spec_change *list = calloc(CHANGES_MAX, sizeof *list);
    const size_t count = list ? changes_between(before, after, list, CHANGES_MAX) : 0;

    if (!old || old->run != run)
        request_changed(request, about, "run", old ? msg_run_name(old->run) : NULL,
                        msg_run_name(run));
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].path, "name") != 0)
            request_changed(request, about, list[i].path, list[i].has_old ? list[i].old : NULL,
                            list[i].has_new ? list[i].new : NULL);
    free(list);
    json_object_put(before);
    json_object_put(after);
}
