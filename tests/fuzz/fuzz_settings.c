/* What comes from outside into the dashboard's own code: an Origin, a Host, an address of its file.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "dashboard/assets.h"
#include "dashboard/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char host[16]; /* short, so that the bound is met */
    int port = -1;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    const char *second = strchr(text, '\n');

    if (settings_parse_address(text, host, sizeof host, &port) == 0 &&
        (port < 0 || port > 65535 || strlen(host) >= sizeof host))
        abort();
    if (second && settings_origin_ok(text, second + 1, true) &&
        !settings_origin_ok(NULL, second + 1, true))
        abort(); /* what is refused alone cannot be right with an origin */
    (void)asset_find(text);
    free(text);
    return 0;
}
