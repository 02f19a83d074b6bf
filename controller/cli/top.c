/* flotilla top: the loop, the terminal and the keys. What it changes on the terminal it takes back
 * on every way out, a crash included. */
#define FLT_MOD "cli"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "controller/cli/bots.h"
#include "controller/cli/commands.h"
#include "controller/cli/top.h"
#include "lib/json.h"

#define FRAME_MS 250
#define WATCH_EVERY_MS 30000

/* --- the terminal
 * ----------------------------------------------------------------------------------------- */

static struct termios terminal_was;
static int flags_was; /* libuv makes the terminal non-blocking for whoever shares it */
static volatile sig_atomic_t terminal_taken;

static const char enter_text[] = "\033[?1049h\033[?25l\033[?7l\033[2J";
static const char leave_text[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

/* Async-signal-safe: also called when the program dies. */
static void leave_terminal(void)
{
    if (!terminal_taken)
        return;
    terminal_taken = 0;
    ssize_t ignored = write(STDOUT_FILENO, leave_text, sizeof leave_text - 1);

    (void)ignored;
    fcntl(STDIN_FILENO, F_SETFL, flags_was);
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal_was);
}

static void on_death(int signum)
{
    leave_terminal();
    signal(signum, SIG_DFL);
    raise(signum);
}

static int enter_terminal(void)
{
    static const int deadly[] = { SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGHUP };
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &terminal_was) != 0)
        return -errno;
    flags_was = fcntl(STDIN_FILENO, F_GETFL) & ~O_NONBLOCK;
    raw = terminal_was;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | IEXTEN | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal_taken = 1;
    atexit(leave_terminal);
    for (size_t i = 0; i < FLT_COUNT(deadly); i++)
        signal(deadly[i], on_death);
    if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) != 0 ||
        write(STDOUT_FILENO, enter_text, sizeof enter_text - 1) < 0)
        return -errno;
    return 0;
}

static void fit_screen(struct top *top)
{
    struct winsize size = { .ws_row = 24, .ws_col = 80 };

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
    if (screen_resize(&top->screen, size.ws_col, size.ws_row))
        flt_loop_stop(top->session->loop);
}

/* What the terminal does not take at once is waited for: a frame is never cut. */
static void write_all(struct top *top, const char *data, size_t size)
{
    while (size) {
        const ssize_t done = write(STDOUT_FILENO, data, size);

        if (done < 0 && (errno == EINTR || errno == EAGAIN)) {
            poll(&(struct pollfd){ .fd = STDOUT_FILENO, .events = POLLOUT }, 1, 1000);
            continue;
        }
        if (done <= 0) {
            flt_loop_stop(top->session->loop); /* the terminal is gone */
            return;
        }
        data += done;
        size -= (size_t)done;
    }
}

static void frame(struct top *top)
{
    static struct flt_buf out;

    top_draw(top);
    flt_buf_reset(&out);
    screen_flush(&top->screen, &out);
    if (out.length && !out.failed)
        write_all(top, out.data, out.length);
}

/* --- what the bus says
 * ------------------------------------------------------------------------------------ */

static void on_topic(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    struct top *top = ctx;
    const size_t length = strlen(topic);
    struct json_object *tree = flt_json_parse(message->payload, message->payload_size, NULL);

    if (tree && strncmp(topic, "ui/digest/", 10) == 0)
        top_digest(top, tree);
    else if (tree && length > 3 && strcmp(topic + length - 3, "/hb") == 0)
        top_heartbeat(top, topic, tree);
    else if (tree && length > 5 && strcmp(topic + length - 5, "/live") == 0)
        top_live(top, tree);
    else if (tree && length > 4 && strcmp(topic + length - 4, "/log") == 0)
        top_log(top, tree);
    json_object_put(tree);
}

static void say(struct top *top, const char *text)
{
    snprintf(top->say, sizeof top->say, "%s", text);
    top->say_ns = top_now_ns(top);
}

static void on_equity(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct top *top = ctx;

    if (result)
        top_equity(top, result);
    else
        say(top, error->message);
    top->detail.loading = false;
}

static void on_watched(void *ctx, struct json_object *result, const struct flt_error *error)
{
    if (!result)
        say(ctx, error->message);
}

