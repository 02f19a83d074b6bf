/* One-shot commands of the controller (c/<node>/cmd), as a table; each pairs with schemas/cmd/. */
#pragma once
#include "botnode/node.h"

/* Decodes, refuses (old term, expired, malformed), answers repeats from the journal's table, runs.
 */
void command_take(struct botnode *node, struct json_object *tree, bool retained);
