/* Where a setting comes from. Weak to strong: built in, /etc/xdg/flotilla/config.json (each of
 * $XDG_CONFIG_DIRS), $XDG_CONFIG_HOME/flotilla/config.json, the context that is in use, environment
 * variables, flags. The files hold {"context": NAME, "contexts": {NAME: {...}}, and settings by
 * name}; never a secret: a context names a file with a password. */
#pragma once
#include <json-c/json.h>
#include "controller/cli/cli.h"

enum setting {
    SETTING_CONTEXT,
    SETTING_DIR,
    SETTING_URL,
    SETTING_TENANT,
    SETTING_USER,
    SETTING_PASSWORD_FILE,
    SETTING_CA_FILE,
    SETTING_OUTPUT,
    SETTING_COLOR,
    SETTING_TIMEOUT,
    SETTINGS
};

enum setting_origin { FROM_DEFAULT, FROM_SYSTEM, FROM_FILE, FROM_CONTEXT, FROM_ENV, FROM_FLAG };

/* Reads files, environment and cli's flags; -EINVAL and cli->error when a file is damaged, a value
 * cannot be, or the context is not there. Values live as long as the program. */
FLT_MUST_USE int settings_load(struct cli *cli);
const char *setting_get(enum setting setting); /* NULL: not set */
enum setting_origin setting_origin_of(enum setting setting);

const char *const *setting_keys(void); /* NULL ends */

int cmd_config_show(struct cli *cli);
int cmd_config_get(struct cli *cli);
int cmd_config_set(struct cli *cli);
int cmd_config_path(struct cli *cli);
int cmd_context_ls(struct cli *cli);
int cmd_context_show(struct cli *cli);
int cmd_context_add(struct cli *cli);
int cmd_context_use(struct cli *cli);
int cmd_context_rm(struct cli *cli);
/* Names of contexts, one a line, for completion. */
void contexts_complete(FILE *file, const char *prefix);
