# make            build/release/skerry
# make test       everything: unit, contract, differential, crash, clients, container (installs what it needs)
# make unit       the C test programs alone
# make bench      ratios against the peers, measured in one run
# make conformance   SQLite's own answers (CORPORA=folder), with the counts of each runner
# make sim        simulated crashes and failing disks from SEED on: SEEDS=n worlds (the everyday few are in make unit)
# make diff       random SQL over the whole dialect on Skerry and on SQLite: SECONDS_EACH=n from SEED on
# make replay     what other programs had SQLite run (RECORDINGS=folder; tests/diff/record.c makes them), here and on SQLite
# make mutation   deliberately broken variants, each of which the tests must catch
# make fuzz       fuzzers for the parsers of foreign bytes
# make lint       clang, clang-tidy, clang-format
# MODE=release|debug|asan|tsan|fuzz
MODE ?= release
B := build/$(MODE)
CC := gcc
PACKAGES := liburing libcurl libsodium libzstd libedit jansson libutf8proc
SHELL := /bin/bash
comma := ,

CFLAGS := -std=gnu17 -g -fno-strict-aliasing -fno-common -pthread -D_GNU_SOURCE -I. \
    -Wall -Wextra -Wshadow -Wvla -Wno-unused-parameter -Wno-missing-field-initializers -Wstrict-prototypes
CFLAGS += $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lhttp_parser -lm -lpthread
ifeq ($(MODE),release)
CFLAGS += -O2 -Werror
# gcc clears and copies structs by "rep stos" and "rep movs", which take longer to start than loops for all of their bytes.
ifeq ($(shell uname -m),x86_64)
CFLAGS += -mmemset-strategy=vector_loop:512:noalign,libcall:-1:noalign -mmemcpy-strategy=vector_loop:512:noalign,libcall:-1:noalign
endif
# The program is optimized as one unit, as an amalgamation is; objects are ordinary ones as well, which tests link
# as they are (in a fraction of the time).
WHOLE_COMPILE := -flto -ffat-lto-objects
WHOLE_LINK := -flto=auto
PARTS_LINK := -fno-lto
else ifeq ($(MODE),debug)
CFLAGS += -O0
else ifeq ($(MODE),asan)
CFLAGS += -O1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else ifeq ($(MODE),tsan)
CFLAGS += -O1 -fsanitize=thread
else ifeq ($(MODE),fuzz)
CC := clang
# Nothing copied from or to NULL is left alone: C is about to allow it.
CFLAGS += -w -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=nonnull-attribute,pointer-overflow \
    -fno-sanitize-recover=undefined -fno-omit-frame-pointer
else
$(error MODE is release, debug, asan, tsan or fuzz)
endif

