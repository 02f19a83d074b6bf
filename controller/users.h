/* Users and tokens share this: questions to the broker's login plugin, and the table of roles. */
#pragma once
#include "controller/request.h"
#include "lib/ids.h"
#include "lib/roles.h"

struct user_call;
/* The plugin has done it. */
typedef void user_done_fn(struct controller *controller, struct user_call *call);

enum user_call_kind {
    CALL_LIST,
    CALL_ADD,
    CALL_PASSWORD,
    CALL_REMOVE,
    CALL_LOGIN,
    CALL_LOGOUT,
    CALL_OTHER /* `done` knows */
};

struct user_call { /* a question to the plugin that waits for its answer */
    struct user_call *next;
    char id[FLT_ULID_MAX];
    enum user_call_kind kind;
    struct request *request; /* NULL: our own */
    char name[FLT_NAME_MAX], password[32];
    enum msg_role role;
    user_done_fn
        *done; /* of CALL_OTHER; `request` is still to be answered there, if there is one */
    int64_t expires_ms; /* of a token */
    bool bridge;        /* of CALL_LOGIN: not a node */
    int64_t deadline_ms;
    struct flt_buf later; /* to be sent at send_ms: the user's own new password */
    int64_t send_ms;
};

/* A question, in the list; `request` (kept; may be NULL) is answered when it is done. */
struct user_call *user_call_create(struct controller *controller, enum user_call_kind kind,
                                   const char *name, struct request *request);
/* Sends `payload` (and wipes it). REQUEST_LATER, or a negative errno: the call is gone then. */
int user_call_ask(struct controller *controller, struct user_call *call, struct flt_buf *payload);
int user_new_password(char out[32]);
enum flt_role_kind user_kind_of(enum msg_role role);

bool user_find(struct controller *controller, const char *name, enum msg_role *role);
void user_save(struct controller *controller, const char *name, enum msg_role role);
void user_forget(struct controller *controller, const char *name);

/* --- tokens.c
 * ----------------------------------------------------------------------------------------- */

/* Ends the tokens that `user` made: those with a role above `role`; all when it is NULL. */
void tokens_above(struct controller *controller, const char *user, const enum msg_role *role);
void tokens_on_second(struct controller *controller); /* ends those that have expired */
/* A request of the login `user`: false when it is a token that is over. Notes its use. */
bool token_use(struct controller *controller, const char *user);
