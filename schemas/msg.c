/* Decoder and encoder over the generated tables. */
#define FLT_MOD "msg"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/ids.h"
#include "schemas/msg.h"

struct path { /* where we are, as a list towards the root; written out only for an error */
    const struct path *up;
    const char *key;
    long index; /* -1: a member */
};

struct decoder {
    enum msg_strict how;
    struct flt_error *error;
};

static atomic_uint_fast64_t unknown_keys;

static int decode_struct(const struct decoder *decoder, const struct msg_type *type,
                         struct json_object *tree, void *out, const struct path *path);

static void path_write(const struct path *path, char *out, size_t size)
{
    size_t used;

    if (!path) {
        out[0] = '\0';
        return;
    }
    path_write(path->up, out, size);
    used = strlen(out);
    if (path->index >= 0)
        snprintf(out + used, size - used, "[%ld]", path->index);
    else
        snprintf(out + used, size - used, "%s%s", used ? "." : "", path->key);
}

FLT_PRINTF(4, 5)
static int refuse(const struct decoder *decoder, const struct path *path, const char *hint,
                  const char *format, ...)
{
    char field[sizeof((struct flt_error *)0)->field], message[200];
    va_list args;

    path_write(path, field, sizeof field);
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    flt_error_set(decoder->error, FLT_INVALID_ARGUMENT, field, hint, "%s %s",
                  field[0] ? field : "the message", message);
    return -EINVAL;
}

static void *at(void *base, uint32_t offset)
{
    return (char *)base + offset;
}

static const void *at_const(const void *base, uint32_t offset)
{
    return (const char *)base + offset;
}

/* --- strings ------------------------------------------------------------------------------------
 */

