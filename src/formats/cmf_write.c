/* SPDX-License-Identifier: Apache-2.0 */
#include <antigone/formats.h>

#include <string.h>

#include "base/utf8.h"

enum { ID_MAX = 24, LAB_MAX = 10, ALLELE_MAX = 10, LOCI_32 = 32, LOCI_33 = 64 };

/* The loci that the schema lists, and whether version 3.2 has them already. */
static const struct {
    const char *name;
    bool in_32;
} loci[] = {
    {"Amelogenin", true}, {"CSF1PO", true},    {"D13S317", true},   {"D16S539", true},
    {"D18S51", true},     {"D19S433", true},   {"D21S11", true},    {"D2S1338", true},
    {"D3S1358", true},    {"D5S818", true},    {"D7S820", true},    {"D8S1179", true},
    {"FGA", true},        {"Penta D", true},   {"Penta E", true},   {"TH01", true},
    {"TPOX", true},       {"vWA", true},       {"D10S1248", false}, {"D12S391", false},
    {"D1S1656", false},   {"D22S1045", false}, {"D2S441", false},   {"SE33", false},
    {"DYF387S1", false},  {"DYS19", false},    {"DYS385", false},   {"DYS389 I", false},
    {"DYS389 II", false}, {"DYS390", false},   {"DYS391", false},   {"DYS392", false},
    {"DYS393", false},    {"DYS437", false},   {"DYS438", false},   {"DYS439", false},
    {"DYS448", false},    {"DYS449", false},   {"DYS456", false},   {"DYS458", false},
    {"DYS460", false},    {"DYS481", false},   {"DYS518", false},   {"DYS533", false},
    {"DYS549", false},    {"DYS570", false},   {"DYS576", false},   {"DYS627", false},
    {"DYS635", false},    {"DYS643", false},   {"YGATAH4", false},  {"Yindel", false},
};

typedef struct writer {
    const atg_operation *op;
    const char *lab, *when;
    atg_buf *buf;
    atg_err *err;
    int locus[ATG_MARKERS_MAX]; /* of each marker, or -1 */
} writer;

static void put_text(writer *w, atg_str s) {
    while (s.n) {
        uint32_t c = utf8_next(&s);

        if (c == '<')
            atg_buf_adds(w->buf, "&lt;");
        else if (c == '>')
            atg_buf_adds(w->buf, "&gt;");
        else if (c == '&')
            atg_buf_adds(w->buf, "&amp;");
        else
            utf8_put(w->buf, c < 0x20 ? ' ' : c);
    }
}

static void put(writer *w, int indent, const char *name, atg_str text) {
    atg_buf_printf(w->buf, "%*s<%s>", indent, "", name);
    put_text(w, text);
    atg_buf_printf(w->buf, "</%s>\n", name);
}

static size_t characters(atg_str s) {
    size_t n = 0;

    for (; s.n; n++)
        (void)utf8_next(&s);
    return n;
}

/* Can this locus of a profile be said in CMF?  One allele alone would be taken as a homozygote. */
static bool whole(const writer *w, uint32_t marker, atg_geno g) {
    const atg_marker *m = &w->op->markers[marker];

    return w->locus[marker] >= 0 && g.a >= 0 && g.b >= 0 && g.a != m->silent && g.b != m->silent &&
           m->labels[g.a].n <= ALLELE_MAX && m->labels[g.b].n <= ALLELE_MAX;
}

static void put_locus(writer *w, uint32_t marker, atg_geno g) {
    const atg_marker *m = &w->op->markers[marker];
    const int16_t alleles[] = {g.a, g.b};

    atg_buf_adds(w->buf, "    <LOCUS>\n");
    put(w, 6, "LOCUSNAME", atg_str_of(loci[w->locus[marker]].name));
    put(w, 6, "READINGBY", atg_str_of(w->lab));
    put(w, 6, "READINGDATETIME", atg_str_of(w->when));
    for (int k = 0; k < (g.a == g.b ? 1 : 2); k++) {
        atg_buf_adds(w->buf, "      <ALLELE>\n");
        put(w, 8, "ALLELEVALUE", m->labels[alleles[k]]);
        atg_buf_adds(w->buf, "      </ALLELE>\n");
    }
    atg_buf_adds(w->buf, "    </LOCUS>\n");
}

static uint32_t n_whole(const writer *w, const atg_sample *s, bool *ret_partial) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->op->n_markers; i++) {
        n += whole(w, i, s->genos[i]);
        *ret_partial |= w->locus[i] >= 0 && !whole(w, i, s->genos[i]);
    }
    return n;
}

