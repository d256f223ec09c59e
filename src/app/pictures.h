/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures and scans of records: stripped and sealed on the way in, shown as rights say on the way
 * out. */
#ifndef ATG_APP_PICTURES_H
#define ATG_APP_PICTURES_H

#include "app/cases.h"
#include "crypto/stream.h"

/* May this account put a picture into this field of this record?  pictures_put() asks the same;
 * for who has work to do before it. */
int pictures_check(cases *c, const actor *who, const record *r, uint32_t field, atg_err *err);

/* Keep the bytes for a blob field of a record that stands in the file `r->file`, or will; `ret` is
 * what the field holds, to be written by cases_change().  Metadata are taken off
 * (docs/pictures.md); what is no picture is taken for friction ridge data alone.
 *
 * ATG_EDENIED: this account may not write the field; ATG_EPARSE, ATG_EINVAL, ATG_ELIMIT: as
 * picture_strip(); ATG_EINVAL: a file that has no person (a document of an operation). */
int pictures_put(cases *c, const actor *who, const record *r, uint32_t field, atg_str bytes,
                 value *ret, atg_err *err);

typedef enum picture_form { PICTURE_FULL, PICTURE_SMALL, PICTURE_BLURRED } picture_form;

/* What was kept: from which picture a small or blurred one is made. */
typedef struct picture_got {
    bool whole; /* the picture itself came: in that form it was not made yet */
    uuid operation, person;
    hash256 hash;
} picture_got;

/* Keep what was drawn from a picture, sealed as it is and erased with it. */
int pictures_keep(cases *c, const picture_got *from, picture_form form, atg_str bytes,
                  atg_err *err);

/* Give out the picture of a record in pieces; what came counts only when this says ATG_OK.  The
 * look is an entry of the history, before anything comes out.  ATG_EDENIED: this account may not
 * see it, or not without a written reason; ATG_ENOTFOUND: it has none. */
typedef struct picture_wish {
    record_kind kind;
    uuid id;
    uint32_t field;
    picture_form form;
    picture_got *got; /* may be NULL with PICTURE_FULL */
} picture_wish;

int pictures_get(cases *c, const actor *who, const picture_wish *wish, stream_sink to,
                 atg_err *err);

/* The same for whoever may read the record, whatever they may see of it, and without an entry: the
 * blurred one, in which nothing can be recognised, or what it is made of, which is never an answer
 * itself. */
int pictures_get_unseen(cases *c, const actor *who, const picture_wish *wish, stream_sink to,
                        atg_err *err);

#endif
