/* flotilla-node: hosts trading bots. See docs/ARCHITECTURE.md, and node.h for the modules. */
#define FLT_MOD "node"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "botnode/node.h"
#include "lib/fail.h"

static const char HELP[] =
    "flotilla-node: hosts trading bots for one node of a fleet.\n"
    "\n"
    "  flotilla-node --config FILE [--log-level debug|info|warn|error]\n"
    "\n"
    "  --config FILE      JSON or YAML, see docs/reference/config.md (config/node)\n"
    "  --log-level LEVEL  default info; logs go to standard error\n"
    "  --help, --version\n"
    "\n"
    "Ends cleanly on SIGINT and SIGTERM: orders stay at the venue and are taken up again at the\n"
    "next start. `flotilla up` starts nodes; by hand is for nodes on other machines.\n";

static int complain(const struct flt_error *error)
{
    fprintf(stderr, "flotilla-node: %s%s%s\n", error->field, *error->field ? ": " : "",
            *error->message ? error->message : "could not start");
    if (*error->hint)
        fprintf(stderr, "  %s\n", error->hint);
    return flt_error_exit_code(error->code == FLT_OK ? FLT_INTERNAL : error->code);
}

static int run(const char *config)
{
    struct flt_error error = { 0 };
    struct botnode *node = NULL;
    int err;

    if (botnode_open(config, &error, &node))
        return complain(&error);
    err = botnode_run(node);
    botnode_close(node);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "log-level", required_argument, NULL, 'l' },
                                             { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'v' },
                                             { 0 } };
    const char *config = NULL;
    int option, level;

    while ((option = getopt_long(argc, argv, "c:hv", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'l':
            level = flt_log_level_parse(optarg);
            if (level < 0) {
                fprintf(stderr, "flotilla-node: no log level %s; debug, info, warn or error\n",
                        optarg);
                return 2;
            }
            flt_log_set_level((enum flt_log_level)level);
            break;
        case 'h':
            fputs(HELP, stdout);
            return 0;
        case 'v':
            puts("flotilla-node " FLT_VERSION);
            return 0;
        default:
            return 2;
        }
    }
    if (!config) {
        fputs("flotilla-node: --config FILE is missing; see --help\n", stderr);
        return 2;
    }
    return run(config);
}
