/* Power loss. For each file under CHAOS_DIR the old content of every 512-byte sector that was
 * written since the file's last fsync is kept. When the power goes (a signal), each such sector
 * falls back to it unless the dice say that it reached the disk; what a file grew by is cut or
 * becomes zeros; a shared mapping falls back page by page; and the process is killed. Nothing is
 * assumed about order: sectors and files are independent, as a disk's cache is. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/chaos/inject.h"

#define SECTOR 512
#define PAGE 4096
#define FILES_MAX 128
#define FDS_MAX 65536

struct old_sector {
    off_t number;
    char bytes[SECTOR];
};

struct file {
    dev_t device;
    ino_t inode; /* 0: a free place */
    int fd;      /* ours, never closed while the file is there: closing one drops SQLite's locks */
    off_t synced_size;
    struct old_sector *sectors;
    size_t count, room;
    uint32_t *table; /* open addressing: index in sectors + 1 */
    size_t table_size;
    char *mapping, *before; /* a shared mapping, and what it was */
    size_t mapped;
};

volatile bool chaos_dead;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct file files[FILES_MAX];
static short file_of[FDS_MAX]; /* by descriptor: place in files + 1 */
static sem_t power_gone;
static char root[512];
static size_t root_size;

static struct file *find(int fd)
{
    return root_size && fd >= 0 && fd < FDS_MAX && file_of[fd] ? &files[file_of[fd] - 1] : NULL;
}

bool chaos_file_is_ours(int fd)
{
    return find(fd) != NULL;
}

static void forget_sectors(struct file *file)
{
    file->count = 0;
    if (file->table)
        memset(file->table, 0, file->table_size * sizeof *file->table);
}

static struct file *take_place(const struct stat *info)
{
    struct file *place = NULL;

    for (size_t i = 0; i < FILES_MAX; i++) {
        if (files[i].inode == info->st_ino && files[i].device == info->st_dev)
            return &files[i];
        if (!place && files[i].inode == 0)
            place = &files[i];
    }
    if (!place)
        abort(); /* a test would prove less than it says */
    *place = (struct file){ .device = info->st_dev,
                            .inode = info->st_ino,
                            .synced_size = info->st_size };
    return place;
}

void chaos_file_opened(int fd, const char *path)
{
    struct stat info;
    char self[64];
    const size_t length = strlen(path);

    if (!root_size || strncmp(path, root, root_size) != 0 || fd >= FDS_MAX ||
        (length > 4 && strcmp(path + length - 4, "-shm") == 0) || fstat(fd, &info) != 0 ||
        !S_ISREG(info.st_mode))
        return;
    pthread_mutex_lock(&lock);
    struct file *const file = take_place(&info);

    if (file->fd == 0) {
        snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
        file->fd = (int)syscall(SYS_openat, AT_FDCWD, self, O_RDWR | O_CLOEXEC);
    }
    if (info.st_size < file->synced_size) /* O_TRUNC */
        file->synced_size = info.st_size;
    file_of[fd] = (short)(file - files + 1);
    pthread_mutex_unlock(&lock);
}

void chaos_file_closed(int fd)
{
    if (fd >= 0 && fd < FDS_MAX)
        file_of[fd] = 0;
}

void chaos_file_gone(const char *path)
{
    struct stat info;

    if (!root_size || stat(path, &info) != 0 || info.st_nlink > 1)
        return;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < FILES_MAX; i++) {
        struct file *const file = &files[i];

        if (file->inode != info.st_ino || file->device != info.st_dev)
            continue;
        syscall(SYS_close, file->fd);
        free(file->sectors);
        free(file->table);
        for (int fd = 0; fd < FDS_MAX; fd++)
            if (file_of[fd] == (short)(i + 1))
                file_of[fd] = 0;
        *file = (struct file){ 0 };
    }
    pthread_mutex_unlock(&lock);
}

bool chaos_file_is_full(int fd, off_t end)
{
    const struct file *const file = find(fd);
    struct stat info;

    return file && chaos_control()->disk_full && fstat(fd, &info) == 0 && end > info.st_size;
}

/* --- what a sector was --------------------------------------------------------------------------
 */

