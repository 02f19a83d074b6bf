/* Any text as a decimal and as an amount: what parses must come back from its canonical text, and
 * both types must agree on what both can hold. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "lib/amt.h"
#include "lib/dec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_dec(struct flt_dec dec)
{
    char text[FLT_DEC_TEXT_MAX];
    const struct flt_dec back = flt_dec_parse(flt_dec_format(dec, text));

    assert(strlen(text) < sizeof text);
    assert(flt_dec_ok(back) && flt_dec_cmp(dec, back) == 0);
    const struct flt_dec sum = flt_dec_add(dec, dec);

    if (flt_dec_ok(sum))
        assert(flt_dec_cmp(flt_dec_sub(sum, dec), dec) == 0);
    if (dec.coef != 0)
        assert(flt_dec_cmp(flt_dec_div(dec, dec, FLT_ROUND_UP), flt_dec_from_int(1)) == 0);
    assert(flt_dec_units(dec, (struct flt_dec){ 1, dec.scale }, FLT_ROUND_DOWN) == dec.coef);
}

static void check_amt(struct flt_amt amt)
{
    char text[FLT_AMT_TEXT_MAX];
    const struct flt_amt back = flt_amt_parse(flt_amt_format(amt, text));

    assert(strlen(text) < sizeof text);
    assert(back.units == amt.units);
    if (amt.units != 0)
        assert(flt_amt_div(amt, amt, FLT_ROUND_DOWN).units == flt_amt_from_int(1).units);
    assert(flt_amt_mul(amt, flt_dec_from_int(1), FLT_ROUND_UP).units == amt.units);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct flt_dec dec = flt_dec_parse_n((const char *)data, size);
    const struct flt_amt amt = flt_amt_parse_n((const char *)data, size);

    if (flt_dec_ok(dec)) {
        check_dec(dec);
        assert(flt_amt_from_dec(dec).units == amt.units);
    }
    if (flt_amt_ok(amt))
        check_amt(amt);
    return 0;
}
