/* SPDX-License-Identifier: Apache-2.0 */
/* Witnesses: checkpoints (crypto/checkpoint.h) that somebody else keeps, where whoever keeps the
 * store cannot change them: a file or folder on another machine, a medium that is written once, a
 * file to which one can only append.  What a witness saw cannot be denied later.
 *
 * A file holds any number of notes, one behind the other, empty lines between them; other lines
 * (a letter that they came with, what a crash left of a note) are passed over.  Of a folder the
 * files DAY.checkpoints count, and new notes go to the file of their day. */
#ifndef ATG_STORE_WITNESS_H
#define ATG_STORE_WITNESS_H

#include "crypto/checkpoint.h"
#include "store/store.h"

typedef struct witness_notes {
    checkpoint *notes; /* in the order in which they stand */
    uint32_t n;
    atg_str strange; /* where the first line is that belongs to no note; empty: there is none */
} witness_notes;

/* The notes in a text; `name` says in messages where it comes from.  ATG_EPARSE, with the line of
 * what cannot be read, when there is none at all. */
int witness_parse(atg_arena *arena, const char *name, atg_str text, witness_notes *ret,
                  atg_err *err);

/* Those of a file or folder.  Signatures are not checked. */
int witness_read(atg_arena *arena, const char *path, witness_notes *ret, atg_err *err);

/* Append a note to a file (made when it is not there) or a folder, and sync it.  Nothing happens
 * when it is the last one there.  ATG_EDENIED: the witness saw more entries, or others, than this
 * checkpoint is of: the history was falsified or an old copy of it was put back. */
int witness_write(const char *path, const checkpoint *c, atg_err *err);

/* The same with the last checkpoint of a store, if there is one.  Any number of processes that work
 * on the store may do that with one witness: who comes later reads the checkpoint later.  ATG_EIO:
 * another process did not let go of the witness for 10 seconds. */
int witness_update(const char *path, store *s, atg_err *err);

#endif
