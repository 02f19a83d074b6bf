#define FLT_MOD "cli"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/screen.h"
#include "controller/cli/text.h"

int screen_resize(struct screen *screen, size_t width, size_t height)
{
    struct screen_cell *cells = calloc(width * height + 1, sizeof *cells);
    struct screen_cell *shown = calloc(width * height + 1, sizeof *shown);

    if (!cells || !shown) {
        free(cells);
        free(shown);
        return -ENOMEM;
    }
    free(screen->cells);
    free(screen->shown);
    screen->cells = cells;
    screen->shown = shown;
    screen->width = width;
    screen->height = height;
    screen->redraw = true;
    screen_clear(screen);
    return 0;
}

void screen_finish(struct screen *screen)
{
    free(screen->cells);
    free(screen->shown);
    *screen = (struct screen){ 0 };
}

void screen_clear(struct screen *screen)
{
    for (size_t i = 0; i < screen->width * screen->height; i++)
        screen->cells[i] = (struct screen_cell){ .text = " " };
}

/* --- drawing
 * -------------------------------------------------------------------------------------------- */

/* Adds a combining character to the cell before. */
static void combine(struct screen_cell *cell, const char *text, size_t size)
{
    const size_t used = strlen(cell->text);

    if (used + size < sizeof cell->text) {
        memcpy(cell->text + used, text, size);
        cell->text[used + size] = 0;
    }
}

size_t screen_text(struct screen *screen, size_t row, size_t column, size_t columns, unsigned style,
                   const char *text)
{
    char clean[1024], cut[1024];
    int32_t character;
    size_t size, at = column;

    if (row >= screen->height || column >= screen->width)
        return 0;
    columns = columns < screen->width - column ? columns : screen->width - column;
    snprintf(clean, sizeof clean, "%s", text);
    text_clean(clean);
    text = text_cut(clean, columns, cut, sizeof cut);
    struct screen_cell *line = screen->cells + row * screen->width;

    for (; (size = text_next(text, &character)); text += size) {
        char one[5] = "";

        memcpy(one, text, size);
        const size_t width = text_width(one);

        if (width == 0) {
            if (at > column)
                combine(&line[at - 1], text, size);
            continue;
        }
        if (at + width > column + columns)
            break;
        line[at].style = style;
        memcpy(line[at].text, one, sizeof one);
        if (width == 2)
            line[at + 1] = (struct screen_cell){ .text = "", .style = style };
        at += width;
    }
    return at - column;
}

void screen_right(struct screen *screen, size_t row, size_t column, size_t columns, unsigned style,
                  const char *text)
{
    const size_t own = text_width(text);

    if (own >= columns)
        screen_text(screen, row, column, columns, style, text);
    else
        screen_text(screen, row, column + columns - own, own, style, text);
}

void screen_bar(struct screen *screen, size_t row, unsigned style)
{
    for (size_t k = 0; k < screen->width && row < screen->height; k++)
        screen->cells[row * screen->width + k] =
            (struct screen_cell){ .text = " ", .style = style };
}

/* --- the difference
 * ------------------------------------------------------------------------------------- */

static bool same(const struct screen_cell *a, const struct screen_cell *b)
{
    return a->style == b->style && strcmp(a->text, b->text) == 0;
}

static void write_style(const struct screen *screen, struct flt_buf *out, unsigned style)
{
    static const char *const colors[] = { "", ";31", ";32", ";33", ";36", "", "", "" };

    flt_buf_printf(out, "\033[0%s%s%s%sm", style & SCREEN_BOLD ? ";1" : "",
                   style & SCREEN_DIM && screen->color ? ";2" : "",
                   style & SCREEN_REVERSE ? ";7" : "",
                   screen->color ? colors[style & SCREEN_COLORS] : "");
}

