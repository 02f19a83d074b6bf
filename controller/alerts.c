/* What people must know: in the database with its history, in memory and retained on the bus while
 * it is in force. Some end by themselves (rules.c watches them); the others stay until a person
 * says that they were seen. */
#define FLT_MOD "alerts"
#include "controller/alerts.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"

#define ALERTS_MAX 1000
#define AGAIN_MS 60000 /* the same words again within this time are not written down */

static void publish(struct controller *controller, struct msg_ui_alert *alert)
{
    char topic[TOPIC_MAX];

    controller_envelope(controller, &alert->env);
    controller_publish(controller, topic_ui_alert(topic, controller->config.tenant, alert->alert),
                       &msg_type_ui_alert, alert, 1, true);
}

struct msg_ui_alert *alert_find(const struct controller *controller, const char *name)
{
    for (size_t i = 0; i < controller->alert_count; i++)
        if (strcmp(controller->alerts[i].alert, name) == 0)
            return &controller->alerts[i];
    return NULL;
}

static struct msg_ui_alert *add(struct controller *controller)
{
    struct msg_ui_alert *grown;

    if (controller->alert_count == ALERTS_MAX)
        return NULL;
    grown = realloc(controller->alerts, (controller->alert_count + 1) * sizeof *grown);
    if (!grown)
        return NULL;
    controller->alerts = grown;
    memset(&grown[controller->alert_count], 0, sizeof *grown);
    return &grown[controller->alert_count++];
}

/* --- the table
 * -------------------------------------------------------------------------------------- */

static void write_new(struct controller *controller, struct msg_ui_alert *alert)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt = store_write(
        store, "INSERT INTO alerts (alert, severity, code, target, message, since_ms, last_ms,"
               " count) VALUES (?, ?, ?, ?, ?, ?, ?, 1)");

    flt_db_bind_str(stmt, 1, alert->alert);
    flt_db_bind_str(stmt, 2, msg_severity_name(alert->severity));
    flt_db_bind_str(stmt, 3, alert->code);
    flt_db_bind_str(stmt, 4, alert->target);
    flt_db_bind_str(stmt, 5, alert->message);
    flt_db_bind_int(stmt, 6, alert->since_ms);
    flt_db_bind_int(stmt, 7, alert->since_ms);
    controller_check(controller, store_run(store, stmt));
    alert->has_number = true;
    alert->number = sqlite3_last_insert_rowid(flt_db_handle(store->db));
}

static void write_again(struct controller *controller, const struct msg_ui_alert *alert)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt = store_write(store, "UPDATE alerts SET severity = ?, message = ?,"
                                            " last_ms = ?, count = count + 1 WHERE id = ?");

    flt_db_bind_str(stmt, 1, msg_severity_name(alert->severity));
    flt_db_bind_str(stmt, 2, alert->message);
    flt_db_bind_int(stmt, 3, controller_now_ms(controller));
    flt_db_bind_int(stmt, 4, alert->number);
    controller_check(controller, store_run(store, stmt));
}

static void write_end(struct controller *controller, const struct msg_ui_alert *alert)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt =
        store_write(store, "UPDATE alerts SET cleared_ms = ?1, last_ms = ?1 WHERE id = ?2");

    flt_db_bind_int(stmt, 1, controller_now_ms(controller));
    flt_db_bind_int(stmt, 2, alert->number);
    controller_check(controller, store_run(store, stmt));
}

static void read_active(sqlite3_stmt *stmt, struct msg_ui_alert *alert)
{
    unsigned severity = 0;

    alert->has_number = true;
    alert->number = flt_db_int(stmt, 0);
    flt_db_copy(stmt, 1, alert->alert, sizeof alert->alert);
    (void)msg_enum_parse(&msg_enum_severity, flt_db_str(stmt, 2), &severity);
    alert->severity = (enum msg_severity)severity;
    flt_db_copy(stmt, 3, alert->code, sizeof alert->code);
    flt_db_copy(stmt, 4, alert->target, sizeof alert->target);
    alert->has_target = alert->target[0] != '\0';
    flt_db_copy(stmt, 5, alert->message, sizeof alert->message);
    alert->since_ms = flt_db_int(stmt, 6);
    alert->has_acked_ms = flt_db_int(stmt, 7) > 0;
    alert->acked_ms = flt_db_int(stmt, 7);
    flt_db_copy(stmt, 8, alert->acked_by, sizeof alert->acked_by);
    alert->has_acked_by = alert->acked_by[0] != '\0';
    flt_db_copy(stmt, 9, alert->note, sizeof alert->note);
    alert->has_note = alert->note[0] != '\0';
}