# One library of all that the program is made of; the program and every test link it.
SOURCES := $(wildcard io/*.c engine/*.c engine/*/*.c sync/*.c node/*.c)
OBJECTS := $(patsubst %.c,$(B)/%.o,$(filter-out node/main.c,$(SOURCES)))
# tests/**/*_test.c are programs of their own; other .c files beside them are their helpers.
TEST_SOURCES := $(shell find tests -name '*_test.c' | sort)
TESTS := $(patsubst %.c,$(B)/%,$(TEST_SOURCES))
TEST_HELPERS := $(patsubst %.c,$(B)/%.o,$(filter-out $(TEST_SOURCES) tests/sim/wire.c tests/diff/record.c $(wildcard tests/fuzz/*.c tests/bench/*.c tests/docker/*.c),$(shell find tests -name '*.c' -not -path '*/node_modules/*')))

.PHONY: all unit test tests conformance bench sim diff replay mutation flags libs fuzz fuzzers lint clean
.SECONDARY:
all: $(B)/skerry

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(WHOLE) -MMD -MP -c $< -o $@

$(OBJECTS) $(B)/node/main.o: private WHOLE := $(WHOLE_COMPILE)

$(B)/libskerry.a: $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(B)/skerry: $(B)/node/main.o $(B)/libskerry.a
	$(CC) $(CFLAGS) $(WHOLE_LINK) $^ -o $@ $(LIBS)

# SQLite's library is the oracle of tests only.
TEST_LINK = $(CC) $(CFLAGS) $(PARTS_LINK) $^ -o $@ $(LINK) $(LIBS) -lsqlite3
$(B)/tests/%_test: $(B)/tests/%_test.o $(B)/libtests.a $(B)/libskerry.a
	$(TEST_LINK)
# Programs are recorded as they run with it in front of SQLite's library.
$(B)/tests/diff/record.so: tests/diff/record.c
	@mkdir -p $(@D)
	$(CC) -O2 -fPIC -shared -D_GNU_SOURCE -Wall -Werror $< -o $@ -lsqlite3
$(B)/tests/diff/replay_diff_test: | $(B)/tests/diff/record.so
# The HTTP client and server are simulated.
$(B)/tests/sim/replica_sim_test $(B)/tests/sync/replica_test: %: %.o $(B)/tests/sim/wire.o $(B)/libtests.a $(B)/libskerry.a
	$(TEST_LINK)
# Its allocations are its own to fail.
$(B)/tests/engine/memory_test: private LINK := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc strdup strndup)

# An archive, so that a test links only the helpers that it uses and what these need.
$(B)/libtests.a: $(TEST_HELPERS)
	@rm -f $@
	ar rcs $@ $^

# Benchmarks: tests/bench/bench_NAME.c is a program of its own. The SQLite they compare with is the newest
# amalgamation, which npm brings (see tests/bench/package.json).
SQLITE_PEER := tests/bench/node_modules/better-sqlite3/deps/sqlite3
build/bench/sqlite3.o: $(SQLITE_PEER)/sqlite3.c
	@mkdir -p $(@D)
	$(CC) -O2 -DNDEBUG -DSQLITE_ENABLE_FTS5 -pthread -c $< -o $@

$(B)/bench_%: $(B)/tests/bench/bench_%.o $(B)/libtests.a $(B)/libskerry.a build/bench/sqlite3.o
	$(CC) $(CFLAGS) $(WHOLE_LINK) $^ -o $@ $(LIBS)

$(SQLITE_PEER)/sqlite3.c:
	cd tests/bench && npm install --ignore-scripts --no-audit --no-fund

bench:
	@tests/bench/run.sh

# Fuzzers: tests/fuzz/NAME_fuzz.c feeds one parser of foreign bytes; tests/fuzz/fuzz.c is beside each of them.
# `make fuzz` runs each for FUZZ_SECONDS on what earlier runs found; they live in build/fuzz.
FUZZERS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*_fuzz.c))
FUZZ_SECONDS ?= 20
$(B)/%_fuzz: $(B)/tests/fuzz/%_fuzz.o $(B)/tests/fuzz/fuzz.o $(B)/libskerry.a
	$(CC) $(CFLAGS) -fsanitize=fuzzer $^ -o $@ $(LIBS)
fuzzers: $(addprefix $(B)/,$(FUZZERS))
fuzz:
	@$(MAKE) -s MODE=fuzz fuzzers
	@tests/fuzz/run.sh seconds $(FUZZ_SECONDS) $(FUZZERS)

lint:
	@tests/lint.sh

tests: $(TESTS)
unit: $(TESTS)
	@tests/run_unit.sh $(TESTS)

test:
	@tests/run.sh

mutation:
	@tests/mutation/run.sh
# What the mutants are compiled and linked with.
flags:
	@echo '$(CFLAGS) $(PARTS_LINK)'
libs:
	@echo '$(LIBS)'

SEEDS ?= 500
SIMULATIONS := $(addprefix $(B)/tests/sim/,engine_crash_test store_crash_test isolation_test replica_sim_test backup_sim_test)
sim: $(SIMULATIONS)
	@for program in $(SIMULATIONS); do SIM_WORLDS=$(SEEDS) $$program || exit 1; done

SECONDS_EACH ?= 60
# The oracle here is SQLite 3.50.4, whose answers are ours, with the functions that Debian's has; where it differs, 3.53.2 is asked.
build/diff/12.4.1/sqlite3.c build/diff/12.11.1/sqlite3.c: build/diff/%/sqlite3.c:
	@mkdir -p $(@D)
	cd $(@D) && npm pack --silent better-sqlite3@$* | xargs tar xzf && mv package/deps/sqlite3/sqlite3.c . && rm -r package
	@touch $@
build/diff/%/libsqlite3.so.0: build/diff/%/sqlite3.c
	$(CC) -O2 -w -fPIC -shared -pthread $(addprefix -DSQLITE_,SOUNDEX LIKE_DOESNT_MATCH_BLOBS ENABLE_MATH_FUNCTIONS ENABLE_COLUMN_METADATA ENABLE_FTS5 ENABLE_DBSTAT_VTAB MAX_VARIABLE_NUMBER=250000) \
	    -Wl,-soname,libsqlite3.so.0 $< -o $@ -lm
diff: $(B)/tests/diff/dialect_diff_test $(B)/tests/diff/areas_diff_test $(B)/tests/diff/shuffle_diff_test $(B)/tests/diff/dml_diff_test build/diff/12.4.1/libsqlite3.so.0 build/diff/12.11.1/libsqlite3.so.0
	@SECONDS=$(SECONDS_EACH) LD_LIBRARY_PATH=build/diff/12.4.1 NEWER=build/diff/12.11.1 $<
	@SECONDS=$(SECONDS_EACH) LD_LIBRARY_PATH=build/diff/12.4.1 NEWER=build/diff/12.11.1 $(B)/tests/diff/areas_diff_test
	@ROUNDS=$(or $(SHUFFLES),3) LD_LIBRARY_PATH=build/diff/12.4.1 $(B)/tests/diff/shuffle_diff_test
	@LD_LIBRARY_PATH=build/diff/12.4.1 $(B)/tests/diff/dml_diff_test

replay: $(B)/tests/diff/replay_diff_test build/diff/12.4.1/libsqlite3.so.0
	@LD_LIBRARY_PATH=build/diff/12.4.1 RECORDINGS=$(RECORDINGS) $< recordings

CORPORA ?= ../shared/corpora
conformance: all
	@tests/corpora/run.sh $(CORPORA)

clean:
	rm -rf build

-include $(shell find $(B) -name '*.d' 2>/dev/null)
