/* The vectors are the standards' own: RFC 4231 (HMAC), 4648 (base64), 7748 (X25519), 7914 (scrypt),
 * 8032 (Ed25519), FIPS 180-4 (SHA), and McGrew and Viega's for AES-GCM, which NIST took over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define FLT_MOD "test_crypto"
#include "lib/crypto.h"
#include "lib/log.h"

static void unhex(const char *text, uint8_t *out)
{
    assert_int_equal(flt_unhex(text, out, strlen(text) / 2), 0);
}

#define assert_hex(data, expected)                                                                 \
    do {                                                                                           \
        uint8_t bytes_[256];                                                                       \
        unhex(expected, bytes_);                                                                   \
        assert_memory_equal(data, bytes_, strlen(expected) / 2);                                   \
    } while (0)

static void hashes_are_the_standards(void **ctx)
{
    uint8_t sha256[32], sha1[20];

    (void)ctx;
    flt_sha256("abc", 3, sha256);
    assert_hex(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    flt_sha256("", 0, sha256);
    assert_hex(sha256, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    flt_sha1("abc", 3, sha1);
    assert_hex(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
}

static void hmac_is_rfc_4231(void **ctx)
{
    static const char data2[] = "what do ya want for nothing?";
    static const char data6[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    uint8_t key[131], mac[32];

    (void)ctx;
    memset(key, 0x0b, 20);
    flt_hmac_sha256(key, 20, "Hi There", 8, mac);
    assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    flt_hmac_sha256("Jefe", 4, data2, strlen(data2), mac);
    assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    flt_hmac_sha256(key, sizeof key, data6, strlen(data6), mac);
    assert_hex(mac, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    flt_hmac_sha256(NULL, 0, "", 0, mac); /* RFC 4231 has none; hmac.c of many libraries has */
    assert_hex(mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void bytes_have_two_texts(void **ctx)
{
    static const char *const rows[][2] = { { "", "" },
                                           { "f", "Zg==" },
                                           { "fo", "Zm8=" },
                                           { "foo", "Zm9v" },
                                           { "foob", "Zm9vYg==" },
                                           { "fooba", "Zm9vYmE=" },
                                           { "foobar", "Zm9vYmFy" } };
    uint8_t back[16];
    char text[16];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(rows); i++) {
        const size_t size = strlen(rows[i][0]);

        assert_string_equal(flt_base64((const uint8_t *)rows[i][0], size, text), rows[i][1]);
        assert_int_equal(flt_unbase64(rows[i][1], strlen(rows[i][1]), back, size), size);
        assert_memory_equal(back, rows[i][0], size);
    }
    assert_string_equal(flt_hex((const uint8_t *)"\x00\xff\x1a", 3, text), "00ff1a");
    assert_int_equal(flt_unhex("00FF1a", back, 3), 0);
    assert_memory_equal(back, "\x00\xff\x1a", 3);
}

static void text_that_is_not_bytes_is_refused(void **ctx)
{
    static const char *const bad64[] = { "Zg=",      "Zg",   "Z===", "Zh==", "Zm9=",
                                         "Zg==Zg==", "Z g=", "Zg-_", "====", "Zm9v\n" };
    uint8_t out[16];

    (void)ctx;
    for (size_t i = 0; i < FLT_COUNT(bad64); i++)
        if (flt_unbase64(bad64[i], strlen(bad64[i]), out, sizeof out) != -EINVAL)
            fail_msg("%s is taken", bad64[i]);
    assert_int_equal(flt_unbase64("Zm9v", 4, out, 2), -EINVAL); /* no room */
    assert_int_equal(flt_unhex("00f", out, 2), -EINVAL);
    assert_int_equal(flt_unhex("00fg", out, 2), -EINVAL);
    assert_int_equal(flt_unhex(NULL, out, 2), -EINVAL);
}