static bool is_instrument(const char *text)
{
    const char *dash = strchr(text, '-');

    for (const char *c = text; *c; c++)
        if (!((*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '-'))
            return false;
    return dash && dash != text && text[strlen(text) - 1] != '-' && !strstr(text, "--");
}

static bool is_hex(const char *text)
{
    return strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

static const char *format_wrong(enum msg_format format, const char *text)
{
    switch (format) {
    case MSG_FORMAT_NAME:
        return flt_name_ok(text) ? NULL : "must be a name: a-z, 0-9 and -, at most 32 characters";
    case MSG_FORMAT_LEVEL:
        return topic_level_ok(text) ? NULL : "must be 1 to 48 of A-Z, a-z, 0-9, _ and -";
    case MSG_FORMAT_ULID:
        return flt_ulid_ok(text) ? NULL : "must be a ULID of 26 characters";
    case MSG_FORMAT_INSTRUMENT:
        return is_instrument(text) ? NULL : "must be an instrument such as BTC-USDT";
    case MSG_FORMAT_HEX:
        return is_hex(text) ? NULL : "must be hex digits";
    case MSG_FORMAT_ANY:
        break;
    }
    return NULL;
}

static int decode_str(const struct decoder *decoder, const struct msg_field *field,
                      struct json_object *value, void *slot, const struct path *path)
{
    const char *text = json_object_get_string(value);
    const size_t length = (size_t)json_object_get_string_len(value);
    const char *wrong;

    if (!json_object_is_type(value, json_type_string))
        return refuse(decoder, path, NULL, "must be a string");
    if (memchr(text, '\0', length))
        return refuse(decoder, path, NULL, "holds a NUL character");
    if (field->kind == MSG_KIND_TEXT) {
        char *copy = strdup(text);

        memcpy(slot, &copy, sizeof copy);
        return copy ? 0 : -ENOMEM;
    }
    if (length >= field->size)
        return refuse(decoder, path, NULL, "is longer than %" PRIu32 " bytes", field->size - 1);
    if ((int64_t)length < field->min)
        return refuse(decoder, path, NULL, "is shorter than %" PRId64 " bytes", field->min);
    wrong = format_wrong(field->format, text);
    if (wrong)
        return refuse(decoder, path, NULL, "%s", wrong);
    memcpy(slot, text, length + 1);
    return 0;
}

static int decode_enum(const struct decoder *decoder, const struct msg_field *field,
                       struct json_object *value, void *slot, const struct path *path)
{
    char words[160] = "", hint[96] = "";
    const char *text = json_object_get_string(value);
    const char *near;
    unsigned found;

    if (json_object_is_type(value, json_type_string) &&
        msg_enum_parse(field->choices, text, &found)) {
        memcpy(slot, &found, sizeof found);
        return 0;
    }
    for (size_t i = 0; i < field->choices->count; i++) {
        const size_t used = strlen(words);

        snprintf(words + used, sizeof words - used, "%s%s", i ? ", " : "",
                 field->choices->names[i]);
    }
    near = json_object_is_type(value, json_type_string)
               ? flt_nearest(text, field->choices->names, field->choices->count)
               : NULL;
    if (near)
        snprintf(hint, sizeof hint, "did you mean %s?", near);
    return refuse(decoder, path, near ? hint : NULL, "must be one of: %s", words);
}

/* --- numbers -------------------------------------------------------------------------------------
 */

static int decode_int(const struct decoder *decoder, const struct msg_field *field,
                      struct json_object *value, void *slot, const struct path *path)
{
    int64_t number;

    if (!json_object_is_type(value, json_type_int))
        return refuse(decoder, path, NULL, "must be a whole number");
    number = json_object_get_int64(value);
    if (number < field->min)
        return refuse(decoder, path, NULL, "must be at least %" PRId64, field->min);
    if (number > field->max)
        return refuse(decoder, path, NULL, "must be at most %" PRId64, field->max);
    memcpy(slot, &number, sizeof number);
    return 0;
}

static int decode_double(const struct decoder *decoder, const struct msg_field *field,
                         struct json_object *value, void *slot, const struct path *path)
{
    double number = (double)NAN; /* a float for clang */

    if (json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int)) {
        number = json_object_get_double(value);
    } else if (decoder->how == MSG_PEOPLE && json_object_is_type(value, json_type_string)) {
        number = flt_dec_to_double(flt_dec_parse(json_object_get_string(value)));
    }
    if (!isfinite(number))
        return refuse(decoder, path, NULL, "must be a number");
    if (number < field->number_min)
        return refuse(decoder, path, NULL, "must be at least %g", field->number_min);
    if (number > field->number_max)
        return refuse(decoder, path, NULL, "must be at most %g", field->number_max);
    memcpy(slot, &number, sizeof number);
    return 0;
}

static int decode_bool(const struct decoder *decoder, struct json_object *value, void *slot,
                       const struct path *path)
{
    const bool is = json_object_get_boolean(value);

    if (!json_object_is_type(value, json_type_boolean))
        return refuse(decoder, path, NULL, "must be true or false");
    memcpy(slot, &is, sizeof is);
    return 0;
}

static int check_sign(const struct decoder *decoder, enum msg_sign rule, int sign,
                      const struct path *path)
{
    if (rule == MSG_SIGN_POSITIVE && sign <= 0)
        return refuse(decoder, path, NULL, "must be above zero");
    if (rule == MSG_SIGN_NOT_NEGATIVE && sign < 0)
        return refuse(decoder, path, NULL, "must not be below zero");
    return 0;
}

static int decode_exact(const struct decoder *decoder, const struct msg_field *field,
                        struct json_object *value, void *slot, const struct path *path)
{
    const bool number =
        json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double);
    const char *text = json_object_get_string(value);

    if (!json_object_is_type(value, json_type_string) && !(number && decoder->how == MSG_PEOPLE))
        return refuse(decoder, path, NULL, "must be a decimal in a string, such as \"0.015\"");
    if (field->kind == MSG_KIND_DEC) {
        const struct flt_dec dec = flt_dec_parse(text);

        if (!flt_dec_ok(dec))
            return refuse(decoder, path, NULL, "is not a decimal of up to 18 digits");
        memcpy(slot, &dec, sizeof dec);
        return check_sign(decoder, field->sign, (dec.coef > 0) - (dec.coef < 0), path);
    }
    const struct flt_amt amt = flt_amt_parse(text);

    if (!flt_amt_ok(amt))
        return refuse(decoder, path, NULL, "is not an amount with up to 18 decimals");
    memcpy(slot, &amt, sizeof amt);
    return check_sign(decoder, field->sign, flt_amt_sign(amt), path);
}

