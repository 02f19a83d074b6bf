#define FLT_MOD "ids"
#include "lib/ids.h"
#include <stdlib.h>
#include <string.h>
#include "lib/amt.h"
#include "lib/crypto.h"

/* Crockford's alphabet (crockford.com/base32.html): no I, L, O, U. ULIDs are upper case, our client
 * order ids lower. */
static const char upper[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char lower[] = "0123456789abcdefghjkmnpqrstvwxyz";

#define DIGITS 26 /* of 5 bits for 128, so the first is at most '7' */

static char *put_base32(flt_u128 value, const char *alphabet, char *out)
{
    for (int i = DIGITS - 1; i >= 0; i--) {
        out[i] = alphabet[(unsigned)value & 31];
        value >>= 5;
    }
    out[DIGITS] = '\0';
    return out;
}

/* The digit's value + 1; 0: none. */
static const uint8_t digit_of[128] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['g'] = 17, ['h'] = 18, ['j'] = 19, ['k'] = 20, ['m'] = 21, ['n'] = 22, ['p'] = 23, ['q'] = 24,
    ['r'] = 25, ['s'] = 26, ['t'] = 27, ['v'] = 28, ['w'] = 29, ['x'] = 30, ['y'] = 31, ['z'] = 32,
};

/* `count` characters of the alphabet: at most 12, so that 64 bits hold them. */
static bool take_digits(const char *text, int count, const char *alphabet, uint64_t *out)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool letter = c >= 'A';
        const unsigned at = alphabet == lower ? c : letter && c <= 'Z' ? c + 32u : letter ? 0 : c;
        const uint8_t digit = at < sizeof digit_of ? digit_of[at] : 0;

        if (digit == 0)
            return false;
        value = value << 5 | (digit - 1u);
    }
    *out = value;
    return true;
}

/* Exactly DIGITS characters of the alphabet and the end. */
static bool take_base32(const char *text, const char *alphabet, flt_u128 *out)
{
    uint64_t first, middle, last;

    if (!take_digits(text, 2, alphabet, &first) || first >= 8u << 5 ||
        !take_digits(text + 2, 12, alphabet, &middle) ||
        !take_digits(text + 14, 12, alphabet, &last))
        return false;
    *out = (flt_u128)first << 120 | (flt_u128)middle << 60 | last;
    return text[DIGITS] == '\0';
}

char *flt_ulid(int64_t ts_ms, char *out)
{
    uint64_t random[2];

    if (flt_random(random, sizeof random) != 0)
        abort(); /* an id that repeats would break the books; a restart is cheaper */
    return put_base32((flt_u128)((uint64_t)ts_ms & 0xffffffffffff) << 80 |
                          (flt_u128)(random[0] & 0xffff) << 64 | random[1],
                      upper, out);
}

bool flt_ulid_ok(const char *text)
{
    flt_u128 value;

    return text && take_base32(text, upper, &value);
}

bool flt_name_ok(const char *text)
{
    size_t length = 0;

    if (!text || *text == '-')
        return false;
    for (; text[length]; length++) {
        const char c = text[length];

        if (length + 1 >= FLT_NAME_MAX ||
            !((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return length > 0;
}

uint64_t flt_coid_owner(const char *fleet, const char *bot)
{
    char text[2 * 64];
    uint8_t hash[32];
    const size_t fleet_length = strnlen(fleet, 63), bot_length = strnlen(bot, 63);

    memcpy(text, fleet, fleet_length);
    text[fleet_length] = '/';
    memcpy(text + fleet_length + 1, bot, bot_length);
    flt_sha256(text, fleet_length + 1 + bot_length, hash);
    return (uint64_t)hash[0] << 32 | (uint64_t)hash[1] << 24 | (uint64_t)hash[2] << 16 |
           (uint64_t)hash[3] << 8 | hash[4];
}

char *flt_coid_format(const struct flt_coid *id, char *out)
{
    const uint64_t high = (id->owner & 0xffffffffff) << 24 | (id->epoch & 0xffffff);
    const uint64_t low = (uint64_t)id->sequence << 32 | id->key;

    out[0] = 'f';
    (void)put_base32((flt_u128)high << 64 | low, lower, out + 1);
    return out;
}

bool flt_coid_parse(const char *text, struct flt_coid *out)
{
    flt_u128 value;

    if (!text || text[0] != 'f' || !take_base32(text + 1, lower, &value))
        return false;
    *out = (struct flt_coid){
        .owner = (uint64_t)(value >> 88),
        .epoch = (uint32_t)(value >> 64) & 0xffffff,
        .sequence = (uint32_t)(value >> 32),
        .key = (uint32_t)value,
    };
    return true;
}
