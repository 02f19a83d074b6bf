/* Child processes of `flotilla up`: start, restart, stop, and their logs.
 *
 * A child dies with its parent (PR_SET_PDEATHSIG), writes stdout and stderr to LOG_DIR/<name>.log
 * (cut at PROCS_LOG_BYTES_MAX, one older part kept) and is known by its pid and start time in
 * RUN_DIR/<name>.pid, so that what an `up` that was killed left behind can be ended later without
 * ever touching a stranger's process. One that ends unasked is started again with growing delays.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "lib/attr.h"
#include "lib/loop.h"

#define PROCS_MAX 16
#define PROCS_ARGS_MAX 48
#define PROCS_LOG_BYTES_MAX (8 * 1024 * 1024)
#define PROCS_STOP_MS 5000

struct procs;

struct procs_events {
    void *ctx;
    /* A child ended without being asked to; it starts again unless procs_stop() follows. */
    void (*on_exit)(void *ctx, size_t index, int wait_status);
    void (*on_start)(void *ctx, size_t index, pid_t pid);
    void (*on_stopped)(void *ctx); /* after procs_stop(): none is left */
};

FLT_MUST_USE int procs_create(struct flt_loop *loop, const char *run_dir, const char *log_dir,
                              const struct procs_events *events, struct procs **out);
void procs_destroy(struct procs *procs); /* after on_stopped, or before any start */

/* `argv` ends with NULL and is copied; argv[0] is a path. Children of a higher stage stop first. */
FLT_MUST_USE int procs_add(struct procs *procs, const char *name, unsigned stage,
                           const char *const *argv, size_t *index);
FLT_MUST_USE int procs_start(struct procs *procs, size_t index);
size_t procs_count(const struct procs *procs);
const char *procs_name(const struct procs *procs, size_t index);
pid_t procs_pid(const struct procs *procs, size_t index);      /* 0: not running */
unsigned procs_exits(const struct procs *procs, size_t index); /* how often it ended unasked */
/* The last line of its log, for an error message. */
char *procs_last_line(const struct procs *procs, size_t index, char *out, size_t size);

/* SIGTERM stage by stage, SIGKILL after PROCS_STOP_MS; called again: SIGKILL to all at once. */
void procs_stop(struct procs *procs);

/* --- pid files
 * ------------------------------------------------------------------------------------ */

FLT_MUST_USE int pidfile_write(const char *run_dir, const char *name, pid_t pid);
/* The process of RUN_DIR/<name>.pid if it still runs, by pid and start time; 0: it does not. */
pid_t pidfile_alive(const char *run_dir, const char *name);
/* Until the process ends; false: it did not in that time. */
bool pidfile_wait(pid_t pid, int timeout_ms);
void pidfile_remove(const char *run_dir, const char *name);
