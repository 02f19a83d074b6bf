/* mosquitto.conf. Read on Debian's 2.0.11; later versions take the same settings. */
#define FLT_MOD "broker"
#include <errno.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "broker/broker.h"
#include "lib/config.h"
#include "lib/json.h"

static int first_match(const char *const *patterns, size_t count, int mode, char *out, size_t size)
{
    for (size_t i = 0; i < count; i++) {
        glob_t found;
        int err = -ENOENT;

        if (glob(patterns[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; k < found.gl_pathc && err; k++)
            if (access(found.gl_pathv[k], mode) == 0 &&
                (size_t)snprintf(out, size, "%s", found.gl_pathv[k]) < size)
                err = 0;
        globfree(&found);
        if (!err)
            return 0;
    }
    return -ENOENT;
}

int broker_find_program(char *out, size_t size, struct flt_error *error)
{
    static const char *const places[] = { "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto",
                                          "/usr/bin/mosquitto", "/usr/local/bin/mosquitto",
                                          "/opt/homebrew/sbin/mosquitto" };

    if (first_match(places, FLT_COUNT(places), X_OK, out, size) == 0)
        return 0;
    return flt_error_set(error, FLT_UNAVAILABLE, "mosquitto",
                         "on Debian: apt-get install mosquitto",
                         "the MQTT broker mosquitto is not installed");
}

int broker_find_plugin(char *out, size_t size, struct flt_error *error)
{
    static const char *const places[] = { "/usr/lib/*/mosquitto_dynamic_security.so",
                                          "/usr/lib/*/mosquitto/mosquitto_dynamic_security.so",
                                          "/usr/lib/mosquitto_dynamic_security.so",
                                          "/usr/lib64/mosquitto_dynamic_security.so",
                                          "/usr/local/lib/*/mosquitto_dynamic_security.so",
                                          "/usr/local/lib/mosquitto_dynamic_security.so" };

    if (first_match(places, FLT_COUNT(places), R_OK, out, size) == 0)
        return 0;
    return flt_error_set(error, FLT_UNAVAILABLE, "mosquitto",
                         "on Debian the package mosquitto has it",
                         "mosquitto's plugin mosquitto_dynamic_security.so is not installed");
}

/* Started as root, mosquitto changes to the user "mosquitto", who cannot read this 0700 folder. */
static void write_user(struct flt_buf *buf)
{
    const struct passwd *self = geteuid() == 0 ? getpwuid(0) : NULL;

    if (self)
        flt_buf_printf(buf, "user %s\n", self->pw_name);
}

static void write_settings(struct flt_buf *buf, const struct broker_config *config,
                           const char *plugin, const char *socket_path)
{
    flt_buf_printf(
        buf,
        "# Written by flotilla at each start; changes are lost.\n"
        "per_listener_settings false\n"
        "allow_anonymous false\n"
        "plugin %s\n"
        "plugin_opt_config_file %s/dynsec.json\n"
        "# Without it a request and its answer take 88 ms instead of 0.13 ms.\n"
        "set_tcp_nodelay true\n"
        "max_inflight_messages 100\n"
        "# Also counts packets to a slow client; 0 would end clients at a refused publish.\n"
        "max_queued_messages 200000\n"
        "max_packet_size 1048576\n"
        "persistence true\n"
        "persistence_location %s/\n"
        "autosave_interval 60\n"
        "sys_interval 10\n"
        "connection_messages false\n"
        "log_dest stderr\n"
        "log_type error\nlog_type warning\nlog_type notice\n"
        "log_timestamp_format %%Y-%%m-%%dT%%H:%%M:%%SZ\n",
        plugin, config->dir, config->dir);
    write_user(buf);
    flt_buf_printf(buf, "listener %u 127.0.0.1\n", config->port);
    flt_buf_printf(buf, "listener 0 %s\n", socket_path);
    flt_buf_printf(buf,
                   "# What flotilla broker listen and broker bridge wrote.\n"
                   "include_dir %s/conf.d\n",
                   config->dir);
}

int broker_write_config(const struct broker_config *config, struct flt_error *error)
{
    struct flt_buf buf = FLT_BUF_INIT;
    char plugin[BROKER_PATH_MAX], path[BROKER_PATH_MAX], socket_path[BROKER_PATH_MAX];
    int err = broker_find_plugin(plugin, sizeof plugin, error);

    if (err)
        return err;
    if (strpbrk(config->dir, "\n\r"))
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "dir", "",
                             "the folder's name has a line break");
    if ((size_t)snprintf(socket_path, sizeof socket_path, "%s%s",
                         config->socket_path ? config->socket_path : config->dir,
                         config->socket_path ? "" : "/mosquitto.sock") > BROKER_SOCKET_PATH_MAX)
        return flt_error_set(
            error, FLT_INVALID_ARGUMENT, "dir", "choose a shorter --dir",
            "the broker's socket path is longer than the %d bytes that Unix allows",
            BROKER_SOCKET_PATH_MAX);
    write_settings(&buf, config, plugin, socket_path);
    if ((size_t)snprintf(path, sizeof path, "%s/conf.d", config->dir) >= sizeof path)
        err = -ENAMETOOLONG;
    if (!err)
        err = flt_mkdir_p(path);
    if (!err)
        err = buf.failed ? -ENOMEM : 0;
    if (!err)
        err = flt_path_join(path, sizeof path, config->dir, "mosquitto.conf");
    if (!err)
        err = flt_file_write(path, buf.data, buf.length, 0600);
    flt_buf_finish(&buf);
    if (err)
        return flt_error_set(error, flt_error_from_errno(err), "dir", "", "cannot write %s: %s",
                             config->dir, strerror(-err));
    return 0;
}
