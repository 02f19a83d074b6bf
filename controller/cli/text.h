/* Text on its way to a terminal: cleaned of what could draw there, measured, cut.
 *
 * Names, notes, reasons and log lines come from other people and machines. What could move a
 * cursor, change a colour or reorder a line (C0 and C1 controls, DEL, direction marks, line
 * separators, bytes that are no UTF-8) becomes a question mark before it is printed. Pure
 * functions; text is UTF-8. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character: its bytes, 1 to 4; `out` is -1 for a byte that is no UTF-8. 0: the end. */
size_t text_next(const char *text, int32_t *out);
/* Would it draw, move or reorder? */
bool text_is_control(int32_t character);
/* In place; never longer than before. */
void text_clean(char *text);
/* Columns on a terminal: Chinese characters take two, combining ones none. */
size_t text_width(const char *text);
/* At most `columns` wide; what is cut ends with an ellipsis. Returns `out`. */
char *text_cut(const char *text, size_t columns, char *out, size_t size);
/* "45s", "3m", "7h", "12d". Returns `out`. */
char *text_age(int64_t ms, char *out, size_t size);
/* "312 B", "1.5 MiB". Returns `out`. */
char *text_bytes(int64_t bytes, char *out, size_t size);
