/* A sealed archive: a few files in one, for backups. Nothing in it can be read, changed, cut or
 * exchanged without its key, except the manifest, which can be read by anybody.
 *
 *   "FLTBKP1\n" | u32 size | manifest (JSON) | seal of nothing | each file in pieces of 1 MiB
 *
 * A piece is a seal (lib/crypto.h) whose associated data is
 * "backup:<SHA-256 of the manifest>:<file>:<piece>", so that the first seal proves the manifest and
 * each piece its place. The manifest is the caller's object plus `files: [{name, size, sha256}]`.
 * Sizes are little endian. Threads: any; the calls read and write files and take their time. */
#pragma once
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/crypto.h"
#include "lib/fail.h"

#define FLT_ARCHIVE_FILES_MAX 64
#define FLT_ARCHIVE_NAME_MAX 128

struct flt_archive_file {
    const char *name; /* in the archive: "controller/controller.db"; never absolute, no ".." */
    const char *path; /* where it is now */
};

/* Writes `path` whole or not at all, mode 0600. `manifest` gets its `files`. */
FLT_MUST_USE int flt_archive_write(const char *path, const uint8_t key[FLT_KEY_SIZE],
                                   struct json_object *manifest,
                                   const struct flt_archive_file *files, size_t count,
                                   struct flt_error *error);
/* The manifest alone, not yet proven; the caller puts it. NULL: not an archive, see `error`. */
struct json_object *flt_archive_manifest(const char *path, struct flt_error *error);
/* Checks every byte; with `dir` the files are written below it (folders are made, mode 0700; an
 * existing file is replaced whole). -EBADMSG: wrong key or changed bytes; what was written up to
 * there stays, so give a folder of its own. */
FLT_MUST_USE int flt_archive_extract(const char *path, const uint8_t key[FLT_KEY_SIZE],
                                     const char *dir, struct flt_error *error);
