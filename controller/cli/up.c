#define FLT_MOD "up"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controller/cli/commands.h"
#include "controller/cli/up.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/watchdog.h"

#define POLL_MS 40
#define DEMO_AGAIN_MS 250
#define DEMO_MS_MAX 60000  /* for the controller to load the venue's instruments */
#define STAGE_MS_MAX 30000 /* for one stage to become ready */
#define TRADE_MS_MAX 60000 /* for the demo's first trade */
#define EXITS_MAX 3        /* while starting; later a crash is restarted for ever */
#define DOWN_MS_MAX 40000

static int64_t now_ms(const struct up *up)
{
    return flt_mono_ms(flt_loop_clock(up->loop));
}

static void enter(struct up *up, enum up_phase phase)
{
    up->phase = phase;
    up->phase_ms = now_ms(up);
    up->asked = false;
}

/* --- what the person, or the parent of --detach, is told
 * --------------------------------------------- */

/* "E<code>\t<message>\t<hint>\t<field>\n" to the parent. */
static void report_error(const struct up *up, const struct flt_error *error)
{
    if (up->report_fd >= 0)
        dprintf(up->report_fd, "E%s\t%s\t%s\t%s\n", flt_error_name(error->code), error->message,
                error->hint, error->field);
}

/* The password is shown until once it was; DIR/secrets/admin.shown remembers. */
static int read_shown(const struct up *up, char **password, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    int err = fleet_path(up->fleet.dir, path, error, "secrets/admin.shown");

    *password = NULL;
    if (err || access(path, F_OK) == 0)
        return err;
    err = fleet_password(up->fleet.dir, "admin", password, error);
    return err ? err : flt_file_write(path, "", 0, 0600);
}

static void announce(struct up *up)
{
    struct flt_error error = { 0 };
    char *password = NULL;
    char line[256], url[64];

    if (read_shown(up, &password, &error)) {
        up_fail(up, &error);
        return;
    }
    snprintf(url, sizeof url, "http://127.0.0.1:%u", up->fleet.dashboard_port);
    if (up->cli->json)
        snprintf(line, sizeof line, "{\"ready\":true,\"url\":\"%s\",\"user\":\"admin\"%s%s%s}", url,
                 password ? ",\"password\":\"" : "", password ? password : "",
                 password ? "\"" : "");
    else
        snprintf(line, sizeof line, "ready %s user=admin%s%s", url, password ? " password=" : "",
                 password ? password : "");
    if (up->report_fd >= 0) {
        dprintf(up->report_fd, "R%s\n", line);
        close(up->report_fd);
        up->report_fd = -1;
    } else {
        puts(line);
        fflush(stdout);
    }
    if (password)
        flt_wipe(password, strlen(password));
    free(password);
    flt_wipe(line, sizeof line);
    FLT_LOG(INFO, "ready", "after_ms=%lld", (long long)(now_ms(up) - up->started_ms));
    if (flt_watchdog_start(up->loop, &up->watchdog) != 0)
        FLT_LOG(WARN, "no_watchdog", "hint=\"the service manager will think this never started\"");
    enter(up, UP_READY);
}

void up_fail(struct up *up, const struct flt_error *error)
{
    if (up->phase == UP_STOPPING)
        return;
    up->error = *error;
    enter(up, UP_STOPPING);
    FLT_LOG(ERROR, "failed", "why=\"%s\"", error->message);
    procs_stop(up->procs);
}

/* --- starting
 * ---------------------------------------------------------------------------------------- */

static void start_stage(struct up *up)
{
    struct flt_error error = { 0 };

    up->phase_ms = now_ms(up);
    for (size_t i = 0; i < up->service_count; i++) {
        const struct service *service = &up->services[i];

        if (service->stage != up->stage)
            continue;
        int err = procs_start(up->procs, service->proc);
        if (err) {
            flt_error_set(&error, flt_error_from_errno(err), NULL, "", "cannot start %s: %s",
                          service->name, strerror(-err));
            up_fail(up, &error);
            return;
        }
    }
}

