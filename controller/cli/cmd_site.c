/* flotilla broker listen|bridge|login: fleets over more than one machine. */
#define FLT_MOD "cli"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "controller/cli/commands.h"
#include "controller/cli/fleet.h"
#include "controller/cli/session.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/mqtt_url.h"

#define NODES_MAX CLI_VALUES_MAX
#define LISTEN_PORT 8883
#define SITE_PORT 1883 /* or another that is free when it starts */

static int read_port(struct cli *cli, uint16_t *port)
{
    const char *text = cli_flag(cli, "port");
    char *end = NULL;
    const long value = text ? strtol(text, &end, 10) : LISTEN_PORT;

    if ((text && (!*text || *end)) || value < 1 || value > 65535)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "port", "", "--port is a number of 1 to 65535");
    *port = (uint16_t)value;
    return 0;
}

/* mosquitto wants absolute names: it starts in another folder. */
static int absolute(struct cli *cli, const char *flag, char out[BROKER_PATH_MAX],
                    const char **value)
{
    const char *given = cli_flag(cli, flag);
    char *real = given ? realpath(given, NULL) : NULL;

    *value = NULL;
    if (!given)
        return 0;
    if (!real || strlen(real) >= BROKER_PATH_MAX) {
        free(real);
        return CLI_FAIL(cli, FLT_NOT_FOUND, flag, "", "cannot read %s", given);
    }
    snprintf(out, BROKER_PATH_MAX, "%s", real);
    free(real);
    *value = out;
    return 0;
}

int cmd_broker_listen(struct cli *cli)
{
    char broker[BROKER_PATH_MAX], file[BROKER_PATH_MAX];
    char cert[BROKER_PATH_MAX], key[BROKER_PATH_MAX], ca[BROKER_PATH_MAX];
    const char *address = cli_flag(cli, "address");
    struct broker_listener listener = { .address = address ? address : "0.0.0.0",
                                        .plain = cli_has(cli, "plain") };
    int err = fleet_path(cli->dir, broker, &cli->error, "broker");

    if (!err)
        err = fleet_path(cli->dir, file, &cli->error, "broker/conf.d/listen.conf");
    if (!err && cli_has(cli, "off")) {
        if (unlink(file) != 0 && errno != ENOENT)
            return CLI_FAIL(cli, flt_error_from_errno(-errno), "dir", "", "cannot remove %s", file);
        out_note(cli, "only loopback, from the broker's next start");
        return 0;
    }
    if (!err)
        err = read_port(cli, &listener.port);
    if (!err)
        err = absolute(cli, "tls-cert", cert, &listener.cert);
    if (!err)
        err = absolute(cli, "tls-key", key, &listener.key);
    if (!err)
        err = absolute(cli, "client-ca", ca, &listener.client_ca);
    if (!err)
        err = broker_write_listener(broker, &listener, &cli->error);
    if (!err)
        out_note(cli, "%s:%u%s, from the broker's next start (flotilla down, flotilla up)",
                 listener.address, listener.port, listener.cert ? " with TLS" : " in plain text");
    return err;
}

/* --- logins
 * ----------------------------------------------------------------------------------------- */

static struct json_object *login_args(const char *name, const char *const *nodes, size_t count)
{
    struct json_object *args = args_of("name", name, "kind", count ? "bridge" : "node", NULL);
    struct json_object *list = count ? json_object_new_array() : NULL;

    for (size_t i = 0; i < count; i++)
        json_object_array_add(list, json_object_new_string(nodes[i]));
    if (list)
        json_object_object_add(args, "nodes", list);
    return args;
}

static size_t node_flags(struct cli *cli, const char *nodes[NODES_MAX])
{
    size_t count = 0;

    for (const char *node; count < NODES_MAX && (node = cli_nth(cli, "node", count)); count++)
        nodes[count] = node;
    return count;
}

int cmd_broker_login(struct cli *cli)
{
    const char *nodes[NODES_MAX], *name = cli_arg(cli, 0), *password = "";
    const size_t count = node_flags(cli, nodes);
    struct json_object *result = NULL;
    int err;

    if (cli_has(cli, "rm"))
        err = ask_once(cli, "login-rm",
                       args_of("name", name, "kind", count ? "bridge" : "node", NULL), &result);
    else
        err = ask_once(cli, "login-add", login_args(name, nodes, count), &result);
    if (!err && cli->json)
        out_json(result);
    else if (!err && flt_json_str(result, "password", &password))
        printf("user=%s password=%s\n", name, password);
    json_object_put(result);
    return err;
}

