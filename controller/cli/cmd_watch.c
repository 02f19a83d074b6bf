/* flotilla watch: what changes in the fleet, an event a line, as it happens. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

#define NAMES_MAX 64

struct seen {
    char key[80]; /* topic of a bot, node, alert */
    char word[48];
};

struct watch {
    struct session *session;
    struct filter filter;
    struct seen *seen;
    size_t count;
    bool settled; /* what was retained has been read: from now on everything is news */
};

/* True when `word` differs from what was last said there. */
static bool is_news(struct watch *watch, const char *key, const char *word)
{
    for (size_t i = 0; i < watch->count; i++) {
        struct seen *seen = &watch->seen[i];

        if (strcmp(seen->key, key) != 0)
            continue;
        const bool news = strcmp(seen->word, word) != 0;

        snprintf(seen->word, sizeof seen->word, "%s", word);
        return news;
    }
    struct seen *grown = realloc(watch->seen, (watch->count + 1) * sizeof *grown);

    if (!grown)
        return true;
    watch->seen = grown;
    snprintf(grown[watch->count].key, sizeof grown->key, "%s", key);
    snprintf(grown[watch->count++].word, sizeof grown->word, "%s", word);
    return watch->settled;
}

static void print_event(struct watch *watch, const char *kind, const char *name, const char *what,
                        const char *text, struct json_object *message)
{
    const struct cli *cli = watch->session->cli;
    int64_t ts_ms = 0;
    char iso[FLT_ISO_MAX];

    flt_json_int(message, "ts_ms", &ts_ms);
    if (cli->people) {
        printf("%s  %-5s %-20s %s%s%s\n", flt_iso_format(ts_ms, iso), kind, name, what,
               *text ? ": " : "", text);
    } else {
        struct json_object *row =
            args_of("kind", kind, "name", name, "what", what, "text", text, NULL);

        json_object_object_add(row, "ts_ms", json_object_new_int64(ts_ms));
        out_json(row);
        json_object_put(row);
    }
    if (fflush(stdout) != 0)
        flt_loop_stop(watch->session->loop); /* the reader is gone */
}

static bool is_wanted(const struct watch *watch, const char *bot, const char *node,
                      const char *phase)
{
    const struct cli *cli = watch->session->cli;
    const struct filter_row row = {
        .text = { [FILTER_BOT] = bot, [FILTER_NODE] = node, [FILTER_STATE] = phase }
    };

    if (!filter_match(&watch->filter, &row))
        return false;
    for (size_t i = 0; i < cli->parse.arg_count; i++)
        if (strcmp(cli_arg(cli, i), bot) == 0)
            return true;
    return cli->parse.arg_count == 0;
}

static void on_bot(struct watch *watch, const char *topic, struct json_object *state)
{
    char bot[64], node[64], phase[24], reason[200];

    out_text(state, "bot", bot, sizeof bot);
    out_text(state, "phase", phase, sizeof phase);
    out_text(state, "reason.message", reason, sizeof reason);
    snprintf(node, sizeof node, "%.*s", (int)strcspn(topic + 2, "/"), topic + 2);
    if (is_wanted(watch, bot, node, phase) && is_news(watch, topic, phase))
        print_event(watch, "bot", bot, phase, reason, state);
}

static void on_topic(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    struct watch *watch = ctx;
    const bool all =
        !cli_has(watch->session->cli, "selector") && watch->session->cli->parse.arg_count == 0;
    struct json_object *tree = flt_json_parse(message->payload, message->payload_size, NULL);
    const size_t length = strlen(topic);
    char name[96], what[48], text[256];

    if (tree && length > 6 && strcmp(topic + length - 6, "/state") == 0 && topic[0] == 'n') {
        on_bot(watch, topic, tree);
    } else if (tree && all && length > 9 && strcmp(topic + length - 9, "/presence") == 0) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(topic + 2, "/"), topic + 2);
        if (is_news(watch, topic, out_text(tree, "state|word", what, sizeof what)))
            print_event(watch, "node", name, what, "", tree);
    } else if (tree && all && strncmp(topic, "ui/alert/", 9) == 0) {
        const bool cleared = json_object_get_boolean(flt_json_get(tree, "cleared"));

        snprintf(what, sizeof what, "%s", cleared ? "cleared" : "raised");
        if (is_news(watch, topic, what))
            print_event(watch, "alert", topic + 9, what,
                        out_text(tree, "message", text, sizeof text), tree);
    } else if (tree && all && strcmp(topic, "ctl/halt") == 0) {
        struct json_object *halts = flt_json_get(tree, "halts");

        snprintf(what, sizeof what, "%zu in force", halts ? json_object_array_length(halts) : 0);
        if (is_news(watch, topic, what))
            print_event(watch, "halt", "fleet", what, "", tree);
    }
    json_object_put(tree);
}

static void on_settled(void *ctx)
{
    struct watch *watch = ctx;

    watch->settled = true;
}

static void on_end(void *ctx, int signum)
{
    (void)signum;
    flt_loop_stop(ctx);
}

static int follow(struct watch *watch)
{
    static const char *const filters[] = { "n/+/b/+/state", "n/+/presence", "ui/alert/+",
                                           "ctl/halt" };
    struct session *session = watch->session;
    struct flt_timer *timer = NULL;
    int err = flt_timer_create(session->loop, on_settled, watch, &timer);

    for (size_t i = 0; i < FLT_COUNT(filters) && !err; i++)
        err = bus_subscribe(session->bus, filters[i]);
    if (!err)
        err = flt_loop_on_signal(session->loop, on_end, session->loop);
    if (!err) {
        flt_timer_start(timer, 500, 0);
        out_note(session->cli, "watching; Ctrl-C ends it");
        flt_loop_run(session->loop);
    }
    flt_timer_destroy(timer);
    return err;
}

int cmd_watch(struct cli *cli)
{
    struct session session = { .on_message = on_topic };
    struct watch watch = { .session = &session };
    const char *query = cli_flag(cli, "selector");
    struct json_object *rows = NULL;
    int err = filter_compile(&watch.filter, query ? query : "", &cli->error);

    session.ctx = &watch;
    for (size_t i = 0; i < watch.filter.term_count && !err; i++)
        if (watch.filter.terms[i].field >= FILTER_BOT &&
            watch.filter.terms[i].field != FILTER_NODE &&
            watch.filter.terms[i].field != FILTER_BOT &&
            watch.filter.terms[i].field != FILTER_STATE)
            err = CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "selector", "for all fields: flotilla top -l",
                           "watch knows a bot's name, node and state only: %.128s", query);
    if (!err)
        err = session_open(&session, cli);
    if (!err && cli->parse.arg_count && !bots_selected(cli))
        err = bots_select(&session, &rows); /* a name that is none would be waited for for ever */
    json_object_put(rows);
    if (!err)
        err = follow(&watch);
    session_close(&session);
    free(watch.seen);
    return err;
}
