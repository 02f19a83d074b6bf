/* Verbs that set the books beside the venue: only the bot's node can ask it. */
#define FLT_MOD "verbs"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/request.h"

HANDLER(verb_account_check)
{
    (void)request;
    (void)args;
    (void)result;
    return flt_error_set(error, FLT_UNAVAILABLE, "", "upgrade the nodes",
                         "no node compares its accounts with their venue");
}

HANDLER(verb_bot_reconcile)
{
    const struct msg_bot_reconcile_args *in = args;
    const struct bot *bot = request_bot(request, in->bot, error);

    (void)result;
    if (!bot)
        return -ENOENT;
    return flt_error_set(error, FLT_UNAVAILABLE, "bot", "upgrade the nodes",
                         "%s does not compare %s with its venue", bot->node, in->bot);
}
