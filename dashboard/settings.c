#define FLT_MOD "settings"
#include "dashboard/settings.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "lib/config.h"

int settings_parse_address(const char *text, char *host, size_t host_size, int *port)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    unsigned char binary[sizeof(struct in6_addr)];

    if (!colon || colon == text || colon[1] < '0' || colon[1] > '9')
        return -EINVAL;
    const long number = strtol(colon + 1, &end, 10);
    const bool brackets = text[0] == '[' && colon[-1] == ']';
    const char *start = brackets ? text + 1 : text;
    const size_t length = (size_t)(colon - start) - (brackets ? 1u : 0u);

    if (*end != '\0' || number > 65535 || length == 0 || length >= host_size)
        return -EINVAL;
    memcpy(host, start, length);
    host[length] = '\0';
    if (strcmp(host, "localhost") == 0)
        snprintf(host, host_size, "127.0.0.1");
    if (inet_pton(brackets ? AF_INET6 : AF_INET, host, binary) != 1)
        return -EINVAL;
    *port = (int)number;
    return 0;
}

bool settings_is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0;
}

/* The length of host without ":port". */
static size_t name_length(const char *host)
{
    const char *bracket = host[0] == '[' ? strchr(host, ']') : NULL;

    return bracket ? (size_t)(bracket - host) + 1 : strcspn(host, ":");
}

static bool is_local_name(const char *host)
{
    static const char *const names[] = { "localhost", "[::1]" };
    const size_t length = name_length(host);
    char text[48];
    struct in_addr address;

    for (size_t i = 0; i < FLT_COUNT(names); i++)
        if (strlen(names[i]) == length && strncasecmp(host, names[i], length) == 0)
            return true;
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    text[length] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 && settings_is_loopback(text);
}

bool settings_origin_ok(const char *origin, const char *host, bool local)
{
    if (!host || host[0] == '\0' || (local && !is_local_name(host)))
        return false;
    if (!origin)
        return true;
    const char *slashes = strstr(origin, "://");

    return slashes && strcasecmp(slashes + 3, host) == 0;
}

static int check_broker(struct settings *out, struct flt_error *error)
{
    const struct msg_config_dashboard *config = &out->config;

    if (config->has_mqtt_socket == config->has_mqtt_url)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "mqtt_socket",
                             "name the broker's unix socket in mqtt_socket",
                             "one of mqtt_socket and mqtt_url is needed");
    const char *url = config->has_mqtt_url ? config->mqtt_url : "";

    if (config->has_mqtt_socket || strncmp(url, "unix:", 5) == 0) {
        const char *path = config->has_mqtt_socket ? config->mqtt_socket : url + 5;

        if (path[0] == '\0' || strlen(path) >= sizeof out->broker_path)
            return flt_error_set(error, FLT_INVALID_ARGUMENT, "mqtt_socket", "",
                                 "the path of the broker's socket is empty or too long");
        snprintf(out->broker_path, sizeof out->broker_path, "%s", path);
        return 0;
    }
    if (strncmp(url, "mqtt://", 7) != 0 ||
        settings_parse_address(url + 7, out->broker_host, sizeof out->broker_host,
                               &out->broker_port) != 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "mqtt_url",
                             "unix:/path, or mqtt://127.0.0.1:1883 with a numeric address",
                             "mqtt_url is not an address the dashboard can bridge to");
    return 0;
}

static int check_tls(const struct settings *out, struct flt_error *error)
{
    const struct msg_config_dashboard *config = &out->config;

    if (config->has_tls_cert != config->has_tls_key)
        return flt_error_set(error, FLT_INVALID_ARGUMENT,
                             config->has_tls_cert ? "tls_key" : "tls_cert", "",
                             "tls_cert and tls_key go together");
    if (config->has_tls_cert && access(config->tls_cert, R_OK) != 0)
        return flt_error_set(error, FLT_NOT_FOUND, "tls_cert", "", "cannot read %s: %s",
                             config->tls_cert, strerror(errno));
    if (config->has_tls_key && access(config->tls_key, R_OK) != 0)
        return flt_error_set(error, FLT_NOT_FOUND, "tls_key", "", "cannot read %s: %s",
                             config->tls_key, strerror(errno));
    if (!out->local && !config->has_tls_cert && !(config->has_allow_remote && config->allow_remote))
        return flt_error_set(error, FLT_DENIED, "listen",
                             "give tls_cert and tls_key, or set allow_remote behind a proxy",
                             "passwords would cross the network in the clear at %s",
                             config->listen);
    return 0;
}

void settings_broker_url(const struct settings *settings, char *out, size_t size)
{
    const bool six = strchr(settings->broker_host, ':') != NULL;

    if (settings->broker_path[0])
        snprintf(out, size, "unix:%s", settings->broker_path);
    else
        snprintf(out, size, "mqtt://%s%s%s:%d", six ? "[" : "", settings->broker_host,
                 six ? "]" : "", settings->broker_port);
}

int settings_check(struct settings *out, struct flt_error *error)
{
    if (settings_parse_address(out->config.listen, out->host, sizeof out->host, &out->port) != 0)
        return flt_error_set(error, FLT_INVALID_ARGUMENT, "listen", "for example 127.0.0.1:8088",
                             "\"%s\" is no address and port", out->config.listen);
    out->local = settings_is_loopback(out->host);
    const int err = check_broker(out, error);

    return err ? err : check_tls(out, error);
}

int settings_load(const char *path, struct settings *out, struct flt_error *error)
{
    memset(out, 0, sizeof *out);
    struct json_object *tree = flt_config_load(path, error);

    if (!tree)
        return -EINVAL;
    const int err = msg_config_dashboard_decode(tree, MSG_PEOPLE, &out->config, error);

    json_object_put(tree);
    return err ? -EINVAL : settings_check(out, error);
}
