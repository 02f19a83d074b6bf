/* What people must know: kept in memory, retained on the bus until cleared. */
#define FLT_MOD "alerts"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/controller.h"
#include "lib/log.h"

#define ALERTS_MAX 200

static void publish(struct controller *controller, struct msg_ui_alert *alert)
{
    char topic[TOPIC_MAX];

    controller_envelope(controller, &alert->env);
    controller_publish(controller, topic_ui_alert(topic, controller->config.tenant, alert->alert),
                       &msg_type_ui_alert, alert, 1, true);
}

static struct msg_ui_alert *find(struct controller *controller, const char *name)
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

void alert_raise(struct controller *controller, const char *name, enum msg_severity severity,
                 const char *code, const char *target, const char *format, ...)
{
    struct msg_ui_alert *alert = find(controller, name);
    char quoted[300];
    va_list args;

    if (!alert)
        alert = add(controller);
    if (!alert) {
        FLT_LOG(ERROR, "alert_dropped", "code=%s target=%s", code, target);
        return;
    }
    alert->severity = severity;
    alert->since_ms = controller_now_ms(controller);
    snprintf(alert->alert, sizeof alert->alert, "%s", name);
    snprintf(alert->code, sizeof alert->code, "%s", code);
    alert->has_target = true;
    snprintf(alert->target, sizeof alert->target, "%s", target);
    va_start(args, format);
    vsnprintf(alert->message, sizeof alert->message, format, args);
    va_end(args);
    controller->alerts_raised++;
    FLT_LOG(WARN, "alert", "code=%s target=%s message=%s", code, target,
            flt_log_quote(alert->message, quoted, sizeof quoted));
    publish(controller, alert);
}

void alert_clear(struct controller *controller, const char *name)
{
    struct msg_ui_alert *alert = find(controller, name);
    char topic[TOPIC_MAX];

    if (!alert)
        return;
    alert->cleared = true;
    publish(controller, alert); /* who watches sees the end; who comes later sees nothing */
    controller_clear(controller, topic_ui_alert(topic, controller->config.tenant, name));
    *alert = controller->alerts[--controller->alert_count];
}

void alerts_publish(struct controller *controller)
{
    for (size_t i = 0; i < controller->alert_count; i++)
        publish(controller, &controller->alerts[i]);
}
