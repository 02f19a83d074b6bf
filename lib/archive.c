#define FLT_MOD "archive"
#include "lib/archive.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lib/config.h"
#include "lib/json.h"

#define MAGIC "FLTBKP1\n"
#define MAGIC_SIZE 8
#define PIECE ((size_t)1024 * 1024)
#define MANIFEST_MAX ((size_t)1024 * 1024)
#define PATH_SIZE 1024
#define AAD_SIZE 128
#define HEX_SIZE 65

struct archive {
    FILE *file;
    const char *path;
    const uint8_t *key;
    char hash[HEX_SIZE]; /* of the manifest */
    uint8_t *plain, *seal;
};

static int buffers(struct archive *archive)
{
    archive->plain = malloc(PIECE);
    archive->seal = malloc(PIECE + FLT_SEAL_OVERHEAD);
    return archive->plain && archive->seal ? 0 : -ENOMEM;
}

static void finish(struct archive *archive)
{
    if (archive->file)
        fclose(archive->file);
    if (archive->plain)
        flt_wipe(archive->plain, PIECE);
    free(archive->plain);
    free(archive->seal);
}

static void hash_manifest(struct archive *archive, const char *text, size_t size)
{
    uint8_t hash[32];

    flt_sha256(text, size, hash);
    flt_hex(hash, sizeof hash, archive->hash);
}

/* File 0, piece 0 is the empty seal that proves the manifest; files count from 1. */
static char *aad_of(const struct archive *archive, size_t file, uint64_t piece, char out[AAD_SIZE])
{
    snprintf(out, AAD_SIZE, "backup:%s:%zu:%llu", archive->hash, file, (unsigned long long)piece);
    return out;
}

static int say(struct flt_error *error, int err, const char *what, const char *path)
{
    return flt_error_set(error, flt_error_from_errno(err), "", "", "cannot %s %s: %s", what, path,
                         strerror(-err));
}

static int damaged(struct flt_error *error, const char *path, const char *what)
{
    (void)flt_error_set(error, FLT_INVALID_ARGUMENT, "", "is it the key of this fleet?", "%s: %s",
                        path, what);
    return -EBADMSG;
}

/* A name that stays inside the folder it is written to. */
static bool name_fine(const char *name)
{
    return *name && *name != '/' && strlen(name) < FLT_ARCHIVE_NAME_MAX && !strstr(name, "..") &&
           !strpbrk(name, "\\\n\r");
}

/* --- writing
 * -------------------------------------------------------------------------------------- */

static int write_bytes(struct archive *archive, const void *data, size_t size)
{
    return fwrite(data, 1, size, archive->file) == size ? 0 : errno ? -errno : -EIO;
}

static int write_piece(struct archive *archive, size_t file, uint64_t piece, size_t size)
{
    char aad[AAD_SIZE];
    int err = flt_seal(archive->key, aad_of(archive, file, piece, aad), archive->plain, size,
                       archive->seal);

    return err ? err : write_bytes(archive, archive->seal, size + FLT_SEAL_OVERHEAD);
}

/* A file that grew or shrank since it was hashed is refused: the manifest would lie. */
static int write_file(struct archive *archive, size_t index, const char *path, uint64_t size)
{
    FILE *in = fopen(path, "rbe");
    int err = in ? 0 : -errno;

    for (uint64_t piece = 0; !err && size > 0; piece++) {
        const size_t part = size < PIECE ? (size_t)size : PIECE;

        err = fread(archive->plain, 1, part, in) == part ? write_piece(archive, index, piece, part)
                                                         : -ESTALE;
        size -= part;
    }
    if (!err && fgetc(in) != EOF)
        err = -ESTALE;
    if (in)
        fclose(in);
    return err;
}

static int list_files(struct json_object *manifest, const struct flt_archive_file *files,
                      size_t count, uint64_t *sizes, struct flt_error *error)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < count; i++) {
        struct json_object *row = json_object_new_object();
        uint8_t hash[32];
        char hex[HEX_SIZE];
        const int err =
            name_fine(files[i].name) ? flt_sha256_file(files[i].path, hash, &sizes[i]) : -EINVAL;

        json_object_array_add(list, row);
        if (err) {
            json_object_put(list);
            return say(error, err, "read", files[i].path);
        }
        json_object_object_add(row, "name", json_object_new_string(files[i].name));
        json_object_object_add(row, "size", json_object_new_int64((int64_t)sizes[i]));
        json_object_object_add(row, "sha256",
                               json_object_new_string(flt_hex(hash, sizeof hash, hex)));
    }
    json_object_object_add(manifest, "files", list);
    return 0;
}

