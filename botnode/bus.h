/* The node on MQTT: presence with incarnation, heartbeats, what the controller says, the stream. */
#pragma once
#include "botnode/node.h"

FLT_MUST_USE int bus_create(struct botnode *node, struct bus **out);
void bus_start(struct bus *bus);
/* Says a clean goodbye (presence down), sends what is queued, then `closed`. */
void bus_close(struct bus *bus, void (*closed)(void *ctx), void *ctx);

bool bus_is_up(const struct bus *bus);
/* Publishes an encoded message; the text is copied. Down or full: dropped, as what matters is in
 * the journal and is sent again. */
bool bus_publish(struct bus *bus, const char *topic, const struct flt_buf *payload, int qos,
                 bool retained);
void bus_envelope(struct bus *bus, struct msg_envelope *out); /* fills a message's head */
const char *bus_tenant(const struct bus *bus);
void bus_on_second(struct bus *bus); /* heartbeat */
void bus_beat_soon(struct bus *bus); /* one before its time; NULL is fine */
void bus_on_part(struct bus *bus);   /* each 20 ms */
/* Committed records of the journal, in order. */
void bus_on_committed(struct bus *bus, const struct journal_record *records, size_t count);
/* A replay: records from..to on n/<node>/rp/<req>. */
void bus_replay(struct bus *bus, const char *stream, const char *req, int64_t from, int64_t to);
int64_t bus_term(const struct bus *bus); /* highest controller term seen */
/* False: an older term; counted and refused. A newer one is journaled. */
bool bus_take_term(struct bus *bus, int64_t term);
int64_t bus_incarnation(const struct bus *bus);
/* Records up to it are in the controller's backup; 0: not known. */
int64_t bus_backed_up(const struct bus *bus);
