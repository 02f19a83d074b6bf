/* What the commands on bots share: which ones are meant, and waiting until they are what they
 * should be. */
#pragma once
#include "controller/cli/filter.h"
#include "controller/cli/session.h"

/* One bot of --wait. */
struct wait_bot {
    char name[33];
    int64_t generation; /* only words about this one or a later one count */
    char phase[24], reason[160];
    bool heard, reached, failed;
    bool halted; /* a halt holds it, whatever it should be */
};

/* Follows n/+/b/+/state until each of `bots` reports a phase of `goals` (ends with NULL);
 * --wait=TIME says how long (default 30s). Phase error ends one at once. Each that arrives is a
 * line on standard error. Ctrl-C says what goes on and where to look, exit code 130. */
FLT_MUST_USE int bots_wait(struct session *session, struct wait_bot *bots, size_t count,
                           const char *const *goals);

/* The rows (types/bot_row) that the command's words mean: names, -l FILTER or --all; `out` is an
 * array, put by the caller. FLT_NOT_FOUND names what is not there and the nearest there is; an
 * empty selection is FLT_NOT_FOUND too. */
FLT_MUST_USE int bots_select(struct session *session, struct json_object **out);
bool bots_selected(const struct cli *cli); /* by -l or --all, not by name */
/* Those of bot-ls that -l, --node, --strategy, --phase and a word keep. */
FLT_MUST_USE int bots_filtered(struct session *session, struct json_object **out);
/* A bot_row as the filter sees it; `age` is the caller's memory. */
void bots_filter_row(struct json_object *item, struct filter_row *out);

extern const struct column bot_columns[]; /* of bot-ls and node-show */

/* --live, --dry-run and --stopped into the arguments of bot-deploy or apply. */
void deploy_switches(struct cli *cli, struct json_object *args);
/* With --wait: until each of `rows` (types/deployed) runs, or is stopped with --stopped. */
FLT_MUST_USE int deploy_wait(struct session *session, struct json_object *rows);

/* A manifest's bots (an array, put by the caller); "-" is standard input. */
FLT_MUST_USE int manifest_load(struct cli *cli, const char *path, struct json_object **bots);
/* What differs between two specs: [{path, old, new}], empty when nothing does. */
struct json_object *manifest_changes(struct json_object *have, struct json_object *want);
/* Bots as a manifest in YAML that reads back the same. */
void manifest_print(FILE *file, struct json_object *bots);
/* Which line of a manifest's text a refusal's field means ("bots[2].params.levels"); 0: none. */
size_t manifest_line(const char *text, const char *field);
/* cli->error gets "name:line: " before its message. */
int manifest_refused(struct cli *cli, const char *name, const char *text);
/* "20", "true" and "[1,2]" as YAML would read a plain word; all else is text. */
struct json_object *manifest_value(const char *text);
