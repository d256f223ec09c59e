/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "formats/profile.h"
#include "formats/table.h"

enum { NAME_MAX_KEY = 48 };

static const struct {
    const char *name; /* letters and digits only */
    table_role role;
} usual_names[] = {
    {"id", TABLE_ID},
    {"samplename", TABLE_ID},
    {"sampleid", TABLE_ID},
    {"sample", TABLE_ID},
    {"specimen", TABLE_ID},
    {"specimenid", TABLE_ID},
    {"profile", TABLE_ID},
    {"profileid", TABLE_ID},
    {"profilename", TABLE_ID},
    {"person", TABLE_ID},
    {"personid", TABLE_ID},
    {"name", TABLE_ID},
    {"body", TABLE_BODY},
    {"bodyid", TABLE_BODY},
    {"bodyno", TABLE_BODY},
    {"remains", TABLE_BODY},
    {"remainsid", TABLE_BODY},
    {"pmnumber", TABLE_BODY},
    {"pmno", TABLE_BODY},
    {"sex", TABLE_SEX},
    {"gender", TABLE_SEX},
    {"family", TABLE_FAMILY},
    {"familyid", TABLE_FAMILY},
    {"fam", TABLE_FAMILY},
    {"father", TABLE_FATHER},
    {"fatherid", TABLE_FATHER},
    {"mother", TABLE_MOTHER},
    {"motherid", TABLE_MOTHER},
    {"missing", TABLE_MISSING},
    {"missingid", TABLE_MISSING},
    {"missingperson", TABLE_MISSING},
    {"staff", TABLE_STAFF},
    {"elimination", TABLE_STAFF},
    {"type", TABLE_TYPE},
    {"sampletype", TABLE_TYPE},
    {"category", TABLE_TYPE},
    {"marker", TABLE_MARKER},
    {"markername", TABLE_MARKER},
    {"locus", TABLE_MARKER},
};

/* The letters and digits of a name in lower case; empty when it is too long to be one of ours. */
static atg_str key_of(atg_str name, char room[NAME_MAX_KEY]) {
    size_t n = 0;

    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')))
            continue;
        if (n == NAME_MAX_KEY)
            return (atg_str){room, 0};
        room[n++] = c;
    }
    return (atg_str){room, n};
}

/* Its place in the list, or -1. */
static int usual_name(atg_str name) {
    char room[NAME_MAX_KEY];
    atg_str key = key_of(name, room);

    for (size_t i = 0; i < sizeof(usual_names) / sizeof(*usual_names); i++)
        if (atg_str_eq(key, atg_str_of(usual_names[i].name)))
            return (int)i;
    return -1;
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

/* "Allele 1" to "Allele 20" of a long table. */
static bool allele_number(atg_str key, uint32_t *ret) {
    atg_str head = ATG_STR("allele");
    uint32_t n = 0;

    if (key.n <= head.n || key.n > head.n + 2 || memcmp(key.p, head.p, head.n) != 0)
        return false;
    for (size_t i = head.n; i < key.n; i++) {
        if (!digit(key.p[i]))
            return false;
        n = n * 10 + (uint32_t)(key.p[i] - '0');
    }
    *ret = n - 1;
    return n > 0;
}

static bool has_any(atg_str s, const char *of) {
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] && strchr(of, s.p[i]))
            return true;
    return false;
}

/* A name that only markers have: D3S1358, DXS10103, DYS391, and those with aliases. */
static bool is_marker_name(atg_str s) {
    atg_str usual = atg_marker_usual_name(s);
    size_t i = 1;

    if (usual.p != s.p) /* a text of the table of aliases */
        return true;
    if (s.n < 4 || (s.p[0] != 'D' && s.p[0] != 'd'))
        return atg_marker_usual_chrom(s) != ATG_CHROM_AUTOSOMAL;
    while (i < s.n && (digit(s.p[i]) || strchr("XxYy", s.p[i])))
        i++;
    if (i == 1 || i + 1 >= s.n || !strchr("SsFf", s.p[i]) || !digit(s.p[i + 1]))
        return false;
    /* "D3S1358.1" is one of its alleles; "DYS389.1" is a marker */
    return !has_any(s, "._ -") ||
           (s.n > 6 && atg_str_eq_nocase((atg_str){s.p, 6}, ATG_STR("DYS389")));
}

