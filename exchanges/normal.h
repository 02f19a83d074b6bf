/* Normalised objects as JSON: the names of docs and schemas, decimals as strings, ids as text,
 * times `ts_ms`, null for what is not known. `key` NULL: an item of an array. */
#pragma once
#include "exchanges/codec.h"

void normal_instrument(struct flt_buf *out, const char *key, const struct instrument *instrument);
void normal_order(struct flt_buf *out, const char *key, const struct order *order);
void normal_fill(struct flt_buf *out, const char *key, const struct fill *fill);
void normal_balance(struct flt_buf *out, const char *key, const struct balance *balance);
/* {"class":..,"code":..,"http_status":..,"message":..,"retry_after_ms":..} */
void normal_failure(struct flt_buf *out, const char *key, const struct exchange_failure *failure);
/* A whole reply: the object, the array, or {"error":{"class":..}}. */
void normal_result(struct flt_buf *out, const struct result *result);
/* {"event":"trade",...} */
void normal_event(struct flt_buf *out, const struct stream_event *event);
