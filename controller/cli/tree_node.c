/* Rows of `flotilla node` and `flotilla broker`. */
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag broker_flags[] = {
    { .name = "port",
      .value = "PORT",
      .help = "on 127.0.0.1 (default: the last one, else a free one)" },
    CLI_END,
};

const struct cli_command cli_broker_commands[] = {
    { .name = "config",
      .help = "write DIR/broker/mosquitto.conf and the first logins",
      .run = cmd_broker_config,
      .flags = broker_flags },
    { .name = "run",
      .help = "the same, then run mosquitto in the foreground",
      .run = cmd_broker_run,
      .flags = broker_flags },
    { .name = "passwd",
      .args = "USER",
      .help = "a new password while the broker is stopped",
      .run = cmd_broker_passwd },
    CLI_END,
};

const struct cli_command cli_node_commands[] = {
    { .name = "ls", .help = "nodes, their state and load", .run = cmd_node_ls },
    { .name = "show",
      .args = "NODE",
      .help = "one node and its bots",
      .run = cmd_node_show,
      .live = "node" },
    CLI_END,
};
