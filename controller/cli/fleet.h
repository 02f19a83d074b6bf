/* The fleet's folder: what `flotilla up` made there, and where each thing is.
 *
 * fleet.json is written last, so that a first start that was cut short begins again with the
 * passwords already there. All folders are 0700 and files 0600. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "broker/broker.h"
#include "controller/cli/cli.h"
#include "lib/ids.h"

#define FLEET_NODES 2
#define FLEET_PORT_DEFAULT 8088

struct fleet {
    char dir[CLI_DIR_MAX];
    char tenant[FLT_NAME_MAX];
    char id[FLT_ULID_MAX];
    int64_t created_ms;
    bool demo;
    double time_scale; /* of heartbeats and leases; 0: 1 */
    uint16_t dashboard_port, broker_port, sim_port, sim_control_port;
};

/* DIR/<format...>; -ENAMETOOLONG is said in `error`. */
FLT_PRINTF(4, 5)
FLT_MUST_USE int fleet_path(const char *dir, char *out, struct flt_error *error, const char *format,
                            ...);
/* FLT_NOT_FOUND when there is no fleet in `dir`. */
FLT_MUST_USE int fleet_load(const char *dir, struct fleet *out, struct flt_error *error);
/* Folders, passwords, the broker's logins; fills `fleet` but its ports. */
FLT_MUST_USE int fleet_create(const char *dir, bool demo, struct fleet *fleet,
                              struct flt_error *error);
FLT_MUST_USE int fleet_save(const struct fleet *fleet, struct flt_error *error);
/* Configuration files of broker, controller, nodes and dashboard, anew at each start. */
FLT_MUST_USE int fleet_write_configs(const struct fleet *fleet, struct flt_error *error);
/* OUT_DIR/<node>/node.json for a fleet folder that will be at fleet->dir of another machine. */
FLT_MUST_USE int fleet_write_node(const struct fleet *fleet, const char *out_dir, const char *node,
                                  struct flt_error *error);
/* mosquitto.conf alone. */
FLT_MUST_USE int fleet_write_broker_config(const struct fleet *fleet, struct flt_error *error);
/* DIR/secrets/<name>.password; freed (and wiped) by the caller. */
FLT_MUST_USE int fleet_password(const char *dir, const char *name, char **out,
                                struct flt_error *error);
FLT_MUST_USE int fleet_set_password(const char *dir, const char *name, const char *password,
                                    struct flt_error *error);
/* Ports that nobody uses now; those of the last start are kept when they are free. */
FLT_MUST_USE int fleet_choose_ports(struct fleet *fleet, struct flt_error *error);
bool fleet_port_free(uint16_t port);
/* Held while a fleet runs, by the kernel (flock): FLT_CONFLICT when another process has it. */
FLT_MUST_USE int fleet_lock(const char *dir, int *fd, struct flt_error *error);