/* Runs of cells that differ; a gap of a few equal ones costs less than a jump over it. */
static void flush_row(struct screen *screen, size_t row, struct flt_buf *out, unsigned *style)
{
    const struct screen_cell *want = screen->cells + row * screen->width;
    const struct screen_cell *have = screen->shown + row * screen->width;
    size_t at = SIZE_MAX; /* where the cursor is */

    for (size_t k = 0; k < screen->width; k++) {
        if (!screen->redraw && same(&want[k], &have[k]))
            continue;
        if (!want[k].text[0])
            continue; /* came with its left half */
        size_t from = at != SIZE_MAX && k - at <= 4 ? at : k;

        while (from > 0 && !want[from].text[0])
            from--;
        if (from != at)
            flt_buf_printf(out, "\033[%zu;%zuH", row + 1, from + 1);
        for (; from <= k; from++) {
            if (!want[from].text[0])
                continue;
            if (want[from].style != *style)
                write_style(screen, out, want[from].style);
            *style = want[from].style;
            flt_buf_append(out, want[from].text, strlen(want[from].text));
        }
        at = k + 1 + (k + 1 < screen->width && !want[k + 1].text[0]);
    }
}

void screen_flush(struct screen *screen, struct flt_buf *out)
{
    unsigned style = UINT32_MAX;

    if (screen->redraw)
        flt_buf_printf(out, "\033[0m\033[2J");
    for (size_t row = 0; row < screen->height; row++)
        flush_row(screen, row, out, &style);
    if (style != UINT32_MAX)
        flt_buf_printf(out, "\033[0m");
    memcpy(screen->shown, screen->cells, screen->width * screen->height * sizeof *screen->cells);
    screen->redraw = false;
}

/* --- charts
 * --------------------------------------------------------------------------------------------- */

static void bounds(const double *values, size_t count, double *low, double *high)
{
    *low = (double)INFINITY;
    *high = (double)-INFINITY;
    for (size_t i = 0; i < count; i++) {
        *low = fmin(*low, values[i]); /* fmin and fmax pass over NaN */
        *high = fmax(*high, values[i]);
    }
    if (*high <= *low) { /* a level line goes through the middle */
        const double half = *low == 0 ? 1 : fabs(*low) * 1e-6;

        *low -= half;
        *high += half;
    }
}

/* The mean of the values that fall into dot column `x` of `width`; NaN: none does. */
static double value_at(const double *values, size_t count, size_t x, size_t width)
{
    if (count <= width)
        return x * count / width < count ? values[x * count / width] : (double)NAN;
    const size_t from = x * count / width, to = (x + 1) * count / width;
    double sum = 0;
    size_t n = 0;

    for (size_t i = from; i < to; i++)
        if (!isnan(values[i])) {
            sum += values[i];
            n++;
        }
    return n ? sum / (double)n : (double)NAN;
}

static void put_dots(struct screen *screen, size_t row, size_t column, unsigned style,
                     unsigned dots)
{
    const unsigned character = 0x2800 + dots;
    const char text[] = { (char)(0xe0 | character >> 12), (char)(0x80 | (character >> 6 & 0x3f)),
                          (char)(0x80 | (character & 0x3f)), 0 };

    if (dots)
        screen_text(screen, row, column, 1, style, text);
}

void screen_chart(struct screen *screen, size_t row, size_t column, size_t columns, size_t rows,
                  unsigned style, const double *values, size_t count)
{
    static const unsigned bits[4][2] = { { 1, 8 }, { 2, 16 }, { 4, 32 }, { 64, 128 } };
    double low, high, last = (double)NAN;
    unsigned *dots = calloc(columns * rows + 1, sizeof *dots);

    if (!dots || !count || !rows || !columns) {
        free(dots);
        return;
    }
    bounds(values, count, &low, &high);
    for (size_t x = 0; x < columns * 2; x++) {
        const double value = value_at(values, count, x, columns * 2);

        if (isnan(value))
            continue;
        /* A line from the last value's height to this one's, so that jumps stay connected. */
        const double scale = (double)(rows * 4 - 1) / (high - low);
        size_t y = (size_t)((high - value) * scale + 0.5);
        size_t end = isnan(last) ? y : (size_t)((high - last) * scale + 0.5);

        last = value;
        for (;; y += y < end ? 1 : (size_t)-1) {
            dots[(y / 4) * columns + x / 2] |= bits[y % 4][x % 2];
            if (y == end)
                break;
        }
    }
    for (size_t i = 0; i < columns * rows; i++)
        put_dots(screen, row + i / columns, column + i % columns, style, dots[i]);
    free(dots);
}
