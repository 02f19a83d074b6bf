/* What people see of a bot: the retained state topic, and live, order, fill and log topics while
 * somebody watches. */
#pragma once
#include "botnode/host.h"

void report_state(struct host *host); /* publishes now if the bus is up, else stays due */
void report_clear(struct botnode *node, const char *bot); /* a removed bot's retained topic */
void report_live(struct host *host);                      /* at most 4 a second */
void report_order(struct host *host, const struct bot_order *order, const char *reason);
void report_fill(struct host *host, const struct fill *fill);
void report_log(struct host *host, const struct host_log_row *row);
struct json_object *report_orders(struct host *host); /* {"orders":[...],"as_of_ms":..} */
struct json_object *report_logs(struct host *host, size_t limit);
