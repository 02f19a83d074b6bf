#define FLT_MOD "recorder"
#include "botnode/recorder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "lib/config.h"
#include "lib/fail.h"

#define STAMP_DIGITS 13 /* of Unix ms */

/* "<bot>-<13 digits>.tape": by name, the oldest of a bot comes first. */
static bool is_of(const char *name, const char *bot)
{
    const size_t length = strlen(bot);

    return strncmp(name, bot, length) == 0 && name[length] == '-' &&
           strspn(name + length + 1, "0123456789") == STAMP_DIGITS &&
           strcmp(name + length + 1 + STAMP_DIGITS, ".tape") == 0;
}

/* Removes the bot's oldest recording; the number that are left. */
static size_t drop_oldest(const char *folder, const char *bot)
{
    char oldest[NAME_MAX + 1] = "";
    size_t count = 0;
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (!is_of(entry->d_name, bot))
            continue;
        count++;
        if (!*oldest || strcmp(entry->d_name, oldest) < 0)
            snprintf(oldest, sizeof oldest, "%s", entry->d_name);
    }
    if (count >= RECORDER_KEPT && unlinkat(dirfd(dir), oldest, 0) == 0)
        count--;
    else
        count = 0; /* nothing to do, or it cannot be done */
    if (dir)
        closedir(dir);
    return count;
}

static int open_file(struct recorder *recorder, const char *dir, const char *bot, int64_t now_ms)
{
    char folder[300], path[480];
    int err = flt_path_join(folder, sizeof folder, dir, "rec");

    err = err ? err : flt_mkdir_p(folder);
    if (err)
        return err;
    while (drop_oldest(folder, bot) >= RECORDER_KEPT)
        ;
    snprintf(recorder->file, sizeof recorder->file, "rec/%s-%013lld.tape", bot, (long long)now_ms);
    err = flt_path_join(path, sizeof path, dir, recorder->file);
    if (err)
        return err;
    recorder->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return recorder->fd < 0 ? FLT_FAIL(-errno, "path=%s", path) : 0;
}

int recorder_open(const char *dir, const char *bot, int64_t now_ms, struct recorder **out)
{
    struct recorder *recorder = calloc(1, sizeof *recorder);
    int err;

    if (!recorder)
        return -ENOMEM;
    err = open_file(recorder, dir, bot, now_ms);
    if (err) {
        free(recorder);
        return err;
    }
    tape_begin(&recorder->tape);
    *out = recorder;
    return 0;
}

bool recorder_is_on(const struct recorder *recorder)
{
    return recorder && recorder->fd >= 0;
}

static int flush(struct recorder *recorder)
{
    struct flt_buf *buf = &recorder->tape.buf;
    size_t done = 0;

    if (buf->failed)
        return -ENOMEM;
    while (done < buf->length) {
        const ssize_t wrote = write(recorder->fd, buf->data + done, buf->length - done);

        if (wrote < 0 && errno != EINTR)
            return -errno;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    recorder->bytes += done;
    flt_buf_reset(buf);
    return 0;
}

const char *recorder_second(struct recorder *recorder, int64_t now_ns)
{
    const int err = flush(recorder);

    if (err == -ENOMEM)
        return "there was no memory for it";
    if (err)
        return "its file could not be written";
    if (recorder->bytes > RECORDER_BYTES_MAX)
        return "it reached its greatest size";
    return now_ns >= recorder->until_ns ? "its time was over" : NULL;
}

void recorder_end(struct recorder *recorder, const char *why)
{
    if (!recorder_is_on(recorder))
        return;
    snprintf(recorder->ended, sizeof recorder->ended, "%s", why);
    tape_end(&recorder->tape, why);
    const int err =
        flush(recorder); /* without its end the file says of itself that it is cut off */

    FLT_LOG(INFO, "recorded", "file=%s bytes=%llu inputs=%llu err=%d why=\"%s\"", recorder->file,
            (unsigned long long)recorder->bytes, (unsigned long long)recorder->tape.inputs, err,
            why);
    close(recorder->fd);
    recorder->fd = -1;
    flt_buf_finish(&recorder->tape.buf);
}

void recorder_close(struct recorder *recorder)
{
    if (!recorder)
        return;
    tape_finish(&recorder->tape);
    free(recorder);
}
