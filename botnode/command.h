/* One-shot commands of the controller (c/<node>/cmd), as a table; each pairs with schemas/cmd/. */
#pragma once
#include "botnode/node.h"

/* Decodes, refuses (old term, expired, malformed), answers repeats from the journal's table, runs.
 */
void command_take(struct botnode *node, struct json_object *tree, bool retained);
/* After the journal was closed: what it still owed to commands on their way is not carried out. */
void commands_destroy(struct botnode *node);
