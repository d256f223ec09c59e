/* SPDX-License-Identifier: Apache-2.0 */
/* Any page is one that is written again byte for byte, or refused with a sentence; what a page says
 * comes back as it was said. */
#include "store/backup.h"

#include <stdlib.h>
#include <string.h>

#include "base/instant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_any(const char text[BACKUP_PAGE]) {
    backup_page p = {.size = 77};
    char again[BACKUP_PAGE];
    atg_err err = {0};
    int rc = backup_page_read(text, &p, &err);

    if (rc) {
        if (rc != ATG_EPARSE || !err.msg[0] || p.size != 77)
            abort();
        return;
    }
    backup_page_text(&p, again);
    if (memcmp(again, text, BACKUP_PAGE) != 0)
        abort();
}

/* A page of what the bytes happen to say, and the same with one byte changed. */
static void write_any(const uint8_t *data, size_t size) {
    backup_page p = {.kind = DB_SQLITE}, q;
    char text[BACKUP_PAGE];
    uint64_t numbers[3] = {0};
    unsigned char *at;

    memcpy(numbers, data, size < sizeof(numbers) ? size : sizeof(numbers));
    p.kind = numbers[0] % 2 ? DB_POSTGRES : DB_SQLITE;
    p.schema = (int64_t)(numbers[0] % 1000000);
    p.size = numbers[1] % 1000000000000000000U;
    p.made = (int64_t)(numbers[2] % (uint64_t)INSTANT_MAX);
    memcpy(p.hash.bytes, data, size < HASH_SIZE ? size : HASH_SIZE);
    for (size_t i = 0; i + 1 < sizeof(p.program) && i < size; i++)
        p.program[i] = (char)('!' + data[i] % 90);
    backup_page_text(&p, text);
    if (backup_page_read(text, &q, NULL) || q.kind != p.kind || q.schema != p.schema ||
        q.size != p.size || q.made != p.made || !hash_eq(&q.hash, &p.hash) ||
        strcmp(q.program, p.program) != 0)
        abort();
    at = (unsigned char *)&text[numbers[2] % BACKUP_PAGE];
    *at ^= (unsigned char)(1 + numbers[1] % 255);
    if (backup_page_read(text, &q, NULL) != ATG_EPARSE)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[BACKUP_PAGE];

    memset(text, '\n', sizeof(text));
    memcpy(text, data, size < sizeof(text) ? size : sizeof(text));
    read_any(text);
    write_any(data, size);
    return 0;
}
