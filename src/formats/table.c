/* SPDX-License-Identifier: Apache-2.0 */
#include "formats/table.h"

#include <string.h>

#include "base/text.h"
#include "formats/profile.h"

enum { ID_MAX = 255, ROWS_OF_SCRATCH = 500, SCRATCH = 256 * 1024 * 1024 };

typedef struct reader {
    atg_arena *arena;
    atg_notes *notes;
    atg_err *err;
    atg_str text; /* of the whole file, in the arena */
    csv rows;
    atg_arena *scratch; /* rows, dropped now and then */
    uint32_t n_scratch;
    table_header header;
    uint16_t *markers; /* number of each column's marker */
    uint32_t *second;  /* of a column with the first allele: the column with the other */
    profile_set set;
    uint32_t n_controls;
} reader;

static int nomem(reader *r) {
    return atg_fail(r->err, ATG_ENOMEM, "Out of memory reading a table");
}

/* The next row that has text in it; the former one is gone. */
static int next_row(reader *r, csv_field **ret, uint32_t *ret_n) {
    for (;;) {
        uint32_t n = 0;
        int rc;

        if (!r->scratch || r->n_scratch++ == ROWS_OF_SCRATCH) {
            atg_arena_free(r->scratch);
            r->scratch = atg_arena_new(SCRATCH);
            r->n_scratch = 0;
            if (!r->scratch)
                return nomem(r);
        }
        rc = csv_row(&r->rows, r->scratch, ret, &n, r->err);
        if (rc)
            return rc;
        *ret_n = n;
        if (n == 0)
            return ATG_OK;
        for (uint32_t i = 0; i < n; i++)
            if (atg_str_trim((*ret)[i].text).n)
                return ATG_OK;
    }
}

/* Start at the top, behind the line "sep=;" that Excel knows. */
static void rewind_rows(reader *r) {
    r->rows = csv_new(r->text);
    if (r->text.n > 4 && memcmp(r->text.p, "sep=", 4) == 0) {
        atg_str rest = r->text, line = atg_str_cut(&rest, '\n');

        r->rows = (csv){.rest = rest, .line_start = rest.p, .sep = line.p[4], .line = 2};
    }
}

/* A text that lives as long as the result. */
static int keep(reader *r, atg_str s, atg_str *ret) {
    bool inside = s.n && s.p >= r->text.p && s.p < r->text.p + r->text.n;
    atg_str made = inside ? s : atg_arena_str(r->arena, s);

    if (s.n == 0)
        made = (atg_str){"", 0};
    if (!made.p)
        return nomem(r);
    *ret = made;
    return ATG_OK;
}

/* An id as it was before csv_write() guarded it against spreadsheets. */
static atg_str unguarded(atg_str s) {
    return s.n > 1 && s.p[0] == '\'' && strchr("=+-@\t\r", s.p[1]) ? (atg_str){s.p + 1, s.n - 1}
                                                                   : s;
}

static bool one_of(atg_str s, const char *const *list) {
    for (; *list; list++)
        if (atg_str_eq_nocase(s, atg_str_of(*list)))
            return true;
    return false;
}

static const char *const yes_words[] = {"yes", "y", "true", "1", "x", "staff", NULL};
static const char *const no_words[] = {"", "no", "n", "false", "0", "-", NULL};

/* Where a column says nothing: the row's place. */
static csv_field nothing(const csv_field *row) {
    return (csv_field){.text = {"", 0}, .line = row[0].line, .col = row[0].col};
}

static csv_field cell(const reader *r, table_role role, const csv_field *row, uint32_t n) {
    int at = r->header.at[role];

    if (at < 0 || (uint32_t)at >= n)
        return (csv_field){.text = {"", 0}, .line = row[0].line, .col = row[0].col};
    return (csv_field){
        .text = atg_str_trim(row[at].text), .line = row[at].line, .col = row[at].col};
}

static int fail_cell(reader *r, csv_field c, const char *what) {
    return atg_fail_at(r->err, ATG_EPARSE, c.line, c.col, "\"%.*s\" %s",
                       c.text.n > ID_MAX ? ID_MAX : (int)c.text.n, c.text.p, what);
}

