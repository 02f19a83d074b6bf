#define FLT_MOD "roles"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "lib/mqtt.h"
#include "lib/roles.h"

/* One row a line, by role and name, so that rows land without conflicts. */
/* clang-format off */
static const struct flt_verb verbs[] = {
    { "account-check", FLT_ROLE_VIEWER },
    { "account-key", FLT_ROLE_VIEWER },
    { "account-ls", FLT_ROLE_VIEWER },
    { "alert-ls", FLT_ROLE_VIEWER },
    { "audit-ls", FLT_ROLE_VIEWER },
    { "backup-ls", FLT_ROLE_VIEWER },
    { "bot-equity", FLT_ROLE_VIEWER },
    { "bot-fills", FLT_ROLE_VIEWER },
    { "bot-history", FLT_ROLE_VIEWER },
    { "bot-logs", FLT_ROLE_VIEWER },
    { "bot-ls", FLT_ROLE_VIEWER },
    { "bot-orders", FLT_ROLE_VIEWER },
    { "bot-show", FLT_ROLE_VIEWER },
    { "bot-watch", FLT_ROLE_VIEWER },
    { "candles", FLT_ROLE_VIEWER },
    { "command-show", FLT_ROLE_VIEWER },
    { "halt-ls", FLT_ROLE_VIEWER },
    { "halt-show", FLT_ROLE_VIEWER },
    { "health", FLT_ROLE_VIEWER },
    { "instrument-ls", FLT_ROLE_VIEWER },
    { "log-ls", FLT_ROLE_VIEWER },
    { "market-ls", FLT_ROLE_VIEWER },
    { "node-ls", FLT_ROLE_VIEWER },
    { "node-show", FLT_ROLE_VIEWER },
    { "order-ls", FLT_ROLE_VIEWER },
    { "pnl", FLT_ROLE_VIEWER },
    { "pnl-days", FLT_ROLE_VIEWER },
    { "portfolio", FLT_ROLE_VIEWER },
    { "reconcile", FLT_ROLE_VIEWER },
    { "status", FLT_ROLE_VIEWER },
    { "strategy-ls", FLT_ROLE_VIEWER },
    { "strategy-show", FLT_ROLE_VIEWER },
    { "token-add", FLT_ROLE_VIEWER },
    { "token-ls", FLT_ROLE_VIEWER },
    { "token-rm", FLT_ROLE_VIEWER },
    { "whoami", FLT_ROLE_VIEWER },
    { "alert-ack", FLT_ROLE_TRADER },
    { "apply", FLT_ROLE_TRADER },
    { "bot-deploy", FLT_ROLE_TRADER },
    { "bot-move", FLT_ROLE_TRADER },
    { "bot-pause", FLT_ROLE_TRADER },
    { "bot-reconcile", FLT_ROLE_TRADER },
    { "bot-record", FLT_ROLE_TRADER },
    { "bot-resume", FLT_ROLE_TRADER },
    { "bot-rm", FLT_ROLE_TRADER },
    { "bot-start", FLT_ROLE_TRADER },
    { "bot-stop", FLT_ROLE_TRADER },
    { "halt", FLT_ROLE_TRADER },
    { "resume", FLT_ROLE_TRADER },
    { "account-add", FLT_ROLE_ADMIN },
    { "account-test", FLT_ROLE_ADMIN },
    { "backup-create", FLT_ROLE_ADMIN },
    { "login-add", FLT_ROLE_ADMIN },
    { "login-rm", FLT_ROLE_ADMIN },
    { "account-rm", FLT_ROLE_ADMIN },
    { "bot-adopt", FLT_ROLE_ADMIN },
    { "node-drain", FLT_ROLE_ADMIN },
    { "node-rm", FLT_ROLE_ADMIN },
    { "rebalance", FLT_ROLE_ADMIN },
    { "notify-add", FLT_ROLE_ADMIN },
    { "notify-ls", FLT_ROLE_ADMIN },
    { "notify-rm", FLT_ROLE_ADMIN },
    { "notify-test", FLT_ROLE_ADMIN },
    { "user-add", FLT_ROLE_ADMIN },
    { "user-ls", FLT_ROLE_ADMIN },
    { "user-passwd", FLT_ROLE_ADMIN },
    { "user-rm", FLT_ROLE_ADMIN },
    { "user-role", FLT_ROLE_ADMIN },
};
/* clang-format on */

const struct flt_verb *flt_verbs(size_t *count)
{
    *count = FLT_COUNT(verbs);
    return verbs;
}

bool flt_verb_allowed(const char *verb, enum flt_role_kind kind)
{
    for (size_t i = 0; i < FLT_COUNT(verbs); i++)
        if (strcmp(verbs[i].name, verb) == 0)
            return kind <= FLT_ROLE_ADMIN && kind >= verbs[i].least;
    return false;
}

