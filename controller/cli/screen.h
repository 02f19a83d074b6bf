/* A full-screen picture of cells, sent as what changed since the last one.
 *
 * Drawing clips at the edges, so a view may be drawn into any size, also 1 by 1. Text is cleaned
 * (text.h): nothing but our own sequences ever reaches the terminal. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "lib/attr.h"
#include "lib/json.h"

enum screen_style { /* a colour, and what may be added to it */
                    SCREEN_PLAIN,
                    SCREEN_RED,
                    SCREEN_GREEN,
                    SCREEN_YELLOW,
                    SCREEN_CYAN,
                    SCREEN_COLORS = 7, /* mask */
                    SCREEN_BOLD = 8,
                    SCREEN_DIM = 16,
                    SCREEN_REVERSE = 32,
};

struct screen_cell {
    char text[12]; /* one character with its combining ones; "": the right half of the one before */
    unsigned style;
};

struct screen {
    size_t width, height;
    bool color;
    struct screen_cell *cells, *shown; /* what is drawn; what the terminal has */
    bool redraw;                       /* nothing is known of the terminal */
};

/* Keeps nothing of the picture. -ENOMEM leaves the old size. */
FLT_MUST_USE int screen_resize(struct screen *screen, size_t width, size_t height);
void screen_finish(struct screen *screen);
void screen_clear(struct screen *screen);
/* At most `columns` from (row, column); longer text ends with an ellipsis. How many it took. */
size_t screen_text(struct screen *screen, size_t row, size_t column, size_t columns, unsigned style,
                   const char *text);
/* The same, at the right end of `columns`. */
void screen_right(struct screen *screen, size_t row, size_t column, size_t columns, unsigned style,
                  const char *text);
/* The whole row in a style, as a bar. */
void screen_bar(struct screen *screen, size_t row, unsigned style);
/* Appends what brings the terminal from the last picture to this one; nothing when they are equal.
 */
void screen_flush(struct screen *screen, struct flt_buf *out);

/* A line chart in braille, 2 by 4 dots a cell; values oldest first, NaN: a hole. */
void screen_chart(struct screen *screen, size_t row, size_t column, size_t columns, size_t rows,
                  unsigned style, const double *values, size_t count);
