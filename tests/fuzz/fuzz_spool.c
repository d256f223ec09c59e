/* SPDX-License-Identifier: Apache-2.0 */
/* Files that wait in the folder of uploads: whatever lies there is opened to what it says, or
 * refused with a sentence.  Seals hide what is inside from a fuzzer, so it writes them itself.
 *
 *     input    which ends there are (2 bits), chunks (2 bits) | length of the
 *              facts (4 bytes, big-endian) | sizes of the two ends (8 each) | place (3) and value
 *              (1) of a byte that is changed behind all that, 0: none | facts, and the rest of the
 *              ends
 *     or, with the greatest bit of the first byte: the file itself */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "crypto/seal.h"
#include "store/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As store/spool.h describes them. */
enum {
    MAGIC = 8,
    PLAIN = KEY_SIZE + 4 + SPOOL_FACTS,
    HEAD = MAGIC + PLAIN + SEAL_OVERHEAD,
    END_PLAIN = 8 + SPOOL_CHUNK,
    END = END_PLAIN + SEAL_OVERHEAD,
    CHUNK = SPOOL_CHUNK + SEAL_OVERHEAD,
    ROOM = HEAD + 2 * END + 3 * CHUNK,
    BEFORE = 25,
    LARGEST = 1 << 20, /* of what is written on */
};

static const unsigned char magic[MAGIC] = {'A', 'T', 'G', 'U', 1};
static const key256 under = {{3}};
static const uuid name = {{1, 2, 3, 4, 5, 6, 0x70, 8, 0x80}};
static char path[64];
static unsigned char file[ROOM];

static void clean_up(void) {
    (void)unlink(path);
}

static void begin(void) {
    if (path[0])
        return;
    (void)snprintf(path, sizeof(path), "%s/fuzz-spool-%ld",
                   access("/dev/shm", W_OK) ? "." : "/dev/shm", (long)getpid());
    if (atexit(clean_up))
        abort();
}

static void put_sealed(const key256 *key, char kind, uint64_t number, atg_str plain,
                       unsigned char *ret) {
    static const char words[] = "antigone/spool/1";
    char ad[64];
    size_t n = sizeof(words) - 1;

    memcpy(ad, words, n);
    memcpy(ad + n, name.bytes, UUID_SIZE);
    ad[n + UUID_SIZE] = kind;
    bytes_put64((unsigned char *)ad + n + UUID_SIZE + 1, number);
    if (seal_make(key, (atg_str){ad, n + UUID_SIZE + 9}, plain, ret, NULL))
        abort();
}

static void fill(unsigned char *to, size_t room, const uint8_t *data, size_t size) {
    memset(to, 0, room);
    memcpy(to, data, size < room ? size : room);
}

/* The file that the input describes; its length. */
static size_t compose(const uint8_t *data, size_t size) {
    static unsigned char plain[END_PLAIN];
    static const key256 own = {{9}};
    const uint8_t *rest = data + BEFORE;
    size_t n_rest = size - BEFORE, n = HEAD + 2 * END, at = bytes_get32(data + 21) >> 8;

    memset(file, 0, sizeof(file));
    memcpy(file, magic, MAGIC);
    fill(plain + KEY_SIZE + 4, SPOOL_FACTS, rest, n_rest);
    memcpy(plain, own.bytes, KEY_SIZE);
    memcpy(plain + KEY_SIZE, data + 1, 4);
    put_sealed(&under, 'h', 0, (atg_str){(const char *)plain, PLAIN}, file + MAGIC);
    for (size_t turn = 0; turn < 2; turn++) {
        if (!(data[0] >> turn & 1))
            continue;
        fill(plain, END_PLAIN, rest, n_rest);
        memcpy(plain, data + 5 + 8 * turn, 8);
        put_sealed(&own, 'e', turn, (atg_str){(const char *)plain, END_PLAIN},
                   file + HEAD + turn * END);
    }
    fill(plain, SPOOL_CHUNK, rest, n_rest);
    for (unsigned i = 0; i < (data[0] >> 2 & 3U); i++, n += CHUNK)
        put_sealed(&own, 'c', i, (atg_str){(const char *)plain, SPOOL_CHUNK}, file + n);
    if (at < n)
        file[at] ^= data[24];
    return n;
}

static void write_file(const unsigned char *bytes, size_t n) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    for (size_t done = 0; done < n;) {
        ssize_t k = fd < 0 ? -1 : write(fd, bytes + done, n - done);

        if (k <= 0)
            abort();
        done += (size_t)k;
    }
    (void)close(fd);
}

static spool *open_it(atg_arena *arena, atg_str *ret_facts) {
    spool_place place = {path, &under, name};
    spool *s = NULL;
    atg_err err = {0};
    int rc = spool_open(&place, arena, ret_facts, &s, &err);

    assert(rc == ATG_OK ? s != NULL : rc == ATG_EDENIED && !s && err.msg[0]);
    return s;
}

/* What is written on is there when it is opened again, behind what was there. */
static void go_on(atg_arena *arena, spool *s, atg_str facts) {
    uint64_t size = spool_size(s);
    char last[5];
    atg_str again;

    if (size > LARGEST || spool_write(s, ATG_STR("otter"), NULL) || spool_sync(s, NULL)) {
        spool_close(s);
        return;
    }
    spool_close(s);
    s = open_it(arena, &again);
    assert(s && spool_size(s) >= size + 5 && atg_str_eq(facts, again));
    if (spool_size(s) == size + 5 && spool_read(s, size, last, 5, NULL) == ATG_OK)
        assert(memcmp(last, "otter", 5) == 0);
    spool_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(1 << 20);
    atg_str facts = {NULL, 0};
    char some[100];
    spool *s;

    begin();
    if (!arena || size < BEFORE)
        return 0;
    if (data[0] & 0x80)
        write_file(data + 1, size - 1);
    else
        write_file(file, compose(data, size));
    s = open_it(arena, &facts);
    if (!s)
        return 0;
    assert(!(data[0] & 0x80) && facts.n <= SPOOL_FACTS && facts.n == bytes_get32(data + 1));
    if (spool_size(s) >= sizeof(some))
        (void)spool_read(s, spool_size(s) - sizeof(some), some, sizeof(some), NULL);
    assert(spool_read(s, spool_size(s), some, 1, NULL) == ATG_EINVAL);
    go_on(arena, s, facts);
    return 0;
}
