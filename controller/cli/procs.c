#define FLT_MOD "procs"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "controller/cli/procs.h"
#include "lib/fail.h"

#define BACKOFF_BASE_MS 100
#define BACKOFF_CAP_MS 10000
#define STEADY_MS 60000 /* after this long alive, delays begin small again */
#define LOG_CHECK_MS 5000
#define PATH_SIZE 1152

struct proc {
    struct procs *procs;
    char name[32];
    unsigned stage;
    char *argv[PROCS_ARGS_MAX];
    pid_t pid; /* 0: not running */
    unsigned exits;
    uint64_t delay_ms;
    int64_t started_ms;
    struct flt_timer *restart;
};

struct procs {
    struct flt_loop *loop;
    struct procs_events events;
    char run_dir[1024], log_dir[1024];
    struct proc items[PROCS_MAX];
    size_t count;
    uv_signal_t sigchld;
    struct flt_timer *logs, *kill;
    bool stopping, reported;
    unsigned stage; /* that is being stopped */
};

static void log_path(const struct procs *procs, const struct proc *proc, const char *ending,
                     char out[PATH_SIZE])
{
    snprintf(out, PATH_SIZE, "%s/%s.log%s", procs->log_dir, proc->name, ending);
}

/* In the child: only async-signal-safe calls until exec. */
_Noreturn static void exec_child(const struct proc *proc, int log_fd, pid_t parent)
{
    sigset_t none;
    const int null_fd = open("/dev/null", O_RDONLY);

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(127); /* the parent died before the line above */
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* Ctrl-C in the terminal is for `up`, which stops children in order */
    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0)
        _exit(126);
    close_range(3, ~0U, 0);
    execv(proc->argv[0], proc->argv);
    _exit(127);
}

static int spawn(struct proc *proc)
{
    struct procs *procs = proc->procs;
    char path[PATH_SIZE];
    const pid_t parent = getpid();

    log_path(procs, proc, "", path);
    const int log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (log_fd < 0)
        return FLT_FAIL(-errno, "path=%s", path);
    const pid_t pid = fork();

    if (pid == 0)
        exec_child(proc, log_fd, parent);
    int err = pid < 0 ? FLT_FAIL(-errno, "name=%s", proc->name) : 0;

    close(log_fd);
    if (err)
        return err;
    proc->pid = pid;
    proc->started_ms = flt_mono_ms(flt_loop_clock(procs->loop));
    err = pidfile_write(procs->run_dir, proc->name, pid);
    if (procs->events.on_start)
        procs->events.on_start(procs->events.ctx, (size_t)(proc - procs->items), pid);
    return err;
}

static void restart_due(void *ctx)
{
    struct proc *proc = ctx;

    if (proc->pid || proc->procs->stopping)
        return;
    if (spawn(proc))
        flt_timer_start(proc->restart, BACKOFF_CAP_MS, 0);
}

static void stop_stage(struct procs *procs);

