/* Checking a bot that somebody wants to deploy, against everything that is known before it runs. */
#pragma once
#include "controller/request.h"

struct deploy_plan {
    char venue[FLT_NAME_MAX];
    char node[FLT_NAME_MAX];
    bool sandbox;
    const struct bot *existing; /* NULL: new */
    char warning[256];          /* "" none */
};

/* 0 with `plan` filled; or an error whose field path begins with `prefix` ("bot", "bots[2]").
 * Changes nothing. */
FLT_MUST_USE int deploy_check(struct request *request, const struct msg_bot *spec, bool live,
                              const char *prefix, struct deploy_plan *plan,
                              struct flt_error *error);