/* DER heads of PKCS#8 and SubjectPublicKeyInfo for Ed25519 (RFC 8410), then the 32 bytes. */
static char *pem(const char *label, const char *head, const char *key, char *out, size_t size)
{
    char hex[128], base64[96];
    uint8_t der[64];

    (void)snprintf(hex, sizeof hex, "%s%s", head, key);
    unhex(hex, der);
    (void)snprintf(out, size, "-----BEGIN %s-----\n%s\n-----END %s-----\n", label,
                   flt_base64(der, strlen(hex) / 2, base64), label);
    return out;
}

static void ed25519_is_rfc_8032(void **ctx)
{
    char private_pem[256], public_pem[256];
    uint8_t signature[64];

    (void)ctx;
    pem("PRIVATE KEY", "302e020100300506032b657004220420",
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", private_pem,
        sizeof private_pem);
    pem("PUBLIC KEY", "302a300506032b6570032100",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", public_pem,
        sizeof public_pem);
    assert_int_equal(flt_ed25519_sign(private_pem, "\x72", 1, signature), 0);
    assert_hex(signature, "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                          "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_int_equal(flt_ed25519_verify(public_pem, "\x72", 1, signature), 0);
    assert_int_equal(flt_ed25519_verify(public_pem, "\x73", 1, signature), -EBADMSG);
    signature[10] ^= 1;
    assert_int_equal(flt_ed25519_verify(public_pem, "\x72", 1, signature), -EBADMSG);
}

static void a_signer_signs_many_times(void **ctx)
{
    char private_pem[256];
    struct flt_signer *signer = NULL;
    uint8_t first[64], second[64], third[64];

    (void)ctx;
    pem("PRIVATE KEY", "302e020100300506032b657004220420",
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", private_pem,
        sizeof private_pem);
    assert_int_equal(flt_signer_open(private_pem, &signer), 0);
    assert_int_equal(flt_signer_sign(signer, "a", 1, first), 0);
    assert_int_equal(flt_signer_sign(signer, "b", 1, second), 0);
    assert_int_equal(flt_signer_sign(signer, "a", 1, third), 0);
    assert_memory_equal(first, third, 64);
    assert_memory_not_equal(first, second, 64);
    flt_signer_close(signer);
    flt_signer_close(NULL);
}

static int quiet(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_OFF);
    return 0;
}

static int loud(void **ctx)
{
    (void)ctx;
    flt_log_set_level(FLT_LOG_INFO);
    return 0;
}

