/* One browser's WebSocket joined to the broker, byte for byte.
 *
 * User and password are in the browser's own CONNECT, and the broker decides; this side reads along
 * only who signs in and whether that worked (dashboard/mqttscan.h), so that guessing slows down,
 * and whether a person still does anything: a session without it ends. Back-pressure goes both
 * ways: when more than 256 KiB wait for one side, the other is not read. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "dashboard/limiter.h"
#include "dashboard/settings.h"
#include "lib/loop.h"
#include "lib/server.h"

#define BRIDGE_CLIENTS_MAX 256

/* WebSocket close codes of our own (RFC 6455 section 7.4.2). */
enum {
    BRIDGE_CLOSE_IDLE = 4001, /* nobody did anything for session_idle_s: sign in again */
    BRIDGE_CLOSE_WAIT = 4029  /* too many failed logins: the reason says how long to wait */
};

struct bridges; /* all of a server's */
struct bridge;

FLT_MUST_USE int bridges_create(struct flt_loop *loop, const struct settings *settings,
                                struct limiter *limiter, struct bridges **out);
/* All bridges must be gone (their server destroyed); NULL is fine. */
void bridges_destroy(struct bridges *bridges);
unsigned bridges_count(const struct bridges *bridges);
uint64_t bridges_total(const struct bridges *bridges); /* since the start */

/* Joins an accepted peer; NULL: too many, or no memory. It ends with bridge_gone(). */
struct bridge *bridge_open(struct bridges *bridges, struct flt_peer *peer, const char *address);
void bridge_send(struct bridge *bridge, const char *data, size_t size); /* from the browser */
void bridge_drained(struct bridge *bridge); /* the browser took what waited for it */
void bridge_gone(struct bridge *bridge);    /* the browser left */

/* Whether the broker takes a connection; `fn` is called once, later. */
typedef void bridge_probe_fn(void *ctx, bool reachable);
void bridge_probe(struct bridges *bridges, bridge_probe_fn *fn, void *ctx);