/* --- trees, arrays, structs
 * ------------------------------------------------------------------------ */

static int decode_tree(const struct decoder *decoder, const struct msg_field *field,
                       struct json_object *value, void *slot, const struct path *path)
{
    const bool list = field->kind == MSG_KIND_LIST;

    if (!json_object_is_type(value, list ? json_type_array : json_type_object))
        return refuse(decoder, path, NULL, list ? "must be a list" : "must be an object");
    json_object_get(value);
    memcpy(slot, &value, sizeof value);
    return 0;
}

static int decode_value(const struct decoder *decoder, const struct msg_field *field,
                        struct json_object *value, void *slot, const struct path *path)
{
    switch (field->kind) {
    case MSG_KIND_STR:
    case MSG_KIND_TEXT:
        return decode_str(decoder, field, value, slot, path);
    case MSG_KIND_INT:
        return decode_int(decoder, field, value, slot, path);
    case MSG_KIND_DOUBLE:
        return decode_double(decoder, field, value, slot, path);
    case MSG_KIND_BOOL:
        return decode_bool(decoder, value, slot, path);
    case MSG_KIND_DEC:
    case MSG_KIND_AMT:
        return decode_exact(decoder, field, value, slot, path);
    case MSG_KIND_ENUM:
        return decode_enum(decoder, field, value, slot, path);
    case MSG_KIND_STRUCT:
        return decode_struct(decoder, field->type, value, slot, path);
    case MSG_KIND_OBJECT:
    case MSG_KIND_LIST:
        return decode_tree(decoder, field, value, slot, path);
    case MSG_KIND_FLATTEN:
        break;
    }
    return -EINVAL;
}

static int decode_array(const struct decoder *decoder, const struct msg_field *field,
                        struct json_object *value, void *out, const struct path *path)
{
    size_t count, *counted = at(out, field->count_offset);
    char *items = NULL;

    if (!json_object_is_type(value, json_type_array))
        return refuse(decoder, path, NULL, "must be a list");
    count = json_object_array_length(value);
    if (field->items_max && count > field->items_max)
        return refuse(decoder, path, NULL, "has more than %zu items", field->items_max);
    if (count && !(items = calloc(count, field->size)))
        return -ENOMEM;
    memcpy(at(out, field->offset), &items, sizeof items);
    *counted = count; /* items not reached are zero, which msg_finish takes */
    for (size_t i = 0; i < count; i++) {
        const struct path item = { path, NULL, (long)i };
        const int err = decode_value(decoder, field, json_object_array_get_idx(value, i),
                                     items + i * field->size, &item);
        if (err)
            return err;
    }
    return 0;
}

/* Decodes the known keys of `tree`, adding to `found` how many there were. */
static int decode_fields(const struct decoder *decoder, const struct msg_type *type,
                         struct json_object *tree, void *out, const struct path *path, int *found)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct msg_field *field = &type->fields[i];
        const struct path here = { path, field->name, -1 };
        struct json_object *value = NULL;
        int err;

        if (field->kind == MSG_KIND_FLATTEN) {
            err = decode_fields(decoder, field->type, tree, at(out, field->offset), path, found);
        } else if (!json_object_object_get_ex(tree, field->name, &value)) {
            if (field->required)
                return refuse(decoder, &here, field->help, "is missing");
            continue;
        } else {
            ++*found;
            err = field->array ? decode_array(decoder, field, value, out, &here)
                               : decode_value(decoder, field, value, at(out, field->offset), &here);
            if (field->has_offset != MSG_NONE)
                *(bool *)at(out, field->has_offset) = true;
        }
        if (err)
            return err;
    }
    return 0;
}

static size_t list_names(const struct msg_type *type, const char **names, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < type->field_count && count < room; i++) {
        if (type->fields[i].kind == MSG_KIND_FLATTEN)
            count += list_names(type->fields[i].type, names + count, room - count);
        else
            names[count++] = type->fields[i].name;
    }
    return count;
}

static int refuse_unknown(const struct decoder *decoder, const struct msg_type *type,
                          struct json_object *tree, const struct path *path)
{
    const char *names[96];
    const size_t count = list_names(type, names, FLT_COUNT(names));