static int take_sex(reader *r, csv_field c, atg_sex *ret) {
    static const char *const male[] = {"m", "male", "man", "xy", NULL};
    static const char *const female[] = {"f", "female", "woman", "xx", NULL};
    static const char *const unknown[] = {"", "u", "unknown", "?", "-", "na", "n/a", NULL};

    if (one_of(c.text, male))
        *ret = ATG_SEX_MALE;
    else if (one_of(c.text, female))
        *ret = ATG_SEX_FEMALE;
    else if (!one_of(c.text, unknown))
        return fail_cell(r, c, "is no sex; write M, F or U");
    return ATG_OK;
}

static int take_text(reader *r, csv_field c, atg_str *ret) {
    atg_str s = unguarded(c.text);

    if (s.n > ID_MAX)
        return fail_cell(r, c, "is longer than 255 bytes; shorten it");
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20)
            return fail_cell(r, c, "has a line break or another control character in it");
    return keep(r, s, ret);
}

/* The column "missing" says yes, or who. */
static int take_missing(reader *r, csv_field c, atg_profile_row *row) {
    if (one_of(c.text, no_words))
        return ATG_OK;
    if (one_of(c.text, yes_words)) {
        row->missing = row->id;
        return ATG_OK;
    }
    return take_text(r, c, &row->missing);
}

static int take_staff(reader *r, csv_field c, atg_profile_row *row) {
    row->staff = one_of(c.text, yes_words);
    return row->staff || one_of(c.text, no_words)
               ? ATG_OK
               : fail_cell(r, c, "does not say whether this is staff; write yes or no");
}

static bool contains(atg_str s, atg_str part) {
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (atg_str_eq_nocase((atg_str){s.p + i, part.n}, part))
            return true;
    return false;
}

/* The column "type", and what it demands of the others. */
static int take_type(reader *r, csv_field c, atg_profile_row *row, bool *ret_control) {
    static const char *const remains[] = {"",     "sample",       "remains", "pm",      "body",
                                          "bone", "unidentified", "victim",  "unknown", NULL};
    static const char *const relatives[] = {"relative", "am", "reference", "family", NULL};
    static const char *const missing[] = {"missing", "missing person", NULL};
    static const char *const own[] = {"own",      "own sample",         "personal item",
                                      "personal", "personal reference", "direct reference",
                                      NULL};
    static const char *const staff[] = {"staff", "elimination", NULL};
    static const char *const controls[] = {
        "allelic ladder", "ladder", "positive control", "negative control", "control",
        "blank",          NULL};

    *ret_control = one_of(c.text, controls);
    if (*ret_control || one_of(c.text, remains))
        return ATG_OK;
    if (one_of(c.text, staff)) {
        row->staff = true;
        return ATG_OK;
    }
    row->own = one_of(c.text, own);
    if (!row->own && !one_of(c.text, relatives) && !one_of(c.text, missing))
        return fail_cell(r, c,
                         "is no type of profile; write remains, relative, missing, own sample or "
                         "staff");
    if (row->family.n == 0)
        return fail_cell(r, c, "needs a family; name it in a column \"family\"");
    if (row->own && row->missing.n == 0)
        return fail_cell(r, c,
                         "needs the missing person whose it is; write the id in a column "
                         "\"missing\"");
    if (one_of(c.text, missing) && row->missing.n == 0)
        row->missing = row->id;
    return ATG_OK;
}

/* Parents, missing persons and families go together, and staff has none. */
static int check_row(reader *r, const csv_field *fields, uint32_t n, const atg_profile_row *row) {
    static const table_role roles[] = {TABLE_FATHER, TABLE_MOTHER, TABLE_MISSING};
    const atg_str texts[] = {row->father, row->mother, row->missing};

    for (int i = 0; i < 3; i++)
        if (texts[i].n && row->family.n == 0)
            return fail_cell(r, cell(r, roles[i], fields, n),
                             "needs a family; name it in a column \"family\"");
    if (row->staff && row->family.n)
        return fail_cell(r, cell(r, TABLE_FAMILY, fields, n),
                         "is a family of staff; staff profiles are compared with nobody's family");
    return ATG_OK;
}

