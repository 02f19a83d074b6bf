/* Shared by settings.c (reading) and cmd_config.c (showing and writing). */
#pragma once
#include "controller/cli/settings.h"

struct setting_row {
    const char *key, *flag, *env, *fallback, *choices;
    bool in_context; /* may stand in a context */
};

struct setting_value {
    const char *text; /* NULL: not set */
    enum setting_origin origin;
    const char *where; /* a path, a variable, "flag", "built in" */
};

struct settings_file {
    char path[1024];
    struct json_object *tree; /* NULL: there is none */
};

extern const struct setting_row setting_rows[SETTINGS];
extern struct setting_value setting_values[SETTINGS];
extern struct settings_file settings_files[2];

int setting_find(const char *key); /* -1: no such setting */
int setting_unknown(struct cli *cli, const char *key, const char *where);
bool setting_in_choices(const char *choices, const char *word);
/* A context by name, the user's before the system's; `path`: of the file it is in. */
struct json_object *context_find(const char *name, const char **path);
