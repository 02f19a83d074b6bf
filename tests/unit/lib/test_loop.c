#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include "lib/loop.h"

static int setup(void **ctx)
{
    return flt_loop_create(flt_clock_system(), (struct flt_loop **)ctx);
}

static int teardown(void **ctx)
{
    flt_loop_destroy(*ctx);
    return 0;
}

struct ticks {
    struct flt_timer *timer;
    int count;
};

static void destroy_at_third_tick(void *arg)
{
    struct ticks *ticks = arg;

    if (++ticks->count == 3) {
        flt_timer_destroy(ticks->timer);
        ticks->timer = NULL;
    }
}

static void a_timer_repeats_and_may_be_destroyed_in_its_callback(void **ctx)
{
    struct ticks ticks = { 0 };

    assert_int_equal(0, flt_timer_create(*ctx, destroy_at_third_tick, &ticks, &ticks.timer));
    flt_timer_start(ticks.timer, 1, 1);
    flt_loop_run(*ctx); /* ends, as nothing is left */
    assert_int_equal(3, ticks.count);
}

static void count_tick(void *arg)
{
    ((struct ticks *)arg)->count++;
}

static void a_stopped_timer_does_not_fire_and_a_leftover_one_is_freed_with_the_loop(void **ctx)
{
    struct ticks ticks = { 0 };

    assert_int_equal(0, flt_timer_create(*ctx, count_tick, &ticks, &ticks.timer));
    flt_timer_start(ticks.timer, 0, 0);
    flt_timer_stop(ticks.timer);
    flt_loop_run(*ctx);
    assert_int_equal(0, ticks.count); /* the leak check of the sanitizer build sees the rest */
}

struct job {
    pthread_t worker, loop;
};

static void work(void *arg)
{
    ((struct job *)arg)->worker = pthread_self();
}

static void done(void *arg)
{
    ((struct job *)arg)->loop = pthread_self();
}

static void work_runs_on_another_thread_and_done_on_the_loops(void **ctx)
{
    struct job job = { 0 };

    assert_int_equal(0, flt_loop_work(*ctx, work, done, &job));
    flt_loop_run(*ctx);
    assert_true(pthread_equal(job.loop, pthread_self()));
    assert_false(pthread_equal(job.worker, pthread_self()));
}

struct stopper {
    struct flt_loop *loop;
    int signal;
};

static void on_signal(void *arg, int number)
{
    struct stopper *stopper = arg;

    stopper->signal = number;
    flt_loop_stop(stopper->loop);
}

static void raise_term(void *arg)
{
    (void)arg;
    raise(SIGTERM);
}

static void a_signal_reaches_the_loop_and_can_stop_it(void **ctx)
{
    struct stopper stopper = { .loop = *ctx };
    struct flt_timer *timer;
    struct ticks forever = { 0 };

    assert_int_equal(0, flt_loop_on_signal(*ctx, on_signal, &stopper));
    assert_int_equal(0, flt_timer_create(*ctx, raise_term, NULL, &timer));
    assert_int_equal(0, flt_timer_create(*ctx, count_tick, &forever, &forever.timer));
    flt_timer_start(timer, 1, 0);
    flt_timer_start(forever.timer, 5, 5);
    flt_loop_run(*ctx);
    assert_int_equal(SIGTERM, stopper.signal);
    struct sigaction now;

    assert_int_equal(0, sigaction(SIGTERM, NULL, &now));
    assert_ptr_not_equal(SIG_DFL, now.sa_handler);
    assert_int_equal(0, flt_loop_on_signal(*ctx, NULL, NULL));
    assert_int_equal(0, sigaction(SIGTERM, NULL, &now));
    assert_ptr_equal(SIG_DFL, now.sa_handler);
    flt_timer_destroy(timer);
    flt_timer_destroy(forever.timer);
}

static void block_200_ms(void *arg)
{
    const struct timespec pause = { .tv_nsec = 200000000 };

    nanosleep(&pause, NULL); /* what the test is about: somebody blocks the loop */
    flt_timer_destroy(*(struct flt_timer **)arg);
}

static void stop_loop(void *arg)
{
    flt_loop_stop(arg);
}

static void a_blocked_loop_shows_in_its_lag(void **ctx)
{
    struct flt_timer *blocker, *stopper;

    assert_int_equal(0, flt_timer_create(*ctx, block_200_ms, &blocker, &blocker));
    assert_int_equal(0, flt_timer_create(*ctx, stop_loop, *ctx, &stopper));
    flt_timer_start(blocker, 60, 0);
    flt_timer_start(stopper, 230, 0);
    flt_loop_run(*ctx);
    assert_true(flt_loop_lag_us(*ctx) >= 50000);
    assert_true(flt_loop_lag_us(*ctx) == 0); /* read is reset */
    flt_timer_destroy(stopper);
}

static void backoff_stays_between_base_and_cap_and_grows(void **ctx)
{
    uint64_t delay_ms = 0;
    uint64_t high_ms = 0;

    (void)ctx;
    assert_true(flt_backoff_ms(0, 100, 5000) == 100);
    for (int i = 0; i < 1000; i++) {
        const uint64_t next_ms = flt_backoff_ms(delay_ms, 100, 5000);
        assert_true(next_ms >= 100 && next_ms <= 5000);
        assert_true(delay_ms == 0 || next_ms <= 3 * delay_ms);
        high_ms = next_ms > high_ms ? next_ms : high_ms;
        delay_ms = next_ms;
    }
    assert_true(high_ms > 2500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_timer_repeats_and_may_be_destroyed_in_its_callback, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            a_stopped_timer_does_not_fire_and_a_leftover_one_is_freed_with_the_loop, setup,
            teardown),
        cmocka_unit_test_setup_teardown(work_runs_on_another_thread_and_done_on_the_loops, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_signal_reaches_the_loop_and_can_stop_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_blocked_loop_shows_in_its_lag, setup, teardown),
        cmocka_unit_test(backoff_stays_between_base_and_cap_and_grows),
    };

    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
