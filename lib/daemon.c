#define FLT_MOD "daemon"
#include "lib/daemon.h"

#include <getopt.h>
#include <stdio.h>

static void help(const struct flt_daemon *daemon)
{
    printf("%s: %s\n\n"
           "  %s --config FILE [--log-level LEVEL]\n\n"
           "  --config FILE      JSON or YAML; see docs/reference/config.md, %s\n"
           "  --log-level LEVEL  debug, info (default), warn, error or off; logs go to standard "
           "error\n"
           "  --help, --version\n%s%s",
           daemon->name, daemon->summary, daemon->name, daemon->config, *daemon->notes ? "\n" : "",
           daemon->notes);
}

static int set_level(const struct flt_daemon *daemon, const char *text)
{
    const int level = flt_log_level_parse(text);

    if (level < 0) {
        fprintf(stderr, "%s: no log level %s; debug, info, warn, error or off\n", daemon->name,
                text);
        return 2;
    }
    flt_log_set_level((enum flt_log_level)level);
    return 0;
}

int flt_daemon_fail(const struct flt_daemon *daemon, const struct flt_error *error)
{
    const bool known = error->code != FLT_OK;

    fprintf(stderr, "%s: %s%s%s\n", daemon->name, error->field, *error->field ? ": " : "",
            known ? error->message : "could not start; the lines above say why");
    if (*error->hint)
        fprintf(stderr, "  %s\n", error->hint);
    return flt_error_exit_code(known ? error->code : FLT_INTERNAL);
}

int flt_daemon_main(const struct flt_daemon *daemon, int argc, char **argv)
{
    static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                             { "log-level", required_argument, NULL, 'l' },
                                             { "help", no_argument, NULL, 'h' },
                                             { "version", no_argument, NULL, 'v' },
                                             { 0 } };
    const char *config = NULL;

    for (int option; (option = getopt_long(argc, argv, "c:hv", options, NULL)) != -1;) {
        if (option == 'c') {
            config = optarg;
        } else if (option == 'l') {
            if (set_level(daemon, optarg) != 0)
                return 2;
        } else if (option == 'h') {
            help(daemon);
            return 0;
        } else if (option == 'v') {
            printf("%s %s\n", daemon->name, FLT_VERSION);
            return 0;
        } else {
            return 2; /* getopt has said what it does not know */
        }
    }
    if (optind < argc || !config) {
        fprintf(stderr, "%s: %s; see --help\n", daemon->name,
                config ? "only options are taken" : "--config FILE is missing");
        return 2;
    }
    return daemon->run(config);
}
