/* What the bot commands share. */
#pragma once
#include "controller/cli/session.h"

/* Follows n/+/b/<bot>/state until a phase of `goals` (ends with NULL) is reported for `generation`
 * or a later one; --wait=TIME says how long (default 30s). Phase error ends it at once. */
FLT_MUST_USE int bot_wait(struct session *session, const char *bot, int64_t generation,
                          const char *const *goals);
