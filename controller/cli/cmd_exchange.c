/* flotilla exchange: reads its own words (exchanges/cli.h), as its options mean nothing elsewhere.
 */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/commands.h"
#include "exchanges/cli.h"

int cmd_exchange(struct cli *cli)
{
    const size_t count = cli->parse.arg_count;
    char **argv = calloc(count + 2, sizeof *argv);
    bool whole = argv != NULL;

    if (whole)
        argv[0] = strdup("exchange");
    for (size_t i = 0; whole && i < count; i++)
        argv[i + 1] = strdup(cli->parse.args[i]);
    for (size_t i = 0; whole && i <= count; i++)
        whole = argv[i] != NULL;
    if (whole)
        cli->exit_code = exchange_command((int)count + 1, argv);
    for (size_t i = 0; argv && i <= count; i++)
        free(argv[i]);
    free(argv);
    return whole ? 0 : -ENOMEM;
}
