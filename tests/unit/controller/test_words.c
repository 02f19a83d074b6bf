/* Hints speak of verbs to programs and of commands to people, by the one command table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "controller/cli/cli.h"
#include "controller/cli/words.h"
#include "schemas_msg.h"

static void says(const char *text, const char *expected)
{
    char out[256];

    assert_string_equal(words_translate(text, out, sizeof out), expected);
}

static void a_verb_is_said_as_the_command_that_asks_it(void **ctx)
{
    (void)ctx;
    says("list them with bot-ls", "list them with flotilla bot ls");
    says("see node-ls: one must be up", "see flotilla node ls: one must be up");
    says("order-ls, log-ls and audit-ls", "flotilla orders, flotilla log and flotilla audit");
    says("compare with account-check", "compare with flotilla account check");
    says("bot-stop needs the role trader", "flotilla bot stop needs the role trader");
    says("stop it first, or say force", "stop it first, or say --force");
}

static void what_is_no_verb_stays_as_it_is(void **ctx)
{
    (void)ctx;
    says("there is no bot node-1", "there is no bot node-1");
    says("the halt of the status", "the halt of the status");
    says("see flotilla bot ls", "see flotilla bot ls");
    says("read /var/bot-ls or \"bot-ls\"", "read /var/bot-ls or \"bot-ls\"");
    says("fetch account-key and seal them again", "fetch account-key and seal them again");
    says("not-a-verb bot-", "not-a-verb bot-");
    says("", "");
}

static void what_does_not_fit_is_cut(void **ctx)
{
    char out[12];

    (void)ctx;
    assert_string_equal(words_translate("bot-ls bot-ls", out, sizeof out), "flotilla bo");
    assert_string_equal(words_translate("aaaaaaaaaaaaaaaa", out, sizeof out), "aaaaaaaaaaa");
}

static void every_verb_that_a_command_asks_is_one_of_the_contract(void **ctx)
{
    char path[CLI_PATH_MAX];
    size_t with_command = 0;

    (void)ctx;
    for (size_t i = 0; i < msg_verb_count; i++)
        with_command += words_command(msg_verbs[i].name, path);
    assert_true(with_command >= 45);
    assert_false(words_command("bot-lss", path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verb_is_said_as_the_command_that_asks_it),
        cmocka_unit_test(what_is_no_verb_stays_as_it_is),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(every_verb_that_a_command_asks_is_one_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
