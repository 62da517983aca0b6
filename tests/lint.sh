#!/bin/bash
# make lint: clang's warnings on everything (status types must be used: io/base.h's MUST_USE), clang-tidy as .clang-tidy
# says within a time, and how far clang-format would have it otherwise (for information).
# usage: tests/lint.sh [FILE...]     without files: all; LINT_SECONDS=n bounds clang-tidy (600)
set -u
cd "$(dirname "$0")/.."
flags=(-std=gnu17 -D_GNU_SOURCE -I. -pthread -Wall -Wextra -Wshadow -Wvla -Wno-unused-parameter
    -Wno-missing-field-initializers -Wstrict-prototypes -Wno-string-concatenation $(pkg-config --cflags liburing libcurl libsodium libzstd libedit jansson libutf8proc))
mapfile -t sources < <(printf '%s\n' io/*.c engine/*.c engine/*/*.c sync/*.c node/*.c)
mapfile -t all < <(printf '%s\n' "${sources[@]}"; find tests -name '*.c' -not -path '*/node_modules/*' | sort)
[ $# -gt 0 ] && sources=("$@") all=("$@")
passed=0 failed=0 skipped=0
result() { if [ "$1" -eq 0 ]; then passed=$((passed + 1)); echo "ok $2"; else failed=$((failed + 1)); echo "FAIL $2"; fi; }

if ! command -v clang >/dev/null; then
    echo "skip lint: clang is not installed"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
printf '%s\n' "${all[@]}" | xargs -P "$(nproc)" -n 8 nice clang -fsyntax-only -Werror "${flags[@]}"
result $? "clang on ${#all[@]} files"

if command -v clang-tidy >/dev/null; then
    printf '%s\n' "${sources[@]}" |
        timeout "${LINT_SECONDS:-600}" xargs -P "$(nproc)" -n 4 sh -c 'nice clang-tidy --quiet "$@" -- '"${flags[*]}"' 2>/dev/null' sh
    rc=$?
    [ $rc -eq 124 ] && echo "clang-tidy did not come to its end in ${LINT_SECONDS:-600} s"
    result $rc "clang-tidy on ${#sources[@]} files"
else
    echo "skip clang-tidy: it is not installed"
    skipped=$((skipped + 1))
fi

if command -v clang-format >/dev/null; then
    echo "clang-format would change $(nice clang-format --dry-run "${all[@]}" 2>&1 | grep -oE '^[^:]+\.c' | sort -u | wc -l) of ${#all[@]} files"
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
