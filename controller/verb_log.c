/* Logs: of a bot and of all bots of a node (asked of the node), and the controller's own, of which
 * the last lines are kept in memory. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "controller/request.h"
#include "lib/log.h"

#define PAGE_DEFAULT 200
#define BOTS_MAX 100
#define ASK_TTL_MS 3000
#define KEPT 1000

/* --- the controller's own
 * ---------------------------------------------------------------------------- */

struct own_log {
    const struct flt_clock *clock;
    size_t count; /* since the start */
    struct msg_log_line lines[KEPT];
};

static enum msg_log_level level_of(enum flt_log_level level)
{
    switch (level) {
    case FLT_LOG_DEBUG:
        return MSG_LOG_LEVEL_DEBUG;
    case FLT_LOG_INFO:
        return MSG_LOG_LEVEL_INFO;
    case FLT_LOG_WARN:
        return MSG_LOG_LEVEL_WARN;
    case FLT_LOG_ERROR:
    case FLT_LOG_OFF:
        break;
    }
    return MSG_LOG_LEVEL_ERROR;
}

/* "ts=... lvl=info mod=ingest ev=replay_asked node=a": the event, and what stands behind it. */
static void keep_line(void *ctx, enum flt_log_level level, const char *text)
{
    struct own_log *log = ctx;
    struct msg_log_line *line = &log->lines[log->count++ % KEPT];
    const char *event = strstr(text, " ev=");
    const size_t size = event ? strcspn(event + 4, " ") : 0;
    const char *rest = event ? event + 4 + size : text;

    memset(line, 0, sizeof *line);
    line->ts_ms = flt_wall_ms(log->clock);
    line->level = level_of(level);
    snprintf(line->source, sizeof line->source, "controller");
    snprintf(line->event, sizeof line->event, "%.*s", (int)(size < 47 ? size : 47),
             event ? event + 4 : "");
    snprintf(line->text, sizeof line->text, "%.255s", *rest == ' ' ? rest + 1 : rest);
}

int own_log_start(struct controller *controller)
{
    struct own_log *log = calloc(1, sizeof *log);

    if (!log)
        return -ENOMEM;
    log->clock = controller->clock;
    controller->log = log;
    flt_log_set_sink(keep_line, log);
    return 0;
}

void own_log_stop(struct controller *controller)
{
    if (!controller->log)
        return;
    flt_log_set_sink(NULL, NULL);
    free(controller->log);
    controller->log = NULL;
}

/* --- which lines
 * ------------------------------------------------------------------------------------ */

static bool is_wanted(const struct msg_log_line *line, const struct msg_log_ls_args *in)
{
    return (!in->has_level || line->level >= in->level) &&
           (!in->has_text || strcasestr(line->event, in->text) || strcasestr(line->text, in->text));
}

static int by_time(const void *a, const void *b)
{
    const struct msg_log_line *one = a, *two = b;

    return one->ts_ms != two->ts_ms ? (one->ts_ms < two->ts_ms ? -1 : 1)
                                    : strcmp(one->bot, two->bot);
}

/* Sorts, and leaves the last ones. */
static void finish_lines(struct msg_log_ls_result *out, const struct msg_log_ls_args *in)
{
    const size_t limit = in->has_limit ? (size_t)in->limit : PAGE_DEFAULT;

    if (out->items_count)
        qsort(out->items, out->items_count, sizeof *out->items, by_time);
    if (out->items_count > limit) {
        memmove(out->items, out->items + out->items_count - limit, limit * sizeof *out->items);
        out->items_count = limit;
    }
}

static int own_lines(const struct controller *controller, const struct msg_log_ls_args *in,
                     struct msg_log_ls_result *out)
{
    const struct own_log *log = controller->log;
    const size_t count = !log ? 0 : log->count < KEPT ? log->count : KEPT;

    out->items = calloc(count + 1, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct msg_log_line *line = &log->lines[(log->count - count + i) % KEPT];

        if (is_wanted(line, in))
            out->items[out->items_count++] = *line;
    }
    finish_lines(out, in);
    return 0;
}

/* --- of bots
 * ---------------------------------------------------------------------------------------- */

struct ask;

struct slot {
    struct ask *ask;
    char bot[FLT_NAME_MAX];
    struct msg_cmd_logs_result answer;
};

struct ask {
    struct request *request;
    struct msg_log_ls_args in;
    char node[FLT_NAME_MAX];
    struct slot slots[BOTS_MAX];
    size_t count, waiting, answered;
};

