/* A real mosquitto for a C test: its own temp folder, a free loopback port and a Unix socket. */
#pragma once
#include <stdbool.h>
#include "tests/support/child.h"

struct broker {
    struct child child;
    char dir[64]; /* removed by broker_destroy */
    char url[64]; /* "mqtt://127.0.0.1:PORT" */
    char unix_url[96];
    int port;
};

/* Starts it with NODELAY and the queue limits that we ship. With a `username` only that login gets
 * in. `extra` are more configuration lines; NULL: none. Fails the test when mosquitto does not
 * answer. */
void broker_start(struct broker *broker, const char *username, const char *password,
                  const char *extra);
/* Ends the process with `signal` and, later, starts it again on the same port. */
void broker_stop(struct broker *broker, int signal);
void broker_restart(struct broker *broker);
void broker_destroy(struct broker *broker);