static void watch_bot(void *ctx)
{
    struct top *top = ctx;
    struct json_object *args;

    if (top->view != TOP_BOT)
        return;
    args = args_of("bot", top->detail.bot, NULL);
    json_object_object_add(args, "ttl_s", json_object_new_int(60));
    bus_request(top->session->bus, "bot-watch", args, top->session->cli->timeout_ms, on_watched,
                top);
}

static void open_bot(struct top *top, const char *bot)
{
    top_open_bot(top, bot);
    top->back = top->view;
    top->view = TOP_BOT;
    struct json_object *args = args_of("bot", bot, NULL);

    json_object_object_add(args, "limit", json_object_new_int(1000));
    bus_request(top->session->bus, "bot-equity", args, top->session->cli->timeout_ms, on_equity,
                top);
    watch_bot(top);
}

/* --- acting, with --write only
 * ---------------------------------------------------------------------------- */

static void on_acted(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct top *top = ctx;
    char text[192];

    if (result)
        snprintf(text, sizeof text, "%s %s: recorded; its node carries it out", top->ask_verb,
                 top->ask_bot);
    else if (error->code == FLT_UNAVAILABLE)
        snprintf(text, sizeof text, "no answer: it may still happen, watch the state (%.120s)",
                 error->message);
    else
        snprintf(text, sizeof text, "refused: %.170s", error->message);
    say(top, text);
}

static void act(struct top *top)
{
    const bool halt = strcmp(top->ask_verb, "halt") == 0;
    struct json_object *args =
        halt ? args_of("scope", "fleet", "how", "pause", "reason", "flotilla top", NULL)
             : args_of("bot", top->ask_bot, NULL);

    if (strcmp(top->ask_verb, "bot-stop") == 0)
        json_object_object_add(args, "how", json_object_new_string("cancel"));
    bus_request(top->session->bus, top->ask_verb, args, top->session->cli->timeout_ms, on_acted,
                top);
}

static const char *chosen_bot(const struct top *top)
{
    if (top->view == TOP_BOT)
        return top->detail.bot;
    return top->view == TOP_BOTS && top->selected < top->row_count ? top->rows[top->selected]->name
                                                                   : NULL;
}

static void ask_to(struct top *top, const char *verb, const char *question)
{
    const char *bot = chosen_bot(top);
    const bool halt = strcmp(verb, "halt") == 0;

    if (!top->write) {
        say(top, "read-only: start with flotilla top --write");
        return;
    }
    if (!bot && !halt)
        return;
    snprintf(top->ask_verb, sizeof top->ask_verb, "%s", verb);
    snprintf(top->ask_bot, sizeof top->ask_bot, "%s", halt ? "the fleet" : bot);
    snprintf(top->ask, sizeof top->ask, "%s %s?", question, top->ask_bot);
}

/* --- keys
 * -----------------------------------------------------------------------------------------------
 */

enum { KEY_UP = 256, KEY_DOWN, KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_HOME, KEY_END, KEY_OTHER };
#define KEY_CTRL_C 3
#define KEY_CTRL_U 21
#define KEY_CTRL_Z 26
#define KEY_ESC 27

static void select_row(struct top *top, size_t index)
{
    const size_t count = top->view == TOP_NODES ? top->node_count : top->row_count;

    top->selected = index < count ? index : count ? count - 1 : 0;
    if (top->view == TOP_BOTS && top->selected < top->row_count)
        snprintf(top->selected_name, sizeof top->selected_name, "%s",
                 top->rows[top->selected]->name);
}

static void move(struct top *top, int key)
{
    const size_t page = top_body_rows(top) ? top_body_rows(top) : 1;
    const size_t at = top->selected;

    if (key == KEY_UP || key == 'k')
        select_row(top, at ? at - 1 : 0);
    else if (key == KEY_DOWN || key == 'j')
        select_row(top, at + 1);
    else if (key == KEY_PAGE_UP)
        select_row(top, at > page ? at - page : 0);
    else if (key == KEY_PAGE_DOWN)
        select_row(top, at + page);
    else if (key == KEY_HOME || key == 'g')
        select_row(top, 0);
    else if (key == KEY_END || key == 'G')
        select_row(top, SIZE_MAX);
}

static void back(struct top *top)
{
    if (top->view == TOP_BOT || top->view == TOP_HELP)
        top->view = top->back;
    else if (*top->node_filter)
        *top->node_filter = 0;
    else if (top->view == TOP_NODES)
        top->view = TOP_BOTS;
    else
        flt_loop_stop(top->session->loop);
    top->selected = 0;
}