static int take_meta(reader *r, const csv_field *fields, uint32_t n, atg_profile_row *ret,
                     bool *ret_control) {
    csv_field id = cell(r, TABLE_ID, fields, n);
    int rc;

    *ret = (atg_profile_row){.line = fields[0].line};
    if (id.text.n == 0)
        return atg_fail_at(r->err, ATG_EPARSE, id.line, id.col,
                           "This row has no id; say whose profile it is");
    rc = take_text(r, id, &ret->id);
    if (!rc)
        rc = take_text(r, cell(r, TABLE_BODY, fields, n), &ret->body);
    if (!rc)
        rc = take_text(r, cell(r, TABLE_FAMILY, fields, n), &ret->family);
    if (!rc)
        rc = take_text(r, cell(r, TABLE_FATHER, fields, n), &ret->father);
    if (!rc)
        rc = take_text(r, cell(r, TABLE_MOTHER, fields, n), &ret->mother);
    if (!rc)
        rc = take_sex(r, cell(r, TABLE_SEX, fields, n), &ret->sex);
    if (!rc)
        rc = take_missing(r, cell(r, TABLE_MISSING, fields, n), ret);
    if (!rc)
        rc = take_staff(r, cell(r, TABLE_STAFF, fields, n), ret);
    if (!rc)
        rc = take_type(r, cell(r, TABLE_TYPE, fields, n), ret, ret_control);
    *ret_control |= contains(ret->id, ATG_STR("ladder"));
    return rc ? rc : check_row(r, fields, n, ret);
}

static int fail_allele(reader *r, const profile *p, atg_str marker, csv_field c, allele_kind kind) {
    if (kind == ALLELE_OFF)
        return atg_fail_at(r->err, ATG_EPARSE, c.line, c.col,
                           "%.*s of %.*s at %.*s is outside the ladder; size it (such as 17.1), or "
                           "write \"-\" for an allele that was not read",
                           ATG_FMT(c.text), ATG_FMT(p->row.id), ATG_FMT(marker));
    return atg_fail_at(r->err, ATG_EPARSE, c.line, c.col,
                       "\"%.*s\" of %.*s at %.*s is no allele; write a repeat number such as 15 or "
                       "9.3, X or Y, or \"-\" for one that was not read",
                       c.text.n > 60 ? 60 : (int)c.text.n, c.text.p, ATG_FMT(p->row.id),
                       ATG_FMT(marker));
}

/* One allele; `*ret` is "-" when it was not read, and empty when nothing is there. */
static int take_allele(reader *r, const profile *p, atg_str marker, csv_field c, atg_str *ret) {
    char room[ATG_LABEL_MAX + 1];
    atg_str label = {"", 0};
    allele_kind kind = allele_read(c.text, room, &label);

    if (kind == ALLELE_OFF || kind == ALLELE_NOT_ONE)
        return fail_allele(r, p, marker, c, kind);
    if (kind == ALLELE_UNREAD)
        label = ATG_STR("-");
    /* Most labels stand in the file as they are kept. */
    return keep(r, kind == ALLELE_READ && atg_str_eq(label, c.text) ? c.text : label, ret);
}

static int add_genotype(reader *r, profile *p, atg_str marker, uint16_t number, csv_field a,
                        csv_field b) {
    struct atg_profile_call call = {.marker = marker, .line = a.line, .col = a.col};
    int rc = take_allele(r, p, marker, a, &call.a);

    if (!rc)
        rc = take_allele(r, p, marker, b, &call.b);
    if (rc)
        return rc;
    if (call.a.n == 0 || atg_str_eq(call.a, ATG_STR("-"))) {
        atg_str other = call.a;

        call.a = call.b;
        call.b = other;
    }
    if (call.a.n == 0 || atg_str_eq(call.a, ATG_STR("-")))
        return ATG_OK; /* untyped */
    return profile_add(&r->set, p, number, &call);
}

static int fail_three(reader *r, const profile *p, atg_str marker, csv_field c) {
    return atg_fail_at(r->err, ATG_EPARSE, c.line, c.col,
                       "%.*s has more than two alleles at %.*s: leave a mixture out; of a "
                       "tri-allelic person leave this marker out",
                       ATG_FMT(p->row.id), ATG_FMT(marker));
}

/* A cell that holds both alleles. */
static int add_both(reader *r, profile *p, uint32_t i, csv_field c) {
    const table_column *col = &r->header.columns[i];
    char room[ATG_LABEL_MAX + 1];
    atg_str label;
    allele_kind kind = allele_read(c.text, room, &label);
    csv_field a = c, b = c;
    table_pair pair;

    c.text = atg_str_trim(c.text);
    if (kind == ALLELE_NONE || kind == ALLELE_UNREAD)
        return ATG_OK;
    if (kind == ALLELE_OFF)
        return fail_allele(r, p, col->marker, c, kind);
    if (!table_cut(c.text, &pair))
        return fail_cell(r, c,
                         "can be two alleles or one with a decimal comma; write a point, as "
                         "in 9.3, or 9/3");
    if (pair.n > 2)
        return fail_three(r, p, col->marker, c);
    a.text = pair.a;
    b.text = pair.b;
    if (b.text.n)
        b.col += (uint32_t)(pair.b.p - c.text.p);
    return add_genotype(r, p, col->marker, r->markers[i], a, b);
}

