/* The gateway's OpenAPI document, as schemas/gen.py makes it (also docs/openapi.json). */
#pragma once
#include <stddef.h>

extern const char openapi_text[];
extern const size_t openapi_size;
