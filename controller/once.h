/* Idempotence of requests that change something: by (user, id), for 24 h, also after a restart. */
#pragma once
#include "controller/request.h"

enum { ONCE_REPEATED = 1 };

/* 0: new, and recorded. ONCE_REPEATED: `answer` (freed by the caller) is what it was answered;
 * NULL: it is being carried out, and its answer comes. An error: the id was another request's, or
 * the process that carried it out ended before its answer. */
FLT_MUST_USE int once_begin(struct request *request, char **answer, struct flt_error *error);
/* Its answer, in the transaction of its effects. */
void once_end(const struct request *request, const char *text, size_t size, bool ok);
/* For command-show; false: no request has this id. */
bool once_find(struct request *request, const char *id, struct msg_command_show_result *out);
void once_expire(struct controller *controller); /* older than a day */
