#include "exchanges/sim/params.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/crypto.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* NULL: a broken escape, an embedded NUL, or no memory. */
static char *decode(const char *text, size_t size)
{
    char *out = malloc(size + 1), *end = out;

    for (size_t i = 0; out && i < size; i++) {
        char c = text[i] == '+' ? ' ' : text[i];

        if (c == '%') {
            const int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            const int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;

            if (high < 0 || low < 0) {
                free(out);
                return NULL;
            }
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0') {
            free(out);
            return NULL;
        }
        *end++ = c;
    }
    if (out)
        *end = '\0';
    return out;
}

static int illegal(struct sim_error *error, const char *name)
{
    return sim_fail(error, 400, -1100, "Illegal characters found in parameter '%s'.", name);
}

static struct sim_param *find(const struct sim_params *params, const char *name)
{
    for (size_t i = 0; i < params->count; i++)
        if (strcmp(params->items[i].name, name) == 0)
            return (struct sim_param *)(uintptr_t)&params->items[i];
    return NULL;
}

/* Takes `value`. Of two with one name the first (the query's) stays. */
static int add(struct sim_params *params, const char *name, char *value, bool is_string,
               struct sim_error *error)
{
    if (find(params, name)) {
        free(value);
        return 0;
    }
    if (params->count == SIM_PARAMS_MAX) {
        free(value);
        return sim_fail(error, 400, -1101, "Too many parameters.");
    }
    struct sim_param *item = &params->items[params->count++];

    snprintf(item->name, sizeof item->name, "%s", name);
    item->value = value;
    item->is_string = is_string;
    return 0;
}

/* One "name=value"; false: it is the signature, which the payload leaves out. */
static int add_pair(struct sim_params *params, const char *text, size_t size, bool *signed_part,
                    struct sim_error *error)
{
    const char *equals = memchr(text, '=', size);
    const size_t name_size = equals ? (size_t)(equals - text) : size;
    char name[32];

    *signed_part = true;
    if (name_size == 0 || name_size >= sizeof name)
        return sim_fail(error, 400, -1101, "Too many parameters; expected less.");
    memcpy(name, text, name_size);
    name[name_size] = '\0';
    char *value = equals ? decode(equals + 1, size - name_size - 1) : strdup("");

    if (!value)
        return illegal(error, name);
    if (strcmp(name, "signature") != 0)
        return add(params, name, value, false, error);
    *signed_part = false;
    free(params->signature);
    params->signature = value;
    return 0;
}

static int parse_part(struct sim_params *params, const char *text, char **payload,
                      struct sim_error *error)
{
    char *end = *payload;
    bool first = true;

    while (*text) {
        const size_t size = strcspn(text, "&");
        bool signed_part = true;

        if (size > 0 && add_pair(params, text, size, &signed_part, error) != 0)
            return -1;
        if (size > 0 && signed_part) {
            if (!first)
                *end++ = '&';
            memcpy(end, text, size);
            end += size;
            first = false;
        }
        text += size + (text[size] == '&');
    }
    *end = '\0';
    *payload = end;
    return 0;
}

int sim_params_parse(struct sim_params *params, const char *query, const char *body,
                     struct sim_error *error)
{
    *params = (struct sim_params){ 0 };
    params->payload = malloc(strlen(query) + strlen(body) + 1);
    if (!params->payload)
        return sim_fail(error, 500, -1000,
                        "An unknown error occurred while processing the request.");
    char *end = params->payload;

    if (parse_part(params, query, &end, error) != 0)
        return -1;
    return parse_part(params, body, &end, error);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct sim_param *)a)->name, ((const struct sim_param *)b)->name);
}

/* All parameters but the signature, by name, "k=v" joined with "&". */
static int join_sorted(struct sim_params *params)
{
    struct flt_buf buf = FLT_BUF_INIT;

    qsort(params->items, params->count, sizeof params->items[0], by_name);
    for (size_t i = 0; i < params->count; i++)
        flt_buf_printf(&buf, "%s%s=%s", i ? "&" : "", params->items[i].name,
                       params->items[i].value);
    if (buf.failed) {
        flt_buf_finish(&buf);
        return -1;
    }
    params->payload = buf.data ? buf.data : strdup("");
    return params->payload ? 0 : -1;
}

int sim_params_parse_json(struct sim_params *params, struct json_object *object,
                          struct sim_error *error)
{
    *params = (struct sim_params){ 0 };
    if (object && !json_object_is_type(object, json_type_object))
        return sim_fail(error, 400, -1102, "Malformed 'params'.");
    if (object) {
        json_object_object_foreach(object, name, value)
        {
            const bool is_string = json_object_is_type(value, json_type_string);

            if (strlen(name) >= sizeof params->items[0].name)
                return sim_fail(error, 400, -1101, "Too many parameters; expected less.");
            char *text = strdup(json_object_get_string(value) ? json_object_get_string(value) : "");

            if (!text)
                return -1;
            if (strcmp(name, "signature") == 0) {
                free(params->signature);
                params->signature = text;
            } else if (add(params, name, text, is_string, error) != 0) {
                return -1;
            }
        }
    }
    return join_sorted(params);
}

