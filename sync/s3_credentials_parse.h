// The texts that keys come in: what credential services answer (JSON, XML) and the shared profile's
// files. Bytes of a peer or a person: anything may come. Private to this folder.
#pragma once

#include "../io/base.h"

#define S3_KEY_TEXT_MAX   256
#define S3_TOKEN_TEXT_MAX 2048

struct s3_key_texts {
    char access_key[S3_KEY_TEXT_MAX], secret_key[S3_KEY_TEXT_MAX];
    char session_token[S3_TOKEN_TEXT_MAX]; // "" = none
    s64 expires_ms;                        // Unix time; 0 = never
};

// Of the container's and the instance's service. False: not keys (an error, say).
bool s3_keys_of_json(const char *text, size_t size, struct s3_key_texts *out);
// Of the token service's AssumeRoleWithWebIdentity.
bool s3_keys_of_xml(const char *text, size_t size, struct s3_key_texts *out);
enum s3_profile_found {
    S3_PROFILE_NONE,
    S3_PROFILE_KEYS,
    S3_PROFILE_OTHER, // it is there, but says nothing or something else (a role, a command) than keys
};
// The section [name], or [profile name] as ~/.aws/config has it.
enum s3_profile_found s3_keys_of_profile(const char *text, size_t size, const char *name,
                                         struct s3_key_texts *out);