static const char *const kind_names[] = { "viewer", "trader", "admin",    "controller",
                                          "node",   "bridge", "dashboard" };

const char *flt_role_kind_name(enum flt_role_kind kind)
{
    return kind_names[kind];
}

int flt_role_kind_parse(const char *text)
{
    for (int kind = FLT_ROLE_VIEWER; kind <= FLT_ROLE_ADMIN; kind++)
        if (strcmp(kind_names[kind], text) == 0)
            return kind;
    return -EINVAL;
}

char *flt_role_name(enum flt_role_kind kind, const char *name, char out[FLT_ROLE_NAME_MAX])
{
    if (kind == FLT_ROLE_CONTROLLER || kind == FLT_ROLE_DASHBOARD)
        snprintf(out, FLT_ROLE_NAME_MAX, "%s", kind_names[kind]);
    else
        snprintf(out, FLT_ROLE_NAME_MAX, "%s-%s",
                 kind == FLT_ROLE_NODE     ? "node"
                 : kind == FLT_ROLE_BRIDGE ? "bridge"
                                           : "user",
                 name);
    return out;
}

/* One topic, whose rights are said by letters: 's'end, 'r'ead (subscribe and receive). A topic that
 * begins with '$' stands by itself, any other is below the tenant's root. */
static void acl(struct flt_buf *buf, const char *tenant, const char *rights, const char *format,
                const char *name)
{
    static const struct {
        char right;
        const char *type;
    } types[] = { { 's', "publishClientSend" },
                  { 'r', "subscribePattern" },
                  { 'r', "publishClientReceive" } };
    char topic[FLT_MQTT_TOPIC_MAX];
    const int root = format[0] == '$' ? 0 : snprintf(topic, sizeof topic, "flt/v1/%s/", tenant);
    const char *mark = strchr(format, '@'); /* stands for the name */

    snprintf(topic + root, sizeof topic - (size_t)root, "%.*s%s%s",
             (int)(mark ? mark - format : (ptrdiff_t)strlen(format)), format, mark ? name : "",
             mark ? mark + 1 : "");
    for (size_t i = 0; i < FLT_COUNT(types); i++) {
        if (!strchr(rights, types[i].right))
            continue;
        flt_jw_begin(buf, NULL, '{');
        flt_jw_str(buf, "acltype", types[i].type);
        flt_jw_str(buf, "topic", topic);
        flt_jw_int(buf, "priority", 0);
        flt_jw_bool(buf, "allow", true);
        flt_jw_end(buf, '}');
    }
}

struct right {
    const char *rights, *topic; /* '@' stands for the login's name */
};

/* The controller writes to nodes and people and hears everything of its tenant. */
static const struct right controller_rights[] = {
    { "s", "c/#" },       { "s", "ctl/#" }, { "s", "ui/#" },
    { "s", "u/+/res/#" }, { "r", "#" },     { "sr", "$CONTROL/dynamic-security/#" },
};
/* A node speaks only below itself, and reads what is for it and what all may read. */
static const struct right node_rights[] = {
    { "sr", "n/@/#" },    { "r", "c/@/#" },     { "r", "ctl/#" },
    { "r", "u/+/sig/#" }, { "r", "n/+/sig/#" }, { "r", "n/+/md/#" },
};
/* A bridge carries what its nodes may say and hear, for each of them. */
static const struct right bridge_rights[] = { { "s", "n/@/#" }, { "r", "c/@/#" } };
static const struct right bridge_common[] = { { "r", "ctl/#" }, { "r", "u/+/sig/#" } };
/* The dashboard server's own login: what /metrics and /healthz tell, and no more. */
static const struct right dashboard_rights[] = {
    { "s", "u/@/req/health" }, { "r", "u/@/res/#" }, { "r", "n/+/hb" },
    { "r", "n/+/presence" },   { "r", "ctl/state" }, { "r", "$SYS/broker/#" },
};
static const struct right user_rights[] = {
    { "r", "u/@/res/#" },    { "r", "ui/#" },   { "r", "ctl/#" },     { "r", "n/+/b/+/#" },
    { "r", "n/+/presence" }, { "r", "n/+/hb" }, { "r", "n/+/sig/+" }, { "r", "n/+/md/#" },
};

static void write_rights(struct flt_buf *buf, const char *tenant, const char *name,
                         const struct right *rights, size_t count)
{
    for (size_t i = 0; i < count; i++)
        acl(buf, tenant, rights[i].rights, rights[i].topic, name);
}

/* An admin may ask anything, also verbs of later versions; others exactly what is listed. */
static void write_user(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                       const char *name)
{
    char topic[96];

    write_rights(buf, tenant, name, user_rights, FLT_COUNT(user_rights));
    if (kind != FLT_ROLE_VIEWER)
        acl(buf, tenant, "s", "u/@/sig/+", name);
    if (kind == FLT_ROLE_ADMIN) {
        acl(buf, tenant, "s", "u/@/req/+", name);
        acl(buf, tenant, "r", "$SYS/#", name);
        return;
    }
    for (size_t i = 0; i < FLT_COUNT(verbs); i++) {
        if (verbs[i].least > kind)
            continue;
        snprintf(topic, sizeof topic, "u/@/req/%s", verbs[i].name);
        acl(buf, tenant, "s", topic, name);
    }
}

