# SPDX-License-Identifier: Apache-2.0
# The front door.  Meson does the work; `make help` says what can be done.
PREFIX ?= /usr/local
BUILD = build
NINJA = ninja -C
# of `make run`
SERVE = yes
LISTEN = 127.0.0.1:8443

.PHONY: build run test test-deep bench install dist lint sanitize fuzz golden clean help

build: setup $(BUILD)/build.ninja
	@$(NINJA) $(BUILD)

.PHONY: setup
setup:
	@tools/setup.sh

$(BUILD)/build.ninja: | setup
	@meson setup $(BUILD) --prefix=$(PREFIX)

help:
	@echo 'make            build build/antigone'
	@echo 'make run        make an exercise (a ferry accident), identify it, write a report to out/,'
	@echo '                keep it as cases and serve them (SERVE=no: do not; LISTEN=ADDRESS:PORT)'
	@echo 'make test       all tests; the last line counts them'
	@echo 'make test-deep  long fuzzing, thread sanitizer, exhaustive tests'
	@echo 'make bench      figures, one "name value unit" a line'
	@echo 'make install    library, headers, program, manual, completions, units (PREFIX, DESTDIR)'
	@echo 'make dist       a Debian package and its list of parts (SPDX) in dist/'
	@echo 'make lint       clang-tidy, cppcheck, clang-format, layers, sizes'
	@echo 'make sanitize   the tests under address and undefined behaviour sanitizers'
	@echo 'make fuzz       each parser for SECONDS (default 10)'
	@echo 'make golden     write the expected output of the commands anew'
	@echo 'make clean      remove the build folders and out/'

run: build
	@SERVE=$(SERVE) LISTEN=$(LISTEN) tools/run.sh $(BUILD)/antigone out

test: build
	@tools/test.sh $(BUILD) --no-suite deep

bench: build
	@tools/bench.sh $(BUILD)

install: build
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@$(NINJA) $(BUILD)
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild
	@if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then ldconfig; fi

.PHONY: setup-dist
setup-dist: setup
	@tools/setup.sh dist

dist: setup-dist
	@tools/dist.sh dist

.PHONY: setup-lint
setup-lint:
	@tools/setup.sh lint

lint: setup-lint build
	@tools/lint.sh

build-asan/build.ninja: | setup-lint
	@CC=clang meson setup build-asan -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1
build-tsan/build.ninja: | setup-lint
	@CC=clang meson setup build-tsan -Db_sanitize=thread -Db_lundef=false -Doptimization=1

sanitize: setup-lint build-asan/build.ninja
	@$(NINJA) build-asan
	@tools/test.sh build-asan --no-suite deep --no-suite install --timeout-multiplier 5

.PHONY: tsan
tsan: setup-lint build-tsan/build.ninja
	@$(NINJA) build-tsan
	@tools/test.sh build-tsan --suite unit --timeout-multiplier 10

SECONDS = 10
fuzz: setup-lint
	@tools/fuzz.sh $(SECONDS)

test-deep: setup-lint setup-dist build
	@tools/fuzz.sh 300
	@$(MAKE) --no-print-directory sanitize
	@$(MAKE) --no-print-directory tsan
	@tools/test.sh $(BUILD) --timeout-multiplier 20

golden: build
	@tools/golden.sh --update $(BUILD)/antigone
	@tests/install/package.sh --update $(BUILD) .

clean:
	rm -rf build build-asan build-tsan build-fuzz build-dist out dist
