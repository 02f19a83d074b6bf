/* A command's words, and what it asks of the person at the terminal. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "controller/cli/cli.h"

const char *cli_arg(const struct cli *cli, size_t index)
{
    return index < cli->parse.arg_count ? cli->parse.args[index] : NULL;
}

const char *cli_flag(const struct cli *cli, const char *name)
{
    return cli_parse_value(&cli->parse, name);
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_parse_has(&cli->parse, name);
}

const char *cli_nth(const struct cli *cli, const char *name, size_t index)
{
    return cli_parse_nth(&cli->parse, name, index);
}

int64_t cli_duration_ms(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "", 1000 },   { "ms", 1 },      { "s", 1000 },
                  { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    char *end;

    errno = 0;
    const long long count = strtoll(text, &end, 10);

    if (end == text || errno || count < 0 || count > 1000000000)
        return -1;
    for (size_t i = 0; i < FLT_COUNT(units); i++)
        if (strcmp(end, units[i].unit) == 0)
            return (int64_t)count * units[i].ms;
    return -1;
}

int cli_confirm(struct cli *cli, const char *question)
{
    char line[16];

    if (cli_has(cli, "yes") || !isatty(STDIN_FILENO))
        return 0;
    fprintf(stderr, "%s [y/N] ", question);
    if (fgets(line, sizeof line, stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return 0;
    return CLI_FAIL(cli, FLT_CONFLICT, "", "", "not confirmed; nothing was changed");
}

char *cli_read_secret(const char *prompt)
{
    struct termios was, quiet;
    const bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
    char *line = NULL;
    size_t size = 0;

    if (terminal) {
        fprintf(stderr, "%s: ", prompt);
        quiet = was;
        quiet.c_lflag &= (tcflag_t)~ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    const ssize_t length = getline(&line, &size, stdin);

    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
        fputc('\n', stderr);
    }
    if (length <= 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\r\n")] = 0;
    return line;
}