static void a_bad_key_is_refused(void **ctx)
{
    /* an X25519 key: right shape, wrong kind */
    static const char x25519[] = "302e020100300506032b656e04220420";
    char text[256];
    uint8_t signature[64];

    (void)ctx;
    assert_int_equal(flt_ed25519_sign("nonsense", "a", 1, signature), -EINVAL);
    assert_int_equal(flt_ed25519_sign(NULL, "a", 1, signature), -EINVAL);
    pem("PRIVATE KEY", x25519, "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        text, sizeof text);
    assert_int_equal(flt_ed25519_sign(text, "a", 1, signature), -EINVAL);
    assert_int_equal(flt_ed25519_verify("", "a", 1, signature), -EINVAL);
}

#define GCM_KEY "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
#define GCM_AAD "\xfe\xed\xfa\xce\xde\xad\xbe\xef\xfe\xed\xfa\xce\xde\xad\xbe\xef\xab\xad\xda\xd2"
#define GCM_SEAL                                                                                   \
    "cafebabefacedbaddecaf888522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"     \
    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b"
#define GCM_TEXT                                                                                   \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"     \
    "49a6b525b16aedf5aa0de657ba637b39"

static void a_seal_is_aes_256_gcm(void **ctx)
{
    uint8_t key[32], seal[128], text[128];

    (void)ctx;
    unhex(GCM_KEY, key);
    unhex(GCM_SEAL, seal);
    assert_int_equal(flt_unseal(key, GCM_AAD, seal, strlen(GCM_SEAL) / 2, text), 0);
    assert_hex(text, GCM_TEXT);
    memset(key, 0, sizeof key); /* case 13: all zero, nothing inside */
    unhex("000000000000000000000000530f8afbc74536b9a963b4f1c4cb738b", seal);
    assert_int_equal(flt_unseal(key, "", seal, 28, text), 0);
    unhex(
        "000000000000000000000000cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
        seal);
    assert_int_equal(flt_unseal(key, "", seal, 44, text), 0);
    assert_hex(text, "00000000000000000000000000000000");
}

static void a_seal_opens_only_whole_in_its_place_with_its_key(void **ctx)
{
    static const char secret[] = "the exchange's secret";
    uint8_t key[32], seal[sizeof secret + FLT_SEAL_OVERHEAD], again[sizeof seal];
    char text[sizeof secret];

    (void)ctx;
    assert_int_equal(flt_random(key, sizeof key), 0);
    assert_int_equal(flt_seal(key, "main:acc:secret:1", secret, sizeof secret, seal), 0);
    assert_int_equal(flt_seal(key, "main:acc:secret:1", secret, sizeof secret, again), 0);
    assert_memory_not_equal(seal, again, sizeof seal); /* another nonce */
    assert_int_equal(flt_unseal(key, "main:acc:secret:1", seal, sizeof seal, text), 0);
    assert_string_equal(text, secret);
    for (size_t i = 0; i < sizeof seal; i++) {
        seal[i] ^= 0x40;
        assert_int_equal(flt_unseal(key, "main:acc:secret:1", seal, sizeof seal, text), -EBADMSG);
        seal[i] ^= 0x40;
    }
    for (size_t i = 0; i < sizeof text; i++)
        assert_int_equal(text[i], 0); /* what did not prove true is wiped */
    assert_int_equal(flt_unseal(key, "main:other:secret:1", seal, sizeof seal, text), -EBADMSG);
    assert_int_equal(flt_unseal(key, "main:acc:secret:1", seal, sizeof seal - 1, text), -EBADMSG);
    assert_int_equal(flt_unseal(key, "main:acc:secret:1", seal, 27, text), -EBADMSG);
    key[31] ^= 1;
    assert_int_equal(flt_unseal(key, "main:acc:secret:1", seal, sizeof seal, text), -EBADMSG);
}

static void a_box_opens_for_its_holder_only(void **ctx)
{
    static const char secret[] = "key and secret";
    uint8_t ours[32], public[32], theirs[32], their_public[32];
    uint8_t box[sizeof secret + FLT_SEALED_BOX_OVERHEAD];
    uint8_t again[32];
    char text[sizeof secret];

    (void)ctx;
    assert_int_equal(flt_box_keypair(ours, public), 0);
    assert_int_equal(flt_box_keypair(theirs, their_public), 0);
    assert_int_equal(flt_box_public(ours, again), 0);
    assert_memory_equal(again, public, sizeof again);
    assert_memory_not_equal(ours, theirs, 32);
    assert_int_equal(flt_box_seal(public, "account:main:n1:a", secret, sizeof secret, box), 0);
    assert_int_equal(flt_box_open(ours, "account:main:n1:a", box, sizeof box, text), 0);
    assert_string_equal(text, secret);
    assert_int_equal(flt_box_open(theirs, "account:main:n1:a", box, sizeof box, text), -EBADMSG);
    assert_int_equal(flt_box_open(ours, "account:main:n2:a", box, sizeof box, text), -EBADMSG);
    for (size_t i = 0; i < sizeof box; i++) {
        /* X25519 ignores the top bit of a public key; as the key is bound too, no bit can change */
        box[i] ^= 0x80;
        assert_int_equal(flt_box_open(ours, "account:main:n1:a", box, sizeof box, text), -EBADMSG);
        box[i] ^= 0x80;
    }
    assert_int_equal(flt_box_open(ours, "", box, FLT_SEALED_BOX_OVERHEAD - 1, text), -EBADMSG);
    memset(box, 0, 32); /* a point of low order: the secret would be zero */
    assert_int_equal(flt_box_open(ours, "account:main:n1:a", box, sizeof box, text), -EBADMSG);
}

/* RFC 7748, 6.1: Alice's pair is the ephemeral one, Bob's the holder's; HKDF (RFC 5869) by hand. */
static void a_box_is_x25519_and_hkdf(void **ctx)
{
    uint8_t bob[32], info[14 + 64 + 1] = "flotilla box 1", shared[32], prk[32], key[32];
    const uint8_t salt[32] = { 0 };
    uint8_t box[3 + FLT_SEALED_BOX_OVERHEAD];
    char text[3];

    (void)ctx;
    unhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb", bob);
    unhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", info + 14);
    unhex("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f", info + 46);
    unhex("4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742", shared);
    info[78] = 1;
    flt_hmac_sha256(salt, 32, shared, 32, prk);
    flt_hmac_sha256(prk, 32, info, sizeof info, key);
    memcpy(box, info + 14, 32);
    assert_int_equal(flt_seal(key, "aad", "abc", 3, box + 32), 0);
    assert_int_equal(flt_box_open(bob, "aad", box, sizeof box, text), 0);
    assert_memory_equal(text, "abc", 3);
}

static void scrypt_is_rfc_7914(void **ctx)
{
    const struct flt_scrypt_cost tiny = { 16, 1, 1 }, small = { 1024, 8, 16 };
    uint8_t out[64], salt[16] = "SodiumChloride!", again[32];

    (void)ctx;
    assert_int_equal(flt_scrypt_cost("", "", 0, &tiny, out, 64), 0);
    assert_hex(out, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
                    "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
    assert_int_equal(flt_scrypt_cost("password", "NaCl", 4, &small, out, 64), 0);
    assert_hex(out, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
                    "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
    assert_int_equal(flt_scrypt("pleaseletmein", salt, out), 0);
    assert_int_equal(flt_scrypt_cost("pleaseletmein", salt, 16,
                                     &(struct flt_scrypt_cost){ 32768, 8, 1 }, again, 32),
                     0);
    assert_memory_equal(out, again, 32);
}

static void a_key_file_is_made_once_and_kept(void **ctx)
{
    char folder[] = "/tmp/test_crypto.XXXXXX", path[64];
    uint8_t first[32], second[32];
    struct stat info;

    (void)ctx;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/key", folder);
    assert_int_equal(flt_key_file(path, first), 0);
    assert_int_equal(flt_key_file(path, second), 0);
    assert_memory_equal(first, second, 32);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(flt_key_file(path, second), -EPERM);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 63), 0);
    assert_int_equal(flt_key_file(path, second), -EINVAL);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_size, 63); /* left as it is */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* and nothing else lies there */
    assert_int_equal(flt_key_file("/nowhere/key", second), -ENOENT);
}

