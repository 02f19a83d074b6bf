#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <string.h>
#include "dashboard/assets.h"

#define FIRST_LOAD_MAX ((size_t)130 * 1024) /* page, style, script, words and the MQTT worker */
#define CHART_MAX ((size_t)60 * 1024)       /* comes when a chart is drawn */
#define VIEW_MAX ((size_t)8 * 1024)

static void the_page_is_there_and_unpacks_to_itself(void **ctx)
{
    const struct asset *page = asset_find("/");

    (void)ctx;
    assert_non_null(page);
    assert_ptr_equal(page, asset_find("/index.html"));
    assert_false(page->hashed);
    char *text = asset_inflate(page);

    assert_non_null(text);
    assert_memory_equal(text, "<!doctype html>", 15);
    free(text);
    assert_null(asset_find("/nothing"));
    assert_null(asset_find("/assets/"));
}

static bool is(const struct asset *asset, const char *word)
{
    char start[40] = "/assets/";

    strncat(start, word, sizeof start - 10);
    strcat(start, "-");
    return strncmp(asset->path, start, strlen(start)) == 0;
}

static void each_part_keeps_to_its_budget(void **ctx)
{
    size_t first = 0, charts = 0;

    (void)ctx;
    for (size_t i = 0; i < asset_count; i++) {
        const struct asset *asset = &asset_table[i];

        if (is(asset, "chart")) {
            charts++;
            assert_true(asset->gz_size <= CHART_MAX);
        } else if (is(asset, "bot") || is(asset, "botdata") || is(asset, "deploy") ||
                   is(asset, "nodes")) {
            assert_true(asset->gz_size <= VIEW_MAX);
        } else if (!is(asset, "zh") && !is(asset, "told")) { /* one language is loaded, and both are
                                                              * alike in size; told: Chinese only */
            first += asset->gz_size;
        }
    }
    assert_int_equal(charts, 1);
    assert_in_range(first, 20 * 1024, FIRST_LOAD_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_there_and_unpacks_to_itself),
        cmocka_unit_test(each_part_keeps_to_its_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