static void ended(struct proc *proc, int wait_status)
{
    struct procs *procs = proc->procs;
    const int64_t alive_ms = flt_mono_ms(flt_loop_clock(procs->loop)) - proc->started_ms;

    proc->pid = 0;
    pidfile_remove(procs->run_dir, proc->name);
    if (procs->stopping) {
        stop_stage(procs);
        return;
    }
    proc->exits++;
    if (alive_ms > STEADY_MS)
        proc->delay_ms = 0;
    proc->delay_ms = flt_backoff_ms(proc->delay_ms, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
    flt_timer_start(proc->restart, proc->delay_ms, 0);
    procs->events.on_exit(procs->events.ctx, (size_t)(proc - procs->items), wait_status);
}

/* Each child by its own pid: nothing else that this process may have is reaped. */
static void on_sigchld(uv_signal_t *handle, int signum)
{
    struct procs *procs = handle->data;
    int wait_status;

    (void)signum;
    for (size_t i = 0; i < procs->count; i++) {
        struct proc *proc = &procs->items[i];

        if (proc->pid && waitpid(proc->pid, &wait_status, WNOHANG) == proc->pid)
            ended(proc, wait_status);
    }
}

/* Copies and cuts instead of renaming: the child keeps writing (O_APPEND) to the same file. */
static void bound_log(struct procs *procs, const struct proc *proc)
{
    char path[PATH_SIZE], older[PATH_SIZE], chunk[16384];
    struct stat st;
    ssize_t size;

    log_path(procs, proc, "", path);
    if (stat(path, &st) != 0 || st.st_size <= PROCS_LOG_BYTES_MAX)
        return;
    log_path(procs, proc, ".1", older);
    const int from = open(path, O_RDWR | O_CLOEXEC);
    const int to = open(older, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    while (from >= 0 && to >= 0 && (size = read(from, chunk, sizeof chunk)) > 0)
        if (write(to, chunk, (size_t)size) != size)
            break;
    if (from >= 0 && ftruncate(from, 0) != 0)
        (void)FLT_FAIL(-errno, "path=%s", path);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
}

static void bound_logs(void *ctx)
{
    struct procs *procs = ctx;

    for (size_t i = 0; i < procs->count; i++)
        bound_log(procs, &procs->items[i]);
}

/* The highest stage that still has a child; its children got their SIGTERM when it was entered. */
static void stop_stage(struct procs *procs)
{
    unsigned stage = 0;
    bool any = false;

    for (size_t i = 0; i < procs->count; i++)
        if (procs->items[i].pid && (!any || procs->items[i].stage > stage)) {
            any = true;
            stage = procs->items[i].stage;
        }
    if (!any) {
        flt_timer_stop(procs->kill);
        if (!procs->reported) {
            procs->reported = true;
            procs->events.on_stopped(procs->events.ctx);
        }
        return;
    }
    if (stage == procs->stage)
        return;
    procs->stage = stage;
    for (size_t i = 0; i < procs->count; i++)
        if (procs->items[i].pid && procs->items[i].stage == stage)
            kill(procs->items[i].pid, SIGTERM);
    flt_timer_start(procs->kill, PROCS_STOP_MS, 0);
}

static void kill_stage(void *ctx)
{
    struct procs *procs = ctx;

    for (size_t i = 0; i < procs->count; i++)
        if (procs->items[i].pid && procs->items[i].stage == procs->stage) {
            FLT_LOG(WARN, "killed", "name=%s after_ms=%d", procs->items[i].name, PROCS_STOP_MS);
            kill(procs->items[i].pid, SIGKILL);
        }
}

void procs_stop(struct procs *procs)
{
    for (size_t i = 0; i < procs->count; i++) {
        flt_timer_stop(procs->items[i].restart);
        if (procs->stopping && procs->items[i].pid)
            kill(procs->items[i].pid, SIGKILL);
    }
    if (procs->stopping)
        return;
    procs->stopping = true;
    procs->stage = UINT32_MAX;
    stop_stage(procs);
}

int procs_create(struct flt_loop *loop, const char *run_dir, const char *log_dir,
                 const struct procs_events *events, struct procs **out)
{
    struct procs *procs = calloc(1, sizeof *procs);

    if (!procs)
        return -ENOMEM;
    procs->loop = loop;
    procs->events = *events;
    snprintf(procs->run_dir, sizeof procs->run_dir, "%s", run_dir);
    snprintf(procs->log_dir, sizeof procs->log_dir, "%s", log_dir);
    int err = flt_timer_create(loop, bound_logs, procs, &procs->logs);

    if (!err)
        err = flt_timer_create(loop, kill_stage, procs, &procs->kill);
    if (err) {
        flt_timer_destroy(procs->logs);
        free(procs);
        return err;
    }
    flt_timer_start(procs->logs, LOG_CHECK_MS, LOG_CHECK_MS);
    uv_signal_init(flt_loop_uv(loop), &procs->sigchld);
    procs->sigchld.data = procs;
    uv_signal_start(&procs->sigchld, on_sigchld, SIGCHLD);
    *out = procs;
    return 0;
}

static void free_procs(uv_handle_t *handle)
{
    struct procs *procs = handle->data;

    for (size_t i = 0; i < procs->count; i++)
        for (char **arg = procs->items[i].argv; *arg; arg++)
            free(*arg);
    free(procs);
}

void procs_destroy(struct procs *procs)
{
    if (!procs)
        return;
    for (size_t i = 0; i < procs->count; i++)
        flt_timer_destroy(procs->items[i].restart);
    flt_timer_destroy(procs->logs);
    flt_timer_destroy(procs->kill);
    uv_close((uv_handle_t *)&procs->sigchld, free_procs);
}

int procs_add(struct procs *procs, const char *name, unsigned stage, const char *const *argv,
              size_t *index)
{
    struct proc *proc = &procs->items[procs->count];

    if (procs->count == PROCS_MAX)
        return -ENOSPC;
    *proc = (struct proc){ .procs = procs, .stage = stage };
    snprintf(proc->name, sizeof proc->name, "%s", name);
    int err = flt_timer_create(procs->loop, restart_due, proc, &proc->restart);

    if (err)
        return err;
    *index = procs->count++;
    for (size_t i = 0; argv[i]; i++) {
        if (i + 1 == PROCS_ARGS_MAX)
            return -E2BIG;
        proc->argv[i] = strdup(argv[i]);
        if (!proc->argv[i])
            return -ENOMEM;
    }
    return 0;
}

int procs_start(struct procs *procs, size_t index)
{
    return procs->items[index].pid ? 0 : spawn(&procs->items[index]);
}

size_t procs_count(const struct procs *procs)
{
    return procs->count;
}

const char *procs_name(const struct procs *procs, size_t index)
{
    return procs->items[index].name;
}

pid_t procs_pid(const struct procs *procs, size_t index)
{
    return procs->items[index].pid;
}

unsigned procs_exits(const struct procs *procs, size_t index)
{
    return procs->items[index].exits;
}

char *procs_last_line(const struct procs *procs, size_t index, char *out, size_t size)
{
    char path[PATH_SIZE], tail[2048];

    out[0] = 0;
    log_path(procs, &procs->items[index], "", path);
    FILE *file = fopen(path, "re");

    if (!file)
        return out;
    if (fseek(file, -(long)(sizeof tail - 1), SEEK_END) != 0)
        rewind(file);
    const size_t got = fread(tail, 1, sizeof tail - 1, file);

    fclose(file);
    tail[got] = 0;
    for (size_t end = got; end && tail[end - 1] == '\n'; end--)
        tail[end - 1] = 0;
    char *line = strrchr(tail, '\n');

    while (line && line[1] == ' ') { /* a hint below its sentence */
        *line = 0;
        line = strrchr(tail, '\n');
    }
    snprintf(out, size, "%s", line ? line + 1 : tail);
    for (char *at = out; *at; at++)
        if ((unsigned char)*at < ' ')
            *at = ' ';
    return out;
}
