#define FLT_MOD "cli"
#include "controller/cli/results.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "backtest/report.h"
#include "controller/cli/fleet.h"
#include "lib/config.h"

#define RUNS_MAX 100000

int results_make_dir(struct cli *cli, const char *name, char *out, size_t size)
{
    struct fleet fleet;
    struct flt_error error = { 0 };
    char parent[CLI_DIR_MAX + 16];

    if (fleet_load(cli->dir, &fleet, &error))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "out",
                        "for example --out result; in a fleet's folder results go to backtests/",
                        "a backtest needs --out DIR");
    (void)snprintf(parent, sizeof parent, "%s/backtests", cli->dir);
    int err = flt_mkdir_p(parent);

    for (unsigned n = 1; !err && n < RUNS_MAX; n++) {
        (void)snprintf(out, size, "%s/%s-%u", parent, name, n);
        if (mkdir(out, 0700) == 0)
            return 0;
        err = errno == EEXIST ? 0 : -errno;
    }
    return CLI_FAIL(cli, err ? flt_error_from_errno(err) : FLT_CONFLICT, "out",
                    "choose a folder with --out DIR", "%s: %s", parent,
                    err ? strerror(-err) : "too many results");
}

/* 0: not a terminal, and COLUMNS says nothing. */
static unsigned terminal_columns(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size = { 0 };

    if (isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

int results_print(struct cli *cli, const char *dir)
{
    const struct report_style style = { cli->color, terminal_columns(), stderr };

    return report_print(stdout, dir, &style, &cli->error);
}