int alerts_load(struct controller *controller)
{
    sqlite3_stmt *stmt = store_read(&controller->store,
                                    "SELECT id, alert, severity, code, target, message, since_ms,"
                                    " coalesce(acked_ms, 0), acked_by, note FROM alerts"
                                    " WHERE cleared_ms IS NULL ORDER BY id LIMIT 1000");

    while (store_next(&controller->store, stmt)) {
        struct msg_ui_alert *alert = add(controller);

        if (!alert) {
            sqlite3_reset(stmt);
            return -1;
        }
        read_active(stmt, alert);
    }
    return 0;
}

/* --- raising and ending
 * ----------------------------------------------------------------------------- */

static void tell(struct controller *controller, const char *name, enum msg_severity severity,
                 const char *code, const char *target, const char *message)
{
    struct msg_ui_alert *alert = alert_find(controller, name);
    const int64_t now = controller_now_ms(controller);
    const bool is_new = !alert;
    char quoted[300];

    if (alert && alert->severity == severity && strcmp(alert->message, message) == 0 &&
        now - alert->env.ts_ms < AGAIN_MS)
        return;
    if (!alert)
        alert = add(controller);
    if (!alert) {
        FLT_LOG(ERROR, "alert_dropped", "code=%s target=%s", code, target);
        return;
    }
    alert->severity = severity;
    snprintf(alert->alert, sizeof alert->alert, "%s", name);
    snprintf(alert->code, sizeof alert->code, "%s", code);
    alert->has_target = true;
    snprintf(alert->target, sizeof alert->target, "%s", target);
    snprintf(alert->message, sizeof alert->message, "%s", message);
    controller->alerts_raised++;
    if (is_new) {
        alert->since_ms = now;
        write_new(controller, alert);
        FLT_LOG(WARN, "alert", "code=%s target=%s message=%s", code, target,
                flt_log_quote(alert->message, quoted, sizeof quoted));
    } else {
        write_again(controller, alert);
    }
    publish(controller, alert);
    if (is_new)
        notify_alert(controller, alert);
}

void alert_raise(struct controller *controller, const char *name, enum msg_severity severity,
                 const char *code, const char *target, const char *format, ...)
{
    char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    tell(controller, name, severity, code, target, message);
}

void alert_clear(struct controller *controller, const char *name)
{
    struct msg_ui_alert *alert = alert_find(controller, name);
    char topic[TOPIC_MAX];

    if (!alert)
        return;
    alert->cleared = true;
    write_end(controller, alert);
    publish(controller, alert); /* who watches sees the end; who comes later sees nothing */
    controller_clear(controller, topic_ui_alert(topic, controller->config.tenant, alert->alert));
    notify_alert(controller, alert);
    *alert = controller->alerts[--controller->alert_count];
}

void alert_ack(struct controller *controller, struct msg_ui_alert *alert, const char *by,
               const char *note)
{
    struct store *store = &controller->store;
    sqlite3_stmt *stmt =
        store_write(store, "UPDATE alerts SET acked_ms = ?, acked_by = ?, note = ? WHERE id = ?");

    alert->has_acked_by = alert->has_acked_ms = true;
    alert->acked_ms = controller_now_ms(controller);
    snprintf(alert->acked_by, sizeof alert->acked_by, "%s", by);
    alert->has_note = note[0] != '\0';
    snprintf(alert->note, sizeof alert->note, "%s", note);
    flt_db_bind_int(stmt, 1, alert->acked_ms);
    flt_db_bind_str(stmt, 2, alert->acked_by);
    flt_db_bind_str(stmt, 3, alert->note);
    flt_db_bind_int(stmt, 4, alert->number);
    controller_check(controller, store_run(store, stmt));
    if (rules_watch(alert->code))
        publish(controller, alert);
    else
        alert_clear(controller, alert->alert);
}

void alerts_publish(struct controller *controller)
{
    for (size_t i = 0; i < controller->alert_count; i++)
        publish(controller, &controller->alerts[i]);
}
