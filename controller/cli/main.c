/* flotilla: the command line. Reads its words by the table (tree.c), runs the row, prints errors.
 */
#define FLT_MOD "cli"
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "controller/cli/cli.h"
#include "controller/cli/settings.h"

/* The setting, else the XDG data folder; made absolute, as daemons keep it. */
static int choose_dir(struct cli *cli)
{
    const char *dir = setting_get(SETTING_DIR);
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    char cwd[CLI_DIR_MAX] = "";
    int size;

    if (dir && *dir && dir[0] != '/' && !getcwd(cwd, sizeof cwd))
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "dir", "", "the current folder is gone");
    if (dir && *dir)
        size = snprintf(cli->dir, sizeof cli->dir, "%s%s%s", cwd, *cwd ? "/" : "", dir);
    else if (data && *data)
        size = snprintf(cli->dir, sizeof cli->dir, "%s/flotilla", data);
    else
        size = snprintf(cli->dir, sizeof cli->dir, "%s/.local/share/flotilla", home ? home : "");
    if (size < 0 || (size_t)size >= sizeof cli->dir)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "dir", "", "the path of --dir is too long");
    for (size_t length = strlen(cli->dir); length > 1 && cli->dir[length - 1] == '/'; length--)
        cli->dir[length - 1] = 0;
    return 0;
}

static bool choose_color(const char *when)
{
    const char *term = getenv("TERM");
    const char *no_color = getenv("NO_COLOR");
    const char *force = getenv("CLICOLOR_FORCE");

    if (when && strcmp(when, "auto") != 0)
        return strcmp(when, "always") == 0;
    if (force && *force && strcmp(force, "0") != 0 && !(no_color && *no_color))
        return true;
    return isatty(STDOUT_FILENO) && isatty(STDERR_FILENO) && !(no_color && *no_color) &&
           !(term && strcmp(term, "dumb") == 0);
}

static void choose_format(struct cli *cli, const char *output)
{
    static const char *const names[] = { "table", "wide", "json", "jsonl", "csv", "name" };
    struct winsize size;

    for (size_t i = 0; output && i < FLT_COUNT(names); i++)
        if (strcmp(output, names[i]) == 0)
            cli->format = (enum out_format)i;
    cli->json = cli->format == OUT_JSON || cli->format == OUT_JSONL;
    cli->people = cli->format <= OUT_WIDE;
    cli->width =
        isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static int apply_globals(struct cli *cli)
{
    int err = settings_load(cli);

    if (err)
        return err;
    const char *timeout = setting_get(SETTING_TIMEOUT);
    const int64_t ms = cli_duration_ms(timeout);

    choose_format(cli, setting_get(SETTING_OUTPUT));
    cli->color = choose_color(setting_get(SETTING_COLOR));
    cli->user = setting_get(SETTING_USER);
    /* A folder that was named more closely than the address (a flag over a context) wins. */
    if (setting_get(SETTING_URL) &&
        setting_origin_of(SETTING_URL) >= setting_origin_of(SETTING_DIR))
        cli->url = setting_get(SETTING_URL);
    if (ms <= 0 || ms > 3600000)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "timeout", "for example 500ms, 10s, 2m",
                        "--timeout is not a duration between 1ms and 1h: %.64s", timeout);
    cli->timeout_ms = (uint32_t)ms;
    return choose_dir(cli);
}

/* Even when the words do not parse, an error should come in the format that was asked for. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "-ojson", 6) == 0 || strncmp(argv[i], "--output=json", 13) == 0)
            return true;
        if (i + 1 < argc && strncmp(argv[i + 1], "json", 4) == 0 &&
            (strcmp(argv[i], "-o") == 0 || strcmp(argv[i], "--output") == 0))
            return true;
    }
    return false;
}

static int run(struct cli *cli, int argc, const char **argv)
{
    int err = cli_parse(&cli_root, argc, argv, &cli->parse, &cli->error);

    if (err)
        return err;
    if (cli->parse.help) {
        cli_help(stdout, cli->parse.command, cli->parse.path);
        return 0;
    }
    if (cli_has(cli, "version")) {
        printf("flotilla %s\n", FLT_VERSION);
        return 0;
    }
    if (cli->parse.command->bare) {
        choose_format(cli, cli_flag(cli, "output"));
        return cli->parse.command->run(cli);
    }
    err = apply_globals(cli);
    if (!err && cli_flag(cli, "wait") && cli_duration_ms(cli_flag(cli, "wait")) <= 0)
        err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "wait", "for example --wait=30s",
                       "--wait is not a duration: %.64s", cli_flag(cli, "wait"));
    return err ? err : cli->parse.command->run(cli);
}

static int finish(struct cli *cli, int err)
{
    if (fflush(stdout) != 0 && errno == EPIPE)
        return 128 + SIGPIPE; /* as if the signal had ended us: the loop ignores it */
    if (!err && ferror(stdout)) {
        fprintf(stderr, "error: cannot write the answer: %s\n", strerror(errno));
        return flt_error_exit_code(FLT_INTERNAL);
    }
    if (!err && cli->error.code == FLT_OK)
        return cli->exit_code;
    if (cli->error.code == FLT_OK)
        flt_error_set(&cli->error, flt_error_from_errno(err), NULL, "more with FLOTILLA_LOG=debug",
                      "%s", strerror(-err));
    out_error(cli, &cli->error);
    return cli->exit_code ? cli->exit_code : flt_error_exit_code(cli->error.code);
}

int main(int argc, char **argv)
{
    static struct cli cli;
    const char *level = getenv("FLOTILLA_LOG");

    if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX == 1)
        setlocale(LC_CTYPE, "C.UTF-8"); /* for wcwidth(): what is printed is UTF-8 anyway */
    umask(077);
    flt_log_set_level(level && flt_log_level_parse(level) >= 0
                          ? (enum flt_log_level)flt_log_level_parse(level)
                          : FLT_LOG_OFF);
    cli.json = wants_json(argc, argv);
    cli.people = !cli.json;
    cli.color = choose_color(NULL);
    if (argc < 2) {
        cli_help(stdout, &cli_root, "");
        return 0;
    }
    const char **words = calloc((size_t)argc, sizeof *words);

    if (!words)
        return flt_error_exit_code(FLT_INTERNAL);
    for (int i = 1; i < argc; i++)
        words[i - 1] = argv[i];
    const int code = finish(&cli, run(&cli, argc - 1, words));

    free(words);
    return code;
}
