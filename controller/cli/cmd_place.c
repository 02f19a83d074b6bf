/* flotilla bot move and node drain with --wait: until each bot that was to move is held by another
 * node, and lives there. The controller's word is asked for again and again, as it alone says who
 * owns a bot. */
#define FLT_MOD "cli"
#include <errno.h>
#include <string.h>
#include "controller/cli/ask.h"
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "lib/json.h"

#define POLL_MS 250
#define WAIT_MS_DEFAULT 30000
#define LINES_MAX 40 /* more bots than this: no line for each */

struct moves {
    struct session *session;
    const char *from;
    struct json_object *left; /* names */
    struct json_object *rows; /* of the last look: types/bot_row */
    size_t count;
    int64_t start_ms, limit_ms;
    bool interrupted;
};

static int64_t now_ms(void)
{
    return flt_mono_ms(flt_clock_system());
}

static void on_signal(void *ctx, int signum)
{
    struct moves *moves = ctx;

    (void)signum;
    moves->interrupted = true;
    flt_loop_stop(moves->session->loop);
}

static struct json_object *row_of(const struct moves *moves, const char *bot)
{
    char name[64];

    for (size_t i = 0; moves->rows && i < json_object_array_length(moves->rows); i++) {
        struct json_object *row = json_object_array_get_idx(moves->rows, i);

        if (strcmp(out_text(row, "bot", name, sizeof name), bot) == 0)
            return row;
    }
    return NULL;
}

/* Held by another node, which has taken it up: not on its way, not asking the venue. */
static bool has_arrived(const struct moves *moves, struct json_object *row)
{
    char node[64], phase[24];
    bool claimed = false;

    flt_json_bool(row, "claimed", &claimed);
    out_text(row, "phase", phase, sizeof phase);
    return claimed && strcmp(out_text(row, "node", node, sizeof node), moves->from) != 0 &&
           strcmp(phase, "waiting") != 0 && strcmp(phase, "recovering") != 0;
}

static void say(const struct moves *moves, struct json_object *row, const char *bot, size_t done)
{
    char node[64], phase[24];

    if (moves->count <= LINES_MAX || done == moves->count)
        out_note(moves->session->cli, "%s %s on %s after %.1f s  (%zu of %zu)", bot,
                 out_text(row, "phase", phase, sizeof phase),
                 out_text(row, "node", node, sizeof node),
                 (double)(now_ms() - moves->start_ms) / 1e3, done, moves->count);
}

/* One look; a bot that was removed meanwhile is not waited for. */
static int look(struct moves *moves)
{
    struct json_object *result = NULL, *left = json_object_new_array();
    struct json_object *args = json_object_new_object();
    size_t done = moves->count - json_object_array_length(moves->left);

    if (json_object_array_length(moves->left) == 1)
        json_object_object_add(
            args, "filter",
            args_of("text", json_object_get_string(json_object_array_get_idx(moves->left, 0)),
                    NULL));
    int err = session_list(moves->session, "bot-ls", args, 0, &result);

    if (err) {
        json_object_put(left);
        return err;
    }
    json_object_put(moves->rows);
    moves->rows = json_object_get(flt_json_get(result, "items"));
    json_object_put(result);
    for (size_t i = 0; i < json_object_array_length(moves->left); i++) {
        struct json_object *name = json_object_array_get_idx(moves->left, i);
        const char *bot = json_object_get_string(name);
        struct json_object *row = row_of(moves, bot);

        if (row && !has_arrived(moves, row))
            json_object_array_add(left, json_object_get(name));
        else if (row)
            say(moves, row, bot, ++done);
        else
            done++;
    }
    json_object_put(moves->left);
    moves->left = left;
    return 0;
}

