/* The injection layer: a library that tests load into unchanged programs (LD_PRELOAD), so that what
 * is shipped has nothing of it. It gives a program its own clock (faster, shifted, stepped), makes
 * writev, fsync and connect fail, come short or late, fills its disk, and cuts its power.
 *
 * The conductor (conduct.py) maps the file that CHAOS_CONTROL names and changes it while the
 * program runs; every field is 64 bits, in this order. Without the variable all calls pass. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#define CHAOS_MAGIC INT64_C(0x464c543143484153)

struct chaos_control {
    int64_t magic;
    int64_t factor_milli;          /* fleet time in real time, in thousandths; 10000: ten times */
    int64_t real_wall_ns, wall_ns; /* fleet wall time was wall_ns when ours was real_wall_ns */
    int64_t real_mono_ns, mono_ns; /* likewise CLOCK_MONOTONIC and CLOCK_BOOTTIME */
    int64_t step_ns;               /* added to the wall clock: skews and steps */
    int64_t boot;                  /* number of the machine's boot; shown as its boot id */
    int64_t disk_full;             /* files under CHAOS_DIR do not grow */
    int64_t net_fail_ppm, net_short_ppm, net_late_us;
    int64_t sync_fail_ppm, sync_late_us;
    int64_t connect_fail_ppm, connect_late_us;
    int64_t seed;
    int64_t keep_ppm; /* power loss: how many unsynced sectors reach the disk all the same */
    /* What was done, counted here. */
    int64_t net_failed, net_short, sync_failed, connect_failed, full, sectors_lost, power_lost;
};

/* NULL: nothing is injected. */
struct chaos_control *chaos_control(void);
bool chaos_roll(int64_t ppm); /* true so many times in a million, from the seed */
uint64_t chaos_random(void);
void chaos_count(int64_t *counter);
void chaos_sleep_us(int64_t us);    /* real time */
extern volatile bool chaos_dead;    /* the power is gone: nothing leaves this process any more */
void *chaos_next(const char *name); /* the function that ours stands before */

/* inject_file.c: what a power loss would take. All calls are harmless for files that are not ours.
 */
void chaos_file_opened(int fd, const char *path);
void chaos_file_closed(int fd);
bool chaos_file_is_ours(int fd);
bool chaos_file_is_full(int fd,
                        off_t end); /* the disk is full and this write would grow the file */
void chaos_file_before_write(int fd, off_t offset, size_t size);
void chaos_file_before_cut(int fd, off_t size);
void chaos_file_synced(int fd);
void chaos_file_mapped(int fd, void *address, size_t size);
void chaos_file_gone(const char *path);
void chaos_file_start(void); /* the thread that waits for the power to go */
