/* What a bot puts on its tape; engine/core.h includes it for the files that make a bot. */
#pragma once
#include "engine/tape.h"

void tape_hold(struct bot *bot, const struct bot_config *config);
void tape_put(struct bot *bot, struct tape_frame *frame); /* its time is put in */
void tape_put_answer(struct bot *bot, enum tape_kind kind, const char *coid,
                     const struct exchange_failure *failure, const struct order *order);
void tape_put_params(struct bot *bot, struct json_object *params, struct json_object *risk);
void tape_put_state(struct bot *bot, struct json_object *state);
