/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/familias.h"

#include <string.h>

#include "base/map.h"

/* Title, the warning not to edit, version and a description, which may have several lines. */
static int read_head(fam_file *f, atg_str *ret_name) {
    static const char title[] = "Output from Familias";

    fam_next(f);
    if (f->end || f->text.n < sizeof(title) - 1 || memcmp(f->text.p, title, sizeof(title) - 1) != 0)
        return fam_fail(f, ATG_EPARSE,
                        "This is not a Familias file: its first line is not \"%s, "
                        "version ...\"",
                        title);
    fam_next(f);
    fam_next(f);
    f->dvi = f->text.n && memmem(f->text.p, f->text.n, "(DVI)", 5);
    fam_next(f);
    if (!f->quoted && f->text.n && f->text.p[0] != '"')
        return ATG_OK; /* some versions have no description */
    if (f->quoted && f->text.n) {
        *ret_name = atg_arena_str(f->arena, f->text);
        if (!ret_name->p)
            return fam_nomem(f);
    }
    if (!f->quoted && f->text.n) /* an open quote: up to the line that closes it */
        do
            fam_next(f);
        while (!f->end && !f->quoted && (f->text.n == 0 || f->text.p[f->text.n - 1] != '"'));
    if (f->end)
        return fam_fail(f, ATG_EPARSE, "The file ends inside its description");
    fam_next(f);
    return ATG_OK;
}

static int make_remains(fam_file *f, const fam_content *content, atg_operation *op) {
    atg_sample *samples = ATG_GET(f->arena, atg_sample, (size_t)content->n_remains + 1);
    atg_geno *untyped = ATG_GET(f->arena, atg_geno, (size_t)f->n_markers + 1);
    ATG_AUTO(map) seen = map_new();

    if (!samples || !untyped || !seen)
        return fam_nomem(f);
    for (uint32_t i = 0; i < f->n_markers; i++)
        untyped[i] = ATG_UNTYPED;
    for (uint32_t i = 0; i < content->n_remains; i++) {
        const fam_person *p = &content->remains[i];
        int rc = map_add(seen, p->name, i);

        if (rc == ATG_ENOMEM)
            return fam_nomem(f);
        if (rc)
            return atg_fail_at(
                f->err, ATG_EPARSE, p->line, 1,
                "Two unidentified persons are called %.*s; give them different names",
                ATG_FMT(p->name));
        if (!p->genos)
            atg_note(f->notes, f->arena, "%.*s has no DNA data", ATG_FMT(p->name));
        samples[i] =
            (atg_sample){.id = p->name, .sex = p->sex, .genos = p->genos ? p->genos : untyped};
    }
    op->n_samples = content->n_remains;
    op->samples = samples;
    return ATG_OK;
}

static int make_params(fam_file *f, atg_operation *op) {
    op->params = atg_params_default();
    op->params.population = f->database;
    op->params.theta = f->theta;
    op->params.min_freq = f->min_freq < 0.5 ? f->min_freq : 0;
    op->params.n_population = f->n_population;
    if (f->database.n)
        op->params.source =
            atg_arena_printf(f->arena, "Familias database \"%.*s\"", ATG_FMT(f->database));
    else
        op->params.source = ATG_STR("Familias database without a name");
    if (!op->params.source.p)
        return fam_nomem(f);
    op->n_markers = f->n_markers;
    return marker_set_finish(f->set, op->params.min_freq, f->n_population, &op->markers, f->notes,
                             f->err);
}

static bool at_dvi(fam_file *f) {
    while (!f->end && f->text.n == 0)
        fam_next(f);
    return atg_str_eq(f->text, ATG_STR("[DVI]"));
}

static int read_persons(fam_file *f, const fam_plain *plain, fam_content *content) {
    uint32_t n = fam_plain_persons(plain);

    if (at_dvi(f)) {
        if (n)
            atg_note(
                f->notes, f->arena,
                "The file has %u persons in its main window beside the DVI module; they belong "
                "to another case and are not read",
                n);
        return fam_read_dvi(f, content);
    }
    if (!f->end && !(f->text.n && f->text.p[0] == '['))
        return fam_fail(f, ATG_EPARSE,
                        "Expected the end of the database here; its counts are wrong");
    if (f->dvi)
        return fam_fail(f, ATG_EPARSE,
                        "The file ends where its section [DVI] should follow; export "
                        "it again");
    if (n == 0)
        atg_note(f->notes, f->arena, "The file holds frequencies only, and no persons");
    else
        atg_note(
            f->notes, f->arena,
            "The file has no section of the DVI module, so it does not say who is unidentified "
            "or missing: each of its pedigrees is read as a family; enter the remains in "
            "Familias' DVI module or add them by a genotype table");
    return fam_plain_families(f, plain, content);
}

static int read_all(fam_file *f, atg_operation *op) {
    fam_content content = {0};
    fam_plain *plain = NULL;
    int rc = read_head(f, &op->name);

    if (!rc)
        rc = fam_read_plain(f, &plain);
    if (!rc)
        rc = fam_read_database(f);
    if (!rc)
        rc = read_persons(f, plain, &content);
    if (!rc)
        rc = make_params(f, op);
    if (!rc)
        rc = make_remains(f, &content, op);
    if (!rc)
        rc = fam_make_families(f, &content, op);
    return rc ? rc : atg_operation_check(op, f->err);
}

int atg_familias_read(atg_arena *arena, atg_str bytes, atg_operation *ret, atg_notes *notes,
                      atg_err *err) {
    fam_file f = {.arena = arena, .notes = notes, .err = err};
    ATG_AUTO(map) names = map_new();
    atg_operation op = {0};
    const char *from;
    int rc;

    if (bytes.n > ATG_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "The file is larger than %d bytes", ATG_INPUT_MAX);
    f.set = ATG_GET(arena, marker_set, 1);
    if (!names || !f.set)
        return fam_nomem(&f);
    f.set->arena = arena;
    f.set->names = names;
    rc = text_utf8(arena, bytes, &f.lines.rest, &from, err);
    if (rc)
        return rc;
    if (from)
        atg_note(notes, arena, "The file is not UTF-8 and was read as %s; check names with accents",
                 from);
    rc = read_all(&f, &op);
    if (!rc)
        *ret = op;
    return rc;
}
