/* The addresses and topics of MQTT as text: broker urls, filters, CONNACK codes. No I/O. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/mqtt.h"

#define MQTT_URL_MAX 256

struct mqtt_url {
    char text[MQTT_URL_MAX]; /* as given, for logs (a url carries no password here) */
    char host[MQTT_URL_MAX]; /* name, address, or the path of a Unix socket */
    uint16_t port;
    bool is_unix, is_tls;
};

/* "mqtt://host[:1883]", "mqtts://host[:8883]", "mqtt://[::1]:1883", "unix:/path". -EINVAL, logged.
 */
FLT_MUST_USE int mqtt_url_parse(const char *text, struct mqtt_url *out);

/* "not authorised", ... for the code of a CONNACK of that version. */
const char *mqtt_connack_text(enum flt_mqtt_version version, int code);
/* The broker knows us and says no: trying again at once does not help. */
bool mqtt_connack_is_refusal(enum flt_mqtt_version version, int code);
