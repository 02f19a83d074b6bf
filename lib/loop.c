#include "lib/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>

#define FLT_MOD "loop"
#include "lib/fail.h"

#define LAG_PERIOD_MS 100
#define LAST_TURNS 16

struct flt_loop {
    uv_loop_t uv;
    const struct flt_clock *clock;
    uv_timer_t lag_timer; /* unreferenced: it keeps no loop alive */
    uint64_t lag_due_ns;
    int64_t lag_us_max;
    unsigned jobs; /* given to the pool and not done */
    uv_signal_t signals[2];
    bool has_signals;
    void (*on_signal)(void *ctx, int signal);
    void *signal_ctx;
};

struct flt_timer {
    uv_timer_t uv; /* first, so that a leftover handle is its timer */
    flt_timer_fn *fn;
    void *ctx;
};

struct job {
    uv_work_t uv;
    struct flt_loop *loop;
    void (*work)(void *arg);
    void (*done)(void *arg);
    void *arg;
};

static void on_lag_tick(uv_timer_t *uv)
{
    struct flt_loop *loop = uv->data;
    const uint64_t now_ns = uv_hrtime();
    const int64_t late_us =
        now_ns > loop->lag_due_ns ? (int64_t)(now_ns - loop->lag_due_ns) / 1000 : 0;

    if (late_us > loop->lag_us_max)
        loop->lag_us_max = late_us;
    uv_update_time(uv->loop);
    uv_timer_start(uv, on_lag_tick, LAG_PERIOD_MS, 0);
    loop->lag_due_ns = now_ns + (uint64_t)LAG_PERIOD_MS * 1000000;
}

int flt_loop_create(const struct flt_clock *clock, struct flt_loop **out)
{
    struct flt_loop *loop = calloc(1, sizeof *loop);

    if (!loop)
        return -ENOMEM;
    const int err = uv_loop_init(&loop->uv);
    if (err < 0) {
        free(loop);
        return FLT_FAIL(err, "what=uv_loop_init");
    }
    loop->clock = clock;
    signal(SIGPIPE, SIG_IGN); /* a peer that left is an error of write(), not the end of us */
    uv_timer_init(&loop->uv, &loop->lag_timer);
    loop->lag_timer.data = loop;
    uv_unref((uv_handle_t *)&loop->lag_timer);
    loop->lag_due_ns = uv_hrtime() + (uint64_t)LAG_PERIOD_MS * 1000000;
    uv_timer_start(&loop->lag_timer, on_lag_tick, LAG_PERIOD_MS, 0);
    *out = loop;
    return 0;
}

int flt_loop_run(struct flt_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return 0;
}

void flt_loop_stop(struct flt_loop *loop)
{
    uv_stop(&loop->uv);
}

static void free_timer(uv_handle_t *handle)
{
    free(handle->data);
}

/* A timer that nobody destroyed frees itself; other handles lie in their owners' memory. */
static void close_leftover(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (uv_is_closing(handle))
        return;
    uv_close(handle, handle->type == UV_TIMER && handle->data == handle ? free_timer : NULL);
}

void flt_loop_destroy(struct flt_loop *loop)
{
    if (!loop)
        return;
    for (int turn = 0; turn < LAST_TURNS; turn++) /* what is closing by steps comes to its end */
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    while (loop->jobs > 0) /* who waits for one still closes handles of its own (Paho's end) */
        uv_run(&loop->uv, UV_RUN_ONCE);
    uv_walk(&loop->uv, close_leftover, NULL);
    while (uv_loop_close(&loop->uv) == UV_EBUSY) {
        uv_run(&loop->uv, UV_RUN_ONCE);
        uv_walk(&loop->uv, close_leftover, NULL); /* what those callbacks made */
    }
    free(loop);
}

uv_loop_t *flt_loop_uv(struct flt_loop *loop)
{
    return &loop->uv;
}

const struct flt_clock *flt_loop_clock(struct flt_loop *loop)
{
    return loop->clock;
}

int flt_timer_create(struct flt_loop *loop, flt_timer_fn *fn, void *ctx, struct flt_timer **out)
{
    struct flt_timer *timer = calloc(1, sizeof *timer);

    if (!timer)
        return -ENOMEM;
    timer->fn = fn;
    timer->ctx = ctx;
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    *out = timer;
    return 0;
}

static void on_timer(uv_timer_t *uv)
{
    struct flt_timer *timer = uv->data;

    timer->fn(timer->ctx);
}

void flt_timer_start(struct flt_timer *timer, uint64_t delay_ms, uint64_t repeat_ms)
{
    if (delay_ms > 0)
        uv_update_time(timer->uv.loop); /* the loop's time is that of this turn's start */
    uv_timer_start(&timer->uv, on_timer, delay_ms, repeat_ms);
}

void flt_timer_stop(struct flt_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

void flt_timer_destroy(struct flt_timer *timer)
{
    if (!timer)
        return;
    uv_timer_stop(&timer->uv);
    uv_close((uv_handle_t *)&timer->uv, free_timer);
}

static void on_signal(uv_signal_t *uv, int signal_number)
{
    struct flt_loop *loop = uv->data;

    loop->on_signal(loop->signal_ctx, signal_number);
}

int flt_loop_on_signal(struct flt_loop *loop, void (*fn)(void *ctx, int signal), void *ctx)
{
    static const int numbers[2] = { SIGINT, SIGTERM };

    loop->on_signal = fn;
    loop->signal_ctx = ctx;
    for (int i = 0; i < 2; i++) {
        uv_signal_t *uv = &loop->signals[i];

        if (!loop->has_signals) {
            uv_signal_init(&loop->uv, uv);
            uv->data = loop;
            uv_unref((uv_handle_t *)uv);
        }
        const int err = fn ? uv_signal_start(uv, on_signal, numbers[i]) : uv_signal_stop(uv);
        if (err < 0)
            return FLT_FAIL(err, "signal=%d", numbers[i]);
    }
    loop->has_signals = true;
    return 0;
}

static void on_job_work(uv_work_t *uv)
{
    struct job *job = uv->data;

    job->work(job->arg);
}

static void on_job_done(uv_work_t *uv, int status)
{
    struct job *job = uv->data;
    void (*const done)(void *arg) = job->done;
    void *const arg = job->arg;

    (void)status; /* nothing here cancels a job, so it is always 0 */
    job->loop->jobs--;
    free(job);
    if (done)
        done(arg);
}

int flt_loop_work(struct flt_loop *loop, void (*work)(void *arg), void (*done)(void *arg),
                  void *arg)
{
    struct job *job = malloc(sizeof *job);

    if (!job)
        return -ENOMEM;
    *job = (struct job){ .loop = loop, .work = work, .done = done, .arg = arg };
    job->uv.data = job;
    const int err = uv_queue_work(&loop->uv, &job->uv, on_job_work, on_job_done);
    if (err < 0) {
        free(job);
        return FLT_FAIL(err, "what=uv_queue_work");
    }
    loop->jobs++;
    return 0;
}

int64_t flt_loop_lag_us(struct flt_loop *loop)
{
    const int64_t lag_us = loop->lag_us_max;

    loop->lag_us_max = 0;
    return lag_us;
}

uint64_t flt_backoff_ms(uint64_t previous_ms, uint64_t base_ms, uint64_t cap_ms)
{
    uint64_t high_ms = previous_ms > cap_ms / 3 ? cap_ms : previous_ms * 3;
    uint64_t random = 0;

    if (high_ms < base_ms)
        high_ms = base_ms;
    if (getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
        random = uv_hrtime();
    return base_ms + random % (high_ms - base_ms + 1);
}
