/* Small common pieces of the contract: topics, hash of a list of bots, envelopes, errors. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"
#include "lib/ids.h"
#include "schemas/schemas_msg.h"

#define ROOT "flt/v1/"

bool topic_level_ok(const char *text)
{
    size_t length =
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");

    return length > 0 && length < TOPIC_LEVEL_MAX && text[length] == '\0';
}

static bool part_ok(const char *text)
{
    return strcmp(text, "+") == 0 || strcmp(text, "#") == 0 || topic_level_ok(text);
}

char *topic_format(char *out, const struct topic_row *row, const char *tenant,
                   const char *const *parts)
{
    size_t used = (size_t)snprintf(out, TOPIC_MAX, ROOT "%s/", tenant);

    assert(part_ok(tenant));
    for (const char *c = row->pattern; *c; c++) {
        if (*c != '<') {
            out[used++] = *c;
            continue;
        }
        assert(part_ok(*parts));
        used += (size_t)snprintf(out + used, TOPIC_MAX - used, "%s", *parts++);
        c = strchr(c, '>');
    }
    out[used] = '\0';
    return out;
}

/* Copies one level; false when it is not one. `*text` then stands behind it and its slash. */
static bool take_level(const char **text, char *out)
{
    const size_t length = strcspn(*text, "/");

    if (length >= TOPIC_LEVEL_MAX)
        return false;
    memcpy(out, *text, length);
    out[length] = '\0';
    *text += length + ((*text)[length] == '/');
    return topic_level_ok(out);
}

static bool match_row(const struct topic_row *row, const char *text, struct topic_ref *out)
{
    const char *pattern = row->pattern;

    for (size_t part = 0; *pattern;) {
        const size_t length = strcspn(pattern, "/");

        if (*pattern == '<') {
            if (!take_level(&text, (char *)out + row->part[part++]))
                return false;
        } else {
            if (strncmp(text, pattern, length) != 0 ||
                (text[length] != '/' && text[length] != '\0'))
                return false;
            text += length + (text[length] == '/');
        }
        pattern += length + (pattern[length] == '/');
    }
    return *text == '\0';
}

bool topic_parse(const char *topic, struct topic_ref *out)
{
    memset(out, 0, sizeof *out);
    if (strncmp(topic, ROOT, strlen(ROOT)) != 0 || topic[strlen(topic) - 1] == '/')
        return false;
    topic += strlen(ROOT);
    if (!take_level(&topic, out->tenant))
        return false;
    for (unsigned i = 0; i < TOPIC_COUNT; i++) {
        if (match_row(&topic_rows[i], topic, out)) {
            out->id = (enum topic_id)i;
            return true;
        }
    }
    return false;
}

static int by_bot(const void *a, const void *b)
{
    const struct msg_bot_ref *left = a, *right = b;

    return strcmp(left->bot, right->bot);
}

void msg_bots_hash(struct msg_bot_ref *refs, size_t count, char out[MSG_HASH_MAX])
{
    struct flt_buf buf = FLT_BUF_INIT;
    uint8_t digest[32];

    if (count)
        qsort(refs, count, sizeof *refs, by_bot);
    for (size_t i = 0; i < count; i++)
        flt_buf_printf(&buf, "%s %" PRId64 " %" PRId64 "\n", refs[i].bot, refs[i].epoch,
                       refs[i].generation);
    flt_sha256(buf.data ? buf.data : "", buf.length, digest);
    flt_hex(digest, (MSG_HASH_MAX - 1) / 2, out);
    flt_buf_finish(&buf);
}

void msg_envelope_init(struct msg_envelope *env, const struct flt_clock *clock, const char *src,
                       uint64_t *sequence)
{
    memset(env, 0, sizeof *env);
    env->v = 1;
    env->ts_ms = flt_wall_ms(clock);
    flt_ulid(env->ts_ms, env->id);
    snprintf(env->src, sizeof env->src, "%s", src);
    if (sequence) {
        env->has_seq = true;
        env->seq = (int64_t)++ * sequence;
    }
}

void msg_error_from(struct msg_error *out, const struct flt_error *error)
{
    memset(out, 0, sizeof *out);
    snprintf(out->code, sizeof out->code, "%s", flt_error_name(error->code));
    snprintf(out->message, sizeof out->message, "%s", error->message);
    out->has_hint = error->hint[0] != '\0';
    snprintf(out->hint, sizeof out->hint, "%s", error->hint);
    out->has_field = error->field[0] != '\0';
    snprintf(out->field, sizeof out->field, "%s", error->field);
}

void msg_error_to(const struct msg_error *in, struct flt_error *error)
{
    memset(error, 0, sizeof *error);
    flt_error_set(error, flt_error_from_name(in->code), in->field, in->hint, "%s", in->message);
}

const struct msg_verb *msg_verb_find(const char *name)
{
    for (size_t i = 0; i < msg_verb_count; i++)
        if (strcmp(msg_verbs[i].name, name) == 0)
            return &msg_verbs[i];
    return NULL;
}

const struct msg_op *msg_op_find(const char *name)
{
    for (size_t i = 0; i < msg_op_count; i++)
        if (strcmp(msg_ops[i].name, name) == 0)
            return &msg_ops[i];
    return NULL;
}
