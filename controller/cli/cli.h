/* What every command of `flotilla` gets: its parsed words, where the fleet is, how to print. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "controller/cli/command.h"
#include "lib/attr.h"
#include "lib/fail.h"

#define CLI_DIR_MAX 1024

struct cli {
    struct cli_parse parse;
    struct flt_error error; /* why run() returned a negative errno */
    int exit_code;          /* of a run() that returned 0: doctor found something */
    bool json;              /* -o json */
    bool color;
    char dir[CLI_DIR_MAX]; /* absolute */
    const char *user;
    uint32_t timeout_ms;
};

/* `return CLI_FAIL(cli, FLT_NOT_FOUND, "bot", "see: flotilla bot ls", "no bot %s", name);` */
#define CLI_FAIL(cli, code, field, hint, ...)                                                      \
    flt_error_set(&(cli)->error, code, field, hint, __VA_ARGS__)

const char *cli_arg(const struct cli *cli, size_t index); /* NULL: fewer were given */
const char *cli_flag(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);
const char *cli_nth(const struct cli *cli, const char *name, size_t index);
/* "500ms", "30s", "2m", "1h" or seconds; -1: not a duration. */
int64_t cli_duration_ms(const char *text);
/* Asks on the terminal unless --yes; a script has nobody to ask. 0, or error filled. */
FLT_MUST_USE int cli_confirm(struct cli *cli, const char *question);
/* A line from the terminal without echo, else from standard input; freed (and wiped) by the caller.
 */
char *cli_read_secret(const char *prompt);

/* --- printing ------------------------------------------------------------------------------------
 */

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NUMBER, /* to the right */
    COLUMN_SIGNED, /* a number whose sign is coloured */
    COLUMN_TIME,   /* Unix ms */
    COLUMN_AGE,    /* Unix ms, as "3m" */
    COLUMN_STATE,  /* a phase or state: coloured */
};

struct column {
    const char *title; /* NULL ends a list */
    const char *path;  /* "state.phase"; "a|b": the first that is there */
    enum column_kind kind;
};

/* The value at a path of keys ("state.phase|phase"); NULL: nothing there. */
struct json_object *out_path(struct json_object *item, const char *path);
/* The same as text; "" when missing. `out` is the caller's. */
char *out_text(struct json_object *item, const char *path, char *out, size_t size);

void out_json(struct json_object *document);
/* `items` is an array; with -o json the whole `document` is printed instead. */
void out_list(const struct cli *cli, struct json_object *document, struct json_object *items,
              const struct column *columns);
/* One object as "key  value" lines, or the document. */
void out_object(const struct cli *cli, struct json_object *document);
/* A sentence for people on standard error; nothing with -o json. */
FLT_PRINTF(2, 3) void out_note(const struct cli *cli, const char *format, ...);
void out_error(const struct cli *cli, const struct flt_error *error);

/* --- commands, one file a group
 * -------------------------------------------------------------------- */

extern const struct cli_command cli_root;
