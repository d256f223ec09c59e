/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/csv.h"
#include "base/number.h"
#include "base/text.h"
#include "formats/frequencies.h"

typedef struct table {
    marker_set *set;
    csv rows;
    uint32_t n;                            /* columns, the first of which holds alleles */
    marker_draft *columns[CSV_FIELDS_MAX]; /* NULL where the heading is empty */
    atg_err *err;
} table;

static int fail_at(table *t, const csv_field *f, const atg_err *e) {
    return atg_fail_at(t->err, e->code, f->line, f->col, "%s", e->msg);
}

static int read_heading(table *t) {
    csv_field *row = NULL;
    int rc = csv_row(&t->rows, t->set->arena, &row, &t->n, t->err);
    atg_err e;

    if (rc)
        return rc;
    if (t->n < 2)
        return atg_fail_at(t->err, ATG_EPARSE, 1, 1,
                           "A table of frequencies starts with a line of \"Allele\" and the names "
                           "of the markers, separated by commas, semicolons or tabs");
    for (uint32_t c = 1; c < t->n; c++) {
        atg_str name = atg_str_trim(row[c].text);

        if (name.n && freq_add_marker(t->set, name, &t->columns[c], &e))
            return fail_at(t, &row[c], &e);
    }
    return ATG_OK;
}

/* A row "N": persons typed, per marker.  The smallest counts. */
static int read_persons(table *t, const csv_field *row, uint32_t n, uint32_t *persons) {
    for (uint32_t c = 1; c < n; c++) {
        atg_str s = atg_str_trim(row[c].text);
        double x;

        if (s.n == 0)
            continue;
        if (!number_read(s, &x) || !(x >= 1 && x <= UINT32_MAX) || x != (uint32_t)x)
            return atg_fail_at(t->err, ATG_EPARSE, row[c].line, row[c].col,
                               "\"%.*s\" is not a number of persons", ATG_FMT(s));
        if (*persons == 0 || (uint32_t)x < *persons)
            *persons = (uint32_t)x;
    }
    return ATG_OK;
}

static int read_frequency(table *t, atg_str label, const csv_field *f, marker_draft *d) {
    atg_str s = atg_str_trim(f->text);
    double p;
    atg_err e;

    if (s.n == 0 || atg_str_eq(s, ATG_STR("-")))
        return ATG_OK;
    if (!d)
        return atg_fail_at(t->err, ATG_EPARSE, f->line, f->col,
                           "This column has no marker in the first line");
    if (!number_read(s, &p) || !(p >= 0 && p <= 1))
        return atg_fail_at(t->err, ATG_EPARSE, f->line, f->col,
                           "\"%.*s\" is not a frequency from 0 to 1", ATG_FMT(s));
    if (p == 0)
        return ATG_OK;
    return marker_draft_add(t->set, d, label, p, &e) ? fail_at(t, f, &e) : ATG_OK;
}

static int read_row(table *t, const csv_field *row, uint32_t n, uint32_t *persons) {
    char room[32];
    atg_str label = atg_str_trim(row[0].text);
    double number;
    int rc = ATG_OK;

    if (n > t->n)
        return atg_fail_at(t->err, ATG_EPARSE, row[t->n].line, row[t->n].col,
                           "This line has %u columns and the first line %u; is a decimal comma "
                           "also the separator?",
                           n, t->n);
    if (label.n == 0)
        return atg_fail_at(t->err, ATG_EPARSE, row[0].line, row[0].col,
                           "The allele is missing in the first column");
    if (atg_str_eq_nocase(label, ATG_STR("n")))
        return read_persons(t, row, n, persons);
    /* A spreadsheet may have made 9.3 into 9,3 and 15 into 15.0. */
    if (number_read(label, &number) && allele_label_of(number, room))
        label = atg_str_of(room);
    for (uint32_t c = 1; c < n && !rc; c++)
        rc = read_frequency(t, label, &row[c], t->columns[c]);
    return rc;
}

static int read_rows(table *t, uint32_t *persons) {
    for (;;) {
        csv_field *row = NULL;
        uint32_t n = 0;
        int rc = csv_row(&t->rows, t->set->arena, &row, &n, t->err);

        if (rc || n == 0)
            return rc;
        rc = read_row(t, row, n, persons);
        if (rc)
            return rc;
    }
}

int freq_read_table(marker_set *set, atg_str bytes, atg_str population, atg_frequencies *ret,
                    atg_notes *notes, atg_err *err) {
    table *t = ATG_GET(set->arena, table, 1);
    const char *from = NULL;
    atg_str text;

    if (!t)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading the frequencies");

    int rc = text_utf8(set->arena, bytes, &text, &from, err);

    if (rc)
        return rc;
    if (from)
        atg_note(notes, set->arena, "The table of frequencies was converted from %s", from);
    t->set = set;
    t->err = err;
    t->rows = csv_new(text);
    rc = read_heading(t);
    if (!rc)
        rc = read_rows(t, &ret->n_population);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < set->n; i++)
        if (set->drafts[i]->m.n == 0)
            return atg_fail(err, ATG_EPARSE, "The marker %.*s has no frequencies in this table",
                            ATG_FMT(set->drafts[i]->m.name));
    if (ret->n_population)
        atg_note(notes, set->arena,
                 "The row \"N\" is read as the number of persons typed: %u at the least typed "
                 "marker",
                 ret->n_population);
    ret->population = atg_arena_str(set->arena, population);
    return ret->population.p ? ATG_OK
                             : atg_fail(err, ATG_ENOMEM, "Out of memory reading the frequencies");
}