void sim_params_finish(struct sim_params *params)
{
    for (size_t i = 0; i < params->count; i++)
        free(params->items[i].value);
    free(params->payload);
    free(params->signature);
    *params = (struct sim_params){ 0 };
}

const char *sim_param(const struct sim_params *params, const char *name)
{
    const struct sim_param *item = find(params, name);

    return item && item->value[0] ? item->value : NULL;
}

int sim_param_missing(struct sim_error *error, const char *name)
{
    return sim_fail(error, 400, -1102,
                    "Mandatory parameter '%s' was not sent, was empty/null, or malformed.", name);
}

int sim_param_int(const struct sim_params *params, const char *name, bool mandatory, int64_t *out,
                  struct sim_error *error)
{
    const char *text = sim_param(params, name);

    if (!text)
        return mandatory ? sim_param_missing(error, name) : 0;
    const struct flt_dec value = flt_dec_parse(text);

    if (!flt_dec_ok(value) || value.scale != 0 || strpbrk(text, "eE.+"))
        return sim_fail(
            error, 400, -1100,
            "Illegal characters found in parameter '%s'; legal range is '^[0-9]{1,20}$'.", name);
    *out = value.coef;
    return 0;
}

int sim_param_dec(const struct sim_params *params, const char *name, bool mandatory,
                  struct flt_amt *out, struct sim_error *error)
{
    const char *text = sim_param(params, name);

    if (!text)
        return mandatory ? sim_param_missing(error, name) : 0;
    const struct flt_amt value = flt_amt_parse(text);

    if (!flt_amt_ok(value) || value.units < 0 || strpbrk(text, "eE+-"))
        return sim_fail(error, 400, -1100,
                        "Illegal characters found in parameter '%s'; legal range is "
                        "'^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
                        name);
    if (value.units % 10000000000 != 0)
        return sim_fail(error, 400, -1111, "Parameter '%s' has too much precision.", name);
    *out = value;
    return 0;
}

/* --- signatures
 * ----------------------------------------------------------------------------------- */

static bool signature_ok(const struct sim_account *account, const char *payload,
                         const char *signature)
{
    uint8_t want[32], got[64];

    if (account->public_pem)
        return flt_unbase64(signature, strlen(signature), got, sizeof got) == 64 &&
               flt_ed25519_verify(account->public_pem, payload, strlen(payload), got) == 0;
    flt_hmac_sha256(account->secret, strlen(account->secret), payload, strlen(payload), want);
    return flt_unhex(signature, got, 32) == 0 && flt_equal(want, got, 32);
}

/* ms, also when it is sent in us. */
static int check_time(const struct sim *sim, const struct sim_params *params,
                      struct sim_error *error)
{
    int64_t timestamp = 0;
    struct flt_amt window = flt_amt_from_int(5000);
    const int64_t now = sim_now(sim);

    if (sim_param_int(params, "timestamp", true, &timestamp, error) != 0 ||
        sim_param_dec(params, "recvWindow", false, &window, error) != 0)
        return -1;
    if (flt_amt_cmp(window, flt_amt_from_int(60000)) > 0)
        return sim_fail(error, 400, -1131, "recvWindow must be less than 60000.");
    if (timestamp > INT64_C(100000000000000))
        timestamp /= 1000;
    if (timestamp >= now + 1000)
        return sim_fail(error, 400, -1021,
                        "Timestamp for this request was 1000ms ahead of the server's time.");
    if (flt_amt_cmp(flt_amt_from_int(now - timestamp), window) > 0)
        return sim_fail(error, 400, -1021,
                        "Timestamp for this request is outside of the recvWindow.");
    return 0;
}

static struct sim_account *account_of(const struct sim *sim, const char *key)
{
    for (size_t i = 0; i < sim->account_count; i++)
        if (strcmp(sim->accounts[i]->key, key) == 0)
            return sim->accounts[i];
    return NULL;
}

int sim_authorize(struct sim *sim, const struct sim_params *params, const char *key,
                  struct sim_account *session, struct sim_account **out, struct sim_error *error)
{
    struct sim_account *account = session;

    if (!account || key) {
        if (!key || !*key)
            return sim_fail(error, 401, -2014, "API-key format invalid.");
        account = account_of(sim, key);
        if (!account)
            return sim_fail(error, 401, -2015, "Invalid API-key, IP, or permissions for action.");
    }
    if (!sim_param(params, "timestamp"))
        return sim_param_missing(error, "timestamp");
    if (account != session || params->signature) {
        if (!params->signature || !params->signature[0])
            return sim_param_missing(error, "signature");
        if (check_time(sim, params, error) != 0)
            return -1;
        if (!signature_ok(account, params->payload, params->signature))
            return sim_fail(error, 400, -1022, "Signature for this request is not valid.");
    } else if (check_time(sim, params, error) != 0) {
        return -1;
    }
    *out = account;
    return 0;
}
