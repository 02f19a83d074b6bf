/* The two halves of report.html around its data; embed.py makes them of report_page/. */
#pragma once
#include <stddef.h>

extern const char report_page_head[], report_page_tail[];
extern const size_t report_page_head_size, report_page_tail_size;
