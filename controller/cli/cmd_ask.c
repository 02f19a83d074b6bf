#define FLT_MOD "cli"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/commands.h"
#include "controller/cli/session.h"
#include "lib/json.h"

int cli_limit(struct cli *cli, size_t missing, size_t *out)
{
    const char *text = cli_flag(cli, "limit");
    char *end = NULL;
    const long value = text ? strtol(text, &end, 10) : (long)missing;

    if ((text && (*end || !*text)) || value < 1 || value > 1000000)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "limit", "for example -n 50",
                        "--limit is a number of 1 to 1000000, not %.64s", text);
    *out = (size_t)value;
    return 0;
}

static const char *given(const struct cli *cli, const struct ask_arg *arg)
{
    return arg->from[0] == '#' ? cli_arg(cli, (size_t)(arg->from[1] - '0'))
                               : cli_flag(cli, arg->from);
}

static int add_number(struct cli *cli, const struct ask_arg *arg, const char *text,
                      struct json_object *args)
{
    char *end;

    errno = 0;
    const long long value = strtoll(text, &end, 10);

    if (!*text || *end || errno)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, arg->key, "", "not a whole number: %.64s", text);
    json_object_object_add(args, arg->key, json_object_new_int64(value));
    return 0;
}

static int add_seconds(struct cli *cli, const struct ask_arg *arg, const char *text,
                       struct json_object *args)
{
    const int64_t ms = cli_duration_ms(text);

    if (ms < 1000)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, arg->from, "for example 30s, 12h, 30d",
                        "not a duration of a second or more: %.64s", text);
    json_object_object_add(args, arg->key, json_object_new_int64(ms / 1000));
    return 0;
}

int cli_since(struct cli *cli, const char *flag, struct json_object *args, const char *key)
{
    const char *text = cli_flag(cli, flag);
    int64_t ms = cli_duration_ms(text);

    /* A bare number is Unix ms, as in every output; a duration has its unit. */
    if (ms >= 0 && strspn(text, "0123456789") != strlen(text)) {
        ms = flt_wall_ms(flt_clock_system()) - ms;
    } else {
        int err = cli_time_flag(cli, flag, 0, &ms);

        if (err)
            return err;
    }
    json_object_object_add(args, key, json_object_new_int64(ms));
    return 0;
}

static int add_arg(struct cli *cli, const struct ask_arg *arg, struct json_object *args)
{
    const char *text = given(cli, arg);

    if (arg->kind == ASK_TRUE || arg->kind == ASK_FALSE) {
        if (arg->from[0] == '=' || cli_has(cli, arg->from))
            json_object_object_add(args, arg->key, json_object_new_boolean(arg->kind == ASK_TRUE));
        return 0;
    }
    text = text ? text : arg->missing;
    if (!text)
        return 0;
    switch (arg->kind) {
    case ASK_INT:
        return add_number(cli, arg, text, args);
    case ASK_SECONDS:
        return add_seconds(cli, arg, text, args);
    case ASK_AGO:
        return cli_since(cli, arg->from, args, arg->key);
    case ASK_TEXT:
    case ASK_TRUE:
    case ASK_FALSE:
        break;
    }
    json_object_object_add(args, arg->key, json_object_new_string(text));
    return 0;
}

void ask_show(struct cli *cli, const struct ask *ask, struct json_object *result)
{
    struct json_object *inner = ask->items ? flt_json_get(result, ask->items) : result;

    if (ask->columns)
        out_list(cli, result, inner, ask->columns);
    else
        out_object(cli, cli->json || !inner ? result : inner);
    if (ask->note && !cli_has(cli, "wait"))
        out_note(cli, "%s", ask->note);
}

int ask_answer(struct cli *cli, const struct ask *ask, struct json_object **result)
{
    struct json_object *args = json_object_new_object();
    size_t limit = 0;
    int err = 0;

    for (size_t i = 0; i < ASK_ARGS_MAX && ask->args[i].from && !err; i++)
        err = add_arg(cli, &ask->args[i], args);
    if (!err && ask->limit)
        err = cli_limit(cli, ask->limit, &limit);
    if (!err && ask->question && !cli_has(cli, "dry-run"))
        err = cli_confirm(cli, ask->question);
    if (err) {
        json_object_put(args);
        return err;
    }
    return ask->limit ? list_once(cli, ask->verb, args, limit, result)
                      : ask_once(cli, ask->verb, args, result);
}

int ask_run(struct cli *cli, const struct ask *ask)
{
    struct json_object *result = NULL;
    int err = ask_answer(cli, ask, &result);

    if (!err)
        ask_show(cli, ask, result);
    json_object_put(result);
    return err;
}

int cmd_ask(struct cli *cli)
{
    return ask_run(cli, cli->parse.command->data);
}
