/* The entry of each daemon: --config FILE, --log-level, --help, --version, and how a failure to
 * start is told. Exit status 2: wrong words; else flt_error_exit_code. */
#pragma once
#include "lib/attr.h"
#include "lib/fail.h"

struct flt_daemon {
    const char *name;                    /* "flotilla-node" */
    const char *summary;                 /* one line of --help */
    const char *config;                  /* its name in docs/reference/config.md: "config/node" */
    const char *notes;                   /* the last paragraph of --help; "" */
    int (*run)(const char *config_path); /* the exit status */
};

int flt_daemon_main(const struct flt_daemon *daemon, int argc, char **argv);
/* "name: field: sentence" and the hint below it, on standard error; the exit status. */
int flt_daemon_fail(const struct flt_daemon *daemon, const struct flt_error *error);
