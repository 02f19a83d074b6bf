/* Rights: what the roles' lists say, and that they agree with the contract. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/mqtt.h"
#include "lib/roles.h"
#include "schemas_msg.h"

static struct json_object *role(enum flt_role_kind kind, const char *name)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *tree;

    flt_role_write(&buf, "main", kind, name);
    assert_false(buf.failed);
    tree = flt_json_parse(buf.data, buf.length, NULL);
    assert_non_null(tree);
    flt_buf_finish(&buf);
    return tree;
}

/* Whether a role has a right of this type whose topic is exactly `topic`. */
static bool has(struct json_object *tree, const char *type, const char *topic)
{
    struct json_object *acls = flt_json_get(tree, "acls");
    char full[128];

    snprintf(full, sizeof full, "flt/v1/main/%s", topic);
    for (size_t i = 0; i < json_object_array_length(acls); i++) {
        struct json_object *acl = json_object_array_get_idx(acls, i);
        const char *has_type, *has_topic;
        bool allow = false;

        assert_true(flt_json_str(acl, "acltype", &has_type) &&
                    flt_json_str(acl, "topic", &has_topic) && flt_json_bool(acl, "allow", &allow));
        assert_true(allow); /* what is not listed is denied by default */
        if (strcmp(type, has_type) == 0 && strcmp(full, has_topic) == 0)
            return true;
    }
    return false;
}

static void every_verb_of_the_contract_has_the_role_its_schema_names(void **ctx)
{
    size_t count;
    const struct flt_verb *verbs = flt_verbs(&count);

    (void)ctx;
    assert_int_equal(count, msg_verb_count);
    for (size_t i = 0; i < count; i++) {
        bool found = false;

        for (size_t k = 0; k < msg_verb_count; k++)
            if (strcmp(verbs[i].name, msg_verbs[k].name) == 0) {
                found = true;
                assert_int_equal((int)verbs[i].least, (int)msg_verbs[k].role);
            }
        assert_true(found);
    }
}

static void a_viewer_may_ask_and_a_trader_may_act(void **ctx)
{
    (void)ctx;
    assert_true(flt_verb_allowed("bot-ls", FLT_ROLE_VIEWER));
    assert_false(flt_verb_allowed("bot-stop", FLT_ROLE_VIEWER));
    assert_true(flt_verb_allowed("bot-stop", FLT_ROLE_TRADER));
    assert_false(flt_verb_allowed("user-add", FLT_ROLE_TRADER));
    assert_true(flt_verb_allowed("user-add", FLT_ROLE_ADMIN));
    assert_false(flt_verb_allowed("launch", FLT_ROLE_ADMIN));
    assert_false(flt_verb_allowed("bot-ls", FLT_ROLE_NODE)); /* a node is nobody's user */
}

static void a_user_publishes_only_listed_verbs_under_the_own_name(void **ctx)
{
    struct json_object *viewer = role(FLT_ROLE_VIEWER, "eve");
    struct json_object *admin = role(FLT_ROLE_ADMIN, "ada");

    (void)ctx;
    assert_true(has(viewer, "publishClientSend", "u/eve/req/bot-ls"));
    assert_false(has(viewer, "publishClientSend", "u/eve/req/bot-stop"));
    assert_false(has(viewer, "publishClientSend", "u/eve/req/+"));
    assert_false(has(viewer, "publishClientSend", "u/eve/sig/+"));
    assert_true(has(viewer, "subscribePattern", "u/eve/res/#"));
    assert_true(has(viewer, "publishClientReceive", "n/+/b/+/#"));
    assert_true(has(admin, "publishClientSend", "u/ada/req/+"));
    json_object_put(viewer);
    json_object_put(admin);
}

static void a_node_publishes_only_below_itself(void **ctx)
{
    struct json_object *node = role(FLT_ROLE_NODE, "node-7");
    struct json_object *acls = flt_json_get(node, "acls");

    (void)ctx;
    for (size_t i = 0; i < json_object_array_length(acls); i++) {
        struct json_object *acl = json_object_array_get_idx(acls, i);
        const char *type, *topic;

        assert_true(flt_json_str(acl, "acltype", &type) && flt_json_str(acl, "topic", &topic));
        if (strcmp(type, "publishClientSend") == 0)
            assert_string_equal(topic, "flt/v1/main/n/node-7/#");
    }
    assert_true(has(node, "publishClientReceive", "c/node-7/#"));
    json_object_put(node);
}

static void a_create_names_role_and_client_and_echoes_the_id(void **ctx)
{
    struct flt_buf buf = FLT_BUF_INIT;
    const char *text;

    (void)ctx;
    flt_dynsec_create(&buf, "main", FLT_ROLE_TRADER, "tom", "secret", "c1");
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    struct json_object *commands = flt_json_get(tree, "commands");

    assert_int_equal(json_object_array_length(commands), 3); /* role, client, password */
    struct json_object *client = json_object_array_get_idx(commands, 1);

    assert_true(flt_json_str(client, "username", &text));
    assert_string_equal(text, "tom");
    assert_true(flt_json_str(client, "correlationData", &text));
    assert_string_equal(text, "c1");
    assert_true(flt_json_str(json_object_array_get_idx(flt_json_get(client, "roles"), 0),
                             "rolename", &text));
    assert_string_equal(text, "user-tom");
    json_object_put(tree);
    flt_buf_finish(&buf);
}

static void a_bridge_speaks_for_its_nodes_alone(void **ctx)
{
    static const char *const nodes[] = { "node-3", "node-4" };
    struct flt_buf buf = FLT_BUF_INIT;
    size_t sends = 0;

    (void)ctx;
    flt_dynsec_create_bridge(&buf, "main", "berlin", nodes, 2, "secret", "c1");
    struct json_object *tree = flt_json_parse(buf.data, buf.length, NULL);
    struct json_object *create = json_object_array_get_idx(flt_json_get(tree, "commands"), 0);
    struct json_object *acls = flt_json_get(create, "acls");

    for (size_t i = 0; i < json_object_array_length(acls); i++) {
        const char *type = "", *topic = "";

        (void)flt_json_str(json_object_array_get_idx(acls, i), "acltype", &type);
        (void)flt_json_str(json_object_array_get_idx(acls, i), "topic", &topic);
        if (strcmp(type, "publishClientSend") != 0)
            continue;
        sends++;
        assert_true(strcmp(topic, "flt/v1/main/n/node-3/#") == 0 ||
                    strcmp(topic, "flt/v1/main/n/node-4/#") == 0);
    }
    assert_int_equal(sends, 2);
    assert_true(has(create, "publishClientReceive", "c/node-4/#"));
    assert_false(has(create, "publishClientReceive", "c/node-5/#"));
    json_object_put(tree);
    flt_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_verb_of_the_contract_has_the_role_its_schema_names),
        cmocka_unit_test(a_viewer_may_ask_and_a_trader_may_act),
        cmocka_unit_test(a_user_publishes_only_listed_verbs_under_the_own_name),
        cmocka_unit_test(a_node_publishes_only_below_itself),
        cmocka_unit_test(a_create_names_role_and_client_and_echoes_the_id),
        cmocka_unit_test(a_bridge_speaks_for_its_nodes_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
