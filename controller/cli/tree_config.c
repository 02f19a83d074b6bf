/* Rows of `flotilla config` and `flotilla context`. */
#include "controller/cli/settings.h"
#include "controller/cli/tree.h"

static const struct cli_flag show_flags[] = {
    { .name = "origin", .help = "also where each value comes from" },
    CLI_END,
};

#define KEYS "context|dir|url|tenant|user|password_file|ca_file|output|color|timeout"

const struct cli_command cli_config_commands[] = {
    { .name = "show",
      .help = "settings as this command line uses them",
      .run = cmd_config_show,
      .flags = show_flags,
      .details = "Weak to strong: built in, the system's file, your file, the context in use, "
                 "environment\n"
                 "variables (FLOTILLA_DIR, _USER, _CONTEXT, _OUTPUT, _TIMEOUT ...), flags." },
    { .name = "get",
      .args = "KEY",
      .help = "one setting",
      .run = cmd_config_get,
      .live = "setting" },
    { .name = "set",
      .args = "KEY [VALUE]",
      .help = "keep a setting in your file; without VALUE: forget it",
      .run = cmd_config_set,
      .live = "setting",
      .details = "Settings: " KEYS ".",
      .examples = "  flotilla config set output wide" },
    { .name = "path", .help = "where your file is", .run = cmd_config_path },
    CLI_END,
};

static const struct cli_flag add_flags[] = {
    { .name = "url",
      .value = "URL",
      .help = "a broker: mqtts://HOST:PORT (or --dir: a folder here)" },
    { .name = "tenant", .value = "NAME", .help = "with --url: whose fleet (default main)" },
    { .name = "password-file",
      .value = "FILE",
      .live = "file",
      .help = "holds the password of --user" },
    { .name = "ca-file",
      .value = "FILE",
      .live = "file",
      .help = "who vouches for the broker's certificate" },
    { .name = "use", .help = "and use it from now on" },
    CLI_END,
};

const struct cli_command cli_context_commands[] = {
    { .name = "ls", .help = "fleets that you know", .run = cmd_context_ls },
    { .name = "show",
      .args = "[NAME]",
      .help = "one of them (default: the one in use)",
      .run = cmd_context_show,
      .live = "context" },
    { .name = "add",
      .args = "NAME",
      .help = "know a fleet by a name: a folder (--dir) or a broker (--url)",
      .run = cmd_context_add,
      .flags = add_flags,
      .examples =
          "  flotilla context add home --dir ~/fleet --use\n"
          "  flotilla context add prod --url mqtts://broker.example.com:8883 --user ada \\\n"
          "      --password-file ~/.config/flotilla/prod.password" },
    { .name = "use",
      .args = "NAME",
      .help = "commands go there from now on",
      .run = cmd_context_use,
      .live = "context" },
    { .name = "rm",
      .args = "NAME",
      .help = "forget it; the fleet itself is left alone",
      .run = cmd_context_rm,
      .live = "context" },
    CLI_END,
};