/* "TH01.1", "TH01_2", "Penta D 1", "FGA-A", "TH01 Allele 2": the marker before it. */
static bool cut_allele(atg_str name, atg_str *ret_marker, uint32_t *ret_allele) {
    static const char digits[] = "123456789", letters[] = "AaBb";
    atg_str s = name, word = ATG_STR("allele");
    const char *at;

    if (s.n < 3 || is_marker_name(s))
        return false;
    at = memchr(digits, s.p[s.n - 1], sizeof(digits) - 1);
    if (at)
        *ret_allele = (uint32_t)(at - digits);
    else if ((at = memchr(letters, s.p[s.n - 1], sizeof(letters) - 1)))
        *ret_allele = (uint32_t)(at - letters) / 2;
    else
        return false;
    s.n--;
    if (!strchr("._ -", s.p[s.n - 1]) &&
        !(s.n > word.n && atg_str_eq_nocase((atg_str){s.p + s.n - word.n, word.n}, word)))
        return false;
    while (s.n && strchr("._ -", s.p[s.n - 1]))
        s.n--;
    if (s.n > word.n && atg_str_eq_nocase((atg_str){s.p + s.n - word.n, word.n}, word))
        s.n -= word.n;
    while (s.n && strchr("._ -", s.p[s.n - 1]))
        s.n--;
    *ret_marker = s;
    return s.n > 0;
}

/* Of two names for the id ("id" and "name") the one that stands first in the list counts. */
static int take_role(table_header *h, uint32_t i, int usual, atg_err *err) {
    table_column *c = &h->columns[i];
    table_role role = usual_names[usual].role;
    int old = h->at[role], before = old < 0 ? -1 : usual_name(h->columns[old].name);

    if (old >= 0 && (role != TABLE_ID || before == usual))
        return atg_fail_at(err, ATG_EPARSE, c->line, c->col,
                           "The columns \"%.*s\" and \"%.*s\" mean the same; keep one",
                           ATG_FMT(h->columns[old].name), ATG_FMT(c->name));
    if (old >= 0 && before < usual)
        return ATG_OK;
    if (old >= 0)
        h->columns[old].role = TABLE_IGNORED;
    c->role = role;
    h->at[role] = (int)i;
    return ATG_OK;
}

/* How often the name stands in the header before column i, and whether it comes again. */
static uint32_t repeated(const table_header *h, uint32_t i, bool *ret_more) {
    uint32_t before = 0;

    for (uint32_t k = 0; k < h->n; k++) {
        if (k == i || !atg_str_eq(h->columns[k].name, h->columns[i].name))
            continue;
        before += k < i;
        *ret_more |= k > i;
    }
    return before;
}

static int classify(table_header *h, uint32_t i, atg_err *err) {
    table_column *c = &h->columns[i];
    char room[NAME_MAX_KEY];
    atg_str key = key_of(c->name, room);
    int usual = usual_name(c->name);
    bool more = false;

    if (usual >= 0)
        return take_role(h, i, usual, err);
    if (c->name.n == 0 || allele_number(key, &c->allele)) {
        c->role = c->name.n ? TABLE_ALLELE : TABLE_IGNORED;
        return ATG_OK;
    }
    c->marker = c->name;
    if (cut_allele(c->name, &c->marker, &c->allele)) {
        c->role = TABLE_ONE_OF;
        c->doubtful = !is_marker_name(c->marker);
        return ATG_OK;
    }
    c->allele = repeated(h, i, &more);
    c->role = c->allele || more ? TABLE_ONE_OF : TABLE_BOTH;
    c->doubtful = !is_marker_name(c->name);
    return ATG_OK;
}

/* A column whose name says nothing, or a row name of R, is the id where nothing else is. */
static void find_id(table_header *h) {
    char room[NAME_MAX_KEY];

    if (h->at[TABLE_ID] >= 0)
        return;
    for (uint32_t i = 0; i < h->n; i++)
        if (atg_str_eq(key_of(h->columns[i].name, room), ATG_STR("samplefile")) ||
            (i == 0 && h->columns[i].name.n == 0)) {
            h->columns[i].role = TABLE_ID;
            h->at[TABLE_ID] = (int)i;
            return;
        }
}