static void stage_late(struct up *up, const struct service *service)
{
    struct flt_error error = { 0 };
    char last[160], hint[192];

    snprintf(hint, sizeof hint, "see log/%s.log in the fleet's folder", service->name);
    procs_last_line(up->procs, service->proc, last, sizeof last);
    flt_error_set(&error, FLT_UNAVAILABLE, NULL, hint, "%s was not ready after %d s%s%s",
                  service->name, STAGE_MS_MAX / 1000, *last ? ": " : "", last);
    up_fail(up, &error);
}

static bool stage_ready(struct up *up)
{
    bool all = true;

    for (size_t i = 0; i < up->service_count && up->phase == UP_STARTING; i++) {
        struct service *service = &up->services[i];

        if (service->stage != up->stage || service->ready)
            continue;
        service_check(service);
        if (service->ready)
            continue;
        all = false;
        if (now_ms(up) - up->phase_ms > STAGE_MS_MAX)
            stage_late(up, service);
    }
    return all && up->phase == UP_STARTING;
}

static void on_status(void *ctx, struct json_object *result, const struct flt_error *error)
{
    struct up *up = ctx;
    int64_t fills = 0;

    (void)error;
    up->asked = false;
    if (up->phase == UP_TRADING && result && flt_json_int(result, "fills", &fills) && fills > 0)
        announce(up);
}

/* The first trade is what makes a demo ready; without one in a minute people are let in all the
 * same. */
static void wait_for_trade(struct up *up)
{
    if (now_ms(up) - up->phase_ms > TRADE_MS_MAX) {
        FLT_LOG(WARN, "no_trade", "after_ms=%d", TRADE_MS_MAX);
        out_note(up->cli, "no bot has traded after %d s; see: flotilla doctor",
                 TRADE_MS_MAX / 1000);
        announce(up);
    } else if (!up->asked && bus_is_up(up->bus)) {
        up->asked = true;
        bus_request(up->bus, "status", NULL, 2000, on_status, up);
    }
}

static void advance(struct up *up)
{
    while (stage_ready(up)) {
        bool more = false;

        up->stage++;
        for (size_t i = 0; i < up->service_count; i++)
            more = more || up->services[i].stage >= up->stage;
        if (!more) {
            out_note(up->cli, "everything answers after %.1f s",
                     (double)(now_ms(up) - up->started_ms) / 1000);
            if (!up->fleet.demo) {
                announce(up);
                return;
            }
            enter(up, UP_DEMO);
            up->asked = true;
            demo_start(up);
            return;
        }
        start_stage(up);
    }
}

static void try_demo(struct up *up)
{
    if (up->asked || now_ms(up) - up->demo_ms < DEMO_AGAIN_MS)
        return;
    up->asked = true;
    demo_start(up); /* goes on where it was */
}

static void on_poll(void *ctx)
{
    struct up *up = ctx;

    if (up->phase == UP_STARTING)
        advance(up);
    else if (up->phase == UP_DEMO)
        try_demo(up);
    else if (up->phase == UP_TRADING)
        wait_for_trade(up);
    if (up->phase == UP_READY)
        flt_timer_stop(up->poll);
}

void up_demo_done(struct up *up, const struct flt_error *error)
{
    if (up->phase != UP_DEMO)
        return;
    up->asked = false;
    if (error && error->code == FLT_UNAVAILABLE && now_ms(up) - up->phase_ms < DEMO_MS_MAX)
        up->demo_ms = now_ms(up);
    else if (error)
        up_fail(up, error);
    else
        enter(up, UP_TRADING);
}

/* --- while it runs
 * ------------------------------------------------------------------------------------- */

static const struct service *service_of(const struct up *up, size_t proc)
{
    for (size_t i = 0; i < up->service_count; i++)
        if (up->services[i].proc == proc)
            return &up->services[i];
    return NULL;
}