static uint32_t *slot_of(const struct file *file, off_t number)
{
    size_t at =
        (size_t)((uint64_t)number * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (file->table_size - 1);

    while (file->table[at] && file->sectors[file->table[at] - 1].number != number)
        at = (at + 1) & (file->table_size - 1);
    return &file->table[at];
}

static void grow(struct file *file)
{
    file->room = file->room ? file->room * 2 : 256;
    file->table_size = file->room * 4;
    file->sectors = realloc(file->sectors, file->room * sizeof *file->sectors);
    free(file->table);
    file->table = calloc(file->table_size, sizeof *file->table);
    if (!file->sectors || !file->table)
        abort();
    for (size_t i = 0; i < file->count; i++)
        *slot_of(file, file->sectors[i].number) = (uint32_t)i + 1;
}

static void keep(struct file *file, off_t number)
{
    if (file->count == file->room)
        grow(file);
    uint32_t *const slot = slot_of(file, number);

    if (*slot)
        return;
    struct old_sector *const old = &file->sectors[file->count];
    const ssize_t got = pread(file->fd, old->bytes, SECTOR, number * SECTOR);

    memset(old->bytes + (got > 0 ? got : 0), 0, (size_t)(SECTOR - (got > 0 ? got : 0)));
    old->number = number;
    *slot = (uint32_t)++file->count;
}

static void keep_range(struct file *file, off_t from, off_t to)
{
    if (to > file->synced_size)
        to = file->synced_size; /* what lies behind it was never promised */
    for (off_t number = from / SECTOR; number * SECTOR < to; number++)
        keep(file, number);
}

void chaos_file_before_write(int fd, off_t offset, size_t size)
{
    struct file *const file = find(fd);

    if (!file)
        return;
    pthread_mutex_lock(&lock);
    keep_range(file, offset, offset + (off_t)size);
    pthread_mutex_unlock(&lock);
}

void chaos_file_before_cut(int fd, off_t size)
{
    struct file *const file = find(fd);

    if (!file)
        return;
    pthread_mutex_lock(&lock);
    keep_range(file, size, file->synced_size);
    pthread_mutex_unlock(&lock);
}

void chaos_file_synced(int fd)
{
    struct file *const file = find(fd);
    struct stat info;

    if (!file)
        return;
    pthread_mutex_lock(&lock);
    forget_sectors(file);
    if (fstat(fd, &info) == 0)
        file->synced_size = info.st_size;
    if (file->mapping)
        memcpy(file->before, file->mapping, file->mapped);
    pthread_mutex_unlock(&lock);
}

void chaos_file_mapped(int fd, void *address, size_t size)
{
    struct file *const file = find(fd);

    if (!file)
        return;
    pthread_mutex_lock(&lock);
    free(file->before);
    file->mapping = address;
    file->mapped = size;
    file->before = malloc(size);
    if (!file->before)
        abort();
    memcpy(file->before, address, size);
    pthread_mutex_unlock(&lock);
}

/* --- the power goes -----------------------------------------------------------------------------
 */

static bool is_lost(void)
{
    return !chaos_roll(chaos_control()->keep_ppm);
}

static void lose_sectors(struct file *file)
{
    for (size_t i = 0; i < file->count; i++) {
        if (!is_lost())
            continue;
        syscall(SYS_pwrite64, file->fd, file->sectors[i].bytes, SECTOR,
                file->sectors[i].number * SECTOR);
        chaos_count(&chaos_control()->sectors_lost);
    }
}

static void lose_growth(struct file *file)
{
    static const char zeros[SECTOR];
    struct stat info;

    if (fstat(file->fd, &info) != 0 || info.st_size == file->synced_size)
        return;
    if (info.st_size < file->synced_size || is_lost()) { /* a cut that never was, or growth */
        (void)!syscall(SYS_ftruncate, file->fd, file->synced_size);
        return;
    }
    for (off_t at = file->synced_size; at < info.st_size; at += SECTOR)
        if (is_lost())
            syscall(SYS_pwrite64, file->fd, zeros,
                    (size_t)(info.st_size - at < SECTOR ? info.st_size - at : SECTOR), at);
}

/* What was in the mapping when the power went: the checker's proof that each intent was written
 * before its order left, although it did not reach the disk. */
static void keep_evidence(const struct file *file)
{
    const char *const dir = getenv("CHAOS_EVIDENCE");
    char path[600];
    size_t done = 0;

    if (!dir || !file->mapping)
        return;
    snprintf(path, sizeof path, "%s/ring-%d", dir, (int)getpid());
    const int fd =
        (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    while (fd >= 0 && done < file->mapped) {
        const long wrote = syscall(SYS_write, fd, file->mapping + done, file->mapped - done);
        if (wrote <= 0)
            abort();
        done += (size_t)wrote;
    }
}

static void lose_mapping(struct file *file)
{
    keep_evidence(file);
    for (size_t at = 0; file->mapping && at < file->mapped; at += PAGE) {
        const size_t size = file->mapped - at < PAGE ? file->mapped - at : PAGE;

        if (memcmp(file->mapping + at, file->before + at, size) == 0 || !is_lost())
            continue;
        memcpy(file->mapping + at, file->before + at, size);
        chaos_count(&chaos_control()->sectors_lost);
    }
}

static void *wait_for_power_loss(void *unused)
{
    while (sem_wait(&power_gone) != 0 && errno == EINTR)
        ;
    chaos_dead = true; /* first, so that what was sent is what the evidence below explains */
    pthread_mutex_lock(&lock); /* for ever: nothing is written any more */
    for (size_t i = 0; i < FILES_MAX; i++) {
        if (files[i].inode == 0)
            continue;
        lose_growth(&files[i]); /* before: an old sector may lie behind a cut */
        lose_sectors(&files[i]);
        lose_mapping(&files[i]);
    }
    chaos_count(&chaos_control()->power_lost);
    syscall(SYS_kill, getpid(), SIGKILL);
    return unused;
}

static void on_signal(int number)
{
    (void)number;
    sem_post(&power_gone);
}

void chaos_file_start(void)
{
    const char *const dir = getenv("CHAOS_DIR");
    const struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
    pthread_t thread;

    if (!dir || strlen(dir) >= sizeof root)
        return;
    strcpy(root, dir);
    root_size = strlen(dir);
    if (sem_init(&power_gone, 0, 0) != 0 || sigaction(SIGRTMIN + 7, &action, NULL) != 0 ||
        pthread_create(&thread, NULL, wait_for_power_loss, NULL) != 0)
        abort();
}