static void wiping_and_comparing(void **ctx)
{
    uint8_t a[16], b[16];

    (void)ctx;
    assert_int_equal(flt_random(a, sizeof a), 0);
    memcpy(b, a, sizeof b);
    assert_true(flt_equal(a, b, sizeof a));
    b[15] ^= 1;
    assert_false(flt_equal(a, b, sizeof a));
    flt_wipe(a, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        assert_int_equal(a[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_the_standards),
        cmocka_unit_test(hmac_is_rfc_4231),
        cmocka_unit_test(bytes_have_two_texts),
        cmocka_unit_test(text_that_is_not_bytes_is_refused),
        cmocka_unit_test(ed25519_is_rfc_8032),
        cmocka_unit_test(a_signer_signs_many_times),
        cmocka_unit_test_setup_teardown(a_bad_key_is_refused, quiet, loud),
        cmocka_unit_test_setup_teardown(a_seal_is_aes_256_gcm, quiet, loud),
        cmocka_unit_test_setup_teardown(a_seal_opens_only_whole_in_its_place_with_its_key, quiet,
                                        loud),
        cmocka_unit_test_setup_teardown(a_box_opens_for_its_holder_only, quiet, loud),
        cmocka_unit_test(a_box_is_x25519_and_hkdf),
        cmocka_unit_test(scrypt_is_rfc_7914),
        cmocka_unit_test_setup_teardown(a_key_file_is_made_once_and_kept, quiet, loud),
        cmocka_unit_test(wiping_and_comparing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