/* The first of the two columns of a marker. */
static int add_columns(reader *r, profile *p, const csv_field *row, uint32_t n, uint32_t i) {
    uint32_t at[] = {i, r->second[i]};
    csv_field pair[2];

    for (int k = 0; k < 2; k++) {
        pair[k] = nothing(row);
        if (at[k] < n) {
            pair[k] = row[at[k]];
            pair[k].text = atg_str_trim(pair[k].text);
        }
    }
    return add_genotype(r, p, r->header.columns[i].marker, r->markers[i], pair[0], pair[1]);
}

static int add_wide(reader *r, profile *p, const csv_field *row, uint32_t n) {
    for (uint32_t i = 0; i < r->header.n; i++) {
        const table_column *c = &r->header.columns[i];
        int rc = ATG_OK;

        if (c->role == TABLE_BOTH && i < n)
            rc = add_both(r, p, i, row[i]);
        else if (c->role == TABLE_ONE_OF && c->allele == 0)
            rc = add_columns(r, p, row, n, i);
        else if (c->role == TABLE_ONE_OF && c->allele > 1 && i < n && atg_str_trim(row[i].text).n)
            rc = fail_three(r, p, c->marker, row[i]);
        if (rc)
            return rc;
    }
    return ATG_OK;
}

static int add_long(reader *r, profile *p, const csv_field *row, uint32_t n) {
    csv_field name = cell(r, TABLE_MARKER, row, n), pair[2];
    atg_str marker = {0};
    uint16_t number = 0;
    uint32_t found = 0;
    int rc = keep(r, name.text, &marker);

    if (!rc)
        rc = profile_set_marker(&r->set, marker, name.line, name.col, &number);
    if (rc)
        return rc;
    pair[0] = pair[1] = (csv_field){.text = {"", 0}, .line = name.line, .col = name.col};
    for (uint32_t i = 0; i < n && i < r->header.n; i++) {
        atg_str text = atg_str_trim(row[i].text);

        if (r->header.columns[i].role != TABLE_ALLELE || text.n == 0)
            continue;
        if (found == 2)
            return fail_three(r, p, marker, row[i]);
        pair[found++] = (csv_field){.text = text, .line = row[i].line, .col = row[i].col};
    }
    return add_genotype(r, p, marker, number, pair[0], pair[1]);
}

static int take_row(reader *r, const csv_field *row, uint32_t n) {
    atg_profile_row meta;
    bool control = false;
    profile *p = NULL;
    int rc;

    for (uint32_t i = r->header.n; i < n; i++)
        if (atg_str_trim(row[i].text).n)
            return atg_fail_at(r->err, ATG_EPARSE, row[i].line, row[i].col,
                               "This row has more columns than the header; a text with the "
                               "separator in it belongs in quotes");
    rc = take_meta(r, row, n, &meta, &control);
    if (rc)
        return rc;
    r->n_controls += control;
    if (control)
        return ATG_OK;
    rc = profile_set_row(&r->set, &meta, &p);
    if (rc)
        return rc;
    return r->header.is_long ? add_long(r, p, row, n) : add_wide(r, p, row, n);
}

/* Does this cell of a doubtful column make it a marker? */
static bool shows_marker(const table_column *c, atg_str text) {
    char room[ATG_LABEL_MAX + 1];
    table_pair pair;
    atg_str label;

    if (c->role == TABLE_ONE_OF)
        return allele_read(text, room, &label) == ALLELE_READ;
    return table_cut(text, &pair) && pair.n == 2 &&
           allele_read(pair.a, room, &label) == ALLELE_READ &&
           allele_read(pair.b, room, &label) == ALLELE_READ;
}

