/* Verbs for alerts: the list with its past, and the word that one was seen. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/alerts.h"
#include "controller/changes.h"

#define PAGE_DEFAULT 200

#define ALERT_COLUMNS                                                                              \
    "SELECT id, alert, severity, code, message, target, since_ms, last_ms, count, cleared_ms,"     \
    " acked_ms, acked_by, note FROM alerts"

static void read_alert(sqlite3_stmt *stmt, struct msg_alert_row *row)
{
    unsigned severity = 0;

    row->id = flt_db_int(stmt, 0);
    flt_db_copy(stmt, 1, row->alert, sizeof row->alert);
    (void)msg_enum_parse(&msg_enum_severity, flt_db_str(stmt, 2), &severity);
    row->severity = (enum msg_severity)severity;
    flt_db_copy(stmt, 3, row->code, sizeof row->code);
    flt_db_copy(stmt, 4, row->message, sizeof row->message);
    flt_db_copy(stmt, 5, row->target, sizeof row->target);
    row->has_target = row->target[0] != '\0';
    row->since_ms = flt_db_int(stmt, 6);
    row->last_ms = flt_db_int(stmt, 7);
    row->count = flt_db_int(stmt, 8);
    row->cleared_ms = flt_db_int(stmt, 9);
    row->has_cleared_ms = row->cleared_ms > 0;
    row->acked_ms = flt_db_int(stmt, 10);
    row->has_acked_ms = row->acked_ms > 0;
    flt_db_copy(stmt, 11, row->acked_by, sizeof row->acked_by);
    row->has_acked_by = row->acked_by[0] != '\0';
    flt_db_copy(stmt, 12, row->note, sizeof row->note);
    row->has_note = row->note[0] != '\0';
}

HANDLER(verb_alert_ls)
{
    const struct msg_alert_ls_args *in = args;
    struct msg_alert_ls_result *out = result;
    struct store *store = &request->controller->store;
    const size_t limit = in->has_limit ? (size_t)in->limit : PAGE_DEFAULT;
    sqlite3_stmt *stmt =
        store_read(store, ALERT_COLUMNS " WHERE id < ?1 AND (?2 < 0 OR (cleared_ms IS NULL) = ?2)"
                                        " ORDER BY id DESC LIMIT ?3");

    (void)error;
    out->items = calloc(limit, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    flt_db_bind_int(stmt, 1, in->has_after ? in->after : INT64_MAX);
    flt_db_bind_int(stmt, 2, in->has_active ? in->active : -1);
    flt_db_bind_int(stmt, 3, (int64_t)limit);
    while (store_next(store, stmt))
        read_alert(stmt, &out->items[out->items_count++]);
    out->has_next = out->items_count == limit;
    out->next = out->has_next ? out->items[limit - 1].id : 0;
    return 0;
}

HANDLER(verb_alert_ack)
{
    const struct msg_alert_ack_args *in = args;
    struct msg_alert_ack_result *out = result;
    struct controller *controller = request->controller;
    struct msg_ui_alert *alert = alert_find(controller, in->alert);
    sqlite3_stmt *stmt;

    if (!alert)
        return flt_error_set(error, FLT_NOT_FOUND, "alert", "list them with alert-ls",
                             "no alert %s is in force", in->alert);
    const int64_t number = alert->number;

    request_changed(request, NULL, "acknowledged by", alert->has_acked_by ? alert->acked_by : NULL,
                    request->user);
    alert_ack(controller, alert, request->user, in->has_note ? in->note : "");
    stmt = store_read(&controller->store, ALERT_COLUMNS " WHERE id = ?");
    flt_db_bind_int(stmt, 1, number);
    if (!store_next(&controller->store, stmt))
        return -EIO;
    read_alert(stmt, &out->alert);
    sqlite3_reset(stmt);
    return 0;
}
