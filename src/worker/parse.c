/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/parse.h"

#include "worker/sandbox.h"

enum { HELD = 1 << 20 };

int parse_begin(const work *w, uint64_t max, parse_out *ret, atg_err *err) {
    *ret = (parse_out){.w = w, .buf = atg_buf_new((size_t)max + HELD), .max = max};
    if (!ret->buf)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for what becomes of this file");
    ret->j = json_new(ret->buf);
    return ATG_OK;
}

int parse_flush(parse_out *out, bool all, atg_err *err) {
    atg_str bytes;
    int rc = atg_buf_take(out->buf, &bytes, err);

    if (rc)
        return rc;
    if (bytes.n > out->max - out->sent)
        return atg_fail(err, ATG_ELIMIT, "What becomes of this file is too long");
    if (!all && bytes.n < HELD)
        return ATG_OK;
    out->sent += bytes.n;
    rc = work_part(out->w, FRAME_RESULT, bytes, err);
    atg_buf_free(out->buf);
    out->buf = out->j.buf = atg_buf_new((size_t)out->max + HELD);
    if (rc == ATG_OK && !out->buf)
        rc = atg_fail(err, ATG_ENOMEM, "Out of memory for what becomes of this file");
    return rc;
}

void parse_end(parse_out *out) {
    atg_buf_free(out->buf);
}

int parse_in_file(const parse *p, uint32_t i, int rc, const atg_err *why, atg_err *err) {
    const char *name = p->ask->files[i].name;

    if (p->ask->n == 1 || !*name)
        return atg_fail_at(err, rc, why->line, why->col, "%s", why->msg);
    return atg_fail_at(err, rc, why->line, why->col, "%s: %s", name, why->msg);
}

static int run(const parse *p, atg_err *err) {
    switch ((worker_parse_kind)p->ask->kind) {
    case WORKER_PARSE_OPERATION:
        return parse_operation(p, err);
    case WORKER_PARSE_PROFILES:
        return parse_profiles(p, err);
    case WORKER_PARSE_TABLE:
        return parse_table(p, err);
    case WORKER_PARSE_BUNDLE:
        return parse_bundle(p, err);
    }
    return atg_fail(err, ATG_EINVAL, "There is no such kind of parsing");
}

int work_parse(const work *w, frame_done *ret, atg_err *err) {
    ATG_AUTO(atg_arena) arena = atg_arena_new(SIZE_MAX);
    frame_parse ask;
    parse p = {w, &ask, arena, arena ? atg_notes_new(arena) : NULL};
    int rc = frame_get_parse(w->body, &ask, err);

    (void)ret;
    if (rc)
        return rc;
    if (ask.n == 0 || ask.n != w->n)
        return atg_fail(err, ATG_EINVAL, "The files of this request are not those it names");
    if (w->piped && ask.kind != WORKER_PARSE_BUNDLE)
        return atg_fail(err, ATG_EINVAL, "Only bundles are read from a pipe");
    if (!p.notes)
        return atg_fail(err, ATG_ENOMEM, "Out of memory for a file");
    sandbox_time(ask.milliseconds);
    rc = run(&p, err);
    for (uint32_t i = 0; rc == ATG_OK && i < p.notes->n; i++)
        rc = work_note(w, p.notes->text[i], err);
    return rc;
}