int table_header_read(atg_arena *arena, const csv_field *fields, uint32_t n, table_header *ret,
                      atg_err *err) {
    table_header h = {.n = n, .columns = ATG_GET(arena, table_column, n)};
    bool alleles = false;

    if (!h.columns)
        return atg_fail(err, ATG_ENOMEM, "Out of memory reading a table");
    for (int r = 0; r < TABLE_N_ROLES; r++)
        h.at[r] = -1;
    for (uint32_t i = 0; i < n; i++)
        h.columns[i] = (table_column){
            .name = atg_str_trim(fields[i].text), .line = fields[i].line, .col = fields[i].col};
    for (uint32_t i = 0; i < n; i++) {
        int rc = classify(&h, i, err);

        if (rc)
            return rc;
        alleles |= h.columns[i].role == TABLE_ALLELE;
    }
    h.is_long = h.at[TABLE_MARKER] >= 0 && alleles;
    for (uint32_t i = 0; i < n; i++) {
        table_role role = h.columns[i].role;

        if (h.is_long ? role == TABLE_BOTH || role == TABLE_ONE_OF
                      : role == TABLE_MARKER || role == TABLE_ALLELE)
            h.columns[i].role = TABLE_IGNORED;
    }
    find_id(&h);
    if (h.at[TABLE_ID] < 0)
        return atg_fail_at(err, ATG_EPARSE, h.columns[0].line, h.columns[0].col,
                           "No column says whose profile a row is; call one \"id\" or \"Sample "
                           "Name\"");
    *ret = h;
    return ATG_OK;
}

static bool is_genotype(const table_column *c) {
    return c->role == TABLE_BOTH || c->role == TABLE_ONE_OF;
}

/* Do two columns of one marker get into each other's way? */
static bool clash(const table_column *c, const table_column *d) {
    return c->role == TABLE_BOTH || d->role == TABLE_BOTH || c->allele == d->allele;
}

static int fail_clash(const table_column *c, const table_column *d, atg_err *err) {
    return atg_fail_at(err, ATG_EPARSE, c->line, c->col,
                       "The columns \"%.*s\" and \"%.*s\" are one marker; keep one, or name its "
                       "alleles \"%.*s.1\" and \"%.*s.2\"",
                       ATG_FMT(d->name), ATG_FMT(c->name), ATG_FMT(c->marker), ATG_FMT(c->marker));
}

/* The other columns of this marker: as many alleles as two, or one column for both. */
static int check_marker(const table_header *h, uint32_t i, atg_err *err) {
    const table_column *c = &h->columns[i];
    bool partner = c->role == TABLE_BOTH || c->allele > 1;

    for (uint32_t k = 0; k < h->n; k++) {
        const table_column *d = &h->columns[k];

        if (k == i || !is_genotype(d) || !atg_marker_same_name(c->marker, d->marker))
            continue;
        if (clash(c, d))
            return fail_clash(c, d, err);
        partner |= d->allele == 1 - (c->allele & 1);
    }
    if (partner)
        return ATG_OK;
    return atg_fail_at(err, ATG_EPARSE, c->line, c->col,
                       "The column \"%.*s\" has no partner for the other allele of %.*s",
                       ATG_FMT(c->name), ATG_FMT(c->marker));
}

int table_header_check(table_header *h, atg_notes *notes, atg_arena *arena, atg_err *err) {
    uint32_t n_markers = 0;

    for (uint32_t i = 0; i < h->n; i++) {
        table_column *c = &h->columns[i];
        int rc = ATG_OK;

        if (is_genotype(c)) {
            n_markers++;
            rc = check_marker(h, i, err);
        } else if (c->role == TABLE_IGNORED && c->name.n && !h->is_long) {
            atg_note(notes, arena, "The column \"%.*s\" is not read", ATG_FMT(c->name));
        }
        if (rc)
            return rc;
    }
    if (!h->is_long && n_markers == 0)
        return atg_fail_at(err, ATG_EPARSE, h->columns[0].line, h->columns[0].col,
                           "No column is a marker; name them as \"TH01.1\" and \"TH01.2\", or "
                           "\"TH01\" with genotypes such as 6/9.3");
    return ATG_OK;
}

/* Can "x,y" be a decimal number as well as two alleles? */
static bool decimal_comma(atg_str a, atg_str b) {
    for (size_t i = 0; i < a.n; i++)
        if (!digit(a.p[i]))
            return false;
    return b.n == 1 && b.p[0] >= '1' && b.p[0] <= '4';
}

bool table_cut(atg_str cell, table_pair *ret) {
    static const char separators[] = "/|; -,";
    atg_str s = atg_str_trim(cell);
    char sep = 0;

    for (size_t k = 0; k < sizeof(separators) - 1 && !sep; k++)
        if (s.n > 1 && memchr(s.p, separators[k], s.n))
            sep = separators[k];
    *ret = (table_pair){.a = s, .n = s.n > 0};
    if (!sep)
        return true;
    for (ret->n = 0; s.n; ret->n++) {
        atg_str part = atg_str_trim(atg_str_cut(&s, sep));

        if (sep == ' ' && part.n == 0) /* several blanks are one */
            ret->n--;
        else if (ret->n == 0)
            ret->a = part;
        else if (ret->n == 1)
            ret->b = part;
    }
    return !(sep == ',' && ret->n == 2 && decimal_comma(ret->a, ret->b));
}
