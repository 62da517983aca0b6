// Goal: signatures are AWS's. Method: the four examples that AWS publishes for Signature V4 in S3
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html), and parsing of
// answers.
#include "../../sync/s3_sign.h"
#include "../../sync/s3_xml.h"
#include "../test.h"

#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TEST(s3_sign_known_answers)
{
    static const char HOST[] = "examplebucket.s3.amazonaws.com", TIME[] = "20130524T000000Z";
    static const struct {
        const char *method, *path, *query;
        struct s3_header headers[6];
        u32 header_count;
        const char *payload, *signature;
    } CASES[] = {
        {"GET",
         "/test.txt",
         "",
         {{"host", HOST},
          {"range", "bytes=0-9"},
          {"x-amz-content-sha256", EMPTY_SHA256},
          {"x-amz-date", TIME}},
         4,
         EMPTY_SHA256,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
        {"PUT",
         "/test%24file.text",
         "",
         {{"date", "Fri, 24 May 2013 00:00:00 GMT"},
          {"host", HOST},
          {"x-amz-content-sha256",
           "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
          {"x-amz-date", TIME},
          {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
         5,
         "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
        {"GET",
         "/",
         "lifecycle=",
         {{"host", HOST}, {"x-amz-content-sha256", EMPTY_SHA256}, {"x-amz-date", TIME}},
         3,
         EMPTY_SHA256,
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
        {"GET",
         "/",
         "max-keys=2&prefix=J",
         {{"host", HOST}, {"x-amz-content-sha256", EMPTY_SHA256}, {"x-amz-date", TIME}},
         3,
         EMPTY_SHA256,
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    };
    for (u32 i = 0; i < COUNT_OF(CASES); i++) {
        char authorization[S3_AUTHORIZATION_MAX];
        struct s3_request_to_sign r = {.method = CASES[i].method,
                                       .path = CASES[i].path,
                                       .query = CASES[i].query,
                                       .headers = CASES[i].headers,
                                       .header_count = CASES[i].header_count,
                                       .payload_sha256 = CASES[i].payload,
                                       .timestamp = TIME,
                                       .region = "us-east-1",
                                       .access_key = "AKIAIOSFODNN7EXAMPLE",
                                       .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
        CHECK(s3_sign(&r, authorization));
        const char *signature = strstr(authorization, "Signature=");
        CHECK_STR(signature ? signature + 10 : NULL, CASES[i].signature);
    }
}

TEST(s3_sha256_of_the_put_example)
{
    char hex[65];
    s3_sha256_hex("Welcome to Amazon S3.", 21, hex);
    CHECK_STR(hex, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
}

TEST(s3_percent)
{
    char out[64], small[5], text[] = "a%2Fb%20c%zz%";
    CHECK(s3_percent_encode("a/b c\xc3\xa9~", true, out, sizeof out));
    CHECK_STR(out, "a/b%20c%C3%A9~");
    CHECK(s3_percent_encode("a/b", false, out, sizeof out));
    CHECK_STR(out, "a%2Fb");
    CHECK(!s3_percent_encode("abcdef", false, small, sizeof small));
    s3_percent_decode(text);
    CHECK_STR(text, "a/b c%zz%");
}

TEST(s3_xml_elements)
{
    static const char XML[] = "<R><Key>a&amp;b&lt;</Key><Key>second</Key><Open>never</R>";
    const char *at = XML, *end = XML + sizeof XML - 1;
    char out[16], tiny[3];
    CHECK(s3_xml_element(&at, end, "Key", out, sizeof out));
    CHECK_STR(out, "a&b<");
    const char *again = at;
    CHECK(!s3_xml_element(&again, end, "Key", tiny, sizeof tiny));
    CHECK(s3_xml_element(&at, end, "Key", out, sizeof out));
    CHECK_STR(out, "second");
    CHECK(!s3_xml_element(&at, end, "Key", out, sizeof out));
    at = XML;
    CHECK(!s3_xml_element(&at, end, "Open", out, sizeof out));
}

int main(int argc, char **argv)
{
    return test_main(argc, argv);
}
