// What credential services answer and what stands in profiles: keys that are printable and fit, or none.
#include "../../sync/s3_credentials_parse.h"
#include "fuzz.h"

void fuzz_seeds(void)
{
    static const char *const TEXTS[] = {
        "{\"Code\":\"Success\",\"AccessKeyId\":\"ASIA1\",\"SecretAccessKey\":\"s/+=\",\"Token\":\"t\",\"Expiration\":\"2026-01-02T03:04:05Z\"}",
        "<AssumeRoleWithWebIdentityResponse><Credentials><AccessKeyId>a</AccessKeyId><SecretAccessKey>b&amp;</SecretAccessKey>"
        "<SessionToken>c</SessionToken><Expiration>2026-01-02T03:04:05.000Z</Expiration></Credentials></AssumeRoleWithWebIdentityResponse>",
        "# x\n[default]\r\naws_access_key_id = a\naws_secret_access_key=b\n s3 =\n  a = b\n[profile x]\naws_session_token = c ; d\n",
    };
    for (u32 i = 0; i < COUNT_OF(TEXTS); i++) fuzz_seed(TEXTS[i], strlen(TEXTS[i]));
}

static void text_check(const char *text, size_t max)
{
    size_t size = strnlen(text, max);
    FUZZ_CHECK(size < max);
    for (size_t i = 0; i < size; i++) FUZZ_CHECK((u8)text[i] > 32 && (u8)text[i] < 127);
}

static void keys_check(const struct s3_key_texts *t)
{
    FUZZ_CHECK(t->access_key[0] && t->secret_key[0] && t->expires_ms >= 0);
    text_check(t->access_key, sizeof t->access_key);
    text_check(t->secret_key, sizeof t->secret_key);
    text_check(t->session_token, sizeof t->session_token);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    char *exact = malloc(size ? size : 1);
    struct s3_key_texts t;
    memcpy(exact, data, size);
    if (s3_keys_of_json(exact, size, &t)) keys_check(&t);
    if (s3_keys_of_xml(exact, size, &t)) keys_check(&t);
    if (s3_keys_of_profile(exact, size, "default", &t) == S3_PROFILE_KEYS) keys_check(&t);
    if (s3_keys_of_profile(exact, size, "x", &t) == S3_PROFILE_KEYS) keys_check(&t);
    free(exact);
    return 0;
}