static void add_lines(struct msg_log_ls_result *out, const struct ask *ask, const struct slot *slot)
{
    for (size_t i = 0; i < slot->answer.lines_count; i++) {
        const struct msg_log_row *row = &slot->answer.lines[i];
        struct msg_log_line *line = &out->items[out->items_count];

        memset(line, 0, sizeof *line);
        line->ts_ms = row->ts_ms;
        line->level = row->level;
        snprintf(line->source, sizeof line->source, "node/%s", ask->node);
        line->has_bot = true;
        snprintf(line->bot, sizeof line->bot, "%s", slot->bot);
        snprintf(line->event, sizeof line->event, "%s", row->event);
        snprintf(line->text, sizeof line->text, "%s", row->text);
        out->items_count += is_wanted(line, &ask->in);
    }
}

static void finish_ask(struct ask *ask)
{
    struct msg_log_ls_result out = { 0 };
    struct flt_error error = { 0 };
    size_t lines = 0;

    for (size_t i = 0; i < ask->count; i++)
        lines += ask->slots[i].answer.lines_count;
    out.items = calloc(lines + 1, sizeof *out.items);
    for (size_t i = 0; out.items && i < ask->count; i++)
        add_lines(&out, ask, &ask->slots[i]);
    finish_lines(&out, &ask->in);
    if (ask->count && !ask->answered)
        (void)flt_error_set(&error, FLT_UNAVAILABLE, "", "see node-ls", "%s did not answer",
                            ask->node);
    else if (!out.items)
        (void)flt_error_set(&error, FLT_INTERNAL, "", "", "no memory for the lines");
    if (error.code == FLT_OK)
        request_answer(ask->request, &out);
    else
        request_refuse(ask->request, &error);
    for (size_t i = 0; i < ask->count; i++)
        msg_cmd_logs_result_finish(&ask->slots[i].answer);
    free(out.items);
    free(ask);
}

static void on_logs(struct controller *controller, void *ctx, const struct msg_n_res *res)
{
    struct slot *slot = ctx;
    struct ask *ask = slot->ask;

    (void)controller;
    if (res && !res->has_error &&
        msg_cmd_logs_result_decode(res->result, MSG_PROGRAM, &slot->answer, NULL) == 0)
        ask->answered++;
    if (--ask->waiting == 0)
        finish_ask(ask);
}

static int ask_node(struct request *request, const struct msg_log_ls_args *in, const char *node)
{
    struct controller *controller = request->controller;
    const struct msg_cmd_logs_args args = { .has_limit = true,
                                            .limit = in->has_limit ? in->limit : PAGE_DEFAULT };
    struct ask *ask = calloc(1, sizeof *ask);

    if (ask)
        ask->request = request_keep(request);
    if (!ask || !ask->request) {
        free(ask);
        return -ENOMEM;
    }
    ask->in = *in;
    snprintf(ask->node, sizeof ask->node, "%s", node);
    for (size_t i = 0; i < controller->inventory.bot_count && ask->count < BOTS_MAX; i++) {
        const struct bot *bot = controller->inventory.bots[i];

        if (!bot_listed(bot) || strcmp(bot->node, node) != 0 ||
            (in->has_bot && strcmp(bot->name, in->bot) != 0))
            continue;
        ask->slots[ask->count].ask = ask;
        snprintf(ask->slots[ask->count++].bot, FLT_NAME_MAX, "%s", bot->name);
    }
    ask->waiting = ask->count + 1;
    for (size_t i = 0; i < ask->count; i++)
        commands_send(controller, node, MSG_C_CMD_OP_LOGS, ask->slots[i].bot, &args, ASK_TTL_MS,
                      false, NULL, on_logs, &ask->slots[i]);
    if (--ask->waiting == 0)
        finish_ask(ask);
    return REQUEST_LATER;
}

HANDLER(verb_log_ls)
{
    const struct msg_log_ls_args *in = args;
    struct controller *controller = request->controller;
    const struct bot *bot = in->has_bot ? request_bot(request, in->bot, error) : NULL;
    const char *name = bot ? bot->node : in->has_node ? in->node : NULL;
    const struct node *node;

    if (in->has_bot && !bot)
        return -ENOENT;
    if (!name)
        return own_lines(controller, in, result);
    node = request_node(request, name, "node", error);
    if (!node)
        return -ENOENT;
    if (!node_is_up(node, controller_mono_ms(controller)))
        return flt_error_set(error, FLT_UNAVAILABLE, "node", "see node-ls", "%s is not up", name);
    return ask_node(request, in, name);
}
