/* Listeners beyond loopback, and bridges between sites. Both are files in DIR/conf.d that
 * mosquitto.conf includes, so that a start, which writes mosquitto.conf anew, keeps them. */
#define FLT_MOD "broker"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "broker/broker.h"
#include "lib/config.h"
#include "lib/ids.h"
#include "lib/json.h"

/* A value that would end its line could add settings of its own. */
static int check_word(struct flt_error *error, const char *field, const char *text)
{
    if (!text || (*text && !strpbrk(text, "\r\n")))
        return 0;
    return flt_error_set(error, FLT_INVALID_ARGUMENT, field, "", "%s is empty or has a line break",
                         field);
}

static int save(const char *dir, const char *name, struct flt_buf *buf, struct flt_error *error)
{
    char path[BROKER_PATH_MAX];
    int err = (size_t)snprintf(path, sizeof path, "%s/conf.d", dir) < sizeof path
                  ? flt_mkdir_p(path)
                  : -ENAMETOOLONG;

    if (!err && (size_t)snprintf(path, sizeof path, "%s/conf.d/%s.conf", dir, name) >= sizeof path)
        err = -ENAMETOOLONG;
    if (!err)
        err = buf->failed ? -ENOMEM : flt_file_write(path, buf->data, buf->length, 0600);
    flt_buf_finish(buf);
    return err ? flt_error_set(error, flt_error_from_errno(err), "dir", "", "cannot write %s: %s",
                               path, strerror(-err))
               : 0;
}

static int check_readable(struct flt_error *error, const char *field, const char *path)
{
    if (!path || access(path, R_OK) == 0)
        return 0;
    return flt_error_set(error, FLT_NOT_FOUND, field, "", "cannot read %s", path);
}

int broker_write_listener(const char *dir, const struct broker_listener *listener,
                          struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    int err = check_word(error, "address", listener->address);

    if (!err && (!listener->cert || !listener->key) && !listener->plain)
        err = flt_error_set(error, FLT_DENIED, "tls-cert",
                            "--tls-cert and --tls-key, or --plain inside a VPN",
                            "passwords would cross the network readable");
    if (!err)
        err = check_word(error, "tls-cert", listener->cert);
    if (!err)
        err = check_word(error, "tls-key", listener->key);
    if (!err)
        err = check_word(error, "client-ca", listener->client_ca);
    if (!err)
        err = check_readable(error, "tls-cert", listener->cert);
    if (!err)
        err = check_readable(error, "tls-key", listener->key);
    if (!err)
        err = check_readable(error, "client-ca", listener->client_ca);
    if (err)
        return err;
    flt_buf_printf(&buf, "# Written by flotilla broker listen.\nlistener %u %s\n", listener->port,
                   listener->address);
    if (listener->cert)
        flt_buf_printf(&buf, "certfile %s\nkeyfile %s\ntls_version tlsv1.2\n", listener->cert,
                       listener->key);
    if (listener->client_ca)
        flt_buf_printf(&buf, "cafile %s\nrequire_certificate true\n", listener->client_ca);
    return save(dir, "listen", &buf, error);
}

/* --- bridges
 * ---------------------------------------------------------------------------------------- */

static void write_topics(struct flt_buf *buf, const struct broker_bridge *bridge)
{
    const char *up = bridge->hub ? "in" : "out", *down = bridge->hub ? "out" : "in";

    for (size_t i = 0; i < bridge->node_count; i++) {
        flt_buf_printf(buf, "topic flt/v1/%s/n/%s/# %s 1\n", bridge->tenant, bridge->nodes[i], up);
        flt_buf_printf(buf, "topic flt/v1/%s/c/%s/# %s 1\n", bridge->tenant, bridge->nodes[i],
                       down);
    }
    flt_buf_printf(buf, "topic flt/v1/%s/ctl/# %s 1\n", bridge->tenant, down);
    flt_buf_printf(buf, "topic flt/v1/%s/u/+/sig/# %s 1\n", bridge->tenant, down);
}

static void write_tls(struct flt_buf *buf, const struct broker_bridge *bridge)
{
    if (!bridge->tls)
        return;
    if (bridge->ca_file)
        flt_buf_printf(buf, "bridge_cafile %s\n", bridge->ca_file);
    else
        flt_buf_printf(buf, "bridge_capath /etc/ssl/certs\n");
    if (bridge->cert && bridge->key)
        flt_buf_printf(buf, "bridge_certfile %s\nbridge_keyfile %s\n", bridge->cert, bridge->key);
}

/* Clean sessions: after an outage the fleet compares lists and asks for what is missing (the broker
 * would keep 1,000 messages and drop the rest unseen). */
static void write_settings(struct flt_buf *buf, const struct broker_bridge *bridge)
{
    flt_buf_printf(buf,
                   "# Written by flotilla broker bridge.\n"
                   "connection %s\n"
                   "address %s:%u\n"
                   "remote_clientid flotilla-bridge-%s\n"
                   "local_clientid flotilla-bridge-%s-local\n"
                   "remote_username %s\n"
                   "remote_password %s\n"
                   "# No-local and retain-as-published come with it; EMQX needs both.\n"
                   "bridge_protocol_version mqttv50\n"
                   "try_private %s\n"
                   "cleansession true\n"
                   "keepalive_interval 10\n"
                   "restart_timeout 1 10\n"
                   "notifications false\n"
                   "bridge_max_packet_size 1048576\n",
                   bridge->name, bridge->host, bridge->port, bridge->name, bridge->name,
                   bridge->username ? bridge->username : bridge->name, bridge->password,
                   bridge->mosquitto ? "true" : "false");
    write_tls(buf, bridge);
    write_topics(buf, bridge);
}

static int check_bridge(const struct broker_bridge *bridge, struct flt_error *error)
{
    int err = 0;

    if (!flt_name_ok(bridge->name))
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "name", "letters, digits and -",
                            "a bridge cannot be called that");
    if (!err && bridge->node_count == 0)
        err = flt_error_set(error, FLT_INVALID_ARGUMENT, "node", "--node NODE for each",
                            "a bridge carries nodes: which ones?");
    for (size_t i = 0; i < bridge->node_count && !err; i++)
        if (!flt_name_ok(bridge->nodes[i]))
            err = flt_error_set(error, FLT_INVALID_ARGUMENT, "node", "letters, digits and -",
                                "%.48s is not a node's name", bridge->nodes[i]);
    if (!err)
        err = check_word(error, "url", bridge->host);
    if (!err)
        err = check_word(error, "password", bridge->password);
    if (!err && bridge->username)
        err = check_word(error, "user", bridge->username);
    if (!err)
        err = check_word(error, "ca-file", bridge->ca_file);
    return err ? err : check_readable(error, "ca-file", bridge->ca_file);
}

int broker_write_bridge(const char *dir, const struct broker_bridge *bridge,
                        struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char name[64];
    const int err = check_bridge(bridge, error);

    if (err)
        return err;
    write_settings(&buf, bridge);
    snprintf(name, sizeof name, "bridge-%s", bridge->name);
    return save(dir, name, &buf, error);
}

int broker_remove_bridge(const char *dir, const char *name)
{
    char path[BROKER_PATH_MAX];

    if (!flt_name_ok(name) ||
        (size_t)snprintf(path, sizeof path, "%s/conf.d/bridge-%s.conf", dir, name) >= sizeof path)
        return -ENOENT;
    return unlink(path) == 0 ? 0 : -errno;
}