static void on_exit_of(void *ctx, size_t proc, int wait_status)
{
    struct up *up = ctx;
    const struct service *service = service_of(up, proc);
    struct flt_error error = { 0 };
    char last[160], how[48];

    if (WIFSIGNALED(wait_status))
        snprintf(how, sizeof how, "signal %d", WTERMSIG(wait_status));
    else
        snprintf(how, sizeof how, "code %d", WEXITSTATUS(wait_status));
    FLT_LOG(WARN, "ended", "name=%s how=\"%s\" exits=%u", procs_name(up->procs, proc), how,
            procs_exits(up->procs, proc));
    if (up->phase != UP_STARTING || !service || service->ready ||
        procs_exits(up->procs, proc) < EXITS_MAX)
        return;
    procs_last_line(up->procs, proc, last, sizeof last);
    flt_error_set(&error, FLT_UNAVAILABLE, NULL, "its log is in log/ of the fleet's folder",
                  "%s does not start (%s)%s%s", service->name, how, *last ? ": " : "", last);
    up_fail(up, &error);
}

static void on_start_of(void *ctx, size_t proc, pid_t pid)
{
    struct up *up = ctx;

    FLT_LOG(INFO, "started", "name=%s pid=%d", procs_name(up->procs, proc), (int)pid);
}

static void on_stopped(void *ctx)
{
    struct up *up = ctx;

    flt_loop_stop(up->loop);
}

static void on_signal(void *ctx, int signum)
{
    struct up *up = ctx;

    FLT_LOG(INFO, "stopping", "signal=%d", signum);
    enter(up, UP_STOPPING);
    flt_watchdog_stop(up->watchdog);
    up->watchdog = NULL;
    flt_timer_stop(up->poll);
    bus_close(up->bus); /* before its broker goes */
    up->bus = NULL;
    procs_stop(up->procs); /* the second time it kills */
}

static void on_message(void *ctx, const char *topic, const struct flt_mqtt_message *message)
{
    if (!message->retained) /* what is retained may be of a node that is long gone */
        service_heard(ctx, topic, message);
}

static int open_bus(struct up *up)
{
    char url[BROKER_PATH_MAX + 32];
    char *password = NULL;
    const struct bus_events events = { .ctx = up, .on_message = on_message };
    int err = fleet_password(up->fleet.dir, "up", &password, &up->error);

    if (err)
        return err;
    snprintf(url, sizeof url, "unix:%s/broker/mosquitto.sock", up->fleet.dir);
    const struct bus_config config = { url, up->fleet.tenant, "up", password, NULL };

    err = bus_open(up->loop, &config, &events, &up->bus);
    flt_wipe(password, strlen(password));
    free(password);
    if (!err)
        err = bus_subscribe(up->bus, "n/+/hb");
    return err ? err : bus_subscribe(up->bus, "n/+/presence");
}

static int open_all(struct up *up)
{
    const struct procs_events events = { up, on_exit_of, on_start_of, on_stopped };
    char run_dir[BROKER_PATH_MAX], log_dir[BROKER_PATH_MAX];
    int err = fleet_path(up->fleet.dir, run_dir, &up->error, "run");

    if (!err)
        err = fleet_path(up->fleet.dir, log_dir, &up->error, "log");
    if (!err)
        err = flt_loop_create(flt_clock_system(), &up->loop);
    if (!err)
        err = flt_loop_on_signal(up->loop, on_signal, up);
    if (!err)
        err = flt_http_create(up->loop, &(struct flt_http_config){ 0 }, &up->http);
    if (!err)
        err = flt_timer_create(up->loop, on_poll, up, &up->poll);
    if (!err)
        err = procs_create(up->loop, run_dir, log_dir, &events, &up->procs);
    if (!err)
        err = services_add(up, &up->error);
    return err ? err : open_bus(up);
}

static void close_all(struct up *up)
{
    if (up->bus)
        bus_close(up->bus);
    if (up->http)
        flt_http_destroy(up->http);
    procs_destroy(up->procs);
    flt_timer_destroy(up->poll);
    if (up->loop) {
        flt_loop_run(up->loop); /* until closed handles are gone */
        flt_loop_destroy(up->loop);
    }
}

