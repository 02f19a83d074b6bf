/* Reads along an MQTT byte stream as it is bridged: which packets pass, who signs in, whether the
 * broker lets them. MQTT 3.1.1 sections 2.2 and 3.1, MQTT 5.0 the same with properties. Bytes come
 * in any pieces. Pure; nothing is changed and nothing kept but the begin of a packet. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mqtt_packet {
    MQTT_CONNECT = 1,
    MQTT_CONNACK = 2,
    MQTT_PUBACK = 4,
    MQTT_PINGREQ = 12,
    MQTT_DISCONNECT = 14
};

#define MQTTSCAN_KEPT 2048

struct mqttscan {
    uint8_t head;          /* first byte of the packet; 0: none has begun */
    unsigned length_bytes; /* of the remaining length, read so far */
    bool in_body;
    uint32_t size, seen; /* of the body */
    bool bad;            /* no MQTT: nothing more is read */
    size_t kept;         /* begin of the body */
    uint8_t body[MQTTSCAN_KEPT];
};

/* Reads on; returns the type of the next packet that is complete and how much of `data` it took
 * (`used`), or 0 when all was taken and no packet has ended, or -1: this is no MQTT. */
int mqttscan_next(struct mqttscan *scan, const uint8_t *data, size_t size, size_t *used);
/* The user name of the CONNECT that has just ended. False: it has none, or is malformed or longer
 * than what is kept. */
bool mqttscan_user(const struct mqttscan *scan, char *out, size_t size);
/* The reason code of the CONNACK that has just ended; 0: let in; -1: malformed. */
int mqttscan_connack(const struct mqttscan *scan);
