#include "lib/mqtt_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#define FLT_MOD "mqtt"
#include "lib/fail.h"

static int bad_url(const char *text)
{
    return FLT_FAIL(-EINVAL,
                    "url=\"%s\" why=\"need mqtt://host:1883, mqtts://host:8883 or unix:/path\"",
                    text ? text : "");
}

static int parse_unix(const char *path, struct mqtt_url *out)
{
    if (path[0] != '/' || strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return bad_url(out->text);
    out->is_unix = true;
    memcpy(out->host, path, strlen(path) + 1);
    return 0;
}

/* "host", "host:port" or "[v6]:port", with nothing behind but a slash. */
static int parse_authority(const char *at, struct mqtt_url *out)
{
    const char *const host = at[0] == '[' ? at + 1 : at;
    const size_t size = strcspn(host, at[0] == '[' ? "]/" : ":/@?#");
    const char *rest = host + size;

    if (size == 0 || (at[0] == '[' && *rest++ != ']'))
        return bad_url(out->text);
    memcpy(out->host, host, size);
    out->host[size] = '\0';
    if (*rest == ':') {
        char *end;
        const unsigned long port = strtoul(rest + 1, &end, 10);
        if (rest[1] < '0' || rest[1] > '9' || port == 0 || port > UINT16_MAX)
            return bad_url(out->text);
        out->port = (uint16_t)port;
        rest = end;
    }
    return strcmp(rest, "") == 0 || strcmp(rest, "/") == 0 ? 0 : bad_url(out->text);
}

int mqtt_url_parse(const char *text, struct mqtt_url *out)
{
    *out = (struct mqtt_url){ 0 };
    if (!text || strlen(text) >= sizeof out->text)
        return bad_url(text ? "longer than 255 bytes" : NULL);
    memcpy(out->text, text, strlen(text) + 1);
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, out);
    out->is_tls = strncmp(text, "mqtts://", 8) == 0;
    out->port = out->is_tls ? 8883 : 1883;
    if (!out->is_tls && strncmp(text, "mqtt://", 7) != 0)
        return bad_url(text);
    return parse_authority(text + (out->is_tls ? 8 : 7), out);
}

/* MQTT 3.1.1 table 3.1, MQTT 5.0 section 3.2.2.2: what can come back from a CONNECT. */
const char *mqtt_connack_text(enum flt_mqtt_version version, int code)
{
    switch (version == FLT_MQTT_5 ? code : code | 0x100) {
    case 0x101:
    case 0x84:
        return "the broker does not speak this MQTT version";
    case 0x102:
    case 0x85:
        return "the broker refuses this client id";
    case 0x103:
    case 0x88:
        return "the broker is not available";
    case 0x104:
    case 0x86:
        return "bad user name or password";
    case 0x105:
    case 0x87:
        return "not authorised (user name, password or client id)";
    case 0x89:
        return "the broker is busy";
    case 0x8a:
        return "this client is banned";
    case 0x95:
        return "the CONNECT packet is too large";
    case 0x97:
        return "a quota is exceeded";
    case 0x9f:
        return "too many connections at once";
    default:
        return "the broker refused the connection";
    }
}

bool mqtt_connack_is_refusal(enum flt_mqtt_version version, int code)
{
    if (version != FLT_MQTT_5)
        return code == 1 || code == 2 || code == 4 || code == 5;
    return code >= 0x84 && code != 0x88 && code != 0x89 && code != 0x97 && code != 0x9f;
}

/* MQTT 5.0 section 4.7: + is one level, # the rest with its parent; neither a first level with $.
 */
bool flt_topic_matches(const char *filter, const char *topic)
{
    if (topic[0] == '$' && filter[0] != '$')
        return false;
    for (;;) {
        const size_t filter_size = strcspn(filter, "/");
        const size_t topic_size = strcspn(topic, "/");
        if (filter[0] == '#' && filter[1] == '\0')
            return true;
        if (!(filter_size == 1 && filter[0] == '+') &&
            (filter_size != topic_size || memcmp(filter, topic, topic_size) != 0))
            return false;
        filter += filter_size;
        topic += topic_size;
        if (*topic == '\0')
            return *filter == '\0' || strcmp(filter, "/#") == 0;
        if (*filter == '\0')
            return false;
        filter++;
        topic++;
    }
}
