#define FLT_MOD "fleet"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>
#include "controller/cli/fleet.h"
#include "lib/clock.h"
#include "lib/config.h"
#include "lib/crypto.h"
#include "lib/json.h"

int fleet_path(const char *dir, char *out, struct flt_error *error, const char *format, ...)
{
    va_list args;
    const int head = snprintf(out, BROKER_PATH_MAX, "%s/", dir);
    int tail = -1;

    if (head > 0 && head < BROKER_PATH_MAX) {
        va_start(args, format);
        tail = vsnprintf(out + head, (size_t)(BROKER_PATH_MAX - head), format, args);
        va_end(args);
    }
    if (tail < 0 || head + tail >= BROKER_PATH_MAX)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "choose a shorter --dir",
                             "the path of the fleet's folder is too long");
    return 0;
}

static int file_error(struct flt_error *error, int err, const char *what, const char *path)
{
    return err ? flt_error_set(error, flt_error_from_errno(err), "dir",
                               err == -ENOSPC ? "free some disk space" : "", "cannot %s %s: %s",
                               what, path, strerror(-err))
               : 0;
}

static int read_port(struct json_object *ports, const char *key, uint16_t *out)
{
    int64_t port = 0;

    if (flt_json_int(ports, key, &port) && (port < 1 || port > 65535))
        return -EINVAL;
    *out = (uint16_t)port;
    return 0;
}

static int read_fleet(struct json_object *document, struct fleet *out)
{
    struct json_object *ports = flt_json_get(document, "ports");
    const char *tenant, *id;

    if (!flt_json_str(document, "tenant", &tenant) || !flt_json_str(document, "fleet", &id) ||
        !flt_json_int(document, "created_ms", &out->created_ms) || !flt_name_ok(tenant) ||
        !flt_ulid_ok(id) || !ports)
        return -EINVAL;
    flt_json_bool(document, "demo", &out->demo);
    flt_json_double(document, "time_scale", &out->time_scale);
    snprintf(out->tenant, sizeof out->tenant, "%s", tenant);
    snprintf(out->id, sizeof out->id, "%s", id);
    return read_port(ports, "dashboard", &out->dashboard_port) ||
                   read_port(ports, "mqtt", &out->broker_port) ||
                   read_port(ports, "sim", &out->sim_port) ||
                   read_port(ports, "sim_control", &out->sim_control_port)
               ? -EINVAL
               : 0;
}

int fleet_load(const char *dir, struct fleet *out, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    int err = fleet_path(dir, path, error, "fleet.json");

    if (err)
        return err;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return flt_error_set(error, FLT_NOT_FOUND, "dir", "flotilla up --dir DIR makes one",
                             "there is no fleet in %s", dir);
    struct json_object *document = flt_json_load(path, error);

    *out = (struct fleet){ 0 };
    snprintf(out->dir, sizeof out->dir, "%s", dir);
    if (!document)
        return error->code == FLT_OK ? -EIO : -EINVAL;
    err = read_fleet(document, out);
    json_object_put(document);
    return err ? flt_error_set(error, FLT_INVALID_ARGUMENT, "dir",
                               "it was left untouched; restore it from a backup", "%s is damaged",
                               path)
               : 0;
}

