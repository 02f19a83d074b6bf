/* Requests of account-add, with the keys sealed to the controller (account-key). */
#pragma once
#include <json-c/json.h>
#include <stdbool.h>
#include "lib/attr.h"

struct json_object *account_args(const char *name, const char *venue, bool sandbox);
/* `credentials` is JSON {key, secret | private_key_pem}; adds credentials_sealed to `args`. */
FLT_MUST_USE int account_seal(struct json_object *args, const char *tenant, const char *box_key_hex,
                              const char *credentials);