    json_object_object_foreach(tree, key, value)
    {
        const struct path here = { path, key, -1 };
        const char *near = NULL;
        char hint[96];
        size_t i = 0;

        (void)value;
        while (i < count && strcmp(names[i], key) != 0)
            i++;
        if (i < count)
            continue;
        near = flt_nearest(key, names, count);
        snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
        return refuse(decoder, &here, near ? hint : NULL, "is not a known key");
    }
    return 0;
}

static int check_variant(const struct decoder *decoder, const struct msg_type *type,
                         struct json_object *tree, const struct path *path)
{
    struct json_object *word = flt_json_get(tree, type->variant);
    const char *key = json_object_get_string(word);
    const struct path here = { path, key, -1 };

    return key && flt_json_get(tree, key) ? 0 : refuse(decoder, &here, NULL, "is missing");
}

static int decode_struct(const struct decoder *decoder, const struct msg_type *type,
                         struct json_object *tree, void *out, const struct path *path)
{
    int err = 0, found = 0;

    if (!json_object_is_type(tree, json_type_object))
        return refuse(decoder, path, NULL, "must be an object");
    if (decoder->how == MSG_PEOPLE) /* before what is missing: a typo is both */
        err = refuse_unknown(decoder, type, tree, path);
    if (!err)
        err = decode_fields(decoder, type, tree, out, path, &found);
    if (!err && found != json_object_object_length(tree))
        atomic_fetch_add(&unknown_keys, (unsigned)(json_object_object_length(tree) - found));
    return !err && type->variant ? check_variant(decoder, type, tree, path) : err;
}

int msg_decode(const struct msg_type *type, struct json_object *tree, enum msg_strict how,
               void *out, struct flt_error *error)
{
    const struct decoder decoder = { how, error };
    int err;

    memset(out, 0, type->size);
    err = decode_struct(&decoder, type, tree, out, NULL);
    if (err)
        msg_finish(type, out);
    return err;
}

int msg_parse(const struct msg_type *type, const char *text, size_t length, enum msg_strict how,
              void *out, struct flt_error *error)
{
    struct json_object *tree = flt_json_parse(text, length, error);
    int err;

    memset(out, 0, type->size);
    if (!tree)
        return -EINVAL;
    err = msg_decode(type, tree, how, out, error);
    json_object_put(tree);
    return err;
}

uint64_t msg_unknown_keys(void)
{
    return atomic_load(&unknown_keys);
}

/* --- freeing -------------------------------------------------------------------------------------
 */

static void finish_fields(const struct msg_type *type, void *out);

static void finish_value(const struct msg_field *field, void *slot)
{
    struct json_object *tree;
    char *text;

    if (field->kind == MSG_KIND_STRUCT || field->kind == MSG_KIND_FLATTEN) {
        finish_fields(field->type, slot);
    } else if (field->kind == MSG_KIND_OBJECT || field->kind == MSG_KIND_LIST) {
        memcpy(&tree, slot, sizeof tree);
        json_object_put(tree);
    } else if (field->kind == MSG_KIND_TEXT) {
        memcpy(&text, slot, sizeof text);
        free(text);
    }
}

static void finish_fields(const struct msg_type *type, void *out)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct msg_field *field = &type->fields[i];
        char *items;

        if (!field->array) {
            finish_value(field, at(out, field->offset));
            continue;
        }
        memcpy(&items, at(out, field->offset), sizeof items);
        for (size_t k = 0; k < *(size_t *)at(out, field->count_offset); k++)
            finish_value(field, items + k * field->size);
        free(items);
    }
}

void msg_finish(const struct msg_type *type, void *out)
{
    finish_fields(type, out);
    memset(out, 0, type->size);
}

/* --- encoding
 * ------------------------------------------------------------------------------------- */

static void encode_fields(const struct msg_type *type, struct flt_buf *buf, const void *in);

static void encode_tree(const struct msg_field *field, struct flt_buf *buf, const char *key,
                        const void *slot)
{
    struct json_object *tree;

    memcpy(&tree, slot, sizeof tree);
    if (tree)
        flt_jw_tree(buf, key, tree);
    else
        flt_jw_raw(buf, key, field->kind == MSG_KIND_LIST ? "[]" : "{}");
}