static int write_head(struct archive *archive, struct json_object *manifest)
{
    const char *text = json_object_to_json_string_ext(manifest, JSON_C_TO_STRING_PLAIN);
    const size_t size = text ? strlen(text) : 0;
    const uint8_t length[4] = { (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16),
                                (uint8_t)(size >> 24) };
    int err = size == 0 || size > MANIFEST_MAX ? -EMSGSIZE : 0;

    if (err)
        return err;
    hash_manifest(archive, text, size);
    err = write_bytes(archive, MAGIC, MAGIC_SIZE);
    if (!err)
        err = write_bytes(archive, length, sizeof length);
    if (!err)
        err = write_bytes(archive, text, size);
    return err ? err : write_piece(archive, 0, 0, 0);
}

/* The name is there only when the bytes are. */
static int publish(struct archive *archive, const char *temporary)
{
    char dir[PATH_SIZE];
    char *slash;
    int fd, err;

    if (fflush(archive->file) != 0 || fsync(fileno(archive->file)) != 0)
        return -errno;
    if (rename(temporary, archive->path) != 0)
        return -errno;
    snprintf(dir, sizeof dir, "%s", archive->path);
    slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir] = 0;
    fd = open(slash ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    err = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
    if (fd >= 0)
        close(fd);
    return err;
}

int flt_archive_write(const char *path, const uint8_t key[FLT_KEY_SIZE],
                      struct json_object *manifest, const struct flt_archive_file *files,
                      size_t count, struct flt_error *error)
{
    struct archive archive = { .path = path, .key = key };
    uint64_t sizes[FLT_ARCHIVE_FILES_MAX];
    char temporary[PATH_SIZE];
    int fd, err;

    if (count > FLT_ARCHIVE_FILES_MAX ||
        (size_t)snprintf(temporary, sizeof temporary, "%s.part", path) >= sizeof temporary)
        return say(error, -EINVAL, "write", path);
    err = list_files(manifest, files, count, sizes, error);
    if (err)
        return err;
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    archive.file = fd < 0 ? NULL : fdopen(fd, "wb");
    err = !archive.file ? -errno : buffers(&archive);
    if (!archive.file && fd >= 0)
        close(fd);
    if (!err)
        err = write_head(&archive, manifest);
    for (size_t i = 0; i < count && !err; i++)
        err = write_file(&archive, i + 1, files[i].path, sizes[i]);
    if (!err)
        err = publish(&archive, temporary);
    finish(&archive);
    if (err) {
        (void)unlink(temporary);
        return say(error, err, "write", path);
    }
    return 0;
}

/* --- reading
 * -------------------------------------------------------------------------------------- */

static struct json_object *read_head(struct archive *archive, struct flt_error *error)
{
    char magic[MAGIC_SIZE];
    uint8_t length[4];
    size_t size = 0;
    char *text = NULL;
    struct json_object *manifest = NULL;

    if (fread(magic, 1, MAGIC_SIZE, archive->file) == MAGIC_SIZE &&
        memcmp(magic, MAGIC, MAGIC_SIZE) == 0 && fread(length, 1, 4, archive->file) == 4)
        size =
            length[0] | (size_t)length[1] << 8 | (size_t)length[2] << 16 | (size_t)length[3] << 24;
    if (size > 0 && size <= MANIFEST_MAX)
        text = malloc(size);
    if (text && fread(text, 1, size, archive->file) == size) {
        hash_manifest(archive, text, size);
        manifest = flt_json_parse_named(text, size, archive->path, NULL);
    }
    free(text);
    if (!manifest)
        (void)flt_error_set(error, FLT_INVALID_ARGUMENT, "", "see flotilla backup ls",
                            "%s is not a backup, or it is cut", archive->path);
    return manifest;
}

