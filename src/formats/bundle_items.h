/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a bundle (docs/bundles.md): items of bundle.h as bytes and as structs.  An item is
 * one JSON object, but for BUNDLE_DATA, which is bytes.
 *
 *     MANIFEST CHECKPOINT? TOMBSTONE* NOTICE*
 *     (FILE RECORD* (PICTURE DATA*)* ENTRY*)*      the file's own record is its first
 *     TOTAL
 *
 * The functions that write append to a buffer, which remembers a failure; those that read give
 * ATG_EPARSE or ATG_ELIMIT with what is wrong, and their texts lie in the arena. */
#ifndef ATG_FORMATS_BUNDLE_ITEMS_H
#define ATG_FORMATS_BUNDLE_ITEMS_H

#include "crypto/chain.h"
#include "formats/bundle.h"
#include "model/record.h"

typedef enum bundle_kind {
    BUNDLE_MANIFEST = 1,
    BUNDLE_CHECKPOINT, /* the text of a signed checkpoint of the sender's tree */
    BUNDLE_TOMBSTONE,
    BUNDLE_NOTICE,
    BUNDLE_FILE,
    BUNDLE_RECORD,
    BUNDLE_PICTURE,
    BUNDLE_DATA,
    BUNDLE_ENTRY,
    BUNDLE_TOTAL,
} bundle_kind;

enum {
    BUNDLE_VERSIONS = 1000, /* earlier versions that a record remembers */
    BUNDLE_PICTURE_MAX = 512 << 20,
};

typedef struct bundle_manifest {
    uuid store; /* the sender's */
    atg_str site;
    uuid operation;
    int64_t at;
    int64_t since, mark; /* size of the sender's tree, from which and up to which it tells */
} bundle_manifest;

/* Somebody whose data were erased. */
typedef struct bundle_tombstone {
    uuid person;
    int64_t at;
} bundle_tombstone;

/* A donor whose data the receiver may not keep any more: who withdrew, or agreed to less. */
typedef struct bundle_notice {
    uuid donor;
    atg_str day; /* since when, as model/date.h writes it */
} bundle_notice;

/* What follows, up to the next one, stands in this file. */
typedef struct bundle_file {
    uuid id;
    record_kind kind;
} bundle_file;

/* A version of a record has an identifier of its own, which every site that has this version knows
 * it by; `earlier` are those that it came from, sorted. */
typedef struct bundle_record {
    record *r; /* without `person` */
    uuid version;
    uuid *earlier;
    uint32_t n_earlier;
} bundle_record;

/* A picture; its bytes follow in DATA.  `hash` is what the records of the bundle call it. */
typedef struct bundle_picture {
    uuid person;
    unsigned char hash[RECORD_HASH];
    uint64_t size;
} bundle_picture;

typedef struct bundle_entry {
    chain_entry e;
    hash256 prev, hash;
} bundle_entry;

typedef struct bundle_total {
    uint64_t files, records, pictures, entries, tombstones;
} bundle_total;

void bundle_write_manifest(atg_buf *buf, const bundle_manifest *m);
void bundle_write_tombstone(atg_buf *buf, const bundle_tombstone *t);
void bundle_write_notice(atg_buf *buf, const bundle_notice *n);
void bundle_write_file(atg_buf *buf, const bundle_file *f);
/* The fields that `choose` says. */
void bundle_write_record(atg_buf *buf, const bundle_record *r, record_choose *choose,
                         const void *user);
void bundle_write_picture(atg_buf *buf, const bundle_picture *p);
void bundle_write_entry(atg_buf *buf, const bundle_entry *e);
void bundle_write_total(atg_buf *buf, const bundle_total *t);

int bundle_read_manifest(atg_arena *arena, atg_str bytes, bundle_manifest *ret, atg_err *err);
int bundle_read_tombstone(atg_str bytes, bundle_tombstone *ret, atg_err *err);
int bundle_read_notice(atg_arena *arena, atg_str bytes, bundle_notice *ret, atg_err *err);
int bundle_read_file(atg_str bytes, bundle_file *ret, atg_err *err);
int bundle_read_record(atg_arena *arena, atg_str bytes, bundle_record *ret, atg_err *err);
int bundle_read_picture(atg_str bytes, bundle_picture *ret, atg_err *err);
/* The chain entry's texts lie in the arena; whether it follows its chain is not looked at. */
int bundle_read_entry(atg_arena *arena, atg_str bytes, bundle_entry *ret, atg_err *err);
int bundle_read_total(atg_str bytes, bundle_total *ret, atg_err *err);

#endif
