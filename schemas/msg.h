/* The contract in C: what schemas/gen.py makes from the schema files stands on this.
 *
 * Per message there is a struct, a table that describes it (struct msg_type) and three functions,
 * all in the generated schemas/schemas_msg.h:
 *     int  msg_x_decode(tree, how, &out, &error)   0, or -EINVAL with field path, reason and hint
 *     void msg_x_encode(&buf, &in)                 appends one JSON object
 *     void msg_x_finish(&out)                      frees arrays, long texts and trees; zeroes
 * Decoding checks types, ranges and required keys. An optional key `k` comes with `bool has_k`.
 * Texts with a known limit are arrays; others (`const char *`), arrays (`x`, `x_count`) and free
 * objects (`struct json_object *`, a reference) belong to a decoded struct. A struct that a caller
 * fills to encode it may borrow all of them, and then is not finished. Threads: pure functions.
 */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "lib/attr.h"
#include "lib/clock.h"
#include "lib/fail.h"
#include "lib/json.h"
#include "lib/market.h"

/* Who wrote it. PEOPLE: an unknown key is an error that names the nearest known one, and numbers
 * may stand for decimals (YAML). PROGRAM: unknown keys are ignored and counted, so that versions
 * can differ by a minor step; decimals must be strings. */
enum msg_strict { MSG_PROGRAM, MSG_PEOPLE };

enum msg_kind {
    MSG_KIND_STR,  /* char[size] */
    MSG_KIND_TEXT, /* const char *, owned */
    MSG_KIND_INT,  /* int64_t */
    MSG_KIND_DOUBLE,
    MSG_KIND_BOOL,
    MSG_KIND_DEC,     /* struct flt_dec */
    MSG_KIND_AMT,     /* struct flt_amt */
    MSG_KIND_ENUM,    /* an enum, as unsigned */
    MSG_KIND_STRUCT,  /* another message's struct */
    MSG_KIND_FLATTEN, /* the same, its keys beside ours */
    MSG_KIND_OBJECT,  /* struct json_object *, any object */
    MSG_KIND_LIST     /* struct json_object *, any array */
};

enum msg_format {
    MSG_FORMAT_ANY,
    MSG_FORMAT_NAME,
    MSG_FORMAT_LEVEL,
    MSG_FORMAT_ULID,
    MSG_FORMAT_INSTRUMENT,
    MSG_FORMAT_HEX
};

enum msg_sign { MSG_SIGN_ANY, MSG_SIGN_NOT_NEGATIVE, MSG_SIGN_POSITIVE };

struct msg_enum {
    const char *const *names; /* by value */
    size_t count;
};

#define MSG_NONE UINT32_MAX

struct msg_field {
    const char *name;
    enum msg_kind kind;
    bool required, array;
    uint32_t offset, has_offset, count_offset; /* MSG_NONE: there is none */
    uint32_t size;                             /* of one value */
    enum msg_format format;
    enum msg_sign sign;
    int64_t min, max; /* INT; STR: length */
    double number_min, number_max;
    size_t items_max; /* arrays; 0: no limit of its own */
    const struct msg_enum *choices;
    const struct msg_type *type;
    const char *help;
};

struct msg_type {
    const char *name; /* "n/hb", "req/bot-ls args" */
    const char *help;
    const char *example; /* JSON */
    size_t size;
    const struct msg_field *fields;
    size_t field_count;
    const char *variant; /* the member named by this enum field must be there; NULL: none */
};

FLT_MUST_USE int msg_decode(const struct msg_type *type, struct json_object *tree,
                            enum msg_strict how, void *out, struct flt_error *error);
/* Parses and decodes in one step. */
FLT_MUST_USE int msg_parse(const struct msg_type *type, const char *text, size_t length,
                           enum msg_strict how, void *out, struct flt_error *error);
/* Appends one object; as a member when `key` is given. */
void msg_encode(const struct msg_type *type, struct flt_buf *buf, const char *key, const void *in);
void msg_finish(const struct msg_type *type, void *out);
/* Encodes into a new tree that the caller puts; NULL: no memory or a bad value. */
struct json_object *msg_to_tree(const struct msg_type *type, const void *in);
/* The same for an answer that is only written on: it holds the text, and has no members to look at.
 */
struct json_object *msg_to_raw(const struct msg_type *type, const void *in);
/* Unknown keys that were ignored in messages between programs, since start. */
uint64_t msg_unknown_keys(void);

const char *msg_enum_name(const struct msg_enum *choices, unsigned value);
bool msg_enum_parse(const struct msg_enum *choices, const char *text, unsigned *out);

/* --- all of them, by name ------------------------------------------------------------------------
 */

extern const struct msg_type *const msg_types[];
extern const size_t msg_type_count;
const struct msg_type *msg_type_find(const char *name); /* NULL: no such message */

/* --- topics
 * --------------------------------------------------------------------------------------- */

#define TOPIC_MAX 256
#define TOPIC_LEVEL_MAX 49
#define TOPIC_PARTS_MAX 4

struct topic_row {
    const char *name;    /* "node_state" */
    const char *pattern; /* below flt/v1/<tenant>/: "n/<node>/b/<bot>/state" */
    int qos;
    bool retained;
    const struct msg_type *message;
    uint32_t part[TOPIC_PARTS_MAX]; /* offsets in struct topic_ref of the <levels>; MSG_NONE */
    const char *help;
};

bool topic_level_ok(const char *text);
/* Each builder of schemas_msg.h ends here: `parts` in the pattern's order. A part may also be "+"
 * or
 * "#", which makes a filter. Bad parts are a broken invariant. `out` holds TOPIC_MAX. */
char *topic_format(char *out, const struct topic_row *row, const char *tenant,
                   const char *const *parts);

/* --- small common pieces of the contract ---------------------------------------------------------
 */

struct msg_bot_ref;
/* The hash by which node and controller compare what runs: the first 16 hex digits of the SHA-256
 * of "<bot> <epoch> <generation>\n" over all bots in the order of their names. Sorts `refs`. */
#define MSG_HASH_MAX 17
void msg_bots_hash(struct msg_bot_ref *refs, size_t count, char out[MSG_HASH_MAX]);

struct msg_envelope;
/* v, a new id, the time and the next number of this sender. */
void msg_envelope_init(struct msg_envelope *env, const struct flt_clock *clock, const char *src,
                       uint64_t *sequence);
struct msg_error;
void msg_error_from(struct msg_error *out, const struct flt_error *error);
void msg_error_to(const struct msg_error *in, struct flt_error *error);
