/* SPDX-License-Identifier: Apache-2.0 */
/* A history in one file, for whoever verifies it without the database (docs/audit.md, section 7):
 *
 *     "antigone/audit/1" LF, then blocks: type (1 byte), length (4, big-endian), that many bytes
 *
 * Blocks stand in the order of `audit_part`, those of a part in the order that it names, and the
 * last one says how many of each there are. */
#ifndef ATG_STORE_AUDIT_FILE_H
#define ATG_STORE_AUDIT_FILE_H

#include "store/audit_scan.h"

enum {
    AUDIT_BLOCK_HEAD = 5,
    AUDIT_BLOCK_MAX = AUDIT_DETAIL + 1024,
    AUDIT_END = AUDIT_BLOCK_HEAD + 8 * AUDIT_PARTS, /* size of the last block */
    AUDIT_MAGIC = 17,
};
extern const char audit_magic[AUDIT_MAGIC + 1], audit_types[AUDIT_PARTS + 1];

/* The bytes of a row; returns how many.  `ret` has AUDIT_BLOCK_MAX. */
size_t audit_block_write(audit_part part, const audit_row *row, unsigned char *ret);
/* Exactly such bytes?  Views into them. */
bool audit_block_read(audit_part part, atg_str bytes, audit_row *ret);

/* Write the file of what a source gives. */
int audit_export_from(audit_run *run, stream_sink to, atg_err *err);

/* Where a file is read from: exactly n bytes, which are there. */
typedef struct audit_bytes {
    int (*read)(void *user, uint64_t at, unsigned char *to, size_t n, atg_err *err);
    void *user;
    uint64_t size;
} audit_bytes;

typedef struct audit_file audit_file;

/* ATG_EPARSE: it is no such file, or its end is missing. */
int audit_file_open(const audit_bytes *bytes, audit_file **ret, atg_err *err);
void audit_file_close(audit_file *f);
static inline void audit_file_freep(audit_file **p) {
    audit_file_close(*p);
}
uint64_t audit_file_count(const audit_file *f, audit_part part);
audit_source audit_file_source(audit_file *f);

/* Verify all of it. */
int audit_file_check(audit_file *f, const audit_wanted *wanted, uint32_t threads,
                     const atg_progress *progress, audit_report *ret, atg_err *err);

#endif