/* --- bridges
 * ---------------------------------------------------------------------------------------- */

static int read_url(struct cli *cli, struct mqtt_url *url)
{
    const char *text = cli_flag(cli, "url");

    if (!text)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "url", "--url mqtts://host:8883",
                        "which broker is on the other side?");
    if (mqtt_url_parse(text, url) != 0 || url->is_unix)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "url", "mqtts://host:8883 or mqtt://host:1883",
                        "%s is not the address of a broker", text);
    if (!url->is_tls && !cli_has(cli, "plain") && strcmp(url->host, "127.0.0.1") != 0 &&
        strcmp(url->host, "localhost") != 0)
        return CLI_FAIL(cli, FLT_DENIED, "url", "mqtts://, or --plain inside a VPN",
                        "the password would cross the network readable");
    return 0;
}

static int make_login_file(struct cli *cli, const char *dir, const char *name, const char *password)
{
    return fleet_set_password(dir, name, password, &cli->error);
}

/* The logins of the site's own broker: its nodes, and admin for people who look into it. */
static int make_site_logins(struct cli *cli, const struct fleet *fleet, const char *out,
                            const char *const *nodes, size_t count)
{
    struct broker_login rows[NODES_MAX + 2];
    char passwords[NODES_MAX + 2][BROKER_PASSWORD_MAX], path[BROKER_PATH_MAX];
    int err = fleet_path(out, path, &cli->error, "broker");

    rows[0] = (struct broker_login){ FLT_ROLE_ADMIN, "admin", passwords[0] };
    rows[1] = (struct broker_login){ FLT_ROLE_CONTROLLER, "controller", passwords[1] };
    for (size_t i = 0; i < count; i++)
        rows[i + 2] = (struct broker_login){ FLT_ROLE_NODE, nodes[i], passwords[i + 2] };
    for (size_t i = 0; i < count + 2 && !err; i++) {
        err = broker_password(passwords[i]);
        if (!err)
            err = make_login_file(cli, out, rows[i].name, passwords[i]);
    }
    if (!err)
        err = broker_write_logins(path, fleet->tenant, rows, count + 2, &cli->error);
    flt_wipe(passwords, sizeof passwords);
    return err == -EEXIST ? 0 : err;
}

static int make_folders(struct cli *cli, const char *out)
{
    static const char *const names[] = { "", "broker", "secrets", "run", "log" };
    char path[BROKER_PATH_MAX];
    int err = 0;

    for (size_t i = 0; i < FLT_COUNT(names) && !err; i++) {
        err = fleet_path(out, path, &cli->error, "%s", names[i]);
        if (!err && flt_mkdir_p(path) != 0)
            err = CLI_FAIL(cli, FLT_DENIED, "out", "", "cannot make %s: %s", path, strerror(errno));
    }
    return err;
}