/* What an `up` that was killed left behind: only processes that this folder's pid files name. */
static void end_leftovers(const struct up *up)
{
    static const char *const names[] = { "dashboard",  "node-1", "node-2",
                                         "controller", "sim",    "broker" };
    char run_dir[BROKER_PATH_MAX];
    struct flt_error error = { 0 };

    if (fleet_path(up->fleet.dir, run_dir, &error, "run"))
        return;
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < FLT_COUNT(names); i++) {
            const pid_t pid = pidfile_alive(run_dir, names[i]);

            if (pid && kill(pid, round == 0 ? SIGTERM : SIGKILL) == 0)
                pidfile_wait(pid, PROCS_STOP_MS);
        }
}

static int supervise(struct up *up)
{
    char run_dir[BROKER_PATH_MAX];
    int err = open_all(up);

    if (!err)
        err = fleet_path(up->fleet.dir, run_dir, &up->error, "run");
    if (!err)
        err = pidfile_write(run_dir, "up", getpid());
    if (!err) {
        up->started_ms = now_ms(up);
        start_stage(up);
        flt_timer_start(up->poll, 0, POLL_MS);
        flt_loop_run(up->loop);
        pidfile_remove(run_dir, "up");
        if (up->error.code != FLT_OK)
            err = -EIO;
    }
    close_all(up);
    return err;
}

/* --- before it starts
 * ---------------------------------------------------------------------------------- */

static int choose_port(struct up *up)
{
    const char *text = cli_flag(up->cli, "port");
    char *end = NULL;
    const long port = text ? strtol(text, &end, 10) : 0;

    if (text && (*end || port < 1 || port > 65535))
        return flt_error_set(&up->error, FLT_INVALID_ARGUMENT, "port", "",
                             "--port is a number of 1 to 65535, not %.32s", text);
    if (text)
        up->fleet.dashboard_port = (uint16_t)port;
    if (!up->fleet.dashboard_port)
        up->fleet.dashboard_port = FLEET_PORT_DEFAULT;
    if (fleet_port_free(up->fleet.dashboard_port))
        return 0;
    return flt_error_set(&up->error, FLT_CONFLICT, "port", "choose another one with --port",
                         "port %u is in use by another program", up->fleet.dashboard_port);
}

static int choose_scale(struct up *up)
{
    const char *text = cli_flag(up->cli, "time-scale");
    char *end = NULL;
    const double scale = text ? strtod(text, &end) : 1;

    if (text && (*end || !(scale >= 0.02 && scale <= 10)))
        return flt_error_set(&up->error, FLT_INVALID_ARGUMENT, "time-scale", "",
                             "--time-scale is a number of 0.02 to 10, not %.32s", text);
    if (text)
        up->fleet.time_scale = scale;
    return 0;
}

static int prepare(struct up *up)
{
    struct cli *cli = up->cli;
    int err = fleet_load(cli->dir, &up->fleet, &up->error);
    const bool fresh = up->error.code == FLT_NOT_FOUND;

    if (fresh) {
        up->error = (struct flt_error){ 0 };
        up->fleet = (struct fleet){ 0 };
        err = 0;
    }
    if (!err)
        err = choose_port(up);
    const uint16_t port = up->fleet.dashboard_port;

    if (!err && fresh)
        err = fleet_create(cli->dir, cli_has(cli, "demo"), &up->fleet, &up->error);
    up->fleet.dashboard_port = port;
    if (err)
        return err;
    end_leftovers(up);
    if (cli_has(cli, "demo"))
        up->fleet.demo = true;
    err = choose_scale(up);
    err = err ? err : fleet_choose_ports(&up->fleet, &up->error);
    if (!err)
        err = fleet_write_configs(&up->fleet, &up->error);
    if (!err && up->fleet.demo)
        err = demo_prepare(up, &up->error);
    return err ? err : fleet_save(&up->fleet, &up->error);
}

static void log_to_file(const struct up *up)
{
    char path[BROKER_PATH_MAX];
    struct flt_error error = { 0 };

    if (fleet_path(up->fleet.dir, path, &error, "log/up.log"))
        return;
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0) {
        flt_log_set_fd(fd);
        flt_log_set_level(FLT_LOG_INFO);
    }
}

