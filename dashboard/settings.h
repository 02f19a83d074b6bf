/* dashboard.json: where to listen, where the broker is, and what is refused for safety.
 *
 * Beyond loopback the server wants TLS, or the word allow_remote from whoever put a proxy or a
 * trusted network around it: passwords travel over this port. */
#pragma once
#include <stdbool.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "schemas/schemas_msg.h"

struct settings {
    struct msg_config_dashboard config;
    char host[48];         /* numeric, without brackets */
    int port;              /* 0: a free one */
    bool local;            /* host is loopback */
    char broker_path[108]; /* unix socket; "" when broker_host is set */
    char broker_host[48];  /* numeric */
    int broker_port;
};

/* Reads and checks `path`; a failure is told in `error`. */
FLT_MUST_USE int settings_load(const char *path, struct settings *out, struct flt_error *error);
/* Takes apart and checks what settings_load() decoded into out->config. */
FLT_MUST_USE int settings_check(struct settings *out, struct flt_error *error);

/* "127.0.0.1:8088", "[::1]:8088", "localhost:0" into a numeric host and a port. Not so: -EINVAL. */
FLT_MUST_USE int settings_parse_address(const char *text, char *host, size_t host_size, int *port);
/* The broker as lib/mqtt.h names it. */
void settings_broker_url(const struct settings *settings, char *out, size_t size);
/* Whether a numeric address is this machine only. */
bool settings_is_loopback(const char *host);

/* Whether a page of `origin` may open a WebSocket here: none is sent (not a browser), or it is the
 * host that the browser asked for. `local`: that must be a name of this machine, so that a foreign
 * name that was made to point here (DNS rebinding) is refused. */
bool settings_origin_ok(const char *origin, const char *host, bool local);
