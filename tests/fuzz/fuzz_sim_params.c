#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "exchanges/sim/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text as a query, as a body, and as the JSON of the WebSocket API. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct sim_params params;
    struct sim_error error = { 0 };

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const size_t half = strlen(text) / 2;

    if (sim_params_parse(&params, text, text + half, &error) == 0)
        (void)sim_param(&params, "symbol");
    sim_params_finish(&params);
    struct json_object *object = flt_json_parse(text, size, NULL);

    if (object) {
        if (sim_params_parse_json(&params, object, &error) == 0)
            (void)sim_param(&params, "symbol");
        sim_params_finish(&params);
    }
    json_object_put(object);
    free(text);
    return 0;
}