int fleet_save(const struct fleet *fleet, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char path[BROKER_PATH_MAX], node[16];
    int err = fleet_path(fleet->dir, path, error, "fleet.json");

    if (err)
        return err;
    flt_jw_begin(&buf, NULL, '{');
    flt_jw_str(&buf, "tenant", fleet->tenant);
    flt_jw_str(&buf, "fleet", fleet->id);
    flt_jw_int(&buf, "created_ms", fleet->created_ms);
    flt_jw_bool(&buf, "demo", fleet->demo);
    if (fleet->time_scale > 0)
        flt_jw_double(&buf, "time_scale", fleet->time_scale);
    flt_jw_begin(&buf, "ports", '{');
    flt_jw_int(&buf, "dashboard", fleet->dashboard_port);
    flt_jw_int(&buf, "mqtt", fleet->broker_port);
    if (fleet->sim_port) {
        flt_jw_int(&buf, "sim", fleet->sim_port);
        flt_jw_int(&buf, "sim_control", fleet->sim_control_port);
    }
    flt_jw_end(&buf, '}');
    flt_jw_begin(&buf, "nodes", '[');
    for (int i = 1; i <= FLEET_NODES; i++) {
        snprintf(node, sizeof node, "node-%d", i);
        flt_jw_str(&buf, NULL, node);
    }
    flt_jw_end(&buf, ']');
    flt_jw_end(&buf, '}');
    err = buf.failed ? -ENOMEM : flt_file_write(path, buf.data, buf.length, 0600);
    flt_buf_finish(&buf);
    return file_error(error, err, "write", path);
}

/* --- secrets
 * --------------------------------------------------------------------------------------- */

int fleet_password(const char *dir, const char *name, char **out, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    size_t size;
    int err = fleet_path(dir, path, error, "secrets/%s.password", name);

    if (err)
        return err;
    *out = flt_file_read(path, 512, &size);
    if (!*out && errno == ENOENT)
        return flt_error_set(error, FLT_NOT_FOUND, "user", "flotilla up --dir DIR; or --user NAME",
                             "no password of %s in %s/secrets", name, dir);
    if (!*out)
        return file_error(error, -errno, "read", path);
    (*out)[strcspn(*out, "\r\n")] = 0;
    return 0;
}

int fleet_set_password(const char *dir, const char *name, const char *password,
                       struct flt_error *error)
{
    char path[BROKER_PATH_MAX], line[128];
    int err = fleet_path(dir, path, error, "secrets/%s.password", name);

    if (err)
        return err;
    const int size = snprintf(line, sizeof line, "%s\n", password);

    err = size < (int)sizeof line ? flt_file_write(path, line, (size_t)size, 0600) : -EINVAL;
    flt_wipe(line, sizeof line);
    return file_error(error, err, "write", path);
}

/* A first start that was cut short left some passwords; they are used, as dynsec.json may know
 * them. */
static int make_password(const char *dir, const char *name, char out[BROKER_PASSWORD_MAX],
                         struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    char *old = NULL;
    int err = fleet_path(dir, path, error, "secrets/%s.password", name);

    if (!err && access(path, F_OK) == 0)
        err = fleet_password(dir, name, &old, error);
    if (err)
        return err;
    if (old) {
        snprintf(out, BROKER_PASSWORD_MAX, "%s", old);
        flt_wipe(old, strlen(old));
        free(old);
        return 0;
    }
    err = broker_password(out);
    return err ? err : fleet_set_password(dir, name, out, error);
}

static int make_folders(const char *dir, struct flt_error *error)
{
    static const char *const names[] = { "secrets", "broker",    "controller", "node-1", "node-2",
                                         "sim",     "dashboard", "log",        "run" };
    char path[BROKER_PATH_MAX];
    int err = flt_mkdir_p(dir);

    if (err)
        return file_error(error, err, "make", dir);
    for (size_t i = 0; i < FLT_COUNT(names); i++) {
        err = fleet_path(dir, path, error, "%s", names[i]);
        if (err)
            return err;
        err = flt_mkdir_p(path);
        if (err)
            return file_error(error, err, "make", path);
    }
    return 0;
}

