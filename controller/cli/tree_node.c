/* Rows of `flotilla node` and `flotilla broker`. */
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/tree.h"

static const struct cli_flag broker_flags[] = {
    { .name = "port",
      .value = "PORT",
      .help = "on 127.0.0.1 (default: the last one, else a free one)" },
    CLI_END,
};

static const struct cli_flag upgrade_flags[] = {
    { .name = "program",
      .value = "FILE",
      .live = "file",
      .help = "the new flotilla-node (default: the one beside this flotilla)" },
    { .name = "wait", .value = "TIME", .help = "for bots to run again (default 60s)" },
    CLI_FLAG_YES,
    CLI_END,
};
static const struct cli_flag listen_flags[] = {
    { .name = "address", .value = "ADDRESS", .help = "of this machine (default 0.0.0.0)" },
    { .name = "port", .value = "PORT", .help = "default 8883" },
    { .name = "tls-cert", .value = "FILE", .live = "file", .help = "certificate chain, PEM" },
    { .name = "tls-key", .value = "FILE", .live = "file", .help = "its private key, PEM" },
    { .name = "client-ca",
      .value = "FILE",
      .live = "file",
      .help = "ask clients for a certificate of this CA" },
    { .name = "plain", .help = "without TLS: only inside a VPN" },
    { .name = "off", .help = "only loopback again" },
    CLI_END,
};
static const struct cli_flag bridge_flags[] = {
    { .name = "node",
      .value = "NODE",
      .repeated = true,
      .help = "a node behind the bridge; once for each" },
    { .name = "url", .value = "URL", .help = "the other broker: mqtts://host:8883" },
    { .name = "ca-file", .value = "FILE", .live = "file", .help = "who signed its certificate" },
    { .name = "out",
      .value = "DIR",
      .live = "dir",
      .help = "make the whole folder of the site that the nodes are at, logins included" },
    { .name = "home",
      .value = "DIR",
      .help = "where that folder will be over there (default /var/lib/flotilla/NAME)" },
    { .name = "hub", .help = "the nodes are over there; this broker is the controller's" },
    { .name = "user", .value = "USER", .help = "login at the other broker (default: NAME)" },
    { .name = "password-file", .value = "FILE", .live = "file", .help = "its password" },
    { .name = "emqx", .help = "the other broker is not mosquitto" },
    { .name = "plain", .help = "without TLS: only inside a VPN" },
    { .name = "rm", .help = "remove the bridge" },
    CLI_END,
};
static const struct cli_flag login_flags[] = {
    { .name = "node",
      .value = "NODE",
      .repeated = true,
      .help = "a bridge that carries this node; once for each (none: a node's own login)" },
    { .name = "rm", .help = "remove it; its connection ends" },
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
    { .name = "listen",
      .help = "listen beyond loopback, with TLS, from the next start",
      .run = cmd_broker_listen,
      .flags = listen_flags,
      .examples = "flotilla broker listen --tls-cert /etc/flotilla/hub.pem --tls-key"
                  " /etc/flotilla/hub.key" },
    { .name = "bridge",
      .args = "NAME",
      .help = "carry nodes of another site, or towards EMQX",
      .run = cmd_broker_bridge,
      .flags = bridge_flags,
      .details = "With --out it asks this fleet's controller for the logins and makes a folder for"
                 " the other machine: copy it to --home there, then run flotilla broker run --dir"
                 " HOME and flotilla-node --config HOME/NODE/node.json. Without --out it writes the"
                 " bridge into this broker's own settings (login and password are given), from the"
                 " next start. Each topic goes one way only, so that nothing can go around.",
      .examples = "flotilla broker bridge berlin --node node-3 --url mqtts://hub.example:8883"
                  " --out berlin\n"
                  "flotilla broker bridge cloud --hub --emqx --node node-9 --url"
                  " mqtts://emqx.example:8883 --password-file cloud.password" },
    { .name = "login",
      .args = "NAME",
      .help = "a login for a node on another machine, or for a bridge; shows its password once",
      .run = cmd_broker_login,
      .verb = "login-add",
      .flags = login_flags,
      .examples = "flotilla broker login node-3" },
    CLI_END,
};

static const struct cli_flag yes_flags[] = { CLI_FLAG_YES, CLI_END };

static const struct cli_flag drain_flags[] = {
    CLI_FLAG_YES,
    { .name = "wait",
      .value = "TIME",
      .optional = true,
      .help = "until each of its bots lives on another node (default 30s)" },
    CLI_END,
};

const struct cli_command cli_node_commands[] = {
    { .name = "ls", .help = "nodes, their state and load", .run = cmd_node_ls },
    { .name = "show",
      .args = "NODE",
      .help = "one node and its bots",
      .run = cmd_node_show,
      .live = "node" },
    { .name = "drain",
      .args = "NODE",
      .help = "move its bots to other nodes, and place none there",
      .run = cmd_node_drain,
      .flags = drain_flags,
      .live = "node" },
    { .name = "undrain",
      .args = "NODE",
      .help = "bots may be placed there again",
      .run = cmd_ask,
      .live = "node",
      .data = &ask_node_undrain },
    { .name = "rm",
      .args = "NODE",
      .help = "forget a node that is gone and has no bots",
      .run = cmd_ask,
      .flags = yes_flags,
      .live = "node",
      .data = &ask_node_rm },
    { .name = "ping",
      .args = "NODE",
      .help = "does it speak at this broker? (a heartbeat within 5 s)",
      .run = cmd_node_ping,
      .live = "node" },
    { .name = "upgrade",
      .args = "NODE",
      .help = "another flotilla-node; the old one again if bots do not come back",
      .run = cmd_node_upgrade,
      .flags = upgrade_flags,
      .live = "node",
      .details = "For nodes that flotilla up runs here. The program is asked for its version, the"
                 " node is ended cleanly (orders stay at the venue and are taken up again), and"
                 " every bot that ran must run again within --wait; else the old program is put"
                 " back. The choice lasts until the next upgrade.",
      .examples = "flotilla node upgrade node-1 --program /opt/flotilla-0.2/bin/flotilla-node" },
    CLI_END,
};
