/* SPDX-License-Identifier: Apache-2.0 */
#include "dna/sex.h"

static bool shows(const atg_marker *marker, int allele, const char *label) {
    return allele >= 0 && atg_str_eq_nocase(marker->labels[allele], atg_str_of(label));
}

atg_sex sex_of_amelogenin(const atg_operation *op, const atg_geno *genos, double dropout) {
    for (uint32_t m = 0; m < op->n_markers; m++) {
        const atg_marker *marker = &op->markers[m];

        if (marker->chrom != ATG_CHROM_AMELOGENIN || !atg_geno_typed(genos[m]))
            continue;
        if (shows(marker, genos[m].a, "Y") || shows(marker, genos[m].b, "Y"))
            return ATG_SEX_MALE;
        if (shows(marker, genos[m].a, "X") && shows(marker, genos[m].b, "X") && dropout <= 0)
            return ATG_SEX_FEMALE;
    }
    return ATG_SEX_UNKNOWN;
}

int sex_two_x(const atg_operation *op, const atg_geno *genos) {
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (op->markers[m].chrom == ATG_CHROM_X && genos[m].b >= 0 && genos[m].a != genos[m].b)
            return (int)m;
    return -1;
}

int sex_has_y(const atg_operation *op, const atg_geno *genos) {
    for (uint32_t m = 0; m < op->n_markers; m++)
        if (op->markers[m].chrom == ATG_CHROM_Y && atg_geno_typed(genos[m]))
            return (int)m;
    return -1;
}

/* Start a reason; false when nobody wants to know. */
static bool next_reason(atg_buf *why, uint32_t n) {
    if (why && n)
        atg_buf_adds(why, "; ");
    return why != NULL;
}

bool sex_contradicts(const atg_operation *op, const atg_sample *s, atg_buf *why) {
    atg_sex amel = sex_of_amelogenin(op, s->genos, s->dropout);
    int two_x = sex_two_x(op, s->genos), y = sex_has_y(op, s->genos);
    uint32_t n = 0;

    if (s->sex == ATG_SEX_UNKNOWN)
        return false;
    if (amel != ATG_SEX_UNKNOWN && amel != s->sex && next_reason(why, n++))
        atg_buf_printf(why, "Amelogenin says %s, the record says %s", sex_word(amel),
                       sex_word(s->sex));
    if (s->sex == ATG_SEX_MALE && two_x >= 0 && s->dropin <= 0 && next_reason(why, n++))
        atg_buf_printf(why, "Two alleles were read at the X marker %.*s and the record says male",
                       ATG_FMT(op->markers[two_x].name));
    if (s->sex == ATG_SEX_FEMALE && y >= 0 && next_reason(why, n++))
        atg_buf_printf(why, "The Y marker %.*s was typed and the record says female",
                       ATG_FMT(op->markers[y].name));
    return n > 0;
}

const char *sex_word(atg_sex sex) {
    return sex == ATG_SEX_MALE ? "male" : sex == ATG_SEX_FEMALE ? "female" : "unknown";
}
