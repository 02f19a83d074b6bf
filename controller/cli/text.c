#define FLT_MOD "cli"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include "controller/cli/text.h"
#include "lib/attr.h"

size_t text_next(const char *text, int32_t *out)
{
    const unsigned char *at = (const unsigned char *)text;
    static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t size = *at < 0x80             ? 1
                        : (*at & 0xe0) == 0xc0 ? 2
                        : (*at & 0xf0) == 0xe0 ? 3
                        : (*at & 0xf8) == 0xf0 ? 4
                                               : 0;
    int32_t value = size == 1 ? *at : size ? *at & (0xff >> (size + 1)) : 0;

    *out = -1;
    if (*at == 0)
        return 0;
    if (size == 0)
        return 1;
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
        return 1;
    *out = value;
    return size;
}

bool text_is_control(int32_t character)
{
    static const struct {
        int32_t from, to;
    } ranges[] = { { -1, 0x1f },       { 0x7f, 0x9f },     { 0x061c, 0x061c },
                   { 0x200e, 0x200f }, { 0x2028, 0x202e }, { 0x2066, 0x2069 },
                   { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f } };

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (character >= ranges[i].from && character <= ranges[i].to)
            return true;
    return false;
}

void text_clean(char *text)
{
    char *to = text;
    int32_t character;
    size_t size;

    for (const char *from = text; (size = text_next(from, &character)); from += size) {
        if (text_is_control(character)) {
            *to++ = '?';
            continue;
        }
        memmove(to, from, size);
        to += size;
    }
    *to = 0;
}

static size_t width_of(int32_t character)
{
    const int width = character < 0x7f ? 1 : wcwidth((wchar_t)character);

    return width < 0 ? 1 : (size_t)width;
}

size_t text_width(const char *text)
{
    size_t width = 0, size;
    int32_t character;

    for (; (size = text_next(text, &character)); text += size)
        width += width_of(character);
    return width;
}

char *text_cut(const char *text, size_t columns, char *out, size_t size)
{
    const bool fits = text_width(text) <= columns;
    const size_t room = fits ? columns : columns ? columns - 1 : 0;
    size_t used = 0, width = 0, length;
    int32_t character;

    for (; (length = text_next(text, &character)); text += length) {
        if (width + width_of(character) > room || used + length + 4 > size)
            break;
        memcpy(out + used, text, length);
        used += length;
        width += width_of(character);
    }
    snprintf(out + used, size - used, "%s", fits || columns == 0 ? "" : "…");
    return out;
}

char *text_age(int64_t ms, char *out, size_t size)
{
    const int64_t s = ms < 0 ? 0 : ms / 1000;

    if (s < 120)
        snprintf(out, size, "%" PRId64 "s", s);
    else if (s < 7200)
        snprintf(out, size, "%" PRId64 "m", s / 60);
    else if (s < 172800)
        snprintf(out, size, "%" PRId64 "h", s / 3600);
    else
        snprintf(out, size, "%" PRId64 "d", s / 86400);
    return out;
}

char *text_bytes(int64_t bytes, char *out, size_t size)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
    return out;
}