static int moves_result(const struct moves *moves)
{
    struct cli *cli = moves->session->cli;
    const size_t left = json_object_array_length(moves->left), done = moves->count - left;
    char node[64] = "", phase[24] = "", reason[160] = "", hint[128], others[64] = "";

    if (left == 0)
        return 0;
    const char *bot = json_object_get_string(json_object_array_get_idx(moves->left, 0));
    struct json_object *row = row_of(moves, bot);

    snprintf(hint, sizeof hint, "look again: flotilla bot show %s", bot);
    if (moves->interrupted) {
        cli->exit_code = CLI_EXIT_INTERRUPTED;
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "wait", hint,
                        "interrupted with %zu of %zu moved; the fleet goes on without this command",
                        done, moves->count);
    }
    cli->exit_code = done ? CLI_EXIT_PARTLY : 0;
    if (row) {
        out_text(row, "node", node, sizeof node);
        out_text(row, "phase", phase, sizeof phase);
        out_text(row, "reason.message", reason, sizeof reason);
    }
    if (left > 1)
        snprintf(others, sizeof others, "; %zu others are still to go", left - 1);
    return CLI_FAIL(cli, FLT_UNAVAILABLE, "wait", hint,
                    "%s is %s on %s after %.1f s%s%s%s; it goes on without this command", bot,
                    *phase ? phase : "not heard of", node, (double)moves->limit_ms / 1e3,
                    *reason ? ": " : "", reason, others);
}

/* `names` moves in. */
static int moves_wait(struct session *session, const char *from, struct json_object *names)
{
    struct cli *cli = session->cli;
    const char *text = cli_flag(cli, "wait");
    struct moves moves = { .session = session,
                           .from = from,
                           .left = names,
                           .count = json_object_array_length(names),
                           .start_ms = now_ms(),
                           .limit_ms = text ? cli_duration_ms(text) : WAIT_MS_DEFAULT };
    int err = flt_loop_on_signal(session->loop, on_signal, &moves);

    while (!err && json_object_array_length(moves.left)) {
        err = look(&moves);
        if (err || moves.interrupted || now_ms() - moves.start_ms >= moves.limit_ms)
            break;
        if (json_object_array_length(moves.left))
            err = session_pause(session, POLL_MS);
    }
    if (flt_loop_on_signal(session->loop, NULL, NULL) != 0 && !err)
        err = -EIO;
    err = err ? err : moves_result(&moves);
    json_object_put(moves.left);
    json_object_put(moves.rows);
    return err;
}

static int move_wait(struct session *session, struct json_object *result)
{
    struct json_object *names = json_object_new_array();
    char from[64];

    json_object_array_add(names, json_object_get(flt_json_get(result, "bot")));
    int err = moves_wait(session, out_text(result, "from", from, sizeof from), names);

    if (!err)
        json_object_object_add(result, "state", json_object_new_string("moved"));
    return err;
}

static int drain_wait(struct session *session, struct json_object *result)
{
    struct json_object *shown = NULL, *names = json_object_new_array();
    char node[64];
    int err =
        session_ask(session, "node-show",
                    args_of("node", out_text(result, "node", node, sizeof node), NULL), &shown);
    struct json_object *bots = flt_json_get(shown, "bots");

    for (size_t i = 0; bots && i < json_object_array_length(bots); i++)
        json_object_array_add(
            names, json_object_get(flt_json_get(json_object_array_get_idx(bots, i), "bot")));
    json_object_put(shown);
    if (err)
        json_object_put(names);
    else
        err = moves_wait(session, node, names);
    return err;
}

static int place(struct cli *cli, const struct ask *ask,
                 int (*wait)(struct session *session, struct json_object *result))
{
    struct session session = { 0 };
    struct json_object *result = NULL;

    if (!cli_has(cli, "wait") || cli_has(cli, "dry-run"))
        return ask_run(cli, ask);
    int err = ask_answer(cli, ask, &result);

    if (!err)
        err = session_open(&session, cli);
    if (!err)
        err = wait(&session, result);
    session_close(&session);
    if (!err)
        ask_show(cli, ask, result);
    json_object_put(result);
    return err;
}

int cmd_bot_move(struct cli *cli)
{
    return place(cli, &ask_bot_move, move_wait);
}

int cmd_node_drain(struct cli *cli)
{
    return place(cli, &ask_node_drain, drain_wait);
}