int fleet_create(const char *dir, bool demo, struct fleet *fleet, struct flt_error *error)
{
    static const struct {
        enum flt_role_kind kind;
        const char *name;
    } logins[] = { { FLT_ROLE_CONTROLLER, "controller" },
                   { FLT_ROLE_ADMIN, "admin" },
                   { FLT_ROLE_ADMIN,
                     "up" }, /* this program's own, so that admin may change theirs */
                   { FLT_ROLE_NODE, "node-1" },
                   { FLT_ROLE_NODE, "node-2" },
                   { FLT_ROLE_DASHBOARD, "dashboard" } };
    char passwords[FLT_COUNT(logins)][BROKER_PASSWORD_MAX];
    struct broker_login rows[FLT_COUNT(logins)];
    char path[BROKER_PATH_MAX];
    int err = make_folders(dir, error);

    *fleet = (struct fleet){ .demo = demo, .created_ms = flt_wall_ms(flt_clock_system()) };
    snprintf(fleet->dir, sizeof fleet->dir, "%s", dir);
    snprintf(fleet->tenant, sizeof fleet->tenant, "main");
    flt_ulid(fleet->created_ms, fleet->id);
    for (size_t i = 0; i < FLT_COUNT(logins) && !err; i++) {
        err = make_password(dir, logins[i].name, passwords[i], error);
        rows[i] = (struct broker_login){ logins[i].kind, logins[i].name, passwords[i] };
    }
    if (!err)
        err = fleet_path(dir, path, error, "broker");
    if (!err)
        err = broker_write_logins(path, fleet->tenant, rows, FLT_COUNT(rows), error);
    flt_wipe(passwords, sizeof passwords);
    return err == -EEXIST ? 0 : err;
}

/* --- ports
 * ----------------------------------------------------------------------------------------- */

#define PORT_FIRST 10000 /* below are the ports that services are known by */
#define PORT_ROOM 2000
#define PORT_TRIES 60

