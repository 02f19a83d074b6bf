/* Who may publish and read what: roles of mosquitto's dynamic-security plugin, made from names.
 *
 * One role a login: "controller", "node-<node>", "user-<user>". The broker's folder is bootstrapped
 * with them offline (broker/), and the controller creates users and nodes at run time by publishing
 * the same JSON to $CONTROL/dynamic-security/v1. mosquitto 2.0.11 has no %u in ACLs, so each role
 * spells its topics out. Pure functions; `tenant` and names are checked by the caller
 * (flt_name_ok). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "lib/attr.h"
#include "lib/json.h"

#define FLT_DYNSEC_TOPIC "$CONTROL/dynamic-security/v1"
#define FLT_DYNSEC_RESPONSE_TOPIC "$CONTROL/dynamic-security/v1/response"
#define FLT_ROLE_NAME_MAX 48

enum flt_role_kind {
    FLT_ROLE_VIEWER, /* reads */
    FLT_ROLE_TRADER, /* and moves bots, halts and resumes */
    FLT_ROLE_ADMIN,  /* and accounts and users: every verb */
    FLT_ROLE_CONTROLLER,
    FLT_ROLE_NODE,
    FLT_ROLE_BRIDGE,    /* carries some nodes of another site; its rights need their names */
    FLT_ROLE_DASHBOARD, /* figures only: heartbeats, the fleet's line, the verb health */
};

/* "viewer", "trader", "admin"; -EINVAL for anything else: people get no other kind. */
int flt_role_kind_parse(const char *text);
const char *flt_role_kind_name(enum flt_role_kind kind);

/* The verbs of u/<user>/req/<verb>, each with the least kind that may ask it. */
struct flt_verb {
    const char *name;
    enum flt_role_kind least;
};
const struct flt_verb *flt_verbs(size_t *count);
/* False: unknown verb, or `kind` may not. The broker enforces the same lists. */
bool flt_verb_allowed(const char *verb, enum flt_role_kind kind);

/* "controller", "node-a", "user-ada"; `name` is unused for the controller. */
char *flt_role_name(enum flt_role_kind kind, const char *name, char out[FLT_ROLE_NAME_MAX]);
/* {"rolename":..,"acls":[..]} as an item of the array `buf` is in. */
void flt_role_write(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                    const char *name);

/* Whole payloads for FLT_DYNSEC_TOPIC. Answers echo `id` as correlationData in each response;
 * "already exists" is success for create, "not found" for remove. Not transactional: repeat. */
void flt_dynsec_create(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                       const char *name, const char *password, const char *id);
/* The same for a bridge, which may speak for `nodes` alone. */
void flt_dynsec_create_bridge(struct flt_buf *buf, const char *tenant, const char *name,
                              const char *const *nodes, size_t count, const char *password,
                              const char *id);
void flt_dynsec_change_kind(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                            const char *name, const char *id);
void flt_dynsec_password(struct flt_buf *buf, const char *name, const char *password,
                         const char *id);
void flt_dynsec_remove(struct flt_buf *buf, enum flt_role_kind kind, const char *name,
                       const char *id);
