/* `flotilla exchange request|parse|stream|venues`: a venue's codec offline, for people who debug a
 * venue and for tests. Nothing is sent. Results on stdout, errors as {"error":{..}} on stderr. */
#pragma once
#include "lib/attr.h"

extern const char exchange_command_help[];

/* argv[0] is "exchange"; the exit code is that of lib/fail.h's table. */
int exchange_command(int argc, char **argv);