/* The port it got, 0: none. */
static uint16_t try_port(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    socklen_t size = sizeof address;
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    uint16_t got = 0;

    if (fd < 0)
        return 0;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    /* As servers do, so that connections of the last run in TIME_WAIT do not count as busy. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        got = ntohs(address.sin_port);
    close(fd);
    return got;
}

bool fleet_port_free(uint16_t port)
{
    return try_port(port) != 0;
}

/* Where the kernel takes ports for connections that go out: one that is free now may be such a
 * connection's in a moment, before its server has started. */
static void ephemeral_range(unsigned *low, unsigned *high)
{
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");

    if (!file || fscanf(file, "%u %u", low, high) != 2 || *low > *high || *high > 65535) {
        *low = 32768;
        *high = 60999;
    }
    if (file)
        (void)fclose(file);
}

/* One outside that range, where it leaves room; 0: the kernel chooses. */
static uint16_t random_port(void)
{
    unsigned low, high;
    uint32_t dice = 0;

    ephemeral_range(&low, &high);
    if (flt_random(&dice, sizeof dice) != 0)
        return 0;
    if (low >= PORT_FIRST + PORT_ROOM)
        return (uint16_t)(PORT_FIRST + dice % (low - PORT_FIRST));
    if (high + PORT_ROOM <= 65535)
        return (uint16_t)(high + 1 + dice % (65535 - high));
    return 0;
}

/* Keeps `port` if it is free and not one of `taken`, else takes any that is. */
static int choose_port(uint16_t *port, const uint16_t *taken, size_t taken_count)
{
    for (int tries = 0; tries < PORT_TRIES; tries++) {
        const uint16_t wanted = tries == 0 && *port      ? *port
                                : tries < PORT_TRIES / 2 ? random_port()
                                                         : 0;
        const uint16_t got = try_port(wanted);
        bool fine = got != 0;

        for (size_t i = 0; i < taken_count; i++)
            fine = fine && got != taken[i];
        if (fine) {
            *port = got;
            return 0;
        }
    }
    return -EADDRINUSE;
}

int fleet_choose_ports(struct fleet *fleet, struct flt_error *error)
{
    uint16_t *const ports[] = { &fleet->broker_port, &fleet->sim_port, &fleet->sim_control_port };
    uint16_t taken[1 + FLT_COUNT(ports)] = { fleet->dashboard_port };

    for (size_t i = 0; i < (fleet->demo ? FLT_COUNT(ports) : 1); i++) {
        if (choose_port(ports[i], taken, i + 1))
            return flt_error_set(error, FLT_UNAVAILABLE, NULL, "", "no free port on 127.0.0.1");
        taken[i + 1] = *ports[i];
    }
    return 0;
}

/* --- configuration files
 * --------------------------------------------------------------------------- */

static void write_mqtt(struct flt_buf *buf, const struct fleet *fleet, const char *login)
{
    char text[BROKER_PATH_MAX + 32];

    flt_jw_begin(buf, "mqtt", '{');
    snprintf(text, sizeof text, "unix:%s/broker/mosquitto.sock", fleet->dir);
    flt_jw_str(buf, "url", text);
    flt_jw_str(buf, "username", login);
    snprintf(text, sizeof text, "%s/secrets/%s.password", fleet->dir, login);
    flt_jw_str(buf, "password_file", text);
    flt_jw_end(buf, '}');
}

/* In a demo the venue is our own simulator; otherwise venues keep their real addresses. */
static void write_venues(struct flt_buf *buf, const struct fleet *fleet)
{
    char text[64];

    if (!fleet->demo)
        return;
    flt_jw_begin(buf, "venues", '{');
    flt_jw_begin(buf, "binance", '{');
    snprintf(text, sizeof text, "http://127.0.0.1:%u", fleet->sim_port);
    flt_jw_str(buf, "rest_url", text);
    snprintf(text, sizeof text, "ws://127.0.0.1:%u", fleet->sim_port);
    flt_jw_str(buf, "stream_url", text);
    snprintf(text, sizeof text, "ws://127.0.0.1:%u/ws-api/v3", fleet->sim_port);
    flt_jw_str(buf, "ws_api_url", text);
    flt_jw_end(buf, '}');
    flt_jw_end(buf, '}');
}

/* What a backup holds beside the controller's own files: enough to begin anew on another machine.
 * The key that seals it is not in it. */
static void write_backup(struct flt_buf *buf, const struct fleet *fleet)
{
    static const char *const files[] = { "fleet.json", "broker/dynsec.json" };
    static const char *const logins[] = { "controller", "admin", "up", "dashboard" };
    char text[BROKER_PATH_MAX + 32];

    flt_jw_begin(buf, "backup", '{');
    snprintf(text, sizeof text, "%s/backups", fleet->dir);
    flt_jw_str(buf, "dir", text);
    snprintf(text, sizeof text, "%s/secrets/backup.key", fleet->dir);
    flt_jw_str(buf, "key_file", text);
    flt_jw_str(buf, "root", fleet->dir);
    flt_jw_begin(buf, "files", '[');
    for (size_t i = 0; i < FLT_COUNT(files); i++)
        flt_jw_str(buf, NULL, files[i]);
    for (size_t i = 0; i < FLT_COUNT(logins); i++) {
        snprintf(text, sizeof text, "secrets/%s.password", logins[i]);
        flt_jw_str(buf, NULL, text);
    }
    for (int i = 1; i <= FLEET_NODES; i++) {
        snprintf(text, sizeof text, "secrets/node-%d.password", i);
        flt_jw_str(buf, NULL, text);
    }
    flt_jw_end(buf, ']');
    flt_jw_end(buf, '}');
}

/* controller.json or node.json; `node` NULL: the controller's. */
static void write_daemon(struct flt_buf *buf, const struct fleet *fleet, const char *node)
{
    char dir[BROKER_PATH_MAX + 32];

    snprintf(dir, sizeof dir, "%s/%s", fleet->dir, node ? node : "controller");
    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "tenant", fleet->tenant);
    flt_jw_str(buf, "fleet", fleet->id);
    if (node)
        flt_jw_str(buf, "node", node);
    flt_jw_str(buf, "dir", dir);
    write_mqtt(buf, fleet, node ? node : "controller");
    write_venues(buf, fleet);
    if (fleet->time_scale > 0)
        flt_jw_double(buf, "time_scale", fleet->time_scale);
    if (!node)
        write_backup(buf, fleet);
    flt_jw_end(buf, '}');
}