/* Nothing of a mixture, and nothing without a locus, is a specimen. */
static bool is_specimen(const writer *w, const atg_sample *s, bool *ret_partial) {
    return !s->mixture && n_whole(w, s, ret_partial) > 0;
}

static int put_specimen(writer *w, const atg_sample *s) {
    bool partial = false;

    if (!is_specimen(w, s, &partial))
        return ATG_OK;
    if (s->id.n == 0 || characters(s->id) > ID_MAX)
        return atg_fail(w->err, ATG_EINVAL,
                        "CODIS takes specimen ids of 1 to %d characters; shorten %.*s", ID_MAX,
                        ATG_FMT(s->id));
    atg_buf_printf(w->buf, "  <SPECIMEN PARTIAL=\"%s\">\n", partial ? "true" : "false");
    put(w, 4, "SPECIMENID", s->id);
    put(w, 4, "SPECIMENCATEGORY", ATG_STR("Unidentified Person"));
    for (uint32_t i = 0; i < w->op->n_markers; i++)
        if (whole(w, i, s->genos[i]))
            put_locus(w, i, s->genos[i]);
    atg_buf_adds(w->buf, "  </SPECIMEN>\n");
    return ATG_OK;
}

static int find_locus(atg_str marker) {
    for (size_t k = 0; k < sizeof(loci) / sizeof(*loci); k++)
        if (atg_marker_same_name(marker, atg_str_of(loci[k].name)))
            return (int)k;
    return -1;
}

static int find_loci(writer *w, bool *ret_33) {
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->op->n_markers; i++) {
        w->locus[i] = find_locus(w->op->markers[i].name);
        n += w->locus[i] >= 0;
        *ret_33 |= w->locus[i] >= 0 && !loci[w->locus[i]].in_32;
    }
    *ret_33 |= n > LOCI_32;
    return n <= LOCI_33 ? ATG_OK
                        : atg_fail(w->err, ATG_ELIMIT, "CODIS takes at most %d loci", LOCI_33);
}

/* "2026-11-24T02:00:00", with or without "Z". */
static bool is_instant(const char *s) {
    static const char shape[] = "dddd-dd-ddTdd:dd:dd";
    size_t n = strlen(s), i = 0;

    if (n != sizeof(shape) - 1 && !(n == sizeof(shape) && s[n - 1] == 'Z'))
        return false;
    for (; i < sizeof(shape) - 1; i++)
        if (shape[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
            return false;
    return true;
}

static int check(const atg_operation *op, const char *lab, const char *when, atg_err *err) {
    if (!lab || !*lab || strlen(lab) > LAB_MAX)
        return atg_fail(err, ATG_EINVAL,
                        "CODIS wants the laboratory's ORI, 1 to %d characters, with every file",
                        LAB_MAX);
    if (!when || !is_instant(when))
        return atg_fail(err, ATG_EINVAL,
                        "CODIS wants the instant of the export, as 2026-11-24T02:00:00");
    return atg_operation_check(op, err);
}

int atg_cmf_write(const atg_operation *op, const char *lab, const char *when, atg_buf *buf,
                  atg_err *err) {
    writer w = {.op = op, .lab = lab, .when = when, .buf = buf, .err = err};
    bool is_33 = false, partial = false, any = false;
    int rc = check(op, lab, when, err);

    if (!rc)
        rc = find_loci(&w, &is_33);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < op->n_samples; i++)
        any |= is_specimen(&w, &op->samples[i], &partial);
    if (!any)
        return atg_fail(
            err, ATG_EINVAL,
            "No remains have a profile at a locus that CODIS knows; there is nothing to "
            "write");
    atg_buf_adds(buf, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<CODISImportFile xmlns=\"urn:CODISImportFile-schema\">\n");
    put(&w, 2, "HEADERVERSION", is_33 ? ATG_STR("3.3") : ATG_STR("3.2"));
    put(&w, 2, "MESSAGETYPE", ATG_STR("Import"));
    put(&w, 2, "DESTINATIONORI", atg_str_of(lab));
    put(&w, 2, "SOURCELAB", atg_str_of(lab));
    put(&w, 2, "SUBMITBYUSERID", atg_str_of(lab));
    put(&w, 2, "SUBMITDATETIME", atg_str_of(when));
    for (uint32_t i = 0; i < op->n_samples && !rc; i++)
        rc = put_specimen(&w, &op->samples[i]);
    if (!rc)
        atg_buf_adds(buf, "</CODISImportFile>\n");
    return rc;
}
