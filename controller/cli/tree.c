/* The table of every command: names, arguments, flags, help. Parsing, --help, completion and the
 * tests read it; what a row does is in cmd_*.c. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/cli.h"
#include "controller/cli/commands.h"

int cmd_version(struct cli *cli)
{
    if (cli->json)
        printf("{\"version\":\"%s\"}\n", FLT_VERSION);
    else
        printf("flotilla %s\n", FLT_VERSION);
    return 0;
}

int cmd_completion(struct cli *cli)
{
    const char *script = cli_completion_script(cli_arg(cli, 0));

    if (!script)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "shell", "one of bash, zsh, fish",
                        "no completion for %.64s", cli_arg(cli, 0));
    fputs(script, stdout);
    return 0;
}

int cmd_help(struct cli *cli)
{
    char path[CLI_PATH_MAX];
    const struct cli_command *command =
        cli_find(&cli_root, cli->parse.arg_count, cli->parse.args, path, &cli->error);

    if (!command)
        return -EINVAL;
    cli_help(stdout, command, path);
    return 0;
}

int cmd_complete(struct cli *cli)
{
    const size_t skip = cli->parse.arg_count && strcmp(cli->parse.args[0], "--") == 0;

    cli_complete(stdout, &cli_root, cli->parse.arg_count - skip, cli->parse.args + skip, NULL, cli);
    return 0;
}

static const struct cli_flag broker_flags[] = {
    { .name = "port", .value = "PORT", .help = "on 127.0.0.1 (default: the last one, else a free one)" },
    { .name = NULL },
};

static const struct cli_command broker_commands[] = {
    { .name = "config", .help = "write DIR/broker/mosquitto.conf and the first logins",
      .run = cmd_broker_config, .flags = broker_flags },
    { .name = "run", .help = "the same, then run mosquitto in the foreground",
      .run = cmd_broker_run, .flags = broker_flags },
    { .name = "passwd", .args = "USER", .help = "a new password while the broker is stopped",
      .run = cmd_broker_passwd },
    { .name = NULL },
};

static const struct cli_command commands[] = {
    { .name = "broker", .help = "the MQTT broker: configuration, first logins, run it alone",
      .commands = broker_commands },
    { .name = "version", .help = "the program's version", .run = cmd_version },
    { .name = "completion", .args = "SHELL", .help = "completion script for bash, zsh or fish",
      .run = cmd_completion,
      .examples = "  source <(flotilla completion bash)\n  flotilla completion fish | source" },
    { .name = "help", .args = "[COMMAND...]", .help = "help on a command", .run = cmd_help },
    { .name = "__complete", .help = "candidates for the shells", .run = cmd_complete, .raw = true,
      .hidden = true },
    { .name = NULL },
};

const struct cli_command cli_root = {
    .name = "flotilla",
    .help = "flotilla runs a fleet of trading bots over MQTT",
    .commands = commands,
    .examples = "  flotilla up --demo              a fleet that trades recorded data, in seconds\n"
                "  flotilla bot ls                 what runs where, and what it earned\n"
                "  flotilla halt --reason drill    everything stops trading",
};
