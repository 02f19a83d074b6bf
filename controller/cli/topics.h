/* help TOPIC: what is not about one command. */
#pragma once
#include <stdio.h>
#include "controller/cli/command.h"

struct cli_topic {
    const char *name, *title;
    const char *text; /* NULL: made from a table */
};

const struct cli_topic *cli_topic_at(size_t index); /* NULL: no more */
const struct cli_topic *cli_topic_find(const char *name);
void cli_topic_print(FILE *file, const struct cli_topic *topic);

/* The manual page of the root or of one group (path "bot"), in roff. */
void cli_man(FILE *file, const struct cli_command *root, const char *group);
/* Every command with its flags, in Markdown: docs/cli-reference.md. */
void cli_markdown(FILE *file, const struct cli_command *root);
