/* What differs between two documents, and what a request changed in words for the audit. */
#pragma once
#include "controller/request.h"

/* The keys in which `new` differs from `old` (either may be NULL), some levels deep, `old`'s first;
 * how many of `max`. Values are borrowed as text and cut. */
size_t changes_between(struct json_object *old, struct json_object *new,
                       struct msg_spec_change *list, size_t max);

/* Adds "key: old -> new" to what the audit will say (NULL: "-"). `about` is the bot when a request
 * changes several; NULL: its target. What does not fit ends in "; ...". Before request_keep(). */
void request_changed(struct request *request, const char *about, const char *key, const char *old,
                     const char *new);
void request_changed_int(struct request *request, const char *key, int64_t old, int64_t new);
/* Each key of the spec that differs, and run. */
void request_changed_bot(struct request *request, const char *about, const struct bot *old,
                         const struct msg_bot *spec, enum msg_run run);
