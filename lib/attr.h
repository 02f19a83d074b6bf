/* Compiler attributes, named once. gcc and clang both know them. */
#pragma once

#define FLT_MUST_USE __attribute__((warn_unused_result))
#define FLT_PRINTF(format_arg, first_arg) __attribute__((format(printf, format_arg, first_arg)))
#define FLT_UNUSED __attribute__((unused))
#define FLT_COUNT(array) (sizeof(array) / sizeof((array)[0]))