static void enter(struct top *top)
{
    if (top->view == TOP_NODES && top->selected < top->node_count) {
        snprintf(top->node_filter, sizeof top->node_filter, "%s", top->nodes[top->selected].name);
        top->view = TOP_BOTS;
        top->selected = 0;
    } else if (chosen_bot(top) && top->view == TOP_BOTS) {
        open_bot(top, chosen_bot(top));
    }
}

static void edit(struct top *top, int key)
{
    const size_t length = strlen(top->query);

    if (key == '\r' || key == '\n') {
        top->editing = false;
    } else if (key == KEY_ESC || key == KEY_CTRL_C) {
        top->editing = false;
        top_set_query(top, top->query_before);
    } else if (key == 127 || key == 8) {
        top->query[length ? length - 1 : 0] = 0;
    } else if (key == KEY_CTRL_U) {
        *top->query = 0;
    } else if (key >= ' ' && key < 127 && length + 1 < sizeof top->query) {
        top->query[length] = (char)key;
        top->query[length + 1] = 0;
    }
    top_set_query(top, top->query);
    top->row_count = 0; /* arrange anew, also while paused */
}

static void stop_self(struct top *top)
{
    leave_terminal();
    kill(getpid(), SIGSTOP);
    if (enter_terminal())
        flt_loop_stop(top->session->loop);
    fit_screen(top);
}

static void sort_by(struct top *top, int step)
{
    top->sort = (enum top_sort)(((int)top->sort + step + TOP_SORTS) % TOP_SORTS);
    top->sort_down = top->sort >= TOP_SORT_PRICE;
    top->row_count = 0;
}

static void command_key(struct top *top, int key)
{
    switch (key) {
    case 'q':
    case KEY_ESC:
        back(top);
        break;
    case '?':
    case 'h':
        top->back = top->view;
        top->view = TOP_HELP;
        break;
    case ' ':
    case 'p':
        top->paused = !top->paused;
        if (!top->paused)
            top_apply_pending(top);
        break;
    case '/':
        top->editing = top->view == TOP_BOTS;
        snprintf(top->query_before, sizeof top->query_before, "%s", top->query);
        break;
    case 's':
        sort_by(top, 1);
        break;
    case 'S':
        sort_by(top, -1);
        break;
    case 'r':
        top->sort_down = !top->sort_down;
        top->row_count = 0;
        break;
    case 'n':
    case 'b':
        top->view = key == 'n' ? TOP_NODES : TOP_BOTS;
        top->selected = 0;
        break;
    case '\r':
    case '\n':
        enter(top);
        break;
    case 'P':
        ask_to(top, "bot-pause", "pause");
        break;
    case 'R':
        ask_to(top, "bot-resume", "resume");
        break;
    case 'X':
        ask_to(top, "bot-stop", "cancel the orders of and stop");
        break;
    case 'H':
        ask_to(top, "halt", "halt (no new orders)");
        break;
    default:
        move(top, key);
    }
}

static void on_key(struct top *top, int key)
{
    if (key == KEY_CTRL_Z) {
        stop_self(top);
    } else if (top->editing) {
        edit(top, key);
    } else if (key == KEY_CTRL_C) {
        flt_loop_stop(top->session->loop);
    } else if (*top->ask) {
        *top->ask = 0;
        if (key == 'y' || key == 'Y')
            act(top);
        else
            say(top, "nothing was changed");
    } else if (top->view == TOP_HELP) {
        back(top);
    } else {
        command_key(top, key);
    }
}

/* One key of what was read: a byte, or an escape sequence; sets how many bytes it has. */
static int take_key(const char *text, size_t size, size_t *used)
{
    static const struct {
        const char *text;
        int key;
    } keys[] = { { "\033[A", KEY_UP },   { "\033[B", KEY_DOWN },     { "\033OA", KEY_UP },
                 { "\033OB", KEY_DOWN }, { "\033[5~", KEY_PAGE_UP }, { "\033[6~", KEY_PAGE_DOWN },
                 { "\033[H", KEY_HOME }, { "\033[F", KEY_END },      { "\033[1~", KEY_HOME },
                 { "\033[4~", KEY_END }, { "\033OH", KEY_HOME },     { "\033OF", KEY_END } };

    *used = 1;
    if (text[0] != '\033' || size == 1)
        return (unsigned char)text[0];
    for (size_t i = 0; i < FLT_COUNT(keys); i++)
        if (size >= strlen(keys[i].text) && memcmp(text, keys[i].text, strlen(keys[i].text)) == 0) {
            *used = strlen(keys[i].text);
            return keys[i].key;
        }
    if (text[1] != '[' && text[1] != 'O')
        return KEY_ESC;
    for (*used = 2; *used < size && !(text[*used] >= '@' && text[*used] <= '~');)
        (*used)++;
    *used += *used < size; /* a sequence that means nothing here is passed over whole */
    return KEY_OTHER;
}

