/* A bot's recording while it is made: the tape (engine/tape.h) to DIR/rec/<bot>-<ms>.tape.
 *
 * The engine writes to memory; once a second what has come together goes to the file, so that no
 * order waits for a disk. It ends by itself at its time, at RECORDER_BYTES_MAX, and when the disk
 * takes no more; a bot keeps its newest RECORDER_KEPT recordings. Off, a bot has no recorder. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "engine/tape.h"
#include "lib/attr.h"

#define RECORDER_BYTES_MAX ((uint64_t)256 * 1024 * 1024)
#define RECORDER_KEPT 4

struct recorder {
    struct tape tape;
    int fd;         /* -1: it has ended */
    char file[160]; /* below the node's folder */
    int64_t until_ns;
    uint64_t bytes; /* in the file */
    char ended[120];
};

/* -errno: the file cannot be made, and *out is untouched. */
FLT_MUST_USE int recorder_open(const char *dir, const char *bot, int64_t now_ms,
                               struct recorder **out);
bool recorder_is_on(const struct recorder *recorder); /* NULL: no */
/* What has come together goes to the file. A reason to end it now, or NULL. */
const char *recorder_second(struct recorder *recorder, int64_t now_ns);
/* The bot must have dropped its tape. Again: nothing. */
void recorder_end(struct recorder *recorder, const char *why);
void recorder_close(struct recorder *recorder); /* after recorder_end(); NULL is fine */
