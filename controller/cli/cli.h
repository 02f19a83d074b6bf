/* What every command of `flotilla` gets: its parsed words, where the fleet is, how to print. */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>
#include "controller/cli/command.h"
#include "lib/attr.h"
#include "lib/fail.h"

#define CLI_DIR_MAX 1024

/* Exit codes beside those of the errors (lib/fail.h, docs/cli.md). */
enum {
    CLI_EXIT_PARTLY = 12,       /* some of several, or a warning of doctor or status */
    CLI_EXIT_INTERRUPTED = 130, /* Ctrl-C; what was asked goes on */
};

enum out_format { OUT_TABLE, OUT_WIDE, OUT_JSON, OUT_JSONL, OUT_CSV, OUT_NAME };

struct cli {
    struct cli_parse parse;
    struct flt_error error; /* why run() returned a negative errno */
    int exit_code;          /* of a run() that returned 0: doctor found something */
    enum out_format format; /* -o */
    bool json;              /* -o json or jsonl: a document instead of words */
    bool people;            /* -o table or wide: words and hints may stand around the data */
    bool color;
    size_t width; /* columns of the terminal that stdout is; 0: no terminal, nothing is cut */
    char dir[CLI_DIR_MAX]; /* absolute */
    const char *url;       /* of a broker elsewhere; NULL: the one of `dir` */
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
/* "500ms", "30s", "2m", "1h", "7d" or seconds; -1: not a duration. */
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
    COLUMN_NUMBER,    /* aligned by the decimal point */
    COLUMN_SIGNED,    /* a number whose sign is coloured */
    COLUMN_TIME,      /* Unix ms */
    COLUMN_AGE,       /* Unix ms, as "3m" */
    COLUMN_SPAN,      /* ms, as "3m" */
    COLUMN_BYTES,     /* as "1.5 MiB" */
    COLUMN_STATE,     /* a phase or state: coloured */
    COLUMN_WIDE = 64, /* | any of them: not in a plain table, but with -o wide, csv, --columns */
};

struct column {
    const char *title; /* NULL ends a list */
    const char *path;  /* "state.phase"; "a|b": the first that is there */
    unsigned kind;     /* enum column_kind */
};

/* The value at a path of keys ("state.phase|phase"); NULL: nothing there. */
struct json_object *out_path(struct json_object *item, const char *path);
/* The same as text, cleaned for a terminal (text.h); "" when missing. `out` is the caller's. */
char *out_text(struct json_object *item, const char *path, char *out, size_t size);

/* One document, a line; what a terminal could take for a command is escaped. */
void out_json(struct json_object *document);
void out_json_to(FILE *file, struct json_object *document);
/* `items` is an array, in any -o; with json the whole `document`. --columns, --sort and
 * --no-headers are obeyed; a column that is not there is cli->error, which ends the program as any
 * other. The first column names the row (-o name). */
void out_list(struct cli *cli, struct json_object *document, struct json_object *items,
              const struct column *columns);
/* One object as "key  value" lines with its lists as tables below (csv: "key,value"), or the
 * document. sheet.c */
void out_object(struct cli *cli, struct json_object *document);
/* A sentence for people on standard error; nothing with other -o than table and wide. */
FLT_PRINTF(2, 3) void out_note(const struct cli *cli, const char *format, ...);
void out_error(const struct cli *cli, const struct flt_error *error);

/* --- commands, one file a group
 * -------------------------------------------------------------------- */

extern const struct cli_command cli_root;
