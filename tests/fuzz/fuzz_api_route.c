/* The gateway's reading of a request: "METHOD path?query\nAuthorization\nbody" in any bytes. */
#include <assert.h>
#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dashboard/api_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Cuts the text at the first `c`; what follows, or "". */
static char *cut(char *text, char c)
{
    char *at = strchr(text, c);

    if (!at)
        return text + strlen(text);
    *at = '\0';
    return at + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1), user[64], password[128], value[100];
    struct api_target target;
    struct flt_error error = { 0 };

    assert(text);
    memcpy(text, data, size);
    text[size] = '\0';
    char *header = cut(text, '\n'), *body = cut(header, '\n');
    char *path = cut(text, ' '), *query = cut(path, '?');

    if (api_find(text, path, query, body, strlen(body), &target, &error) == 0) {
        assert(target.args && (target.kind != API_VERB || target.verb));
        assert(strlen(target.name) < API_NAME_MAX);
        json_object_put(target.args);
    } else {
        assert(!target.args && error.message[0]);
    }
    (void)api_query_get(query, "ticket", value, sizeof value);
    if (api_login(header, user, sizeof user, password, sizeof password))
        assert(!strpbrk(user, "/+#$") && strlen(user) < 33);
    free(text);
    return 0;
}