static int run_up(struct up *up)
{
    int err = fleet_lock(up->cli->dir, &up->lock_fd, &up->error);

    if (!err)
        err = prepare(up);
    if (!err) {
        log_to_file(up);
        err = supervise(up);
    }
    if (err && up->error.code == FLT_OK)
        flt_error_set(&up->error, flt_error_from_errno(err), NULL,
                      "see log/up.log in the fleet's folder", "cannot start: %s", strerror(-err));
    if (err)
        report_error(up, &up->error);
    if (up->lock_fd >= 0)
        close(up->lock_fd);
    return err;
}

/* The parent of --detach: passes on the one line that the supervisor reports. */
static int await_report(struct cli *cli, int fd)
{
    char text[1024] = "";
    size_t length = 0;
    ssize_t got;

    while (length + 1 < sizeof text && !memchr(text, '\n', length) &&
           ((got = read(fd, text + length, sizeof text - 1 - length)) > 0 ||
            (got < 0 && errno == EINTR)))
        length += got > 0 ? (size_t)got : 0;
    text[length] = 0;
    text[strcspn(text, "\n")] = 0;
    if (text[0] == 'R') {
        puts(text + 1);
        flt_wipe(text, sizeof text);
        return 0;
    }
    char *rest = text + 1;
    const char *code = text[0] == 'E' ? strsep(&rest, "\t") : "internal";
    const char *message =
        text[0] == 'E' ? strsep(&rest, "\t") : "the supervisor ended without a word";
    const char *hint =
        text[0] == 'E' ? strsep(&rest, "\t") : "see log/up.log in the fleet's folder";
    const char *field = text[0] == 'E' ? rest : "";

    return flt_error_set(&cli->error, flt_error_from_name(code), field ? field : "",
                         hint ? hint : "", "%s", message ? message : "");
}

static int detach(struct up *up)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    fflush(NULL);
    const pid_t pid = fork();

    if (pid < 0)
        return -errno;
    if (pid > 0) {
        close(ends[1]);
        int err = await_report(up->cli, ends[0]);

        close(ends[0]);
        return err;
    }
    close(ends[0]);
    setsid();
    const int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; fd <= 2 && null_fd >= 0; fd++)
        dup2(null_fd, fd);
    if (chdir("/") != 0)
        _exit(1);
    up->report_fd = ends[1];
    _exit(run_up(up) ? 1 : 0);
}

int cmd_up(struct cli *cli)
{
    static struct up up;

    up = (struct up){ .cli = cli, .report_fd = -1, .lock_fd = -1 };
    if (cli_has(cli, "detach"))
        return detach(&up);
    int err = run_up(&up);

    if (err)
        cli->error = up.error;
    return err;
}

/* --- down
 * ------------------------------------------------------------------------------------------------
 */

int cmd_down(struct cli *cli)
{
    struct fleet fleet;
    char run_dir[BROKER_PATH_MAX];
    int err = fleet_load(cli->dir, &fleet, &cli->error);
    int lock = -1;

    if (!err)
        err = fleet_path(cli->dir, run_dir, &cli->error, "run");
    if (err)
        return err;
    const pid_t pid = pidfile_alive(run_dir, "up");

    if (pid && kill(pid, SIGTERM) != 0)
        return CLI_FAIL(cli, FLT_DENIED, "dir", "", "cannot stop process %d: %s", (int)pid,
                        strerror(errno));
    if (pid && !pidfile_wait(pid, DOWN_MS_MAX))
        return CLI_FAIL(cli, FLT_UNAVAILABLE, "dir", "see log/up.log in the fleet's folder",
                        "the fleet did not stop in %d s", DOWN_MS_MAX / 1000);
    err = fleet_lock(cli->dir, &lock, &cli->error);
    if (err)
        return err; /* somebody started it again, or runs its broker alone */
    close(lock);
    if (cli->json)
        printf("{\"stopped\":%s}\n", pid ? "true" : "false");
    else
        out_note(cli, pid ? "stopped" : "nothing was running");
    return 0;
}
