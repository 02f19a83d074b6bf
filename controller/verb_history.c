/* Verbs that read who did what: the generations of a bot with what changed, and the audit. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/changes.h"

#define PAGE_DEFAULT 200
#define HISTORY_DEFAULT 20
#define CHANGES_MAX 64

/* --- bot-history
 * ------------------------------------------------------------------------------------ */

#define HISTORY_COLUMNS                                                                            \
    "SELECT id, ts_ms, generation, epoch, run, node, by, what, spec, origin FROM desired_history"

static void read_generation(sqlite3_stmt *stmt, struct msg_generation_row *row)
{
    const char *spec = flt_db_str(stmt, 8);
    unsigned run = 0;

    row->id = flt_db_int(stmt, 0);
    row->ts_ms = flt_db_int(stmt, 1);
    row->generation = flt_db_int(stmt, 2);
    row->epoch = flt_db_int(stmt, 3);
    (void)msg_enum_parse(&msg_enum_run, flt_db_str(stmt, 4), &run);
    row->run = (enum msg_run)run;
    flt_db_copy(stmt, 5, row->node, sizeof row->node);
    flt_db_copy(stmt, 6, row->by, sizeof row->by);
    flt_db_copy(stmt, 7, row->what, sizeof row->what);
    row->spec = flt_json_parse(spec, strlen(spec), NULL);
    if (!row->spec)
        row->spec = json_object_new_object();
    flt_db_copy(stmt, 9, row->origin, sizeof row->origin);
    row->has_origin = row->origin[0] != '\0';
}

/* `row` against the one before it; run and node are told as changes of theirs. */
static int note_changes(struct msg_generation_row *row, const struct msg_generation_row *before)
{
    struct msg_spec_change *list = calloc(CHANGES_MAX, sizeof *list);
    size_t count = 0;

    if (!list)
        return -ENOMEM;
    if (before && before->run != row->run) {
        struct msg_spec_change *change = &list[count++];

        snprintf(change->path, sizeof change->path, "run");
        change->has_old = change->has_new = true;
        snprintf(change->old, sizeof change->old, "%s", msg_run_name(before->run));
        snprintf(change->new, sizeof change->new, "%s", msg_run_name(row->run));
    }
    if (before && strcmp(before->node, row->node) != 0) {
        struct msg_spec_change *change = &list[count++];

        snprintf(change->path, sizeof change->path, "node");
        change->has_old = change->has_new = true;
        snprintf(change->old, sizeof change->old, "%s", before->node);
        snprintf(change->new, sizeof change->new, "%s", row->node);
    }
    if (before)
        count += changes_between(before->spec, row->spec, list + count, CHANGES_MAX - count);
    row->changes = list;
    row->changes_count = count;
    return 0;
}

HANDLER(verb_bot_history)
{
    const struct msg_bot_history_args *in = args;
    struct msg_bot_history_result *out = result;
    struct store *store = &request->controller->store;
    const size_t limit = in->has_limit ? (size_t)in->limit : HISTORY_DEFAULT;
    struct msg_generation_row *rows;
    size_t count = 0;
    int err = 0;

    if (!request_bot(request, in->bot, error))
        return -ENOENT;
    rows = calloc(limit + 1, sizeof *rows); /* one more: what the last one is compared with */
    if (!rows)
        return -ENOMEM;
    sqlite3_stmt *stmt =
        store_read(store, HISTORY_COLUMNS " WHERE bot = ? AND id < ? ORDER BY id DESC LIMIT ?");
    flt_db_bind_str(stmt, 1, in->bot);
    flt_db_bind_int(stmt, 2, in->has_after ? in->after : INT64_MAX);
    flt_db_bind_int(stmt, 3, (int64_t)limit + 1);
    while (store_next(store, stmt))
        read_generation(stmt, &rows[count++]);
    for (size_t i = 0; i < count && i < limit && !err; i++)
        err = note_changes(&rows[i], i + 1 < count ? &rows[i + 1] : NULL);
    out->items = rows;
    out->items_count = count < limit ? count : limit;
    if (count > limit) {
        out->has_next = true;
        out->next = rows[limit - 1].id;
        json_object_put(rows[limit].spec);
    }
    return err;
}

/* --- audit
 * ------------------------------------------------------------------------------------------ */

static void read_audit(sqlite3_stmt *stmt, struct msg_audit_row *row)
{
    row->n = flt_db_int(stmt, 0);
    row->ts_ms = flt_db_int(stmt, 1);
    flt_db_copy(stmt, 2, row->user, sizeof row->user);
    flt_db_copy(stmt, 3, row->verb, sizeof row->verb);
    flt_db_copy(stmt, 4, row->target, sizeof row->target);
    row->has_target = row->target[0] != '\0';
    flt_db_copy(stmt, 5, row->args, sizeof row->args);
    flt_db_copy(stmt, 6, row->digest, sizeof row->digest);
    row->ok = flt_db_int(stmt, 7) != 0;
    flt_db_copy(stmt, 8, row->code, sizeof row->code);
    row->has_code = row->code[0] != '\0';
    flt_db_copy(stmt, 9, row->message, sizeof row->message);
    row->has_message = row->message[0] != '\0';
    flt_db_copy(stmt, 10, row->origin, sizeof row->origin);
    row->has_origin = row->origin[0] != '\0';
    flt_db_copy(stmt, 11, row->changes, sizeof row->changes);
    row->has_changes = row->changes[0] != '\0';
    flt_db_copy(stmt, 12, row->id, sizeof row->id);
    row->has_id = row->id[0] != '\0';
}

HANDLER(verb_audit_ls)
{
    const struct msg_audit_ls_args *in = args;
    struct msg_audit_ls_result *out = result;
    struct store *store = &request->controller->store;
    const size_t limit = in->has_limit ? (size_t)in->limit : PAGE_DEFAULT;
    sqlite3_stmt *stmt = store_read(
        store,
        "SELECT n, ts_ms, user, verb, target, args, digest, ok, code, message, origin,"
        " changes, request FROM audit WHERE n < ?1 AND (?3 IS NULL OR user = ?3) AND (?4 IS NULL OR"
        " verb = ?4) AND (?5 IS NULL OR target = ?5) AND ts_ms >= ?6 AND (?7 < 0 OR"
        " ok = ?7) ORDER BY n DESC LIMIT ?2");

    (void)error;
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_int(stmt, 1, in->has_after ? in->after : INT64_MAX);
    flt_db_bind_int(stmt, 2, (int64_t)limit);
    flt_db_bind_str(stmt, 3, in->has_who ? in->who : NULL);
    flt_db_bind_str(stmt, 4, in->has_verb ? in->verb : NULL);
    flt_db_bind_str(stmt, 5, in->has_target ? in->target : NULL);
    flt_db_bind_int(stmt, 6, in->has_since_ms ? in->since_ms : 0);
    flt_db_bind_int(stmt, 7, in->has_ok ? in->ok : -1);
    while (store_next(store, stmt))
        read_audit(stmt, &out->items[out->items_count++]);
    out->has_next = out->items_count == limit;
    out->next = out->has_next ? out->items[limit - 1].n : 0;
    return 0;
}
