/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are parsed, inside the worker: one file a kind. */
#ifndef ATG_WORKER_PARSE_H
#define ATG_WORKER_PARSE_H

#include <antigone/formats.h>

#include "base/json.h"
#include "worker/work.h"

/* JSON on its way out, in pieces: no more than a few are held. */
typedef struct parse_out {
    const work *w;
    atg_buf *buf;
    json j;
    uint64_t sent, max;
} parse_out;

int parse_begin(const work *w, uint64_t max, parse_out *ret, atg_err *err);
/* Send what is there, if it is worth it or `all`. */
int parse_flush(parse_out *out, bool all, atg_err *err);
void parse_end(parse_out *out);

/* A parse in hand. */
typedef struct parse {
    const work *w;
    const frame_parse *ask;
    atg_arena *arena;
    atg_notes *notes;
} parse;

int parse_operation(const parse *p, atg_err *err);
int parse_profiles(const parse *p, atg_err *err);
int parse_table(const parse *p, atg_err *err);
int parse_bundle(const parse *p, atg_err *err);

/* Put the name of file `i` before what is said of it, where there are several. */
int parse_in_file(const parse *p, uint32_t i, int rc, const atg_err *why, atg_err *err);

#endif