static void encode_value(const struct msg_field *field, struct flt_buf *buf, const char *key,
                         const void *slot)
{
    switch (field->kind) {
    case MSG_KIND_STR:
        flt_jw_str(buf, key, slot);
        break;
    case MSG_KIND_TEXT: {
        const char *const *text = slot;
        flt_jw_str(buf, key, *text ? *text : "");
        break;
    }
    case MSG_KIND_INT:
        flt_jw_int(buf, key, *(const int64_t *)slot);
        break;
    case MSG_KIND_DOUBLE:
        flt_jw_double(buf, key, *(const double *)slot);
        break;
    case MSG_KIND_BOOL:
        flt_jw_bool(buf, key, *(const bool *)slot);
        break;
    case MSG_KIND_DEC:
        flt_jw_dec(buf, key, *(const struct flt_dec *)slot);
        break;
    case MSG_KIND_AMT:
        flt_jw_amt(buf, key, *(const struct flt_amt *)slot);
        break;
    case MSG_KIND_ENUM:
        flt_jw_str(buf, key, msg_enum_name(field->choices, *(const unsigned *)slot));
        break;
    case MSG_KIND_STRUCT:
        msg_encode(field->type, buf, key, slot);
        break;
    case MSG_KIND_FLATTEN:
        encode_fields(field->type, buf, slot);
        break;
    case MSG_KIND_OBJECT:
    case MSG_KIND_LIST:
        encode_tree(field, buf, key, slot);
        break;
    }
}

static void encode_fields(const struct msg_type *type, struct flt_buf *buf, const void *in)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct msg_field *field = &type->fields[i];
        const char *items;

        if (field->has_offset != MSG_NONE && !*(const bool *)at_const(in, field->has_offset))
            continue;
        if (!field->array) {
            encode_value(field, buf, field->name, at_const(in, field->offset));
            continue;
        }
        memcpy(&items, at_const(in, field->offset), sizeof items);
        flt_jw_begin(buf, field->name, '[');
        for (size_t k = 0; k < *(const size_t *)at_const(in, field->count_offset); k++)
            encode_value(field, buf, NULL, items + k * field->size);
        flt_jw_end(buf, ']');
    }
}

void msg_encode(const struct msg_type *type, struct flt_buf *buf, const char *key, const void *in)
{
    flt_jw_begin(buf, key, '{');
    encode_fields(type, buf, in);
    flt_jw_end(buf, '}');
}

struct json_object *msg_to_tree(const struct msg_type *type, const void *in)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *tree = NULL;

    msg_encode(type, &buf, NULL, in);
    if (!buf.failed)
        tree = flt_json_parse(buf.data, buf.length, NULL);
    flt_buf_finish(&buf);
    return tree;
}

static int write_raw(struct json_object *object, struct printbuf *out, int level, int flags)
{
    const char *const text = json_object_get_userdata(object);

    (void)level;
    (void)flags;
    return printbuf_memappend(out, text, (int)strlen(text));
}

struct json_object *msg_to_raw(const struct msg_type *type, const void *in)
{
    struct flt_buf buf = FLT_BUF_INIT;
    struct json_object *object = NULL;

    msg_encode(type, &buf, NULL, in);
    char *text = buf.failed ? NULL : strdup(buf.data);
    if (text)
        object = json_object_new_object();
    if (object)
        json_object_set_serializer(object, write_raw, text, json_object_free_userdata);
    else
        free(text);
    flt_buf_finish(&buf);
    return object;
}

const char *msg_enum_name(const struct msg_enum *choices, unsigned value)
{
    assert(value < choices->count);
    return choices->names[value];
}

bool msg_enum_parse(const struct msg_enum *choices, const char *text, unsigned *out)
{
    for (unsigned i = 0; i < choices->count; i++) {
        if (strcmp(choices->names[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const struct msg_type *msg_type_find(const char *name)
{
    for (size_t i = 0; i < msg_type_count; i++)
        if (strcmp(msg_types[i]->name, name) == 0)
            return msg_types[i];
    return NULL;
}
