/* The limits that people write (schemas/types/risk.json) are those that the engine keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "schemas_msg.h"
#include "engine/risk.h"

static void the_limits_are_those_of_the_schema(void **ctx)
{
    struct flt_error error = { 0 };
    struct json_object *tree = json_object_new_object();
    struct msg_risk out;

    (void)ctx;
    for (const struct field *field = risk_fields; field->name; field++) {
        const bool text = field->type == FIELD_DEC;

        json_object_object_add(tree, field->name,
                               text ? json_object_new_string("5") : json_object_new_int(1000));
    }
    json_object_object_add(tree, "price_band_pct", json_object_new_int(5));
    json_object_object_add(tree, "max_drawdown_pct", json_object_new_int(5));
    if (msg_risk_decode(tree, MSG_PEOPLE, &out, &error))
        fail_msg("%s: %s", error.field, error.message);
    msg_risk_finish(&out);
    json_object_put(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_limits_are_those_of_the_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
