/* flotilla-node: hosts trading bots. See docs/ARCHITECTURE.md, and node.h for the modules. */
#define FLT_MOD "node"
#include <stdlib.h>
#include "botnode/node.h"
#include "lib/daemon.h"

static int run(const char *config);

static const struct flt_daemon program = {
    .name = "flotilla-node",
    .summary = "hosts trading bots for one node of a fleet",
    .config = "config/node",
    .notes = "Ends cleanly on SIGINT and SIGTERM: orders stay at the venue and are taken up again "
             "at the\n"
             "next start. `flotilla up` starts nodes; by hand is for nodes on other machines.\n",
    .run = run,
};

static int run(const char *config)
{
    struct flt_error error = { 0 };
    struct botnode *node = NULL;
    int err;

    if (botnode_open(config, &error, &node))
        return flt_daemon_fail(&program, &error);
    err = botnode_run(node);
    botnode_close(node);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    return flt_daemon_main(&program, argc, argv);
}