static void write_dashboard(struct flt_buf *buf, const struct fleet *fleet)
{
    char text[BROKER_PATH_MAX + 32];

    flt_jw_begin(buf, NULL, '{');
    flt_jw_str(buf, "tenant", fleet->tenant);
    snprintf(text, sizeof text, "127.0.0.1:%u", fleet->dashboard_port);
    flt_jw_str(buf, "listen", text);
    snprintf(text, sizeof text, "%s/broker/mosquitto.sock", fleet->dir);
    flt_jw_str(buf, "mqtt_socket", text);
    flt_jw_str(buf, "fleet_dir", fleet->dir);
    snprintf(text, sizeof text, "%s/secrets/dashboard.password", fleet->dir);
    if (access(text, R_OK) == 0) { /* fleets of an older version have no such login */
        flt_jw_str(buf, "mqtt_username", "dashboard");
        flt_jw_str(buf, "mqtt_password_file", text);
    }
    flt_jw_end(buf, '}');
}

static int save_config(const struct fleet *fleet, struct flt_buf *buf, const char *name,
                       struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    int err = fleet_path(fleet->dir, path, error, "%s", name);

    if (!err)
        err = file_error(error,
                         buf->failed ? -ENOMEM : flt_file_write(path, buf->data, buf->length, 0600),
                         "write", path);
    flt_buf_finish(buf);
    *buf = FLT_BUF_INIT;
    return err;
}

int fleet_write_broker_config(const struct fleet *fleet, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    const struct broker_config config = { .dir = path, .port = fleet->broker_port };
    int err = fleet_path(fleet->dir, path, error, "broker");

    return err ? err : broker_write_config(&config, error);
}

int fleet_write_node(const struct fleet *fleet, const char *out_dir, const char *node,
                     struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct fleet target = *fleet;
    char path[BROKER_PATH_MAX];
    int err = fleet_path(out_dir, path, error, "%s", node);

    if (!err)
        err = file_error(error, flt_mkdir_p(path), "make", path);
    if (err)
        return err;
    write_daemon(&buf, fleet, node); /* paths as they will be over there */
    snprintf(target.dir, sizeof target.dir, "%s", out_dir);
    snprintf(path, sizeof path, "%s/node.json", node);
    return save_config(&target, &buf, path, error);
}

int fleet_write_configs(const struct fleet *fleet, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char name[64], node[16];
    int err = fleet_write_broker_config(fleet, error);

    if (err)
        return err;
    write_daemon(&buf, fleet, NULL);
    err = save_config(fleet, &buf, "controller/controller.json", error);
    for (int i = 1; i <= FLEET_NODES && !err; i++) {
        snprintf(node, sizeof node, "node-%d", i);
        snprintf(name, sizeof name, "%s/node.json", node);
        write_daemon(&buf, fleet, node);
        err = save_config(fleet, &buf, name, error);
    }
    if (err)
        return err;
    write_dashboard(&buf, fleet);
    return save_config(fleet, &buf, "dashboard/dashboard.json", error);
}

int fleet_lock(const char *dir, int *fd, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    int err = fleet_path(dir, path, error, "run");

    if (!err)
        err = file_error(error, flt_mkdir_p(path), "make", path);
    if (!err)
        err = fleet_path(dir, path, error, "run/up.lock");
    if (err)
        return err;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return file_error(error, -errno, "open", path);
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    close(*fd);
    *fd = -1;
    return flt_error_set(error, FLT_CONFLICT, "dir", "flotilla down --dir DIR stops it",
                         "the fleet in %s is running already", dir);
}