static int read_piece(struct archive *archive, size_t file, uint64_t piece, size_t size)
{
    char aad[AAD_SIZE];

    if (fread(archive->seal, 1, size + FLT_SEAL_OVERHEAD, archive->file) !=
        size + FLT_SEAL_OVERHEAD)
        return -EBADMSG;
    return flt_unseal(archive->key, aad_of(archive, file, piece, aad), archive->seal,
                      size + FLT_SEAL_OVERHEAD, archive->plain);
}

/* Makes the folders of DIR/NAME and opens a temporary file beside it. */
static FILE *open_out(const char *dir, const char *name, char path[PATH_SIZE],
                      char temporary[PATH_SIZE])
{
    char *slash;

    if (flt_path_join(path, PATH_SIZE - 8, dir, name) != 0)
        return NULL;
    slash = strrchr(path, '/');
    if (slash) {
        *slash = 0;
        const int err = flt_mkdir_p(path);

        *slash = '/';
        if (err)
            return NULL;
    }
    snprintf(temporary, PATH_SIZE, "%.*s.part", PATH_SIZE - 8, path);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    return fd < 0 ? NULL : fdopen(fd, "wb");
}

static int read_pieces(struct archive *archive, size_t index, uint64_t size, FILE *out)
{
    int err = 0;

    for (uint64_t piece = 0; !err && size > 0; piece++) {
        const size_t part = size < PIECE ? (size_t)size : PIECE;

        err = read_piece(archive, index, piece, part);
        if (!err && out && fwrite(archive->plain, 1, part, out) != part)
            err = -errno;
        size -= part;
    }
    return err;
}

static int read_file(struct archive *archive, size_t index, struct json_object *row,
                     const char *dir, struct flt_error *error)
{
    char path[PATH_SIZE], temporary[PATH_SIZE];
    const char *name = "";
    int64_t size = -1;
    FILE *out = NULL;
    int err;

    if (!flt_json_str(row, "name", &name) || !name_fine(name) ||
        !flt_json_int(row, "size", &size) || size < 0)
        return damaged(error, archive->path, "a file's row in the manifest is wrong");
    if (dir && !(out = open_out(dir, name, path, temporary)))
        return say(error, errno ? -errno : -EINVAL, "write", name);
    err = read_pieces(archive, index, (uint64_t)size, out);
    if (out) {
        if (!err && (fflush(out) != 0 || fsync(fileno(out)) != 0))
            err = -errno;
        fclose(out);
        if (!err && rename(temporary, path) != 0)
            err = -errno;
        if (err)
            (void)unlink(temporary);
    }
    if (err == -EBADMSG)
        return damaged(error, archive->path, "the key does not fit, or bytes were changed or cut");
    return err ? say(error, err, "write", name) : 0;
}

static int open_archive(struct archive *archive, const char *path, struct flt_error *error)
{
    archive->path = path;
    archive->file = fopen(path, "rbe");
    return archive->file ? 0 : say(error, -errno, "read", path);
}

struct json_object *flt_archive_manifest(const char *path, struct flt_error *error)
{
    struct archive archive = { 0 };
    struct json_object *manifest = NULL;

    if (open_archive(&archive, path, error) == 0)
        manifest = read_head(&archive, error);
    finish(&archive);
    return manifest;
}

int flt_archive_extract(const char *path, const uint8_t key[FLT_KEY_SIZE], const char *dir,
                        struct flt_error *error)
{
    struct archive archive = { .key = key };
    struct json_object *manifest = NULL, *files = NULL;
    int err = open_archive(&archive, path, error);

    if (!err)
        err = buffers(&archive);
    if (!err && !(manifest = read_head(&archive, error)))
        err = -EBADMSG;
    if (!err && read_piece(&archive, 0, 0, 0) != 0)
        err = damaged(error, path, "the key does not fit, or its manifest was changed");
    if (!err) {
        files = flt_json_get(manifest, "files");
        if (!json_object_is_type(files, json_type_array))
            err = damaged(error, path, "the manifest lists no files");
    }
    for (size_t i = 0; !err && i < json_object_array_length(files); i++)
        err = read_file(&archive, i + 1, json_object_array_get_idx(files, i), dir, error);
    if (!err && fgetc(archive.file) != EOF)
        err = damaged(error, path, "there are bytes behind its end");
    json_object_put(manifest);
    finish(&archive);
    return err;
}