/* Columns with names that could be anything are markers when a genotype stands in them. */
static int settle(reader *r) {
    table_header *h = &r->header;
    bool doubtful = false;
    csv_field *row = NULL;
    uint32_t n = 1;
    int rc;

    for (uint32_t i = 0; i < h->n; i++)
        doubtful |= h->columns[i].doubtful && h->columns[i].role;
    if (!doubtful)
        return ATG_OK;
    rewind_rows(r);
    rc = next_row(r, &row, &n);
    while (!rc && n) {
        rc = next_row(r, &row, &n);
        for (uint32_t i = 0; !rc && row && i < n && i < h->n; i++)
            if (h->columns[i].doubtful && shows_marker(&h->columns[i], row[i].text))
                for (uint32_t k = 0; k < h->n; k++) /* its partner too */
                    if (atg_str_eq(h->columns[k].marker, h->columns[i].marker))
                        h->columns[k].doubtful = false;
    }
    for (uint32_t i = 0; i < h->n; i++)
        if (h->columns[i].doubtful)
            h->columns[i].role = TABLE_IGNORED;
    return rc;
}

static bool is_allele(const table_column *c, uint32_t allele) {
    return c->role == TABLE_ONE_OF && c->allele == allele;
}

static int number_markers(reader *r) {
    const table_header *h = &r->header;

    r->markers = ATG_GET(r->arena, uint16_t, h->n);
    r->second = ATG_GET(r->arena, uint32_t, h->n);
    if (!r->markers || !r->second)
        return nomem(r);
    for (uint32_t i = 0; i < h->n; i++) {
        const table_column *c = &h->columns[i];
        int rc = ATG_OK;

        if (c->role == TABLE_BOTH || c->role == TABLE_ONE_OF)
            rc = profile_set_marker(&r->set, c->marker, c->line, c->col, &r->markers[i]);
        if (rc)
            return rc;
    }
    for (uint32_t i = 0; i < h->n; i++)
        for (uint32_t k = 0; is_allele(&h->columns[i], 0) && k < h->n; k++)
            if (is_allele(&h->columns[k], 1) && r->markers[i] == r->markers[k])
                r->second[i] = k;
    return ATG_OK;
}

/* The header, whose texts must outlive the rows that are dropped. */
static int read_header(reader *r) {
    csv_field *row = NULL, *kept;
    uint32_t n = 0;
    int rc;

    rewind_rows(r);
    rc = next_row(r, &row, &n);
    if (rc)
        return rc;
    if (n == 0)
        return atg_fail(r->err, ATG_EPARSE, "The table is empty; its first row names the columns");
    kept = ATG_GET(r->arena, csv_field, n);
    if (!kept)
        return nomem(r);
    for (uint32_t i = 0; i < n && !rc; i++) {
        kept[i] = row[i];
        rc = keep(r, row[i].text, &kept[i].text);
    }
    if (!rc)
        rc = table_header_read(r->arena, kept, n, &r->header, r->err);
    if (!rc)
        rc = settle(r);
    if (!rc)
        rc = table_header_check(&r->header, r->notes, r->arena, r->err);
    return rc ? rc : number_markers(r);
}

static int read_rows(reader *r, uint32_t *ret_n, const atg_profile_row **ret) {
    csv_field *row = NULL;
    uint32_t n = 1;
    int rc = read_header(r);

    if (rc)
        return rc;
    rewind_rows(r);
    rc = next_row(r, &row, &n);
    while (!rc && n) {
        rc = next_row(r, &row, &n);
        if (!rc && n)
            rc = take_row(r, row, n);
    }
    if (rc)
        return rc;
    if (r->n_controls)
        atg_note(r->notes, r->arena, "%u rows of ladders and controls are left out", r->n_controls);
    if (r->set.n == 0)
        return atg_fail(r->err, ATG_EPARSE, "The table has no profiles below its header");
    return profile_set_finish(&r->set, ret_n, ret);
}

int atg_table_read(atg_arena *arena, atg_str bytes, uint32_t *ret_n, const atg_profile_row **ret,
                   atg_notes *notes, atg_err *err) {
    reader r = {.arena = arena, .notes = notes, .err = err};
    const char *from;
    atg_str text;
    int rc;

    if (bytes.n > ATG_INPUT_MAX)
        return atg_fail(err, ATG_ELIMIT, "The file is larger than %d bytes", ATG_INPUT_MAX);
    rc = text_utf8(arena, bytes, &text, &from, err);
    if (rc)
        return rc;
    r.text = from ? text : atg_arena_str(arena, text);
    if (!r.text.p)
        return nomem(&r);
    if (from)
        atg_note(notes, arena, "The file is not UTF-8 and was read as %s; check names with accents",
                 from);
    rc = profile_set_open(&r.set, arena, notes, err);
    if (!rc)
        rc = read_rows(&r, ret_n, ret);
    profile_set_close(&r.set);
    atg_arena_free(r.scratch);
    return rc;
}
