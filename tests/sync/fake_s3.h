// tests/s3/fakes3.py as a child of the test: an S3 server that checks signatures, with faults, and the services that give
// out credentials.
#pragma once

#include "../test.h"

extern char fake_s3_endpoint[64];
bool fake_s3_start(const char *certificate); // PEM with its key: https. False: python3 or curl is missing, or the test has failed
void fake_s3_admin(const char *path);        // "/_fault?match=PUT&do=503&n=1"
u64 fake_s3_count(const char *name);         // of /_stats: "GET", "creds"
void fake_s3_stop(void);
