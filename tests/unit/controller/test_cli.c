/* The command table: parsing, typos, help and completion read the same rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/command.h"

static int nothing(struct cli *cli)
{
    (void)cli;
    return 0;
}

static const struct cli_flag deploy_flags[] = {
    { .name = "name", .letter = 'n', .value = "NAME", .help = "its name" },
    { .name = "param", .letter = 'p', .value = "K=V", .repeated = true, .help = "a parameter" },
    { .name = "live", .help = "real money" },
    { .name = "wait", .value = "TIME", .optional = true, .help = "until it runs" },
    { .name = "mode", .value = "MODE", .choices = "live|paper", .help = "how" },
    { .name = NULL },
};

static const struct cli_command bot_commands[] = {
    { .name = "deploy", .help = "a new bot", .run = nothing, .flags = deploy_flags },
    { .name = "rm", .args = "BOT...", .help = "remove bots", .run = nothing, .live = "bot" },
    { .name = "show", .args = "BOT [FIELD]", .help = "one bot", .run = nothing, .live = "bot" },
    { .name = "inner", .help = "not shown", .run = nothing, .hidden = true },
    { .name = NULL },
};

static const struct cli_command commands[] = {
    { .name = "bot", .help = "bots", .commands = bot_commands },
    { .name = "exchange", .help = "a venue", .run = nothing, .raw = true },
    { .name = NULL },
};

static const struct cli_command root = { .name = "flotilla", .help = "root", .commands = commands };

static int parse(struct cli_parse *out, struct flt_error *error, const char *line)
{
    static char copy[512];
    static const char *argv[32];
    int argc = 0;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " "))
        argv[argc++] = word;
    *error = (struct flt_error){ 0 };
    return cli_parse(&root, argc, argv, out, error);
}

static void flags_may_stand_anywhere_and_words_keep_their_order(void **ctx)
{
    struct cli_parse out;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(&out, &error, "--dir /x bot -o json show a --timeout=3s b"), 0);
    assert_string_equal(out.path, "bot show");
    assert_int_equal(out.arg_count, 2);
    assert_string_equal(out.args[0], "a");
    assert_string_equal(out.args[1], "b");
    assert_string_equal(cli_parse_value(&out, "dir"), "/x");
    assert_string_equal(cli_parse_value(&out, "output"), "json");
    assert_string_equal(cli_parse_value(&out, "timeout"), "3s");
}

static void repeated_flags_are_kept_in_order_and_optional_values_may_be_missing(void **ctx)
{
    struct cli_parse out;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(&out, &error, "bot deploy -p a=1 --param=b=2 --wait -nx --live"), 0);
    assert_string_equal(cli_parse_nth(&out, "param", 0), "a=1");
    assert_string_equal(cli_parse_nth(&out, "param", 1), "b=2");
    assert_null(cli_parse_nth(&out, "param", 2));
    assert_true(cli_parse_has(&out, "wait"));
    assert_null(cli_parse_value(&out, "wait"));
    assert_string_equal(cli_parse_value(&out, "name"), "x");
    assert_true(cli_parse_has(&out, "live"));
    assert_int_equal(parse(&out, &error, "bot deploy --wait=30s"), 0);
    assert_string_equal(cli_parse_value(&out, "wait"), "30s");
}

static void a_typo_names_the_word_that_was_meant(void **ctx)
{
    struct cli_parse out;
    struct flt_error error;

    (void)ctx;
    assert_true(parse(&out, &error, "bot depoly") < 0);
    assert_int_equal(error.code, FLT_INVALID_ARGUMENT);
    assert_non_null(strstr(error.hint, "bot deploy"));
    assert_true(parse(&out, &error, "bto deploy") < 0);
    assert_non_null(strstr(error.hint, "flotilla bot?"));
    assert_true(parse(&out, &error, "bot deploy --pram a=1") < 0);
    assert_non_null(strstr(error.hint, "--param"));
}

static void wrong_words_are_refused_each_with_its_reason(void **ctx)
{
    static const struct {
        const char *line, *reason;
    } rows[] = {
        { "bot", "bot needs a command" },
        { "bot rm", "bot rm needs BOT..." },
        { "bot show a b c", "one word too many: c" },
        { "bot deploy --mode=moon", "--mode is one of live|paper" },
        { "bot deploy --live=yes", "--live takes no value" },
        { "bot deploy --name", "--name needs a value" },
        { "bot deploy --name a --name b", "--name stands twice" },
        { "bot deploy -z", "unknown flag -z" },
        { "-o yaml bot show a", "--output is one of table|wide|json" },
    };
    struct cli_parse out;
    struct flt_error error;

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        assert_true(parse(&out, &error, rows[i].line) < 0);
        assert_non_null(strstr(error.message, rows[i].reason));
    }
}

static void help_wins_over_what_is_wrong_and_a_double_dash_ends_flags(void **ctx)
{
    struct cli_parse out;
    struct flt_error error;

    (void)ctx;
    assert_int_equal(parse(&out, &error, "bot show --help"), 0);
    assert_true(out.help);
    assert_string_equal(out.path, "bot show");
    assert_int_equal(parse(&out, &error, "bot rm -- --odd -x"), 0);
    assert_int_equal(out.arg_count, 2);
    assert_string_equal(out.args[0], "--odd");
    assert_int_equal(parse(&out, &error, "exchange request --venue binance"), 0);
    assert_int_equal(out.arg_count, 3);
    assert_string_equal(out.args[1], "--venue");
}

static void live_names(void *ctx, FILE *file, const char *kind, const char *prefix)
{
    (void)ctx;
    fprintf(file, "<%s %s>\n", kind, prefix);
}

static char *complete(const char *line)
{
    static char out[4096];
    char copy[256];
    const char *words[16];
    size_t count = 0;
    char *save = NULL;
    FILE *file = fmemopen(out, sizeof out, "w");

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
        words[count++] = strcmp(word, "''") == 0 ? "" : word;
    cli_complete(file, &root, count, words, live_names, NULL);
    fputc(0, file);
    fclose(file);
    return out;
}

static void completion_offers_what_can_stand_there(void **ctx)
{
    (void)ctx;
    assert_string_equal(complete("b"), "bot\tbots\n");
    assert_string_equal(complete("bot ''"), "deploy\ta new bot\nrm\tremove bots\nshow\tone bot\n");
    assert_non_null(strstr(complete("bot deploy --pa"), "--param\ta parameter\n"));
    assert_string_equal(complete("bot deploy --mode p"), "paper\t\n");
    assert_string_equal(complete("bot show gr"), "<bot gr>\n");
    assert_string_equal(complete("bot show x ''"), "");
    assert_string_equal(complete("bot rm x y"), "<bot y>\n");
    assert_string_equal(complete("--dir /t"), "<dir /t>\n");
}

static void help_shows_rows_flags_and_choices_but_nothing_hidden(void **ctx)
{
    static char out[8192];
    FILE *file = fmemopen(out, sizeof out, "w");

    (void)ctx;
    cli_help(file, &commands[0], "bot");
    cli_help(file, &bot_commands[0], "bot deploy");
    fputc(0, file);
    fclose(file);
    assert_non_null(strstr(out, "usage: flotilla bot COMMAND"));
    assert_non_null(strstr(out, "rm BOT..."));
    assert_non_null(strstr(out, "--wait[=TIME]"));
    assert_non_null(strstr(out, "how (live|paper)"));
    assert_null(strstr(out, "inner"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_may_stand_anywhere_and_words_keep_their_order),
        cmocka_unit_test(repeated_flags_are_kept_in_order_and_optional_values_may_be_missing),
        cmocka_unit_test(a_typo_names_the_word_that_was_meant),
        cmocka_unit_test(wrong_words_are_refused_each_with_its_reason),
        cmocka_unit_test(help_wins_over_what_is_wrong_and_a_double_dash_ends_flags),
        cmocka_unit_test(completion_offers_what_can_stand_there),
        cmocka_unit_test(help_shows_rows_flags_and_choices_but_nothing_hidden),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
