/* Backups of the controller: its database (copied with SQLite's online backup while it goes on
 * being written), its keys and the fleet's logins, sealed in one file (lib/archive.h).
 *
 * The copy is made on the thread pool. What a backup holds is what nodes may forget: the stream
 * positions in it become `backed_up` of the acknowledgements. Restoring is the command line's work
 * while the fleet is stopped; it leaves the file `restored.json` beside the database, which
 * backup_after_restore() obeys. */
#pragma once
#include "controller/controller.h"

struct request;
struct backups;

FLT_MUST_USE int backups_create(struct controller *controller, struct flt_error *error,
                                struct backups **out);
void backups_destroy(struct backups *backups); /* NULL is fine; one in progress ends unheard */
void backups_on_second(struct backups *backups);

/* What the newest backup holds of a stream; -1: there is none. When backups are switched off,
 * everything that is committed counts as kept. */
int64_t backups_position(struct backups *backups, const char *stream, int64_t committed);

/* After a restore: every bot is paused under a new epoch until a person resumes it. To be called
 * before anything is published; does nothing without the mark. */
FLT_MUST_USE int backup_after_restore(struct controller *controller);
/* A node that knows a newer epoch or generation of a bot than these books: the books were put back.
 * They move above it, paused, so that the node hears them again. True: they moved. */
bool backup_lift_bot(struct controller *controller, struct bot *bot, const char *node,
                     const struct msg_n_state *state);
/* The same when the venue shows orders with an epoch that is not below the bot's, as its node says:
 * the books and the node's journal were both put back. */
void backup_lift_venue(struct controller *controller, struct bot *bot);
