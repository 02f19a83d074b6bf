/* The web application inside the binary: made by embed.py from the Vite build, each file
 * compressed. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct asset {
    const char *path; /* "/index.html", "/assets/index-1a2b3c.js" */
    const char *type; /* content type */
    const char *etag; /* with its quotes */
    bool hashed;      /* its name changes with its content: cached for a year */
    size_t size;      /* as it was */
    size_t gz_size;
    const unsigned char *gz; /* gzip */
};

extern const struct asset asset_table[];
extern const size_t asset_count;

const struct asset *asset_find(const char *path); /* NULL: none; "/" is /index.html */
/* The file as it was, for a client that takes no gzip; freed by the caller. NULL: no memory. */
char *asset_inflate(const struct asset *asset);
