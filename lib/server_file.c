#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/server_impl.h"

#define FILE_BYTES_MAX (8 * 1024 * 1024)

static const char *type_of(const char *path)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".json", "application/json" },
        { ".svg", "image/svg+xml" },
        { ".png", "image/png" },
        { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".map", "application/json" },
        { ".webmanifest", "application/manifest+json" },
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < FLT_COUNT(types); i++)
        if (strcmp(dot, types[i].ending) == 0)
            return types[i].type;
    return "application/octet-stream";
}

/* No hidden files, and no way up. */
static bool path_ok(const char *path)
{
    return path[0] == '/' && !strstr(path, "/.") && !strstr(path, "//") && !strchr(path, '\\');
}

void flt_request_reply_file(struct flt_request *request, const char *dir, const char *path)
{
    char name[1024], tag[40], headers[160];
    uint8_t hash[32];
    char *data = NULL;
    size_t size = 0;

    if (strcmp(path, "/") == 0)
        path = "/index.html";
    const int length = snprintf(name, sizeof name, "%s%s", dir, path);

    if (path_ok(path) && length > 0 && (size_t)length < sizeof name)
        data = flt_file_read(name, FILE_BYTES_MAX, &size);
    if (!data) {
        flt_request_reply_text(request, 404,
                               "{\"error\":{\"code\":\"not_found\","
                               "\"message\":\"There is no such page.\"}}");
        return;
    }
    flt_sha256(data, size, hash);
    tag[0] = '"';
    flt_hex(hash, 16, tag + 1);
    snprintf(tag + 33, sizeof tag - 33, "\"");
    snprintf(headers, sizeof headers, "ETag: %s\r\nCache-Control: no-cache\r\n", tag);
    const char *seen = flt_request_header(request, "if-none-match");
    const bool same = seen && strcmp(seen, tag) == 0;
    const struct flt_reply reply = { .status = same ? 304 : 200,
                                     .content_type = type_of(path),
                                     .headers = headers,
                                     .body = data,
                                     .size = same ? 0 : size };

    flt_request_reply(request, &reply);
    free(data);
}
