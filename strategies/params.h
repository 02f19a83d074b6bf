/* What a table of fields (strategies/strategy.h) makes: strict parsing of what people write,
 * defaults, JSON Schema for forms and the command line, and state saved and restored.
 *
 * Numbers may be JSON numbers or strings of digits; durations are milliseconds or text ("30s",
 * "5m", "1h", "2d"). A field with `count` above 1 takes an array of up to that many (the rest stays
 * zero) or one value. An unknown key is an error that names the nearest field.
 */
#pragma once
#include "lib/json.h"
#include "strategies/strategy.h"

/* Defaults, then `object` (NULL: none) over them, each value checked. `out` is the struct the
 * offsets point into, zeroed first. -EINVAL with `error` filled: field "levels", the reason, a
 * hint. */
FLT_MUST_USE int params_parse(const struct field *fields, struct json_object *object, void *out,
                              size_t out_size, struct flt_error *error);
/* As params_parse for running bots: -EBUSY when a field that is not hot would change. */
FLT_MUST_USE int params_update(const struct field *fields, struct json_object *object,
                               const void *now, void *out, size_t out_size,
                               struct flt_error *error);
/* {"type":"object","properties":{...},"required":[...],"additionalProperties":false}; titles,
 * units, hot and steps as "x-unit", "x-hot", "x-step", in the table's order ("x-order"). */
void params_schema(const struct field *fields, struct flt_buf *buf, const char *key);
/* All values by name; trailing zeros of arrays are left out. Doubles have 17 digits. */
void params_write(const struct field *fields, const void *values, struct flt_buf *buf,
                  const char *key);
/* Back into zeroed memory: unknown names are ignored, missing ones stay zero or default, so that a
 * state survives an upgrade that adds a field. -EINVAL: a value of the wrong type. */
FLT_MUST_USE int params_read(const struct field *fields, struct json_object *object, void *out,
                             size_t out_size, struct flt_error *error);
const struct field *params_find(const struct field *fields, const char *name); /* NULL: none */
