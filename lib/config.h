/* Configuration: YAML or JSON files into one json-c object.
 *
 * YAML is read by libyaml into the same tree that JSON gives, so one schema checks both. Scalars: a
 * plain true/false/null, nothing at all (null) and plain integers become those types; every other
 * scalar, and each quoted one, stays a string with its exact text (a price never passes through a
 * double). Anchors, aliases, tags and duplicate keys are refused, as are files over 4 MiB.
 * Environment variables are not expanded: a secret belongs in a file named by the configuration. */
#pragma once
#include <json-c/json.h>
#include "lib/attr.h"
#include "lib/fail.h"

/* By its ending: .json is JSON, all else YAML (of which JSON is a part). NULL: `error` says path,
 * line, column, reason. The caller puts the object. */
struct json_object *flt_config_load(const char *path, struct flt_error *error);
struct json_object *flt_config_parse_yaml(const char *text, size_t length, const char *name,
                                          struct flt_error *error);

/* Files of a fleet's folder. */
FLT_MUST_USE int flt_path_join(char *out, size_t size, const char *dir, const char *name);
FLT_MUST_USE int flt_mkdir_p(const char *path); /* mode 0700; exists already: fine */
/* Writes a file whole or not at all (temporary name, fsync, rename). */
FLT_MUST_USE int flt_file_write(const char *path, const void *data, size_t size, unsigned mode);
/* Reads a file of up to `max` bytes; NUL-terminated, freed by the caller. NULL: errno says why. */
char *flt_file_read(const char *path, size_t max, size_t *size);
