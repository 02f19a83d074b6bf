/* The command line as one table: parsing, help, completion and the tests all read it.
 *
 * A row of struct cli_command is a command or a group of them. Words are matched from the root
 * down; flags may stand anywhere after the program's name, those of the command and the global ones
 * alike. Values are borrowed from argv. Nothing here does I/O except cli_help() and cli_complete().
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "lib/attr.h"
#include "lib/fail.h"

struct cli;

struct cli_flag {
    const char *name;    /* "node" is --node; NULL ends a list */
    char letter;         /* 'n' is -n; 0: none */
    const char *value;   /* what it takes, for help: "NODE"; NULL: a switch */
    const char *choices; /* "table|json": checked and completed; NULL: free text */
    const char *live;    /* what to complete: "file", "dir" or a kind of cli_complete_live() */
    bool repeated;       /* may stand more than once */
    bool optional;       /* --wait alone or --wait=30s */
    const char *help;    /* one line */
};

struct cli_command {
    const char *name;                   /* NULL ends a list */
    const char *args;                   /* "BOT", "[NAME]", "BOT...", "[NAME...]"; NULL: none */
    const char *help;                   /* one line */
    int (*run)(struct cli *cli);        /* NULL: a group */
    const struct cli_command *commands; /* of a group */
    const struct cli_flag *flags;       /* NULL: none of its own */
    const char *live;                   /* what its first argument completes to */
    const char *details;                /* a paragraph for --help; NULL: none */
    const char *examples;               /* lines for --help; NULL: none */
    const void *data;                   /* what `run` reads besides: struct ask of cmd_ask() */
    const char *verb; /* what it asks the controller, where neither its path nor `data` says so */
    bool raw;         /* what follows the name goes to `run` as it is: it reads its own arguments */
    bool hidden;      /* not in help */
    bool bare;        /* needs neither settings nor a fleet, so a damaged file does not stop it */
};

#define CLI_VALUES_MAX 64
#define CLI_PATH_MAX 64

struct cli_value {
    const struct cli_flag *flag;
    const char *text; /* NULL: a switch, or an optional value left out */
};

struct cli_parse {
    const struct cli_command *command; /* the deepest that was named */
    char path[CLI_PATH_MAX];           /* "bot deploy"; "" at the root */
    struct cli_value values[CLI_VALUES_MAX];
    size_t value_count;
    const char **args; /* positional arguments, in argv's place */
    size_t arg_count;
    bool help; /* --help was there: nothing else was checked */
};

extern const struct cli_flag cli_global_flags[];

/* `argv` without the program's name; reordered in place. -EINVAL: `error` says what and, where a
 * word is nearly right, which one was meant. */
FLT_MUST_USE int cli_parse(const struct cli_command *root, int argc, const char **argv,
                           struct cli_parse *out, struct flt_error *error);

/* The flag's last value; NULL: not given (or a switch: see cli_parse_has). */
const char *cli_parse_value(const struct cli_parse *parse, const char *flag);
bool cli_parse_has(const struct cli_parse *parse, const char *flag);
/* The value of its `index`-th occurrence; NULL: there are fewer. */
const char *cli_parse_nth(const struct cli_parse *parse, const char *flag, size_t index);

/* "bots" is `bot ls` of its group: the list's row; NULL: no plural of a group in it. */
const struct cli_command *cli_plural(const struct cli_command *group, const char *word);

/* The command at a path of words ("bot", "deploy"); NULL with `error` filled. */
const struct cli_command *cli_find(const struct cli_command *root, size_t count,
                                   const char *const *words, char path[CLI_PATH_MAX],
                                   struct flt_error *error);
void cli_help(FILE *file, const struct cli_command *command, const char *path);

/* Candidates for the last of `words` (it may be ""), one "word<TAB>help" a line. `live` prints
 * names that only a running fleet knows, and may be NULL. */
void cli_complete(FILE *file, const struct cli_command *root, size_t count,
                  const char *const *words,
                  void (*live)(void *ctx, FILE *file, const char *kind, const char *prefix),
                  void *ctx);
/* The script for `shell` (bash, zsh, fish) that asks `flotilla __complete`; NULL: no such shell. */
const char *cli_completion_script(const char *shell);