static void write_role(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                       const char *name)
{
    char role[FLT_ROLE_NAME_MAX];

    flt_jw_str(buf, "rolename", flt_role_name(kind, name, role));
    flt_jw_begin(buf, "acls", '[');
    if (kind == FLT_ROLE_CONTROLLER)
        write_rights(buf, tenant, name, controller_rights, FLT_COUNT(controller_rights));
    else if (kind == FLT_ROLE_NODE)
        write_rights(buf, tenant, name, node_rights, FLT_COUNT(node_rights));
    else if (kind == FLT_ROLE_DASHBOARD)
        write_rights(buf, tenant, name, dashboard_rights, FLT_COUNT(dashboard_rights));
    else
        write_user(buf, tenant, kind, name);
    flt_jw_end(buf, ']');
}

void flt_role_write(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                    const char *name)
{
    flt_jw_begin(buf, NULL, '{');
    write_role(buf, tenant, kind, name);
    flt_jw_end(buf, '}');
}

static void begin_command(struct flt_buf *buf, const char *command, const char *id)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "command", command);
    flt_jw_str(buf, "correlationData", id);
}

static void create_client(struct flt_buf *buf, enum flt_role_kind kind, const char *name,
                          const char *password, const char *id)
{
    char role[FLT_ROLE_NAME_MAX];

    begin_command(buf, "createClient", id);
    flt_jw_str(buf, "username", name);
    flt_jw_str(buf, "password", password);
    flt_jw_begin(buf, "roles", '[');
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "rolename", flt_role_name(kind, name, role));
    flt_jw_end(buf, '}');
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
    /* Where the login is there already, the password that is shown must be the one that counts. */
    begin_command(buf, "setClientPassword", id);
    flt_jw_str(buf, "username", name);
    flt_jw_str(buf, "password", password);
    flt_jw_end(buf, '}');
}

void flt_dynsec_create(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                       const char *name, const char *password, const char *id)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "commands", '[');
    begin_command(buf, "createRole", id);
    write_role(buf, tenant, kind, name);
    flt_jw_end(buf, '}');
    create_client(buf, kind, name, password, id);
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}

static void write_bridge(struct flt_buf *buf, const char *tenant, const char *name,
                         const char *const *nodes, size_t count)
{
    char role[FLT_ROLE_NAME_MAX];

    flt_jw_str(buf, "rolename", flt_role_name(FLT_ROLE_BRIDGE, name, role));
    flt_jw_begin(buf, "acls", '[');
    write_rights(buf, tenant, name, bridge_common, FLT_COUNT(bridge_common));
    for (size_t i = 0; i < count; i++)
        write_rights(buf, tenant, nodes[i], bridge_rights, FLT_COUNT(bridge_rights));
    flt_jw_end(buf, ']');
}

void flt_dynsec_create_bridge(struct flt_buf *buf, const char *tenant, const char *name,
                              const char *const *nodes, size_t count, const char *password,
                              const char *id)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "commands", '[');
    begin_command(buf, "createRole", id);
    write_bridge(buf, tenant, name, nodes, count);
    flt_jw_end(buf, '}');
    begin_command(buf, "modifyRole", id); /* it may have carried others before */
    write_bridge(buf, tenant, name, nodes, count);
    flt_jw_end(buf, '}');
    create_client(buf, FLT_ROLE_BRIDGE, name, password, id);
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}

void flt_dynsec_change_kind(struct flt_buf *buf, const char *tenant, enum flt_role_kind kind,
                            const char *name, const char *id)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "commands", '[');
    begin_command(buf, "modifyRole", id);
    write_role(buf, tenant, kind, name);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}

void flt_dynsec_password(struct flt_buf *buf, const char *name, const char *password,
                         const char *id)
{
    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "commands", '[');
    begin_command(buf, "setClientPassword", id);
    flt_jw_str(buf, "username", name);
    flt_jw_str(buf, "password", password);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}

void flt_dynsec_remove(struct flt_buf *buf, enum flt_role_kind kind, const char *name,
                       const char *id)
{
    char role[FLT_ROLE_NAME_MAX];

    flt_jw_begin(buf, NULL, '{');
    flt_jw_begin(buf, "commands", '[');
    begin_command(buf, "deleteClient", id); /* also ends its connection */
    flt_jw_str(buf, "username", name);
    flt_jw_end(buf, '}');
    begin_command(buf, "deleteRole", id);
    flt_jw_str(buf, "rolename", flt_role_name(kind, name, role));
    flt_jw_end(buf, '}');
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}
