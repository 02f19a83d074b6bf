/* Text of strangers on its way to the terminal, and filters that people type. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/filter.h"
#include "controller/cli/screen.h"
#include "controller/cli/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_clean(char *text)
{
    int32_t character;
    size_t length;
    char cut[64];

    text_clean(text);
    for (const char *at = text; (length = text_next(at, &character)); at += length)
        assert(!text_is_control(character));
    for (size_t columns = 0; columns < 20; columns += 7)
        assert(text_width(text_cut(text, columns, cut, sizeof cut)) <= columns);
}

static void check_screen(const char *text)
{
    struct screen screen = { 0 };
    struct flt_buf out = { 0 };

    if (screen_resize(&screen, 17, 4))
        abort();
    screen_text(&screen, 1, 3, 9, SCREEN_RED, text);
    screen_right(&screen, 3, 0, 17, 0, text);
    screen_flush(&screen, &out);
    flt_buf_reset(&out);
    screen_flush(&screen, &out);
    assert(out.length == 0);
    flt_buf_finish(&out);
    screen_finish(&screen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct filter filter;
    const struct filter_row row = { .text = { [FILTER_BOT] = "btc-grid-1",
                                              [FILTER_NODE] = "node-1",
                                              [FILTER_STATE] = "running",
                                              [FILTER_EQUITY] = "-12.5",
                                              [FILTER_AGE] = "230" } };
    struct flt_error error = { 0 };
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (filter_compile(&filter, text, &error) == 0)
        (void)filter_match(&filter, &row);
    else
        assert(error.code == FLT_INVALID_ARGUMENT && *error.message);
    check_screen(text);
    check_clean(text);
    free(text);
    return 0;
}
