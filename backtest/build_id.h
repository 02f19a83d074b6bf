/* Which build made a result: the linker's id of the running program (NT_GNU_BUILD_ID: a hash of all
 * that was linked), as `readelf -n flotilla` shows it. Two programs with one id are the same. */
#pragma once

/* Hexadecimal, or "unknown" when the linker left none. Thread: one, the first time. */
const char *build_id(void);
