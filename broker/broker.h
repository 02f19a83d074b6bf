/* The broker: mosquitto's configuration and its first logins, written before it starts.
 *
 * DIR is the broker's own folder (mode 0700): mosquitto.conf, dynsec.json, mosquitto.sock and
 * mosquitto's saved state. The settings and their reasons are in mosquitto.c. Logins made later go
 * over $CONTROL/dynamic-security/v1 (lib/roles.h); the bootstrap is done offline, so that there is
 * no moment in which the broker runs without passwords. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/fail.h"
#include "lib/roles.h"

#define BROKER_PATH_MAX 1024
#define BROKER_SOCKET_PATH_MAX 104 /* sun_path is 108 */
#define BROKER_PASSWORD_MAX 29     /* 28 characters of 5 bits, and NUL */

struct broker_config {
    const char *dir;         /* absolute */
    uint16_t port;           /* on 127.0.0.1 only */
    const char *socket_path; /* NULL: DIR/mosquitto.sock */
};

struct broker_login {
    enum flt_role_kind kind;
    const char *name;
    const char *password;
};

/* 140 random bits in letters and digits that are hard to mistake. */
FLT_MUST_USE int broker_password(char out[BROKER_PASSWORD_MAX]);

/* Where Debian and others put them; -ENOENT with a sentence on how to install them. */
FLT_MUST_USE int broker_find_program(char *out, size_t size, struct flt_error *error);
FLT_MUST_USE int broker_find_plugin(char *out, size_t size, struct flt_error *error);

/* Writes DIR/mosquitto.conf (each time: the port may have changed). */
FLT_MUST_USE int broker_write_config(const struct broker_config *config, struct flt_error *error);
/* A listener beyond loopback, in DIR/conf.d/listen.conf; it holds from the broker's next start.
 * Without `cert` and `key` it is refused unless `plain` says that the network itself is sealed (a
 * VPN): passwords would cross it readable. */
struct broker_listener {
    const char *address; /* "0.0.0.0", "10.8.0.1" */
    uint16_t port;
    const char *cert, *key, *client_ca; /* PEM files, absolute; client_ca: certificates are asked */
    bool plain;
};
FLT_MUST_USE int broker_write_listener(const char *dir, const struct broker_listener *listener,
                                       struct flt_error *error);

/* A bridge from this broker to another, in DIR/conf.d/bridge-NAME.conf (mode 0600: it has the
 * password). Directions are fixed by `side`, so that two sites can never send a message around:
 * what nodes say goes towards the controller, what the controller says towards the nodes. */
struct broker_bridge {
    const char *name; /* of the site; also the login there unless `username` */
    const char *tenant;
    bool hub;                 /* this broker is the controller's, the nodes are over there */
    const char *const *nodes; /* that the bridge carries */
    size_t node_count;
    const char *host; /* of the other broker */
    uint16_t port;
    bool tls;
    const char *ca_file, *cert, *key; /* NULL: the system's certificates; no client certificate */
    const char *username, *password;
    bool mosquitto; /* the other side is one: it is told that this is a bridge. EMQX: false */
};
FLT_MUST_USE int broker_write_bridge(const char *dir, const struct broker_bridge *bridge,
                                     struct flt_error *error);
/* -ENOENT: there was none. */
FLT_MUST_USE int broker_remove_bridge(const char *dir, const char *name);

/* Writes DIR/dynsec.json with these logins. -EEXIST: there is one, and it is left alone. */
FLT_MUST_USE int broker_write_logins(const char *dir, const char *tenant,
                                     const struct broker_login *logins, size_t count,
                                     struct flt_error *error);
/* Sets a login's password in DIR/dynsec.json while the broker is stopped. */
FLT_MUST_USE int broker_reset_password(const char *dir, const char *name, const char *password,
                                       struct flt_error *error);
