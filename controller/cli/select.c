/* Which bots a command means. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/bots.h"
#include "lib/json.h"

static const char *text_at(struct json_object *item, const char *path)
{
    struct json_object *found = out_path(item, path);

    return found ? json_object_get_string(found) : NULL;
}

void bots_filter_row(struct json_object *item, struct filter_row *out)
{
    static const struct {
        enum filter_field field;
        const char *path;
    } paths[] = {
        { FILTER_BOT, "bot" },           { FILTER_NODE, "node" },
        { FILTER_STRATEGY, "strategy" }, { FILTER_INSTRUMENT, "instrument" },
        { FILTER_STATE, "phase" },       { FILTER_ACCOUNT, "account" },
        { FILTER_VENUE, "venue" },       { FILTER_MODE, "mode" },
        { FILTER_RUN, "run" },           { FILTER_REASON, "reason.code" },
        { FILTER_EQUITY, "equity" },     { FILTER_REALISED, "realised" },
        { FILTER_POSITION, "position" }, { FILTER_PRICE, "price" },
        { FILTER_FILLS, "fills" },       { FILTER_ORDERS, "orders_open" },
        { FILTER_AGE, "age_ms" },
    };

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < FLT_COUNT(paths); i++)
        out->text[paths[i].field] = text_at(item, paths[i].path);
}

/* The parts of the filter that the controller can apply itself: fewer rows on the wire. */
static struct json_object *server_filter(const struct cli *cli, const char *word)
{
    struct json_object *args = json_object_new_object();
    struct json_object *filter =
        args_of("node", cli_flag(cli, "node"), "strategy", cli_flag(cli, "strategy"), "phase",
                cli_flag(cli, "phase"), "account", cli_flag(cli, "account"), "text", word, NULL);

    if (json_object_object_length(filter))
        json_object_object_add(args, "filter", filter);
    else
        json_object_put(filter);
    return args;
}

static int list_filtered(struct session *session, const char *word, const char *query,
                         struct json_object **out)
{
    struct cli *cli = session->cli;
    static struct filter filter;
    struct json_object *result = NULL, *kept;
    struct filter_row row;
    int err = filter_compile(&filter, query ? query : "", &cli->error);

    if (!err)
        err = session_list(session, "bot-ls", server_filter(cli, word), 0, &result);
    if (err)
        return err;
    struct json_object *items = flt_json_get(result, "items");

    kept = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);

        bots_filter_row(item, &row);
        if (filter_match(&filter, &row))
            json_object_array_add(kept, json_object_get(item));
    }
    json_object_put(result);
    *out = kept;
    return 0;
}

int bots_filtered(struct session *session, struct json_object **out)
{
    return list_filtered(session, cli_arg(session->cli, 0), cli_flag(session->cli, "selector"),
                         out);
}

bool bots_selected(const struct cli *cli)
{
    return cli_has(cli, "selector") || cli_has(cli, "all");
}

static struct json_object *find_row(struct json_object *items, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(items); i++) {
        struct json_object *item = json_object_array_get_idx(items, i);
        const char *bot = text_at(item, "bot");

        if (bot && strcmp(bot, name) == 0)
            return item;
    }
    return NULL;
}

static int no_bot(struct cli *cli, struct json_object *items, const char *name)
{
    const char *names[2000];
    char hint[96] = "see: flotilla bot ls";
    size_t count = 0;

    for (size_t i = 0; i < json_object_array_length(items) && count < FLT_COUNT(names); i++)
        names[count++] = text_at(json_object_array_get_idx(items, i), "bot");
    const char *near = flt_nearest(name, names, count);

    if (near)
        snprintf(hint, sizeof hint, "did you mean %s? see: flotilla bot ls", near);
    return CLI_FAIL(cli, FLT_NOT_FOUND, "bot", hint, "there is no bot %.64s", name);
}

/* Each named once, in the order given. */
static int pick_names(struct cli *cli, struct json_object *items, struct json_object *out)
{
    for (size_t i = 0; i < cli->parse.arg_count; i++) {
        struct json_object *row = find_row(items, cli_arg(cli, i));

        if (!row)
            return no_bot(cli, items, cli_arg(cli, i));
        if (!find_row(out, cli_arg(cli, i)))
            json_object_array_add(out, json_object_get(row));
    }
    return 0;
}

static int check_words(struct cli *cli)
{
    const bool names = cli->parse.arg_count > 0;
    const int ways = names + cli_has(cli, "selector") + cli_has(cli, "all");

    if (ways == 1)
        return 0;
    return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "arguments",
                    "for example: -l node=node-1,state=error",
                    ways ? "%s takes names, or -l FILTER, or --all: one of them"
                         : "%s needs the name of a bot, -l FILTER or --all",
                    cli->parse.path);
}

int bots_select(struct session *session, struct json_object **out)
{
    struct cli *cli = session->cli;
    struct json_object *items = NULL;
    int err = check_words(cli);

    if (!err)
        err = list_filtered(session, NULL, cli_flag(cli, "selector"), &items);
    if (err)
        return err;
    if (bots_selected(cli)) {
        *out = items;
        if (json_object_array_length(items))
            return 0;
        return CLI_FAIL(cli, FLT_NOT_FOUND, "bot", "see: flotilla bot ls; flotilla help filter",
                        cli_has(cli, "all") ? "there are no bots" : "no bot matches %.128s",
                        cli_flag(cli, "selector"));
    }
    *out = json_object_new_array();
    err = pick_names(cli, items, *out);
    json_object_put(items);
    return err;
}
