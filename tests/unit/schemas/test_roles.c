#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "lib/roles.h"
#include "schemas/schemas_msg.h"

/* The broker's roles (lib/roles.c) and the contract must name the same verbs for the same people.
 */
static void the_brokers_roles_know_the_same_verbs(void **ctx)
{
    static const enum flt_role_kind kinds[] = { [MSG_ROLE_VIEWER] = FLT_ROLE_VIEWER,
                                                [MSG_ROLE_TRADER] = FLT_ROLE_TRADER,
                                                [MSG_ROLE_ADMIN] = FLT_ROLE_ADMIN };
    size_t count;
    const struct flt_verb *verbs = flt_verbs(&count);

    (void)ctx;
    assert_int_equal(count, msg_verb_count);
    for (size_t i = 0; i < count; i++) {
        const struct msg_verb *verb = msg_verb_find(verbs[i].name);

        if (!verb || kinds[verb->role] != verbs[i].least)
            fail_msg("%s differs", verbs[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_brokers_roles_know_the_same_verbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