static void on_input(uv_poll_t *handle, int status, int events)
{
    struct top *top = handle->data;
    char text[256];
    size_t used;
    const ssize_t size = read(STDIN_FILENO, text, sizeof text);

    (void)events;
    if (status < 0 || size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) {
        flt_loop_stop(top->session->loop); /* the terminal is gone */
        return;
    }
    if (top->row_count == 0)
        top_arrange(top); /* a page came since the last frame */
    for (size_t at = 0; size > 0 && at < (size_t)size; at += used)
        on_key(top, take_key(text + at, (size_t)size - at, &used));
    frame(top);
}

/* --- running
 * -------------------------------------------------------------------------------------------- */

static void on_frame(void *ctx)
{
    frame(ctx);
}

static void on_resize(uv_signal_t *handle, int signum)
{
    struct top *top = handle->data;

    (void)signum;
    fit_screen(top);
    frame(top);
}

static void on_end(void *ctx, int signum)
{
    const struct top *top = ctx;

    (void)signum;
    flt_loop_stop(top->session->loop);
}

static int subscribe_all(struct session *session)
{
    static const char *const filters[] = { "ui/digest/+", "n/+/hb", "n/+/b/+/live", "n/+/b/+/log" };
    int err = 0;

    for (size_t i = 0; i < FLT_COUNT(filters) && !err; i++)
        err = bus_subscribe(session->bus, filters[i]);
    return err;
}

static int run(struct top *top)
{
    struct flt_loop *loop = top->session->loop;
    struct flt_timer *frames = NULL, *watches = NULL;
    static uv_poll_t input; /* closed in the loop's last turn, after this function */
    static uv_signal_t resize;
    int err = subscribe_all(top->session);

    if (!err)
        err = flt_loop_on_signal(loop, on_end, top);
    if (!err)
        err = flt_timer_create(loop, on_frame, top, &frames);
    if (!err)
        err = flt_timer_create(loop, watch_bot, top, &watches);
    if (!err)
        err = enter_terminal();
    if (!err) {
        fit_screen(top);
        input.data = resize.data = top;
        uv_poll_init(flt_loop_uv(loop), &input, STDIN_FILENO);
        uv_poll_start(&input, UV_READABLE, on_input);
        uv_signal_init(flt_loop_uv(loop), &resize);
        uv_signal_start(&resize, on_resize, SIGWINCH);
        flt_timer_start(frames, 20, FRAME_MS);
        flt_timer_start(watches, WATCH_EVERY_MS, WATCH_EVERY_MS);
        flt_loop_run(loop);
        leave_terminal();
        uv_close((uv_handle_t *)&input, NULL);
        uv_close((uv_handle_t *)&resize, NULL);
    }
    flt_timer_destroy(frames);
    flt_timer_destroy(watches);
    return err;
}

int cmd_top(struct cli *cli)
{
    struct session session = { .on_message = on_topic };
    struct top *top;
    int err;

    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "",
                        "for programs: flotilla watch, bot ls -o jsonl",
                        "top needs a terminal for its keys and its picture");
    top = calloc(1, sizeof *top);
    if (!top)
        return -ENOMEM;
    top->session = &session;
    top->write = cli_has(cli, "write");
    top->screen.color = cli->color;
    session.ctx = top;
    snprintf(top->node_filter, sizeof top->node_filter, "%s",
             cli_flag(cli, "node") ? cli_flag(cli, "node") : "");
    top_set_query(top, cli_flag(cli, "selector") ? cli_flag(cli, "selector") : "");
    err = *top->filter_error ? CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "selector",
                                        "see: flotilla help filter", "%s", top->filter_error)
                             : session_open(&session, cli);
    if (!err)
        err = run(top);
    session_close(&session); /* also runs the loop once more: the handles above end there */
    top_free(top);
    free(top);
    return err;
}
