/* What the controller says for programs, in the words that people type: it names verbs ("list them
 * with bot-ls") and arguments ("say force"), the command line commands and flags. */
#pragma once
#include "controller/cli/command.h"

/* The path of the command that asks `verb` ("bot-ls": "bot ls", "order-ls": "orders"), from the
 * command table; false: none does. */
bool words_command(const char *verb, char path[CLI_PATH_MAX]);
/* `text` with every verb that has a command as "flotilla PATH". Returns `out`. */
char *words_translate(const char *text, char *out, size_t size);
