/* "filter\ntopic": the matcher agrees with the standard's rules written down the slow way; and the
 * whole input as a broker's url. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "lib/log.h"
#include "lib/mqtt_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Level by level, each ending in '/' or NUL (MQTT 5.0 section 4.7.1). */
static bool levels_match(const char *filter, const char *topic)
{
    const char *const filter_rest = strchr(filter, '/');
    const char *const topic_rest = strchr(topic, '/');
    const size_t filter_size = filter_rest ? (size_t)(filter_rest - filter) : strlen(filter);
    const size_t topic_size = topic_rest ? (size_t)(topic_rest - topic) : strlen(topic);
    const bool is_plus = filter_size == 1 && filter[0] == '+';

    if (strcmp(filter, "#") == 0)
        return true;
    if (!is_plus && (filter_size != topic_size || memcmp(filter, topic, filter_size) != 0))
        return false;
    if (!topic_rest) /* "a/#" is also "a" */
        return !filter_rest || strcmp(filter_rest, "/#") == 0;
    return filter_rest && levels_match(filter_rest + 1, topic_rest + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *const text = malloc(size + 1);
    struct mqtt_url url;

    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    flt_log_set_level(FLT_LOG_OFF);
    if (mqtt_url_parse(text, &url) == 0)
        assert(url.host[0] != '\0' && url.is_unix == (url.port == 0));
    char *const topic = strchr(text, '\n');
    if (topic) {
        *topic = '\0';
        const bool hidden = topic[1] == '$' && text[0] != '$';
        assert(flt_topic_matches(text, topic + 1) == (!hidden && levels_match(text, topic + 1)));
    }
    free(text);
    return 0;
}