/* A folder as `flotilla up` would make it, for another machine: broker, bridge and nodes. */
static int make_site(struct cli *cli, struct broker_bridge *bridge, const char *const *nodes)
{
    const char *out_flag = cli_flag(cli, "out"), *home = cli_flag(cli, "home");
    char out[BROKER_PATH_MAX], path[BROKER_PATH_MAX];
    struct json_object *result = NULL;
    struct fleet fleet, there;
    const char *password = "";
    int err = fleet_load(cli->dir, &fleet, &cli->error);

    if (err)
        return err;
    if (*out_flag == '/')
        snprintf(out, sizeof out, "%s", out_flag);
    else if (!getcwd(path, sizeof path) || flt_path_join(out, sizeof out, path, out_flag) != 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "out", "", "the folder's name is too long");
    if (flt_path_join(path, sizeof path, out, "broker/dynsec.json") == 0 && access(path, F_OK) == 0)
        return CLI_FAIL(cli, FLT_CONFLICT, "out", "choose another folder, or remove it",
                        "%s has a site already, whose logins would change", out);
    bridge->tenant = fleet.tenant;
    there = fleet;
    snprintf(path, sizeof path, "/var/lib/flotilla/%s", bridge->name);
    snprintf(there.dir, sizeof there.dir, "%s", home ? home : path);
    err = make_folders(cli, out);
    if (!err)
        err = ask_once(cli, "login-add", login_args(bridge->name, nodes, bridge->node_count),
                       &result);
    if (!err && flt_json_str(result, "password", &password)) {
        bridge->password = password;
        err = fleet_path(out, path, &cli->error, "broker");
        if (!err)
            err = broker_write_bridge(path, bridge, &cli->error);
    }
    json_object_put(result);
    if (!err)
        err = make_site_logins(cli, &fleet, out, nodes, bridge->node_count);
    for (size_t i = 0; i < bridge->node_count && !err; i++)
        err = fleet_write_node(&there, out, nodes[i], &cli->error);
    snprintf(fleet.dir, sizeof fleet.dir, "%s", out);
    fleet.broker_port = SITE_PORT;
    if (!err)
        err = fleet_save(&fleet, &cli->error);
    if (!err) {
        out_note(cli, "made %s; on the other machine: copy it to %s, then run", out, there.dir);
        out_note(cli, "  flotilla broker run --dir %s", there.dir);
        for (size_t i = 0; i < bridge->node_count; i++)
            out_note(cli, "  flotilla-node --config %s/%s/node.json", there.dir, nodes[i]);
    }
    return err;
}

/* Into this broker's own settings. */
static int write_here(struct cli *cli, struct broker_bridge *bridge)
{
    const char *file = cli_flag(cli, "password-file");
    char path[BROKER_PATH_MAX];
    struct fleet fleet;
    char *password = NULL;
    size_t size = 0;
    int err = fleet_load(cli->dir, &fleet, &cli->error);

    if (err)
        return err;
    if (!file)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "password-file",
                        "or --out DIR to make the site's folder with its logins",
                        "how does this broker sign in over there?");
    password = flt_file_read(file, 512, &size);
    if (!password)
        return CLI_FAIL(cli, flt_error_from_errno(-errno), "password-file", "", "cannot read %s",
                        file);
    password[strcspn(password, "\r\n")] = 0;
    bridge->tenant = fleet.tenant;
    bridge->password = password;
    err = fleet_path(cli->dir, path, &cli->error, "broker");
    if (!err)
        err = broker_write_bridge(path, bridge, &cli->error);
    flt_wipe(password, strlen(password));
    free(password);
    if (!err)
        out_note(cli, "bridge %s to %s:%u, from the broker's next start (flotilla down, up)",
                 bridge->name, bridge->host, bridge->port);
    return err;
}

static int remove_bridge(struct cli *cli, const char *name)
{
    char path[BROKER_PATH_MAX];
    int err = fleet_path(cli->dir, path, &cli->error, "broker");

    if (err)
        return err;
    err = broker_remove_bridge(path, name);
    if (err)
        return CLI_FAIL(cli, flt_error_from_errno(err), "NAME", "ls DIR/broker/conf.d",
                        "there is no bridge %s here", name);
    out_note(cli, "bridge %s is gone from the broker's next start on", name);
    return 0;
}

int cmd_broker_bridge(struct cli *cli)
{
    const char *nodes[NODES_MAX];
    char ca[BROKER_PATH_MAX];
    struct mqtt_url url = { 0 };
    struct broker_bridge bridge = { .name = cli_arg(cli, 0),
                                    .hub = cli_has(cli, "hub"),
                                    .nodes = nodes,
                                    .mosquitto = !cli_has(cli, "emqx"),
                                    .username = cli_flag(cli, "user") };
    int err;

    if (cli_has(cli, "rm"))
        return remove_bridge(cli, bridge.name);
    bridge.node_count = node_flags(cli, nodes);
    if (bridge.node_count == 0)
        return CLI_FAIL(cli, FLT_INVALID_ARGUMENT, "node", "--node NODE for each",
                        "a bridge carries nodes: which ones?");
    err = read_url(cli, &url);
    if (!err)
        err = absolute(cli, "ca-file", ca, &bridge.ca_file);
    if (err)
        return err;
    bridge.host = url.host;
    bridge.port = url.port;
    bridge.tls = url.is_tls;
    return cli_flag(cli, "out") ? make_site(cli, &bridge, nodes) : write_here(cli, &bridge);
}
