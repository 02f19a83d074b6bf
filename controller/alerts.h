/* Alerts among the controller's parts: alerts.c keeps them, rules.c watches for those that end by
 * themselves, notify.c tells the outside. controller.h has what everybody raises them with. */
#pragma once
#include "controller/controller.h"

/* Those in force when the last controller ended; before the bus is up. -1: no memory. */
FLT_MUST_USE int alerts_load(struct controller *controller);
struct msg_ui_alert *alert_find(const struct controller *controller, const char *name);
/* Notes who has seen it; one that no rule watches ends with that (and `alert` is gone). */
void alert_ack(struct controller *controller, struct msg_ui_alert *alert, const char *by,
               const char *note);

/* Whether a rule will clear alerts of this code when their cause is gone. */
bool rules_watch(const char *code);
void rules_tick(struct controller *controller); /* each second */

/* notify.c: tells the places that want it; `alert->cleared` says whether it begins or ends. */
void notify_alert(struct controller *controller, const struct msg_ui_alert *alert);
FLT_MUST_USE int notify_create(struct controller *controller);
void notify_destroy(struct controller *controller);
